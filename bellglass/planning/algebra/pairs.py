"""The table as a solver wants it: one row for each available pair, one sparse matrix, one bound on rounding.

A backup of the values v is, for each available pair (s, a),

    q(s, a)  =  r(s, a) + discount * sum_s' P(s' | s, a) v(s')

with r and P made from the table's own outcomes.  Outcomes of probability 0 are gone, so the sparsity
pattern is the graph of what can happen; outcomes that terminate, or that enter a terminal state, carry no
next value.

Rounding (derived here).  The table means p / sum(p).  With n outcomes in a row and u = 2**-53, the sum, the
quotient, the products and their sum each add at most n u or u of relative error, so the computed q misses
the exact one by less than (2 n + 8) u (sum p|r| + discount * sum P|v|): the first-order bound is (2 n + 4)
u, the rest pays for second order and for rounding in the bound itself.  `rounding` keeps the factor.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP

UNIT = 2.0**-53


@dataclass(frozen=True, eq=False)
class Pairs:
    """M available pairs of a table with S states, sorted by (state, action).

    Attributes:
        num_states: S.
        num_actions: A.
        state: [M] state of the pair.
        action: [M] action of the pair.
        reward: [M] mean reward.
        size: [M] mean of the absolute rewards, which rounding is proportional to.
        matrix: [M, S] chance to go on in each state; what it stores is positive.
        going_on: [M] chance to go on at all; exactly 1 where no outcome ends.
        rounding: [M] factor of the bound above.
        initial: [S] chance of starting in each state, summing to 1.
    """

    num_states: int
    num_actions: int
    state: IntArray
    action: IntArray
    reward: FloatArray
    size: FloatArray
    matrix: scipy.sparse.csr_array
    going_on: FloatArray
    rounding: FloatArray
    initial: FloatArray

    @classmethod
    def of(cls, mdp: TabularMDP, *, restart: bool = False) -> Pairs:
        """The available pairs of `mdp`.

        With `restart`, an outcome that ends the episode goes on in a state drawn from `initial` instead.
        """
        keep = mdp.probability > 0
        pair_of_row = np.cumsum(mdp.action_mask.ravel()) - 1
        available = np.flatnonzero(mdp.action_mask.ravel())
        probability = mdp.normalised_probability[keep]
        reward = mdp.reward[keep]
        row = pair_of_row[mdp.row_of_outcome[keep]]
        next_state = mdp.next_state[keep].astype(np.int64)
        ends = mdp.terminated[keep] | mdp.terminal[next_state]
        num_pairs = len(available)
        initial = mdp.initial / mdp.initial.sum()
        shape = (num_pairs, mdp.num_states)
        matrix = scipy.sparse.coo_array(
            (probability[~ends], (row[~ends], next_state[~ends])), shape=shape
        ).tocsr()
        outcomes = np.bincount(row, minlength=num_pairs)
        stopped = summed(row, probability * ends, num_pairs)
        if restart and stopped.any():
            ending = scipy.sparse.csr_array(stopped[:, None])
            matrix = (matrix + ending @ scipy.sparse.csr_array(initial[None, :])).tocsr()
            outcomes = np.maximum(outcomes, np.diff(matrix.indptr)) + np.count_nonzero(initial)
            stopped = np.zeros(num_pairs)
        matrix.sum_duplicates()
        return cls(
            num_states=mdp.num_states,
            num_actions=mdp.num_actions,
            state=available // mdp.num_actions,
            action=available % mdp.num_actions,
            reward=summed(row, probability * reward, num_pairs),
            size=summed(row, probability * np.abs(reward), num_pairs),
            matrix=matrix,
            going_on=np.where(
                stopped > 0, np.minimum(np.asarray(matrix.sum(axis=1)).ravel(), 1.0 - UNIT), 1.0
            ),
            rounding=np.asarray((2.0 * outcomes + 8.0) * UNIT, dtype=np.float64),
            initial=initial,
        )

    @property
    def num_pairs(self) -> int:
        """M."""
        return len(self.state)

    @cached_property
    def ends(self) -> bool:
        """Whether any step may end the episode."""
        return bool((self.going_on < 1.0).any())

    @cached_property
    def live(self) -> IntArray:
        """States with an available action, in order."""
        return self.state[self.first]

    @cached_property
    def first(self) -> IntArray:
        """First pair of each live state."""
        return np.flatnonzero(np.diff(self.state, prepend=-1)).astype(np.int64)

    @cached_property
    def pair_index(self) -> IntArray:
        """[S, A] the pair of each state and action; -1 where it is not available."""
        index = np.full((self.num_states, self.num_actions), -1, dtype=np.int64)
        index[self.state, self.action] = np.arange(self.num_pairs)
        return index

    def backup(self, values: FloatArray, discount: float) -> FloatArray:
        """[M] q of each pair."""
        return np.asarray(self.reward + discount * (self.matrix @ values))

    def backup_error(self, values: FloatArray, discount: float) -> FloatArray:
        """[M] bound on |computed - exact| of `backup`."""
        return np.asarray(self.rounding * (self.size + discount * (self.matrix @ np.abs(values))))

    def best(self, numbers: FloatArray) -> FloatArray:
        """[S] maximum over each state's pairs; 0 in terminal states."""
        values = np.zeros(self.num_states)
        values[self.live] = np.maximum.reduceat(numbers, self.first)
        return values

    def worst(self, numbers: FloatArray) -> FloatArray:
        """[S] minimum over each state's pairs; 0 in terminal states."""
        return -self.best(-numbers)

    def first_of(self, chosen: BoolArray) -> IntArray:
        """[S] the lowest action among the `chosen` [M] pairs of each state; 0 in terminal states."""
        policy = np.zeros(self.num_states, dtype=np.int64)
        picked = np.flatnonzero(chosen)[::-1]  # of equal indices the last one written stays
        policy[self.state[picked]] = self.action[picked]
        return policy

    def greedy(self, numbers: FloatArray) -> IntArray:
        """[S] the lowest action of greatest number; 0 in terminal states."""
        return self.first_of(numbers >= self.best(numbers)[self.state])

    def rows_of(self, policy: IntArray) -> IntArray:
        """[number of live states] the pair that `policy` [S] plays in each live state."""
        return self.pair_index[self.live, policy[self.live]]

    def table(self, numbers: FloatArray, fill: float = -np.inf) -> FloatArray:
        """[S, A] the numbers [M] where they belong, `fill` where the action is not available."""
        full = np.full((self.num_states, self.num_actions), fill)
        full[self.state, self.action] = numbers
        return full

    def mask(self, chosen: BoolArray) -> BoolArray:
        """[S, A] the chosen [M] pairs."""
        full = np.zeros((self.num_states, self.num_actions), dtype=np.bool_)
        full[self.state, self.action] = chosen
        return full


def summed(group: IntArray, numbers: FloatArray, count: int) -> FloatArray:
    """[count] sums of the numbers of each group."""
    return np.bincount(group, weights=numbers, minlength=count).astype(np.float64, copy=False)
