"""Planning under partial observation, where finitely many beliefs can be reached: a table of beliefs.

    r(b, a)   =  sum_s b(s) r(s, a)
    b'(s')    ~  O(o | a, s') * sum_s b(s) p(s' | s, a)          with the chance of seeing o as its weight

The beliefs that follow the start, one for each history that can be told apart, become the states of a TabularMDP,
and the solvers of fully observed tables do the rest (Astrom 1965; Kaelbling, Littman and Cassandra 1998, section 3).
Whoever acts is told when an episode ends, so an end needs no belief.

Two histories share a belief if their beliefs agree to thirteen decimals.  When b replaces b', the worth of any plan
changes by at most |b - b'|_1 times the most that a plan is worth in a hidden state, that is max|r| summed over the
discounted steps, and so does the value, once a step; the certified bounds are widened by the largest distance that was
in fact bridged (commonly a few units of the last place) summed over the discounted steps.  (Derived here.)

Where the beliefs are too many, `pomdp_solver.py` goes on with `belief_search.py`, and within a finite horizon, if
need be, with `incremental_pruning.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ...envs.mdp.memory_limit import SMALL
from ...envs.mdp.outcomes import sorted_outcomes
from ...envs.pomdp import TabularPOMDP
from ..solutions.record import MAX_BELIEFS
from .world import World

if TYPE_CHECKING:
    from ..solutions.record import Beliefs

#: Decimals to which beliefs that are taken for one agree.
DECIMALS = 13


#: Which actions [f, A] are worth a look at some beliefs [f, S].
Keep = Callable[[FloatArray], BoolArray]


class TooManyBeliefs(ValueError):
    """More beliefs can be reached than may be enumerated."""


@dataclass(frozen=True, eq=False)
class BeliefTable:
    """The reachable beliefs as the states of a table; one more state, the last, stands for the end.

    Attributes:
        beliefs: [B, S] chance of each hidden state; a sparse matrix where the dense array would be large.
        mdp: the table over B + 1 states; its starts are the beliefs after the first observation.
        merged: greatest distance |b - b'|_1 of two beliefs that were taken for one.
    """

    beliefs: Beliefs
    mdp: TabularMDP
    merged: float


def belief_table(
    pomdp: TabularPOMDP,
    *,
    horizon: int | None = None,
    max_beliefs: int = MAX_BELIEFS,
    keep: Keep | None = None,
) -> BeliefTable:
    """Enumerates the beliefs that can follow the start, within `horizon` steps if one is given.

    Args:
        pomdp: the partially observed table.
        horizon: steps after which nothing is done any more.
        max_beliefs: how many there may be.
        keep: leaves out actions that are known not to be the best; all others must be kept.

    Raises:
        TooManyBeliefs: more than `max_beliefs` beliefs; the message tells how many steps were enumerated.
    """
    world = World(pomdp)
    finder = _Finder(pomdp.num_states)
    start = scipy.sparse.csr_array((pomdp.mdp.initial[:, None] * pomdp.initial_observation).T)  # [O, S]
    shown, chances = world.normalised(start)
    starts = finder.indices(shown)
    columns: list[tuple[IntArray, FloatArray, IntArray, FloatArray, BoolArray]] = []
    begin, depth = 0, 0
    while begin < len(finder) and not (horizon is not None and depth >= horizon):
        depth += 1
        level = finder.matrix(begin)
        here = begin + np.arange(level.shape[0])
        begin = len(finder)
        available = world.available(level)
        if keep is not None:
            available &= keep(level.toarray())
        targets: dict[int, _Outcomes] = {}
        for action in range(pomdp.num_actions):
            kind = int(world.kind[action])
            if kind not in targets:
                rows = np.flatnonzero(available[:, world.kind == kind].any(axis=1))
                targets[kind] = _outcomes(world, level[rows], rows, kind, finder)
                if len(finder) > max_beliefs:
                    raise TooManyBeliefs(
                        f"more than {max_beliefs} beliefs can be reached ({len(finder)} within {depth} steps); "
                        "give a larger max_beliefs, or a horizon"
                    )
            found = targets[kind]
            asked = available[found.row, action]
            row = found.row[asked]
            reward = np.asarray(level @ world.reward[action])[row]
            pair = here[row] * pomdp.num_actions + action
            columns.append((pair, found.chance[asked], found.target[asked], reward, found.target[asked] < 0))
    num_beliefs = len(finder)
    pair, chance, target, reward, ended = (np.concatenate(column) for column in zip(*columns, strict=True))
    initial = np.zeros(num_beliefs + 1)
    np.add.at(initial, starts, chances)
    beliefs = finder.matrix(0)
    mdp = TabularMDP(
        **sorted_outcomes(
            (num_beliefs + 1) * pomdp.num_actions,
            pair=pair,
            probability=chance,
            next_state=np.where(ended, num_beliefs, target),
            reward=reward,
            terminated=ended,
        ),
        initial=initial,
        state_labels=[*belief_labels(pomdp, beliefs), "(end)"],
        action_labels=pomdp.mdp.action_labels,
        normalise=True,
    )
    dense = num_beliefs * pomdp.num_states * 8 <= SMALL
    return BeliefTable(beliefs.toarray() if dense else beliefs, mdp, finder.merged)


def belief_labels(pomdp: TabularPOMDP, beliefs: scipy.sparse.csr_array) -> list[str]:
    """A name for each belief [B, S]: its likeliest states, such as ".85 left .15 right", four at most."""
    names = [str(pomdp.mdp.decode(s)) for s in range(pomdp.num_states)]
    labels: dict[str, None] = {}
    for b in range(beliefs.shape[0]):
        part = slice(beliefs.indptr[b], beliefs.indptr[b + 1])
        states, chances = beliefs.indices[part], beliefs.data[part]
        likeliest = np.argsort(-chances, kind="stable")[:4]
        parts = [f"{chances[k]:.4g} {names[states[k]]}" for k in likeliest]
        label = ", ".join(parts) + (", ..." if len(states) > 4 else "")
        labels[label if label not in labels else f"{label} (#{b})"] = None
    return list(labels)


@dataclass(frozen=True, eq=False)
class _Outcomes:
    """One row an outcome: of which belief of the level, with what chance, leading where (-1: the end)."""

    row: IntArray
    chance: FloatArray
    target: IntArray


def _outcomes(
    world: World, level: scipy.sparse.csr_array, rows: IntArray, action: int, finder: _Finder
) -> _Outcomes:
    """What `action` leads to from the beliefs `level`, which are the `rows` of a larger level."""
    entered = world.entered(level, action)
    parts: list[tuple[IntArray, FloatArray, IntArray]] = []
    left = np.ones(len(rows))
    for o in range(entered[0][1].shape[1]):
        joint = scipy.sparse.csr_array(sum(chances.multiply(seen[:, o]) for chances, seen in entered))
        chances = np.asarray(joint.sum(axis=1)).ravel()
        possible = np.flatnonzero(chances > 1e-15)
        if possible.size:
            after, kept = world.normalised(scipy.sparse.csr_array(joint[possible]))
            parts.append((rows[possible], kept, finder.indices(after)))
            left[possible] -= kept
    ends = left > 1e-12
    parts.append((rows[ends], left[ends], np.full(int(ends.sum()), -1)))
    return _Outcomes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


class _Finder:
    """Numbers beliefs in the order in which they are found."""

    def __init__(self, num_states: int) -> None:
        self.merged = 0.0
        self._num_states = num_states
        self._rows: list[tuple[IntArray, FloatArray]] = []
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def indices(self, beliefs: scipy.sparse.csr_array) -> IntArray:
        """[n] the number of each belief."""
        beliefs.eliminate_zeros()
        beliefs.sort_indices()
        rounded = np.round(beliefs.data, DECIMALS)
        counts = np.add.reduceat(rounded != 0, beliefs.indptr[:-1]) if beliefs.nnz else np.zeros(0, dtype=int)
        ends = np.concatenate([[0], np.cumsum(counts)])
        states, chances = beliefs.indices[rounded != 0].astype(np.int64), rounded[rounded != 0]
        numbers = np.empty(beliefs.shape[0], dtype=np.int64)
        for b in range(beliefs.shape[0]):
            key = states[ends[b] : ends[b + 1]].tobytes() + chances[ends[b] : ends[b + 1]].tobytes()
            part = slice(beliefs.indptr[b], beliefs.indptr[b + 1])
            row = (beliefs.indices[part], beliefs.data[part])
            known = self._known.get(key)
            if known is None:
                self._known[key] = known = len(self._rows)
                self._rows.append(row)
            else:
                self.merged = max(self.merged, _distance(self._rows[known], row))
            numbers[b] = known
        return numbers

    def matrix(self, begin: int) -> scipy.sparse.csr_array:
        """[n, S] the beliefs from number `begin` on."""
        rows = self._rows[begin:]
        ends = np.cumsum([0, *(len(states) for states, _ in rows)])
        states = np.concatenate([states for states, _ in rows])
        chances = np.concatenate([chances for _, chances in rows])
        return scipy.sparse.csr_array((chances, states, ends), shape=(len(rows), self._num_states))


def _distance(one: tuple[IntArray, FloatArray], other: tuple[IntArray, FloatArray]) -> float:
    """|b - b'|_1 of two sparse beliefs."""
    if np.array_equal(one[0], other[0]):
        return float(np.abs(one[1] - other[1]).sum())
    states, place = np.unique(np.concatenate([one[0], other[0]]), return_inverse=True)
    difference = np.zeros(len(states))
    np.add.at(difference, place, np.concatenate([one[1], -other[1]]))
    return float(np.abs(difference).sum())
