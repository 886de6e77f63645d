"""Planning under partial observation, where finitely many beliefs can be reached: a table of beliefs.

    r(b, a)   =  sum_s b(s) r(s, a)
    b'(s')    ~  O(o | a, s') * sum_s b(s) p(s' | s, a)          with the chance of seeing o as its weight

The beliefs that follow the start, one for each history that can be told apart, become the states of a TabularMDP,
and the solvers of fully observed tables do the rest (Astrom 1965; Kaelbling, Littman and Cassandra 1998, section 3).
Whoever acts is told when an episode ends, so an end needs no belief.

Two histories share a belief if their beliefs agree to twelve decimals.  The value of a belief changes by at most
|b - b'|_1 * max|V| when b replaces b', once a step; the certified bounds are widened by the largest distance that
was in fact bridged (commonly a few units of the last place) summed over the discounted steps.  (Derived here.)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ...envs.mdp import FloatArray, TabularMDP
from ...envs.pomdp import TabularPOMDP
from .solution import Criterion, Solution

if TYPE_CHECKING:
    from .solver import Method

#: Beliefs after which an enumeration gives up.
MAX_BELIEFS = 50_000


@dataclass(frozen=True, eq=False)
class BeliefTable:
    """The reachable beliefs as the states of a table; one more state, the last, stands for the end.

    Attributes:
        beliefs: [B, S] chance of each hidden state.
        mdp: the table over B + 1 states; its starts are the beliefs after the first observation.
        merged: greatest distance |b - b'|_1 of two beliefs that were taken for one.
    """

    beliefs: FloatArray
    mdp: TabularMDP
    merged: float


def belief_table(
    pomdp: TabularPOMDP, *, horizon: int | None = None, max_beliefs: int = MAX_BELIEFS
) -> BeliefTable:
    """Enumerates the beliefs that can follow the start, within `horizon` steps if one is given.

    Raises:
        ValueError: more than `max_beliefs` beliefs; the message tells how many steps were enumerated.
    """
    world = _World(pomdp)
    finder = _Finder(max_beliefs)
    start = pomdp.mdp.initial[:, None] * pomdp.initial_observation  # [S, O]
    chances = start.sum(axis=0)
    starts = [
        (float(chances[o]), finder.index(start[:, o] / chances[o])) for o in np.flatnonzero(chances > 0)
    ]

    rows: list[list[list[tuple[float, int, float, bool]]]] = []
    end = -1  # replaced once the number of beliefs is known
    depth, frontier = 0, len(finder.beliefs)
    while len(rows) < len(finder.beliefs):
        if len(rows) == frontier:
            depth, frontier = depth + 1, len(finder.beliefs)
            if finder.full:
                raise ValueError(
                    f"more than {max_beliefs} beliefs can be reached ({len(finder.beliefs)} within {depth} steps); "
                    "give a larger max_beliefs, or a horizon"
                )
        belief = finder.beliefs[len(rows)]
        last = horizon is not None and depth >= horizon
        rows.append(
            [[] if last else world.outcomes(belief, a, finder, end) for a in range(pomdp.num_actions)]
        )
    beliefs = np.array(finder.beliefs)
    num_beliefs = len(beliefs)

    first = [0]
    flat: list[tuple[float, int, float, bool]] = []
    nothing: list[list[tuple[float, int, float, bool]]] = [[] for _ in range(pomdp.num_actions)]
    for actions in [*rows, nothing]:
        for outcomes in actions:
            flat.extend(outcomes)
            first.append(len(flat))
    initial = np.zeros(num_beliefs + 1)
    for chance, index in starts:
        initial[index] += chance
    mdp = TabularMDP(
        first_outcome=np.array(first),
        probability=np.array([row[0] for row in flat]),
        next_state=np.array([row[1] if row[1] != end else num_beliefs for row in flat], dtype=np.int64),
        reward=np.array([row[2] for row in flat]),
        terminated=np.array([row[3] for row in flat], dtype=np.bool_),
        initial=initial,
        state_labels=[*belief_labels(pomdp, beliefs), "(end)"],
        action_labels=pomdp.mdp.action_labels,
        normalise=True,
    )
    return BeliefTable(beliefs, mdp, finder.merged)


def belief_labels(pomdp: TabularPOMDP, beliefs: FloatArray) -> list[str]:
    """A name for each belief [B, S]: its likeliest states, such as ".85 left .15 right", four at most."""
    names = [str(pomdp.mdp.decode(s)) for s in range(pomdp.num_states)]
    labels: dict[str, None] = {}
    for b, belief in enumerate(beliefs):
        likeliest = np.argsort(-belief, kind="stable")[:4]
        parts = [f"{belief[s]:.4g} {names[s]}" for s in likeliest if belief[s] > 0]
        label = ", ".join(parts) + (", ..." if np.count_nonzero(belief) > 4 else "")
        labels[label if label not in labels else f"{label} (#{b})"] = None
    return list(labels)


class _World:
    """Each action as one matrix, with unavailable actions played as the lowest available one."""

    def __init__(self, pomdp: TabularPOMDP) -> None:
        mdp = pomdp.mdp
        states = np.arange(mdp.num_states)
        self.mask = mdp.action_mask
        self.going_on, self.reward = [], []
        for action in range(mdp.num_actions):
            played = np.where(mdp.action_mask[:, action], action, mdp.lowest_action)
            self.going_on.append(mdp.transition_matrix[states * mdp.num_actions + played])
            self.reward.append(mdp.expected_reward[states, played])
        self.seen = pomdp.by_action

    def outcomes(
        self, belief: FloatArray, action: int, finder: _Finder, end: int
    ) -> list[tuple[float, int, float, bool]]:
        """(chance, next belief, mean reward, terminated) of `action`; none where no state of the belief has it."""
        possible = self.mask[belief > 0]
        if possible.any():
            if not possible[:, action].any():
                return []
        elif action > 0:  # nothing but terminal states: one action, which ends
            return []
        reward = float(belief @ self.reward[action])
        joint = (belief @ self.going_on[action])[:, None] * self.seen[action]  # [S, O]
        chances = joint.sum(axis=0)
        rows = [
            (float(chances[o]), finder.index(joint[:, o] / chances[o]), reward, False)
            for o in np.flatnonzero(chances > 1e-15)
        ]
        ends = 1.0 - float(chances.sum())
        return [*rows, (ends, end, reward, True)] if ends > 1e-12 or not rows else rows


class _Finder:
    """Numbers beliefs in the order in which they are found."""

    def __init__(self, max_beliefs: int) -> None:
        self.beliefs: list[FloatArray] = []
        self.merged = 0.0
        self._max_beliefs = max_beliefs
        self._known: dict[bytes, int] = {}

    @property
    def full(self) -> bool:
        """Whether more beliefs were found than are allowed."""
        return len(self.beliefs) > self._max_beliefs

    def index(self, belief: FloatArray) -> int:
        key = (np.round(belief, 12) + 0.0).tobytes()
        known = self._known.get(key)
        if known is None:
            self._known[key] = known = len(self.beliefs)
            self.beliefs.append(belief)
        else:
            self.merged = max(self.merged, float(np.abs(self.beliefs[known] - belief).sum()))
        return known


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
    """The best that can be had with memory, exactly: a Solution over the reachable beliefs.

    `beliefs` [B, S] tells what each index of `values`, `q_values` and `policy` means; `start_value` is the mean over
    what reset() may show.

    Raises:
        ValueError: as `solve`; or more than `max_beliefs` beliefs can be reached.
    """
    from .solver import solve

    table = belief_table(
        pomdp, horizon=horizon if criterion == "finite_horizon" else None, max_beliefs=max_beliefs
    )
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
    steps = {"discounted": 1.0 / (1.0 - (discount or 0.0)), "finite_horizon": float(horizon or 0)}.get(
        criterion
    )
    widening = 0.0
    if table.merged > 0.0:
        greatest = float(np.abs(best.upper).max(initial=0.0))
        widening = table.merged * greatest * (steps if steps is not None else len(table.beliefs))
    return replace(best, beliefs=table.beliefs, lower=best.lower - widening, upper=best.upper + widening)
