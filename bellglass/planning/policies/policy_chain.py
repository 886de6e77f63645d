"""The chain that a policy makes of a table.

    P_pi(s' | s)  =  sum_a pi(a | s) P(s' | s, a)          r_pi(s)  =  sum_a pi(a | s) r(s, a)

Small tables are mixed densely, from arrays made once a table.  Of larger ones only the outcomes that the policy can
meet are gathered, so a deterministic policy never pays for the other actions.

Rounding (derived here).  A state whose played actions have n outcomes in all, under chances that are divided by their
sum over k <= n actions: the quotients p / sum(p) cost n u, the chances k u, their product u, adding up the outcomes
that share a next state and the next values 2 n u, the discount and the last sum 3 u, first order.  So the computed
r + discount * P v misses the exact one by less than (4 n + 16) u (mean |r| + discount * P |v|), and, where one action
is played for sure, by (2 n + 8) u of it, as in `Pairs`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..algebra.pairs import UNIT, summed

#: Why a table that ends has no average reward.
ENDS = "episodes end in this table, so its average reward is defined with restart=True in solve only"

#: Up to this many numbers [S, A, S] a table is mixed densely.
DENSE = 1_000_000


@dataclass(frozen=True, eq=False)
class Chain:
    """What a policy makes of a table with S states; the rows of terminal states are 0.

    Attributes:
        matrix: [S, S] chance to go on in each state, dense or sparse; what the sparse one stores is positive.
        reward: [S] mean reward of the next step.
        size: [S] mean of the absolute rewards.
        leaks: [S] states after which the episode may be over; terminal states too.
        stop: [S] chance that it is over after the step, a sum of its own: 1 - (chance to go on) has lost its digits.
        rounding: [S] factor of the bound above.
    """

    matrix: scipy.sparse.csr_array | FloatArray
    reward: FloatArray
    size: FloatArray
    leaks: BoolArray
    stop: FloatArray
    rounding: FloatArray

    @cached_property
    def sparse(self) -> scipy.sparse.csr_array:
        """[S, S] the matrix, sparse."""
        return scipy.sparse.csr_array(self.matrix)

    @cached_property
    def over(self) -> BoolArray:
        """[S] states of value 0, exactly: nothing is paid there and nothing follows."""
        follows = self.sparse.sum(axis=1) > 0 if self.leaks.any() else np.ones(len(self.size), dtype=np.bool_)
        return np.asarray(~(follows | (self.size > 0)))

    def backup(self, values: FloatArray, discount: float) -> FloatArray:
        """[S] reward + discount * P values."""
        return np.asarray(self.reward + discount * (self.matrix @ values))

    def backup_error(self, values: FloatArray, discount: float) -> FloatArray:
        """[S] bound on |computed - exact| of `backup`."""
        return np.asarray(self.rounding * (self.size + discount * (self.matrix @ np.abs(values))))


class PolicyChains:
    """Makes chains of policies on one table.

    Args:
        mdp: the table.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        self.mdp = mdp
        self._states = np.arange(mdp.num_states)
        self._dense = mdp.num_states**2 * mdp.num_actions <= DENSE
        if self._dense:
            shape = (mdp.num_states, mdp.num_actions)
            rows = np.flatnonzero(mdp.action_mask)
            every = _gathered(mdp, rows, rows, shape[0] * shape[1], None)
            self._matrix = every.sparse.toarray().reshape(*shape, mdp.num_states)
            self._reward, self._size = every.reward.reshape(shape), every.size.reshape(shape)
            self._leaks = every.leaks.reshape(shape) & mdp.action_mask
            self._stop = every.stop.reshape(shape)
            self._outcomes = np.diff(mdp.first_outcome).reshape(shape)

    def chain(self, policy: IntArray | FloatArray) -> Chain:
        """The chain of actions [S] or of chances [S, A] that `checked_policy` or `played_chances` let through."""
        mdp = self.mdp
        if not self._dense:
            return self._gather(policy)
        if policy.ndim == 1:
            here = self._states, policy
            return Chain(
                matrix=self._matrix[here],
                reward=self._reward[here],
                size=self._size[here],
                leaks=self._leaks[here] | mdp.terminal,
                stop=self._stop[here],
                rounding=(2.0 * self._outcomes[here] + 8.0) * UNIT,
            )
        chances = np.asarray(policy, dtype=np.float64)
        met = chances > 0
        return Chain(
            matrix=(chances[:, None, :] @ self._matrix)[:, 0],
            reward=(chances * self._reward).sum(axis=1),
            size=(chances * self._size).sum(axis=1),
            leaks=(met & self._leaks).any(axis=1) | mdp.terminal,
            stop=(chances * self._stop).sum(axis=1),
            rounding=(4.0 * (met * self._outcomes).sum(axis=1) + 16.0) * UNIT,
        )

    def chain_of_step(self, policy: IntArray | FloatArray) -> Callable[[int], Chain]:
        """The chain of step h, of a policy that may depend on the time: its shape tells."""
        if policy.ndim == (2 if policy.dtype.kind in "iu" else 3):
            return lambda h: self.chain(policy[h])
        fixed = self.chain(policy)
        return lambda h: fixed

    def refuse_ends(self) -> None:
        """A table that ends has no average reward.

        Raises:
            ValueError: some outcome ends the episode.
        """
        mdp = self.mdp
        ending = (mdp.terminated | mdp.terminal[mdp.next_state]) & (mdp.probability > 0)
        if ending.any():
            s, a = divmod(int(mdp.row_of_outcome[ending.argmax()]), mdp.num_actions)
            raise ValueError(
                f"{ENDS}: state {s}, action {a} ends with chance {mdp.probability[ending.argmax()]:.12g}"
            )

    def _gather(self, policy: IntArray | FloatArray) -> Chain:
        mdp = self.mdp
        if policy.ndim == 1:
            live = np.flatnonzero(~mdp.terminal)
            rows = live * mdp.num_actions + np.asarray(policy, dtype=np.int64)[live]
            return _gathered(mdp, rows, live, mdp.num_states, None)
        weights = np.asarray(policy, dtype=np.float64).ravel()
        rows = np.flatnonzero(weights)
        return _gathered(mdp, rows, rows // mdp.num_actions, mdp.num_states, weights[rows])


def _gathered(
    mdp: TabularMDP, rows: IntArray, place: IntArray, size: int, weights: FloatArray | None
) -> Chain:
    """The outcomes of the pairs `rows` [n], each added to the row `place` [n], ascending, of a [size, S] chain."""
    first = mdp.first_outcome
    lengths = first[rows + 1] - first[rows]
    begins = np.cumsum(lengths) - lengths
    index = np.repeat(first[rows] - begins, lengths) + np.arange(int(lengths.sum()))
    chance = mdp.probability[index]
    if rows.size:
        sums = np.add.reduceat(chance, begins)
        if not (sums == 1.0).all():
            chance = chance / np.repeat(sums, lengths)
        if weights is not None:
            chance = chance * np.repeat(weights, lengths)
    happens = np.flatnonzero(chance > 0)
    index, chance, state = index[happens], chance[happens], np.repeat(place, lengths)[happens]
    target, reward = mdp.next_state[index], mdp.reward[index]
    ends = mdp.terminated[index] | mdp.terminal[target]
    leaks = np.ones(size, dtype=np.bool_)
    leaks[place] = False
    leaks[state[ends]] = True
    on = ~ends
    kind = np.int32 if max(size, mdp.num_states, index.size) < 2**31 else np.int64
    starts = np.concatenate([[0], np.cumsum(np.bincount(state[on], minlength=size))]).astype(kind)
    matrix = scipy.sparse.csr_array(
        (chance[on], target[on].astype(kind), starts), shape=(size, mdp.num_states)
    )
    matrix.sum_duplicates()
    outcomes = np.bincount(state, minlength=size)
    factor = (2.0 * outcomes + 8.0) if weights is None else (4.0 * outcomes + 16.0)
    return Chain(
        matrix=matrix,
        reward=summed(state, chance * reward, size),
        size=summed(state, chance * np.abs(reward), size),
        leaks=leaks,
        stop=summed(state[ends], chance[ends], size),
        rounding=np.asarray(factor * UNIT),
    )


_PLAYED: WeakKeyDictionary[TabularMDP, PolicyChains] = WeakKeyDictionary()


def policy_chains(mdp: TabularMDP) -> PolicyChains:
    """`PolicyChains(mdp)`, made once a table."""
    found = _PLAYED.get(mdp)
    if found is None:
        found = _PLAYED[mdp] = PolicyChains(mdp)
    return found
