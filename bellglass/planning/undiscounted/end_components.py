"""Maximal end components: the sets of states in which a policy can stay for ever, and the graphs around them.

An end component is a set of states with pairs (s, a) that never leave it and connect it strongly (de Alfaro, Formal
verification of probabilistic systems, 1997, section 3.3).  Found by repeating: drop every pair that may leave its
strongly connected component, or that may end the episode, and every state that is left without a pair, with the pairs
that enter it; split into components again.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from ...compiled import compiled
from ...envs.mdp import BoolArray, IntArray
from ..algebra.pairs import Pairs

#: Stored chances up to which nothing is compiled.
SMALL = 50_000

#: Rounds after which dropping states is left to compiled code: a long chain falls one state at a time.
ROUNDS = 50


class Graph(Protocol):
    """What is read here of pairs sorted by state: their states [M] and the matrix [M, S] of where they lead."""

    @property
    def num_states(self) -> int:
        """S."""
        ...

    @property
    def state(self) -> IntArray:
        """[M] state of each pair, ascending."""
        ...

    @property
    def matrix(self) -> scipy.sparse.csr_array:
        """[M, S] what each pair may enter; what it stores is positive."""
        ...


def end_components(pairs: Pairs, allowed: BoolArray | None = None) -> tuple[IntArray, BoolArray]:
    """The maximal end components of the `allowed` [M] pairs (all by default).

    Returns:
        component: [S] its number, from 0 up in the order of their lowest states; -1 outside of all.
        inside: [M] the pairs that stay inside.
    """
    inside = (pairs.going_on == 1.0) & (True if allowed is None else allowed)
    component = np.full(pairs.num_states, -1, dtype=np.int64)
    label = np.zeros(0, dtype=np.int64)
    while inside.any():
        inside = without_dead_ends(pairs, inside)
        edges = _edges(pairs, inside)
        _, label = scipy.sparse.csgraph.connected_components(edges, connection="strong")
        leaves = _any_target(pairs, inside, label)
        if not leaves.any():
            break
        inside &= ~leaves
    states = np.unique(pairs.state[inside])
    if states.size:
        _, first, numbers = np.unique(label[states], return_index=True, return_inverse=True)
        component[states] = np.argsort(np.argsort(first))[numbers]
    return component, inside


def _any_target(pairs: Pairs, inside: BoolArray, label: IntArray) -> BoolArray:
    """[M] the `inside` pairs that may enter a state of another label."""
    leaves = np.zeros(len(inside), dtype=np.bool_)
    source = np.repeat(pairs.state, np.diff(pairs.matrix.indptr))
    away = np.flatnonzero(label[pairs.matrix.indices] != label[source])
    leaves[np.searchsorted(pairs.matrix.indptr, away, side="right") - 1] = True
    return leaves & inside


def without_dead_ends(graph: Graph, allowed: BoolArray) -> BoolArray:
    """[M] the `allowed` pairs, less those that may enter a state without any that are left."""
    allowed = allowed.copy()
    left = np.bincount(graph.state[allowed], minlength=graph.num_states)
    dead = np.flatnonzero(left == 0)
    columns = scipy.sparse.csc_array(graph.matrix) if dead.size else None
    rounds = 0
    while dead.size and columns is not None:
        if rounds >= ROUNDS and graph.matrix.nnz > SMALL:
            compiled(_drop)(dead, left, allowed, graph.state, columns.indptr, columns.indices)
            break
        entering = columns.indices[_ranges(columns.indptr, dead)]
        lost = np.unique(entering[allowed[entering]])
        allowed[lost] = False
        touched = graph.state[lost]
        np.subtract.at(left, touched, 1)
        touched = np.unique(touched)
        dead = touched[left[touched] == 0]
        rounds += 1
    return allowed


def _drop(
    dead: IntArray, left: IntArray, allowed: BoolArray, state: IntArray, begin: IntArray, entering: IntArray
) -> None:
    """Each state that dies is looked at once, each entry into it once."""
    stack = list(dead)
    while stack:
        s = stack.pop()
        for k in range(begin[s], begin[s + 1]):
            pair = entering[k]
            if allowed[pair]:
                allowed[pair] = False
                left[state[pair]] -= 1
                if left[state[pair]] == 0:
                    stack.append(state[pair])


def _ranges(indptr: IntArray, columns: IntArray) -> IntArray:
    """Indices of all entries of the `columns`."""
    begin, length = indptr[columns].astype(np.int64), np.diff(indptr)[columns].astype(np.int64)
    return np.repeat(begin - (np.cumsum(length) - length), length) + np.arange(int(length.sum()))


def reachable(graph: Graph, start: BoolArray, allowed: BoolArray | None = None) -> BoolArray:
    """[S] states that some play of the `allowed` pairs reaches from the `start` [S] states with positive chance."""
    return search_places(_edges(graph, allowed), start) >= 0


def can_reach(graph: Graph, goal: BoolArray, allowed: BoolArray | None = None) -> BoolArray:
    """[S] states from which some play of the `allowed` pairs reaches the `goal` [S] states with positive chance."""
    if goal.all() or not goal.any():
        return goal.copy()
    return search_places(_edges(graph, allowed).T.tocsr(), goal) >= 0


def _edges(graph: Graph, allowed: BoolArray | None) -> scipy.sparse.csr_array:
    """[S, S], each edge once: older SciPy never came back from doubles, which two actions may make."""
    lengths = np.diff(graph.matrix.indptr)
    source, target = np.repeat(graph.state, lengths), graph.matrix.indices
    if allowed is not None and not allowed.all():
        kept = np.repeat(allowed, lengths)
        source, target = source[kept], target[kept]
    size = graph.num_states
    begin = np.searchsorted(source, np.arange(size + 1))  # the pairs are sorted by state
    edges = scipy.sparse.csr_array(
        (np.ones(len(target), dtype=np.int8), target.copy(), begin.astype(target.dtype)), shape=(size, size)
    )
    edges.sum_duplicates()
    edges.data = np.ones(edges.nnz, dtype=np.int8)  # sums may have run over
    return edges


def search_places(edges: scipy.sparse.csr_array, start: BoolArray) -> IntArray:
    """[S] place of each state in a breadth-first search of edges [S, S] from `start` [S]; -1 where it does not get."""
    begins = np.flatnonzero(start)
    size = edges.shape[0]
    # One more node that leads to every start: a single search does them all.
    indptr = np.concatenate([edges.indptr, [edges.indptr[-1] + len(begins)]])
    indices = np.concatenate([edges.indices, begins])
    graph = scipy.sparse.csr_array((np.ones(len(indices)), indices, indptr), shape=(size + 1, size + 1))
    order = scipy.sparse.csgraph.breadth_first_order(graph, size, return_predecessors=False)
    place = np.full(size + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return place[:-1]


def attracted(graph: Graph, goal: BoolArray, ends: BoolArray, allowed: BoolArray) -> IntArray:
    """[S] for each state the lowest `allowed` pair that leads closer to the goal; -1 where none does, and in the goal.

    The goal is the `goal` [S] states and the `ends` [M] pairs, which may end.  Each pair that is chosen may enter a
    state that a breadth-first search from the goal finds before its own (or end), so on a finite table the goal is
    reached for sure if every state that the chosen pairs enter has one.
    """
    may_end = ends & allowed
    start = goal.copy()
    start[graph.state[may_end]] = True
    place = search_places(_edges(graph, allowed).T.tocsr(), start)
    # States of the goal come first of all; those that may end by the pair that does.
    place = np.where(goal, -2, np.where(place < 0, np.iinfo(np.int64).max, place))
    matrix = graph.matrix
    filled = np.flatnonzero(np.diff(matrix.indptr))
    nearest = np.full(len(graph.state), np.iinfo(np.int64).max)
    if filled.size:
        nearest[filled] = np.minimum.reduceat(place[matrix.indices], matrix.indptr[filled])
    closer = allowed & (may_end | (nearest < place[graph.state])) & ~goal[graph.state]
    chosen = np.full(graph.num_states, -1, dtype=np.int64)
    picked = np.flatnonzero(closer)[::-1]  # of equal indices the last one written stays
    chosen[graph.state[picked]] = picked
    return chosen


def surely_reach(graph: Graph, goal: BoolArray, ends: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Where some policy reaches the goal (as in `attracted`) with probability 1.

    Returns:
        states: [S] where it does, the goal included.
        allowed: [M] the pairs that never leave those states.
    """
    allowed = np.ones(len(graph.state), dtype=np.bool_)
    while True:
        start = goal.copy()
        start[graph.state[ends & allowed]] = True
        states = can_reach(graph, start, allowed)
        if states.all():
            return states, allowed
        # What cannot get there is a dead end, and with it whatever cannot avoid it.
        still = allowed & states[graph.state]
        spared = still | goal[graph.state]  # states of the goal need no pairs
        kept = without_dead_ends(_Padded(graph, goal), np.append(spared, goal[goal]))
        still &= kept[: len(still)]
        if (still == allowed).all():
            return states, allowed
        allowed = still


class _Padded:
    """A graph in which each goal state has one more pair, which leads nowhere: it is no dead end."""

    def __init__(self, graph: Graph, goal: BoolArray) -> None:
        more = np.flatnonzero(goal)
        self.num_states = graph.num_states
        self.state: IntArray = np.concatenate([graph.state, more])
        self.matrix = scipy.sparse.vstack(
            [graph.matrix, scipy.sparse.csr_array((len(more), graph.num_states))], format="csr"
        )
