"""Each action of a partially observed table as one matrix: what beliefs are moved by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ...envs.pomdp import TabularPOMDP

if TYPE_CHECKING:
    pass


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
