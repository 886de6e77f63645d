"""Small partially observed tables as dense arrays: what the planners over all beliefs compute with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ...envs.pomdp import TabularPOMDP
from .world import World

#: Numbers in the dense arrays beyond which a table is not small.
MOST_NUMBERS = 4_000_000


def is_small(pomdp: TabularPOMDP, *, times: int = 1) -> bool:
    """Whether the dense arrays stay within `MOST_NUMBERS`, with so many times each state."""
    num_states = times * pomdp.num_states
    return pomdp.num_actions * num_states * (num_states + pomdp.num_observations) <= MOST_NUMBERS


@dataclass(frozen=True, eq=False)
class DenseHidden:
    """Dense arrays, with unavailable actions played as the lowest available one.

    What is seen depends on the action as it is played; an action that is played in several ways has one part for
    each, with the states in which it is played so.  Mostly there is one part an action, G = A.

    Attributes:
        transition: [G, S, S] chance to go on in each state.
        seen: [G, O, S] chance of each observation in the state entered.
        first_part: [A] the first part of each action.
        reward: [A, S] mean reward.
        mask: [S, A] whether the action is available.
        chances: [B] of each belief at the start.
        starts: [B, S] those beliefs, after what reset() shows.
    """

    transition: FloatArray
    seen: FloatArray
    first_part: IntArray
    reward: FloatArray
    mask: BoolArray
    chances: FloatArray
    starts: FloatArray

    @classmethod
    def of(cls, pomdp: TabularPOMDP) -> DenseHidden:
        """The arrays of a small table."""
        world = World(pomdp)
        joint = (pomdp.mdp.initial[:, None] * pomdp.initial_observation).T
        chances = joint.sum(axis=1)
        shown = np.flatnonzero(chances > 0)
        transition: list[FloatArray] = []
        seen: list[FloatArray] = []
        first_part = []
        for action, parts in enumerate(world.seen):
            first_part.append(len(seen))
            for there, chances_seen in parts:
                rows = np.ones(pomdp.num_states) if there is None else there.astype(np.float64)
                transition.append(rows[:, None] * world.going_on[action].toarray())
                seen.append(np.ascontiguousarray(chances_seen.T))
        return cls(
            transition=np.stack(transition),
            seen=np.stack(seen),
            first_part=np.array(first_part),
            reward=np.stack(world.reward),
            mask=pomdp.mdp.action_mask,
            chances=chances[shown] / chances.sum(),
            starts=joint[shown] / chances[shown, None],
        )

    def available(self, beliefs: FloatArray) -> BoolArray:
        """[n, A] whether some state of the belief [n, S] has the action; where none has any, action 0, which ends."""
        possible = (beliefs > 0).astype(np.float64) @ self.mask > 0
        possible[~possible.any(axis=1), 0] = True
        return possible

    def joint(self, beliefs: FloatArray) -> FloatArray:
        """[n, A, O, S] chance, from each belief [n, S], that each action leads to that state and shows o."""
        entered = np.swapaxes(beliefs @ self.transition, 0, 1)  # [n, G, S]
        return self.by_action(entered[:, :, None, :] * self.seen, axis=1)

    def by_action(self, parts: FloatArray, axis: int = 0) -> FloatArray:
        """Sums over the parts of each action."""
        if len(self.first_part) == len(self.seen):
            return parts
        return np.asarray(np.add.reduceat(parts, self.first_part, axis=axis))

    def backed_up(
        self, vectors: FloatArray, best: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
    ) -> FloatArray:
        """[A, S] sum_o sum_s' p(s' | s, a) O(o | a, s') vectors[best[a, o]](s'), without reward and discount."""
        part_of = np.repeat(
            np.arange(len(self.first_part)), np.diff(np.append(self.first_part, len(self.seen)))
        )
        later = (self.seen * vectors[best[part_of]]).sum(axis=1)  # [G, S]
        return self.by_action((self.transition @ later[:, :, None])[:, :, 0])
