"""Evaluates many policies on one table: what can be made once is made once.

    discounted       v = r_pi + discount * P_pi v            one linear solve a policy
    finite horizon   v_h = r_pi + discount * P_pi v_{h+1}    backward from v_H = 0

A curve scores a hundred policies on one small table, so the chains come from the planners' `PolicyChains`, which
keeps what can be made once, and the bounds of `policy_bounds` are left out where they would cost as much as the
values.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...envs.mdp import FloatArray, TabularMDP
from ...planning.errors import UnboundedError
from ...planning.policies.certificates import discounted_values
from ...planning.policies.policy_bounds import TOLERANCE, bounds_of
from ...planning.policies.policy_chain import Chain, policy_chains
from ..records import ScoringSpec


class Evaluator:
    """Exact values of any policy under one criterion.

    Args:
        mdp: the table.
        scoring: the criterion.
    """

    def __init__(self, mdp: TabularMDP, scoring: ScoringSpec) -> None:
        self.mdp = mdp
        self.scoring = scoring
        self.initial: FloatArray = mdp.initial / mdp.initial.sum()
        self._played = policy_chains(mdp)

    def played(self, probabilities: npt.ArrayLike) -> FloatArray:
        """[S, A] what is really played: weight on unavailable actions moves to the lowest available one.

        Args:
            probabilities: [S, A]; rows of terminal states do not count.
        """
        mask, lowest = self.mdp.action_mask, self.mdp.lowest_action
        wanted = np.asarray(probabilities, dtype=np.float64)
        if wanted.shape != mask.shape:
            raise ValueError(
                f"action probabilities must have shape {list(mask.shape)}, got {list(wanted.shape)}"
            )
        live = ~self.mdp.terminal
        sums = wanted.sum(axis=1)
        if not (np.abs(sums[live] - 1.0) <= 1e-6).all() or (wanted[live] < 0).any():
            s = int(np.flatnonzero(live & ~((np.abs(sums - 1.0) <= 1e-6) & (wanted >= 0).all(axis=1)))[0])
            raise ValueError(f"action probabilities of state {s} are no distribution: {wanted[s].tolist()}")
        allowed = np.where(mask, wanted, 0.0)
        allowed[np.arange(len(mask)), lowest] += np.where(mask, 0.0, wanted).sum(axis=1)
        allowed[~live] = 0.0
        total = allowed.sum(axis=1, keepdims=True)
        played: FloatArray = np.divide(allowed, total, out=np.zeros_like(allowed), where=total > 0)
        return played

    def values(self, played: FloatArray) -> FloatArray:
        """[S] value of each state, with the whole horizon left; average reward: the gain from there.

        Args:
            played: [S, A] from `played`.
        """
        scoring = self.scoring
        if scoring.criterion == "discounted" and scoring.discount is not None:
            chain = self._played.chain(played)
            return discounted_values(chain, scoring.discount, TOLERANCE, relative=True)
        if scoring.criterion == "finite_horizon" and scoring.horizon is not None:
            return self._after(self._played.chain(played), scoring.horizon)
        try:
            return bounds_of(self.mdp, played, 1.0, criterion=scoring.criterion, horizon=None).values
        except UnboundedError:
            # Rewards of both signs come for ever: a sum without a limit counts as bottomless.
            return np.where(self.mdp.terminal, 0.0, -np.inf)

    def start_value(self, played: FloatArray) -> float:
        """The mean of `values` over the starts."""
        return self.mean_over_starts(self.values(played))

    def mean_over_starts(self, values: FloatArray) -> float:
        """Initial @ values, where only states in which an episode may start count."""
        starts = np.flatnonzero(self.initial)
        return float(self.initial[starts] @ values[starts])

    def _after(self, chain: Chain, steps: int) -> FloatArray:
        discount = 1.0 if self.scoring.discount is None else self.scoring.discount
        values: FloatArray = np.zeros(self.mdp.num_states)
        for _ in range(steps):
            values = chain.backup(values, discount)
        return values
