"""Drawing from a table for many copies at once: flat gathers, nothing else.

A pair is s*A + a.  Terminal states get one more outcome each, the self-loop (1, s, 0, terminated), and a pair
that is not available points to the outcomes of the lowest available action, so that every pair can be drawn
from.  The outcome is the first one with  cumulative > u,  found by counting the sums that are <= u where rows
are short, and by bisection where they are long; both find exactly what `bisect` finds for one copy.
"""

from __future__ import annotations

import numpy as np

from .mdp import BoolArray, FloatArray, IntArray, TabularMDP

#: Rows of at most this many outcomes are looked up by counting.
SHORT_ROW = 8


class OutcomeSampler:
    """The table's outcomes, ready for look-ups by array.

    Attributes:
        next_state: [N + T] state entered, int64; the last T outcomes are the terminal states' self-loops.
        reward: [N + T].
        terminated: [N + T].
        probability: [N + T].
        unavailable: [S*A] pairs of live states that are not available, or None where there are none.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        ends = np.flatnonzero(mdp.terminal)
        ones = np.ones(len(ends))
        self.next_state: IntArray = np.concatenate([mdp.next_state, ends]).astype(np.int64)
        self.reward: FloatArray = np.concatenate([mdp.reward, 0.0 * ones])
        self.terminated: BoolArray = np.concatenate([mdp.terminated, ones > 0])
        self.probability: FloatArray = np.concatenate([mdp.normalised_probability, ones])
        self._cumulative: FloatArray = np.concatenate([mdp.cumulative_probability, ones])

        num_states, num_actions = mdp.num_states, mdp.num_actions
        pair = np.arange(num_states * num_actions).reshape(num_states, num_actions)
        played = np.where(mdp.action_mask, pair, pair[np.arange(num_states), mdp.lowest_action][:, None])
        first = mdp.first_outcome[played]
        length = mdp.first_outcome[played + 1] - first
        first[ends] = mdp.num_outcomes + np.arange(len(ends))[:, None]
        length[ends] = 1
        self._first: IntArray = first.ravel()
        self._length: IntArray = length.ravel()
        self.played_action: IntArray = (played % num_actions).ravel()
        missing = ~mdp.action_mask & ~mdp.terminal[:, None]
        self.unavailable: BoolArray | None = missing.ravel() if missing.any() else None

        longest = int(self._length.max())
        self._bisections = longest.bit_length()
        self._sums: list[FloatArray] | None = None
        if longest <= SHORT_ROW:
            #: the k-th running sum of each pair; 1, which no u reaches, past its end
            last = len(self._cumulative) - 1
            self._sums = [
                np.where(k < self._length, self._cumulative[np.minimum(self._first + k, last)], 1.0)
                for k in range(longest - 1)
            ]

    def draw(self, pair: IntArray, u: FloatArray) -> IntArray:
        """[n] outcomes for the pairs [n] and uniform numbers [n]."""
        k: IntArray = self._first.take(pair)
        if self._sums is not None:
            for sums in self._sums:
                k += sums.take(pair) <= u
            return k
        high = k + self._length.take(pair)
        for _ in range(self._bisections):
            middle = (k + high) >> 1
            beyond = (self._cumulative.take(middle) <= u) & (k < high)
            k = np.where(beyond, middle + 1, k)
            high = np.where(beyond, high, middle)
        return k


class StartSampler:
    """The starts of a table, ready for look-ups by array."""

    def __init__(self, mdp: TabularMDP) -> None:
        self._states: IntArray = np.flatnonzero(mdp.initial > 0)
        self._cumulative: FloatArray = mdp.cumulative_initial[self._states]
        self.probability: FloatArray = mdp.initial / mdp.initial.sum()

    def draw(self, u: FloatArray) -> IntArray:
        """[n] states for uniform numbers [n]."""
        states: IntArray = self._states[np.searchsorted(self._cumulative, u, side="right")]
        return states


class ObservationSampler:
    """Rows of observation chances [..., O], ready for look-ups by array."""

    def __init__(self, cumulative: FloatArray) -> None:
        self._rows: FloatArray = cumulative.reshape(-1, cumulative.shape[-1])
        certain = ((self._rows == 0.0) | (self._rows == 1.0)).all()
        self._only: IntArray | None = self._rows.argmax(axis=1) if certain else None

    def draw(self, row: IntArray, u: FloatArray) -> IntArray:
        """[n] observations for the rows [n] and uniform numbers [n]."""
        if self._only is not None:
            return self._only.take(row)
        count: IntArray = (self._rows[row] <= u[:, None]).sum(axis=1)
        return count
