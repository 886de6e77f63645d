"""Follows an agent through everything it can have seen, for the value of its policy where states are hidden.

A history is what the agent has seen; what it does is a function of that alone.  With each goes the weight
of every hidden state, w_h(s) = P(history h, state s).  One step, for all histories at once:

    value     +=  discount^t * sum_h sum_s w_h(s) r(s, a_h)
    w_ho(s')   =  O(o | a_h, s') * sum_s w_h(s) p(s' | s, a_h)              over outcomes that go on

What is cut off, late or light, is worth no more than its hidden states at their best and no less than at
their worst, so what comes out is an interval that holds.  Histories in which the agent remembers the same
and sees the same are one.  The policy must be a function of the history: the one that the agent believes
best is; the one that it explores with draws at random, and is refused.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from ...envs.pomdp import TabularPOMDP
from ..algebra.pairs import UNIT
from ..errors import UnboundedError
from ..solutions.record import Criterion
from ..table_solver import solve_table

#: What an agent remembers between steps: None, or arrays [n, ...].
Memory = tuple[npt.NDArray[Any], ...] | None

#: Histories followed at a time; of more, the lightest are cut off.
MOST_HISTORIES = 4_000

#: The interval may be this wide, as a share of what the best and the worst policy differ by.
WIDTH = 1e-6

#: Steps after which a history that goes on is cut off.
MOST_STEPS = 10_000


class NotFollowed(ValueError):
    """Histories of this agent, under this criterion, cannot be told one by one."""


class HistoryEvaluator:
    """Values policies of agents with memory on one partially observed table.

    Args:
        pomdp: the table and what is seen of it.
        discount: weight of one step later, in [0, 1].
        criterion: "discounted", "finite_horizon" or "total".
        horizon: steps of an episode for "finite_horizon".
        width: of the interval that is asked for, as a share of what the best and the worst policy differ by.

    Attributes:
        best: [S], with a finite horizon [H + 1, S]: at least the best value of each state; inf where not bounded.
        worst: likewise at most the worst.

    Raises:
        NotFollowed: the criterion is "average", which no finite history tells.
    """

    def __init__(
        self,
        pomdp: TabularPOMDP,
        discount: float,
        *,
        criterion: Criterion = "discounted",
        horizon: int | None = None,
        width: float = WIDTH,
    ) -> None:
        if criterion == "average":
            raise NotFollowed("agents with memory cannot be scored by criterion 'average'")
        mdp = pomdp.mdp
        self.pomdp = pomdp
        self.discount = discount
        self.horizon = horizon
        self.width = width
        self.best = _most(mdp, discount, criterion, horizon)
        self.worst = -_most(opposite(mdp), discount, criterion, horizon)
        self._played = np.where(mdp.action_mask, np.arange(mdp.num_actions), mdp.lowest_action[:, None])
        states = np.arange(mdp.num_states)
        self._reward = mdp.expected_reward[states[:, None], self._played]
        self._going = [mdp.transition_matrix[states * mdp.num_actions + played] for played in self._played.T]

    def interval(self, agent: Any) -> tuple[float, float]:
        """Bounds of the start value of the policy that the agent believes best.

        Raises:
            NotFollowed: the criterion is "total", and histories that do not end could gain or lose without bound; or
                the agent's memory is no tuple of arrays with a row for each observation.
        """
        pomdp = self.pomdp
        initial = pomdp.mdp.initial / pomdp.mdp.initial.sum()
        weights = (initial[:, None] * pomdp.initial_observation).T  # [O, S]
        seen = np.flatnonzero(weights.sum(axis=1) > 0)
        weights = weights[seen]
        memory: Memory = None
        spread = self.spread
        enough = self.width * spread if np.isfinite(spread) else 0.0
        done = low = high = 0.0
        scale, t, last = 1.0, 0, MOST_STEPS if self.horizon is None else self.horizon
        while t < last and len(seen):
            worst, best = self._left(t)
            if not scale * _worth(weights, best - worst) > enough:
                break
            if len(seen) > MOST_HISTORIES:
                order = np.argsort(-weights.sum(axis=1), kind="stable")
                kept, light = np.sort(order[:MOST_HISTORIES]), order[MOST_HISTORIES:]
                low += scale * _worth(weights[light], worst)
                high += scale * _worth(weights[light], best)
                seen, weights, memory = seen[kept], weights[kept], rows_of(memory, kept)
            answer, memory = agent.predict(seen, memory, np.full(len(seen), t == 0), deterministic=True)
            actions = np.asarray(answer, dtype=np.int64)
            check_rows(memory, len(seen))
            done += scale * float((weights * self._reward[:, actions].T).sum())
            weights, seen, parents = self._step(weights, actions)
            weights, seen, memory = merged(weights, seen, rows_of(memory, parents))
            scale *= self.discount
            t += 1
        if len(seen):
            worst, best = self._left(t)
            low += scale * _worth(weights, worst)
            high += scale * _worth(weights, best)
        if not np.isfinite(high - low):
            raise NotFollowed(
                f"some histories go on after {t} steps, and what is left of them is not bounded; "
                "score a horizon or a discount instead"
            )
        # What was summed up to here is rounded once a step and once a state; the interval covers that too.
        doubt = 0.0 if low == high else 2.0 * UNIT * (t + len(initial)) * (abs(done) + abs(low) + abs(high))
        return done + low - doubt, done + high + doubt

    @property
    def spread(self) -> float:
        """What the best and the worst policy differ by at the start, at most."""
        worst, best = self._left(0)
        return _worth(self.pomdp.mdp.initial[None] / self.pomdp.mdp.initial.sum(), best - worst)

    def _step(self, weights: FloatArray, actions: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
        """The next weights [n', S], the observation of each history, and the history that it goes on from."""
        pomdp = self.pomdp
        branched = np.zeros((len(weights), pomdp.num_observations, pomdp.num_states))
        for action in np.unique(actions):
            rows = np.flatnonzero(actions == action)
            if pomdp.observation_probability.ndim == 2:
                entered = weights[rows] @ self._going[action]
                branched[rows] = entered[:, None, :] * pomdp.observation_probability.T
                continue
            for played in np.unique(
                self._played[:, action]
            ):  # what is seen depends on the action as it was played
                here = np.where(self._played[:, action] == played, weights[rows], 0.0)
                entered = here @ self._going[action]
                branched[rows] += entered[:, None, :] * pomdp.observation_probability[played].T
        parents, seen = np.nonzero(branched.sum(axis=2) > 0)
        return branched[parents, seen], seen, parents

    def _left(self, t: int) -> tuple[FloatArray, FloatArray]:
        """[S] the least and the most that each state can be worth after t steps."""
        return (self.worst[t], self.best[t]) if self.best.ndim == 2 else (self.worst, self.best)


def rows_of(memory: Memory, rows: IntArray) -> Memory:
    """The memories of some of the histories."""
    return None if memory is None else tuple(np.asarray(part)[rows] for part in memory)


def check_rows(memory: Memory, n: int) -> None:
    """Histories are told apart and merged by their rows.

    Raises:
        NotFollowed: the memory is no tuple of arrays [n, ...].
    """
    if memory is not None and not (
        isinstance(memory, tuple) and all(np.ndim(part) and len(part) == n for part in memory)
    ):
        raise NotFollowed("the agent's memory is no tuple of arrays with a row for each observation")


def merged(weights: FloatArray, seen: IntArray, memory: Memory) -> tuple[FloatArray, IntArray, Memory]:
    """Histories alike in observation and, bit for bit, in memory become one."""
    if not len(seen):
        return weights, seen, memory
    columns = [seen.reshape(-1, 1).view(np.uint8)]
    for part in memory or ():
        flat = np.ascontiguousarray(part).reshape(len(seen), -1)
        columns.append(flat.view(np.uint8).reshape(len(seen), -1))
    keys: npt.NDArray[np.uint8] = np.ascontiguousarray(np.hstack(columns))
    _, first, group = np.unique(
        keys.view(np.dtype((np.void, keys.shape[1]))).ravel(), return_index=True, return_inverse=True
    )
    if len(first) == len(seen):
        return weights, seen, memory
    total = np.zeros((len(first), weights.shape[1]))
    np.add.at(total, group, weights)
    return total, seen[first], rows_of(memory, first)


def opposite(mdp: TabularMDP) -> TabularMDP:
    """The same table with every reward's sign turned."""
    return replace(mdp, reward=-mdp.reward)


def _worth(weights: FloatArray, values: FloatArray) -> float:
    """Sum of weights [n, S] times values [S]; a state without weight counts nothing, whatever its value."""
    total = weights.sum(axis=0)
    met = total > 0
    return float(total[met] @ values[met])


def _most(mdp: TabularMDP, discount: float, criterion: Criterion, horizon: int | None) -> FloatArray:
    """[S] (finite horizon [H + 1, S]) at least the best value of each state; infinite where it is not bounded."""
    if criterion == "total":
        try:
            return solve_table(mdp, criterion="total").upper
        except UnboundedError:
            return np.where(mdp.terminal, 0.0, np.inf)
    best = solve_table(mdp, discount, criterion=criterion, horizon=horizon)
    assert best.values is not None
    slack = 1e-6 * max(1.0, float(np.abs(best.values).max(initial=0.0)))  # more than the bounds are apart
    return best.upper if best.values.ndim == 1 else best.values + slack * (best.values != 0)
