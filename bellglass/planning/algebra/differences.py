"""Undiscounted backups written in differences, which keeps the digits that long runs lose.

Every row's chances, those of ending included, sum to 1, so

    r(s, a) + sum_s' P(s' | s, a) v(s') - v(s)   =   r(s, a) + sum_s' P(s' | s, a) (v(s') - v(s)) - stop(s, a) v(s)

The left side rounds in units of v, the right side in units of what one step changes: where the only way out has
chance 1e-12 the values are 1e12 rewards tall, but neighbours differ by a reward or so, and a pair that comes back to
its own state adds exactly nothing.

Rounding (derived here).  With n outcomes in a row, u = 2**-53, and chances that miss the table's own p / sum(p) by a
factor within 1 +- n u each (see `Pairs`), a difference adds u, its product u, and the sum of at most n + 2 terms
(n + 1) u: (2 n + 3) u of  sum p|r| + sum P|v' - v| + stop |v|  in all, and `rounding` = (2 n + 8) u of it leaves five
units for second order and for rounding in the bound itself.  Products that underflow miss 5e-324 each: `TINY` pays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from .pairs import UNIT, Pairs, summed

#: More than all the underflow of one row.
TINY = 1e-300


@dataclass(frozen=True, eq=False)
class Moves:
    """M pairs of n states, sorted by state, every state with at least one; what ends has no column.

    Attributes:
        num_states: n.
        state: [M] state of the pair.
        reward: [M] mean reward.
        size: [M] mean of the absolute rewards.
        matrix: [M, n] chance to go on in each state; what it stores is positive.
        stop: [M] chance to end.
        rounding: [M] factor of the bound above.
    """

    num_states: int
    state: IntArray
    reward: FloatArray
    size: FloatArray
    matrix: scipy.sparse.csr_array
    stop: FloatArray
    rounding: FloatArray

    @classmethod
    def of(cls, pairs: Pairs, chosen: IntArray, states: IntArray, stop: FloatArray) -> Moves:
        """The `chosen` pairs (indices, sorted) of the `states` (sorted), which they never leave but by ending."""
        if len(states) == pairs.num_states and len(chosen) == pairs.num_pairs:
            state, matrix = pairs.state, pairs.matrix
        else:
            local = np.full(pairs.num_states, -1, dtype=np.int64)
            local[states] = np.arange(len(states))
            state = local[pairs.state[chosen]]
            rows = pairs.matrix[chosen]
            matrix = scipy.sparse.csr_array(
                (rows.data, local[rows.indices], rows.indptr), shape=(len(chosen), len(states))
            )
        return cls(
            num_states=len(states),
            state=state,
            reward=pairs.reward[chosen],
            size=pairs.size[chosen],
            matrix=matrix,
            stop=stop[chosen],
            rounding=pairs.rounding[chosen],
        )

    @property
    def num_moves(self) -> int:
        """M."""
        return len(self.state)

    @cached_property
    def first(self) -> IntArray:
        """[n] first pair of each state."""
        return np.flatnonzero(np.diff(self.state, prepend=-1)).astype(np.int64)

    @cached_property
    def leaving(self) -> FloatArray:
        """[M] chance to be elsewhere after the step, or at an end; never 1 minus the chance to stay."""
        weights = np.where(self.matrix.indices != self.source, self.matrix.data, 0.0)
        return np.asarray(self._row_sums(weights) + self.stop)

    @cached_property
    def hurried(self) -> tuple[FloatArray, scipy.sparse.csr_array]:
        """Reward [M] and matrix [M, n] of leaving the state at last: pairs that come back are repeated until then.

        Pairs that never leave have an infinite reward of their sign and must not be played.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = self.matrix.data / np.repeat(self.leaving, np.diff(self.matrix.indptr))
            reward = np.where(self.leaving > 0, self.reward / self.leaving, -np.inf)
        away = self.matrix.indices != self.source
        kept = np.concatenate([[0], np.cumsum(away)])[self.matrix.indptr]
        matrix = scipy.sparse.csr_array(
            (weights[away], self.matrix.indices[away], kept.astype(self.matrix.indptr.dtype)),
            shape=self.matrix.shape,
        )
        return reward, matrix

    def only(self, rows: IntArray) -> Moves:
        """The given pair [n] of each state alone."""
        return Moves(
            num_states=self.num_states,
            state=self.state[rows],
            reward=self.reward[rows],
            size=self.size[rows],
            matrix=scipy.sparse.csr_array(self.matrix[rows]),
            stop=self.stop[rows],
            rounding=self.rounding[rows],
        )

    def gains(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """([M] r + P v - v, [M] the size that its rounding is proportional to)."""
        drift, size = self.drift(values)
        return self.reward + drift, self.size + size

    def drift(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """([M] P v - v, [M] the size of its terms)."""
        terms = self.matrix.data * (values[self.matrix.indices] - values[self.source])
        ending = self.stop * values[self.state]
        drift = self._row_sums(terms) - ending
        np.abs(terms, out=terms)
        return drift, self._row_sums(terms) + np.abs(ending)

    def error(self, size: FloatArray) -> FloatArray:
        """[M] bound on |computed - exact|, of a sum of two such numbers too."""
        return (self.rounding + 4.0 * UNIT) * size + TINY

    def best(self, numbers: FloatArray) -> FloatArray:
        """[n] maximum over each state's pairs."""
        return np.asarray(np.maximum.reduceat(numbers, self.first))

    def first_best(self, numbers: FloatArray) -> IntArray:
        """[n] the first pair of greatest number."""
        return self.lowest(numbers >= self.best(numbers)[self.state])

    def lowest(self, chosen: BoolArray) -> IntArray:
        """[n] the first of each state's `chosen` [M] pairs; -1 where there is none."""
        rows = np.full(self.num_states, -1, dtype=np.int64)
        picked = np.flatnonzero(chosen)[::-1]  # of equal indices the last one written stays
        rows[self.state[picked]] = picked
        return rows

    @cached_property
    def source(self) -> IntArray:
        """[stored] state of each stored chance's pair."""
        return np.repeat(self.state.astype(self.matrix.indices.dtype), np.diff(self.matrix.indptr))

    def _row_sums(self, weights: FloatArray) -> FloatArray:
        rows = scipy.sparse.csr_array(
            (weights, self.matrix.indices, self.matrix.indptr), shape=self.matrix.shape
        )
        return np.asarray(rows @ np.ones(self.num_states))


def chance_to_end(mdp: TabularMDP) -> FloatArray:
    """[M] chance to end of each pair of `Pairs.of(mdp)`, as exact as the chances to go on (1 - those is not)."""
    pair_of_row = np.cumsum(mdp.action_mask.ravel()) - 1
    ends = mdp.terminated | mdp.terminal[mdp.next_state]
    row = pair_of_row[mdp.row_of_outcome[ends]]
    return summed(row, mdp.normalised_probability[ends], int(mdp.action_mask.sum()))
