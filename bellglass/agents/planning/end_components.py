"""Maximal end components: the sets of states in which a policy can stay for ever, and the graphs around them.

An end component is a set of states with pairs (s, a) that never leave it and connect it strongly (de Alfaro, Formal
verification of probabilistic systems, 1997, section 3.3).  Found by repeating: drop every pair that may leave its
strongly connected component, or that may end the episode; split into components again.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from ...envs.mdp import BoolArray, IntArray
from .pairs import Pairs


def end_components(pairs: Pairs, allowed: BoolArray | None = None) -> tuple[IntArray, BoolArray]:
    """The maximal end components of the `allowed` [M] pairs (all by default).

    Returns:
        component: [S] its number, from 0 up in the order of their lowest states; -1 outside of all.
        inside: [M] the pairs that stay inside.
    """
    edges = pairs.matrix.tocoo()
    pair, target = edges.row, edges.col
    inside = (pairs.going_on == 1.0) & (True if allowed is None else allowed)
    while True:
        kept = inside[pair]
        graph = scipy.sparse.csr_array(
            (np.ones(int(kept.sum())), (pairs.state[pair[kept]], target[kept])),
            shape=(pairs.num_states, pairs.num_states),
        )
        graph.sum_duplicates()  # two actions may share an edge; SciPy 1.13 never came back from that
        _, label = scipy.sparse.csgraph.connected_components(graph, connection="strong")
        leaves = np.zeros(pairs.num_pairs, dtype=np.bool_)
        leaves[pair[label[target] != label[pairs.state[pair]]]] = True
        if not (inside & leaves).any():
            break
        inside &= ~leaves
    component = np.full(pairs.num_states, -1, dtype=np.int64)
    states = np.unique(pairs.state[inside])
    _, first, numbers = np.unique(label[states], return_index=True, return_inverse=True)
    component[states] = np.argsort(np.argsort(first))[numbers]
    return component, inside


def reachable(pairs: Pairs, start: BoolArray, allowed: BoolArray | None = None) -> BoolArray:
    """[S] states that some play of the `allowed` pairs reaches from the `start` [S] states with positive chance."""
    edges = _edges(pairs, allowed)
    return _closure(edges, start)


def can_reach(pairs: Pairs, goal: BoolArray, allowed: BoolArray | None = None) -> BoolArray:
    """[S] states from which some play of the `allowed` pairs reaches the `goal` [S] states with positive chance."""
    return _closure(_edges(pairs, allowed).T.tocsr(), goal)


def _edges(pairs: Pairs, allowed: BoolArray | None) -> scipy.sparse.csr_array:
    edges = pairs.matrix.tocoo()
    kept = np.ones(len(edges.row), dtype=np.bool_) if allowed is None else allowed[edges.row]
    return scipy.sparse.csr_array(
        (np.ones(int(kept.sum())), (pairs.state[edges.row[kept]], edges.col[kept])),
        shape=(pairs.num_states, pairs.num_states),
    )


def _closure(edges: scipy.sparse.csr_array, start: BoolArray) -> BoolArray:
    """[S] states that the edges lead to from `start`, itself included."""
    begins = np.flatnonzero(start)
    size = edges.shape[0]
    # One more node that leads to every start: a single search does them all.
    indptr = np.concatenate([edges.indptr, [edges.indptr[-1] + len(begins)]])
    indices = np.concatenate([edges.indices, begins])
    graph = scipy.sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=(size + 1, size + 1))
    order = scipy.sparse.csgraph.breadth_first_order(graph, size, return_predecessors=False)
    found = np.zeros(size + 1, dtype=np.bool_)
    found[order] = True
    return np.asarray(found[:-1])


def attracted(pairs: Pairs, goal: BoolArray, ends: BoolArray, allowed: BoolArray) -> IntArray:
    """[S] for each state the lowest `allowed` pair that leads closer to the goal; -1 where none does, and in the goal.

    The goal is the `goal` [S] states and the `ends` [M] pairs, which may end.  Each pair that is chosen may enter a
    state settled before its own (or end), so on a finite table the goal is reached for sure if every state that the
    chosen pairs enter is settled.
    """
    chosen = np.full(pairs.num_states, -1, dtype=np.int64)
    settled = goal.copy()
    while True:
        enters = ends | (pairs.matrix @ settled.astype(np.float64) > 0)
        new = np.flatnonzero(allowed & enters & ~settled[pairs.state])[::-1]
        if not new.size:
            return chosen
        chosen[pairs.state[new]] = new
        settled[pairs.state[new]] = True


def surely_reach(pairs: Pairs, goal: BoolArray, ends: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Where some policy reaches the goal (as in `attracted`) with probability 1.

    Returns:
        states: [S] where it does, the goal included.
        allowed: [M] the pairs that never leave those states.
    """
    edges = pairs.matrix.tocoo()
    allowed = np.ones(pairs.num_pairs, dtype=np.bool_)
    while True:
        chosen = attracted(pairs, goal, ends, allowed)
        states = goal | (chosen >= 0)
        leaves = np.zeros(pairs.num_pairs, dtype=np.bool_)
        leaves[edges.row[~states[edges.col]]] = True
        still = allowed & ~leaves & states[pairs.state]
        if (still == allowed).all():
            return states, allowed
        allowed = still
