"""Sarsa: learn the values of the policy that is played, from (s, a, r, s', a').

    on each transition (s, a, r, s'), with a' the action that will be played in s':
        target   =  r + discount * Q(s', a')             (r alone if terminated)
        Q(s, a)  <-  Q(s, a) + step_size * (target - Q(s, a))

Rummery & Niranjan (1994); Sutton & Barto (2018), section 6.4.  On-policy: it values its own exploration, and walks
round the cliff for as long as epsilon is not small; it reaches the optimum if epsilon goes to 0 (Singh et al. 2000).

After a *truncated* step a' is drawn for the target, although it will not be played.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base import Transition
from .action_values import CONSTANT, FADING, ActionValueLearner


class Sarsa(ActionValueLearner):
    """A table of the values of the policy that it plays.

    Settings are those of `ActionValueLearner`, with a constant step size (older targets speak of older policies) and
    an exploration that fades to .01.
    """

    usual_step_size = CONSTANT
    usual_epsilon = FADING

    def td_error(self, transition: Transition, next_action: int | None) -> float:
        """Target minus estimate, leaving the table as it is; `next_action` does not matter if terminated."""
        s, a, r, next_s, terminated, _ = transition
        ended = terminated or not self.masks.actions(next_s)
        next_value = 0.0 if ended or next_action is None else self._q_values[next_s, next_action]
        return float(r + self.discount * next_value - self._q_values[s, a])

    def update(self, transition: Transition, next_action: int | None = None) -> float:
        """Moves Q(s, a) towards its target (with a' drawn if none is given); returns the TD error before the move."""
        s, a = transition.observation, transition.action
        if next_action is None and not transition.terminated:
            next_action = self.select_action(transition.next_observation)
        td_error = self.td_error(transition, next_action)
        self.visits[s, a] += 1
        self._q_values[s, a] += self.step_size(int(self.visits[s, a])) * td_error
        return td_error

    # -- what was chosen for the step to come --------------------------------------------------------------------

    def _begin(self, num_envs: int) -> None:
        self._chosen: list[int | None] = [None] * num_envs

    def _act(self, observation: int, copy: int) -> int:
        chosen, self._chosen[copy] = self._chosen[copy], None
        return self.select_action(observation) if chosen is None else chosen

    def _learn_from(self, transition: Transition, copy: int) -> None:
        next_action = None if transition.terminated else self.select_action(transition.next_observation)
        self.update(transition, next_action)
        self.num_updates += 1
        if not (transition.terminated or transition.truncated):
            self._chosen[copy] = next_action

    def _memory_arrays(self) -> dict[str, npt.NDArray[Any]]:
        chosen = getattr(self, "_chosen", [])
        return {"chosen": np.array([-1 if action is None else action for action in chosen], dtype=np.int64)}

    def _take_memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._chosen = [None if action < 0 else action for action in arrays["chosen"].tolist()]
