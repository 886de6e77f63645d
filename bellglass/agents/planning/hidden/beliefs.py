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

Where the beliefs are too many, `solve_pomdp` goes on with `belief_search.py`, and within a finite horizon, if need be,
with `incremental_pruning.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from ....envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ....envs.mdp.outcomes import sorted_outcomes
from ....envs.mdp.room import SMALL
from ....envs.pomdp import TabularPOMDP
from ..bounds import allowed_width, apart, refuse
from ..solution import MAX_BELIEFS, Criterion, Solution

if TYPE_CHECKING:
    from ..questions import Method
    from ..solution import Beliefs

#: Decimals to which beliefs that are taken for one agree.
DECIMALS = 13

#: Beliefs after which a first, quick enumeration gives way to a search.
FEW_BELIEFS = 3_000

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


class World:
    """Each action as one matrix, with unavailable actions played as the lowest available one.

    Attributes:
        going_on: [A] of [S, S] chance to go on in each state.
        reward: [A] of [S] mean reward.
        seen: [A] of pairs, one for each action that this one is played as: in which states it is (None: all), and
            the chance [S, O] of each observation in the state entered.
        kind: [A] the lowest action that leads to the same states, seen alike.
    """

    def __init__(self, pomdp: TabularPOMDP) -> None:
        mdp = pomdp.mdp
        states = np.arange(mdp.num_states)
        self._mask = scipy.sparse.csr_array(mdp.action_mask.astype(np.float64))
        self.going_on: list[scipy.sparse.csr_array] = []
        self.reward: list[FloatArray] = []
        self.seen: list[list[tuple[BoolArray | None, FloatArray]]] = []
        for action in range(mdp.num_actions):
            played = np.where(mdp.action_mask[:, action], action, mdp.lowest_action)
            self.going_on.append(mdp.transition_matrix[states * mdp.num_actions + played])
            self.reward.append(mdp.expected_reward[states, played])
            others = np.unique(played[~mdp.terminal])
            if pomdp.observation_probability.ndim == 2 or len(others) < 2:
                self.seen.append([(None, pomdp.by_action[others[0] if len(others) else action])])
            else:
                self.seen.append([(played == other, pomdp.by_action[other]) for other in others])
        kind = np.arange(mdp.num_actions)
        for action in range(mdp.num_actions):
            for other in range(action):
                if kind[other] == other and self._alike(other, action):
                    kind[action] = other
                    break
        self.kind: IntArray = kind

    def _alike(self, one: int, other: int) -> bool:
        if len(self.seen[one]) > 1 or len(self.seen[other]) > 1:
            return False
        difference = self.going_on[one] - self.going_on[other]
        return not difference.data.any() and np.array_equal(self.seen[one][0][1], self.seen[other][0][1])

    def entered(
        self, beliefs: scipy.sparse.csr_array, action: int
    ) -> list[tuple[scipy.sparse.csr_array, FloatArray]]:
        """Chances [f, S] to go on in each state, with how it is then seen [S, O]: one pair a way of playing."""
        return [
            ((beliefs if there is None else beliefs.multiply(there).tocsr()) @ self.going_on[action], seen)
            for there, seen in self.seen[action]
        ]

    def available(self, beliefs: scipy.sparse.csr_array) -> BoolArray:
        """[f, A] whether some state of the belief has the action; nothing but terminal states have one, which ends."""
        possible: BoolArray = (beliefs @ self._mask).toarray() > 0
        possible[~possible.any(axis=1), 0] = True
        return possible

    @staticmethod
    def normalised(joint: scipy.sparse.csr_array) -> tuple[scipy.sparse.csr_array, FloatArray]:
        """The rows that have a chance worth the name, divided by it, and those chances."""
        chances = np.asarray(joint.sum(axis=1)).ravel()
        rows = np.flatnonzero(chances > 1e-15)
        kept = scipy.sparse.csr_array(joint[rows])
        kept.data = kept.data / np.repeat(chances[rows], np.diff(kept.indptr))
        return kept, chances[rows]


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


def solve_pomdp(
    pomdp: TabularPOMDP,
    discount: float | None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    method: Method = "auto",
    tolerance: float = 1e-8,
    relative: bool = True,
    progress_bar: bool = False,
    restart: bool = False,
    max_beliefs: int = MAX_BELIEFS,
) -> Solution:
    """The best that can be had with memory: a Solution over beliefs.

    `beliefs` [B, S] tells what each index of `values`, `q_values` and `policy` means; `start_value` is the mean over
    what reset() may show.  Where the reachable beliefs are at most `max_beliefs`, they are all there.  Else a search
    narrows certified bounds until the beliefs that best play may reach are few: those are there, and beside them, as
    far as that is feasible, what one action off best play leads to (else such an action's q value is an upper bound).
    Where they stay many, only the beliefs at the start are there, and `alpha_vectors`: with a discount once the
    bounds have met within the tolerance, within a horizon by incremental pruning.

    Raises:
        ValueError: as `solve`; or, for "total" and "average", more than `max_beliefs` beliefs can be reached.
        ToleranceError: the search could not bring the bounds within the tolerance; carries the best ones.
    """
    from .belief_search import search, search_within_horizon
    from .dense import is_small

    steps = horizon if criterion == "finite_horizon" else None
    searchable = criterion in ("discounted", "finite_horizon") and is_small(pomdp)
    narrow = tolerance, relative, progress_bar
    weight = 1.0 if discount is None else float(discount)

    def solved(table: BeliefTable) -> Solution:
        from ..solver import solve

        best = solve(
            table.mdp,
            discount,
            criterion=criterion,
            horizon=horizon,
            method=method,
            tolerance=tolerance,
            relative=relative,
            progress_bar=progress_bar,
            restart=restart,
        )
        return widened_by_merging(best, table, pomdp, tolerance, relative)

    try:
        few = min(FEW_BELIEFS, max_beliefs) if searchable else max_beliefs
        return solved(belief_table(pomdp, horizon=steps, max_beliefs=few))
    except TooManyBeliefs:
        if not searchable:
            raise
    if steps is None:
        return search(pomdp, weight, solved, *narrow, max_beliefs=max_beliefs)
    return search_within_horizon(pomdp, weight, steps, solved, *narrow, max_beliefs=max_beliefs)


def widened_by_merging(
    best: Solution, table: BeliefTable, pomdp: TabularPOMDP, tolerance: float, relative: bool
) -> Solution:
    """The solution of a table of beliefs, its bounds widened by what merging beliefs may have changed.

    For "total" and "average" the number of beliefs stands for that of the steps: a guess, which is not held against the
    tolerance.

    Raises:
        ToleranceError: so widened they are farther apart than the tolerance.
    """
    steps = {"discounted": 1.0 / (1.0 - best.discount) if best.discount < 1.0 else np.inf}.get(
        best.criterion, float(best.horizon or table.mdp.num_states)
    )
    widening = 0.0
    if table.merged > 0.0:
        widening = table.merged * float(np.abs(pomdp.mdp.expected_reward).max()) * steps**2
    lower, upper = best.lower - widening, best.upper + widening
    width = allowed_width(tolerance, relative, 0.5 * (best.lower + best.upper))
    if best.criterion in ("discounted", "finite_horizon") and apart(lower, upper) > width:
        refuse(lower, upper, tolerance, relative, width)
    return replace(best, beliefs=table.beliefs, lower=lower, upper=upper)
