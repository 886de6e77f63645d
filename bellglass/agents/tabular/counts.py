"""Counted outcomes of a growing log, and the plan that is best if they are believed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..base import Transition
from .estimation import estimate_mdp

#: Linear systems of at most this many states are solved densely.
DENSE = 400


class Counts:
    """Distinct outcomes (s, a, r, s', terminated) in the order in which they were first seen, and how often.

    Attributes:
        visits: [S, A] how often each pair was tried.
        pairs_tried: how many pairs were tried at least once.
        smallest_reward: the smallest |reward| other than 0; 0 before any.
    """

    def __init__(self, num_states: int, num_actions: int) -> None:
        self.visits = np.zeros((num_states, num_actions), dtype=np.int64)
        self.pairs_tried = 0
        self.smallest_reward = 0.0
        self._place: dict[tuple[int, float, int, bool], int] = {}  # (s * A + a, r, s', terminated) -> k
        self._of_pair: dict[int, list[int]] = {}
        self._size = 0
        self._pair = np.zeros(64, dtype=np.int64)
        self._next = np.zeros(64, dtype=np.int64)
        self._reward = np.zeros(64)
        self._going_on = np.zeros(64)
        self._count = np.zeros(64)

    @property
    def acted(self) -> BoolArray:
        """[S] states in which something was tried."""
        return np.asarray(self.visits.any(axis=1))

    def add(self, transition: Transition) -> None:
        """Counts one step."""
        s, a, r, next_s, terminated, _ = transition
        pair = s * self.visits.shape[1] + a
        key = (pair, r, next_s, terminated)
        k = self._place.get(key)
        if k is None:
            k = self._append(key)
        self._count[k] += 1
        self.visits[s, a] += 1

    def _append(self, key: tuple[int, float, int, bool]) -> int:
        pair, r, next_s, terminated = key
        k = self._size
        if k == len(self._pair):
            for name in ("_pair", "_next", "_reward", "_going_on", "_count"):
                array = getattr(self, name)
                setattr(self, name, np.concatenate([array, np.zeros_like(array)]))
        self._pair[k], self._next[k], self._reward[k], self._going_on[k] = pair, next_s, r, not terminated
        self._place[key] = k
        if pair not in self._of_pair:
            self._of_pair[pair] = []
            self.pairs_tried += 1
        self._of_pair[pair].append(k)
        if r != 0 and not 0 < self.smallest_reward <= abs(r):
            self.smallest_reward = abs(r)
        self._size += 1
        return k

    def backup(
        self,
        s: int,
        a: int,
        values: FloatArray,
        discount: float,
        optimistic_visits: float = 0.0,
        optimistic_value: float = 0.0,
    ) -> float:
        """The value of one pair that was tried, if `values` [S] are those of the states."""
        total = optimistic_visits * optimistic_value
        for k in self._of_pair[s * self.visits.shape[1] + a]:
            r, going_on = float(self._reward[k]), float(self._going_on[k])
            total += float(self._count[k]) * (r + discount * going_on * float(values[self._next[k]]))
        return total / (float(self.visits[s, a]) + optimistic_visits)

    def plan(
        self,
        discount: float,
        available: BoolArray,
        optimistic_visits: float = 0.0,
        optimistic_value: float = 0.0,
        start: FloatArray | None = None,
    ) -> tuple[FloatArray, FloatArray]:
        """Optimal values [S, A] and [S] of the counted table, by policy iteration.

        With `optimistic_visits` every pair has also been worth `optimistic_value` that many times; without, a pair
        never tried is no choice (-inf), and a state without choice is worth 0.

        Args:
            discount: weight of the value one step later, in [0, 1).
            available: [S, A] the actions that exist.
            optimistic_visits: imagined visits of each pair, at least 0.
            optimistic_value: what each of them was worth.
            start: [S, A] values whose greedy policy is tried first.
        """
        S, A = self.visits.shape
        used = slice(0, self._size)
        pair, count, going_on = self._pair[used], self._count[used], self._going_on[used]
        next_state = self._next[used]
        weight = self.visits.ravel() + optimistic_visits
        choice = (available & (weight > 0).reshape(S, A)).ravel()
        known = np.maximum(weight, 1e-300)
        paid = (
            np.bincount(pair, weights=count * self._reward[used], minlength=S * A)
            + optimistic_visits * optimistic_value
        )
        reward = paid / known
        chance = discount * count * going_on / known[pair]
        acting = np.flatnonzero(choice.reshape(S, A).any(axis=1))

        def backed_up(values: FloatArray) -> FloatArray:
            q = reward + np.bincount(pair, weights=chance * values[next_state], minlength=S * A)
            return np.where(choice, q, -np.inf).reshape(S, A)

        q = backed_up(np.zeros(S)) if start is None else np.where(choice.reshape(S, A), start, -np.inf)
        policy = q.argmax(axis=1)
        values = np.zeros(S)
        for _ in range(10 * S * A + 10):  # far more than are ever needed: policies never get worse
            # Policy evaluation
            chosen = policy[pair // A] == pair % A
            paid_here = np.where(choice.reshape(S, A).any(axis=1), reward[np.arange(S) * A + policy], 0.0)
            values = _values_of(pair[chosen] // A, next_state[chosen], chance[chosen], paid_here)
            # Policy improvement; the action stays where another is better by rounding alone
            q = backed_up(values)
            best = q.argmax(axis=1)
            gain = q[acting, best[acting]] - q[acting, policy[acting]]
            better = gain > 1e-12 * (1.0 + np.abs(values).max())
            if not better.any():
                break
            policy[acting[better]] = best[acting[better]]
        return q, values

    def table(self) -> TabularMDP:
        """The maximum-likelihood table; every state that was acted in is an equally likely start.

        Raises:
            ValueError: nothing has been counted.
        """
        S, A = self.visits.shape
        used = slice(0, self._size)
        repeat = self._count[used].astype(np.int64)
        columns = {
            "observation": self._pair[used] // A,
            "action": self._pair[used] % A,
            "reward": self._reward[used],
            "next_observation": self._next[used],
            "terminated": self._going_on[used] == 0.0,
        }
        log = {name: np.repeat(column, repeat) for name, column in columns.items()}
        estimate = estimate_mdp(log, num_states=S, num_actions=A)
        acted = self.acted
        fields = ("first_outcome", "probability", "next_state", "reward", "terminated")
        return TabularMDP(**{name: getattr(estimate, name) for name in fields}, initial=acted / acted.sum())

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything counted, for a file."""
        used = slice(0, self._size)
        return {
            "outcome_pair": self._pair[used],
            "outcome_next": self._next[used],
            "outcome_reward": self._reward[used],
            "outcome_going_on": self._going_on[used],
            "outcome_count": self._count[used],
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], num_states: int, num_actions: int) -> Counts:
        """What `arrays` gave."""
        counts = cls(num_states, num_actions)
        names = ("outcome_pair", "outcome_next", "outcome_reward", "outcome_going_on", "outcome_count")
        for pair, next_s, r, going_on, count in zip(*(arrays[name].tolist() for name in names), strict=True):
            k = counts._append((pair, r, next_s, going_on == 0.0))
            counts._count[k] = count
            counts.visits.ravel()[pair] += int(count)
        return counts


def _values_of(row: IntArray, column: IntArray, chance: FloatArray, reward: FloatArray) -> FloatArray:
    """[S] solution of  v(s) = reward(s) + sum of chance * v(column)  over the entries of row s.

    Rows without entries are known at once; only the others make up the linear system.
    """
    S = len(reward)
    place = np.full(S, -1, dtype=np.int64)
    inner = np.unique(row)
    n = len(inner)
    place[inner] = np.arange(n)
    inside = place[column] >= 0
    outside = ~inside
    right = reward[inner] + np.bincount(
        place[row[outside]], weights=chance[outside] * reward[column[outside]], minlength=n
    )
    row, column, chance = place[row[inside]], place[column[inside]], chance[inside]
    values = reward.copy()
    if n <= DENSE:
        matrix = np.eye(n)
        matrix -= np.bincount(row * n + column, weights=chance, minlength=n * n).reshape(n, n)
        values[inner] = np.linalg.solve(matrix, right)
    else:
        import scipy.sparse
        import scipy.sparse.linalg

        leaving = scipy.sparse.coo_array((chance, (row, column)), shape=(n, n))
        values[inner] = scipy.sparse.linalg.spsolve((scipy.sparse.eye_array(n) - leaving).tocsc(), right)
    return values
