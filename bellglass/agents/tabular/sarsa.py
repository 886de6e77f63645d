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

from ..base import Transition
from ..schedules import Linear, Schedule
from .action_values import ActionValueLearner
from .experience import AnyEnv, Experience, Sizes

#: From 1 to nearly nothing: an on-policy learner values what it explores with.
FADING = Linear(1.0, 0.01)


class Sarsa(ActionValueLearner):
    """A table of the values of the policy that it plays.

    Settings are those of `ActionValueLearner`, with a constant step size (older targets speak of older policies) and
    an exploration that fades to .01.
    """

    def __init__(
        self,
        env: AnyEnv | Sizes,
        *,
        discount: float = 0.99,
        step_size: float | Schedule | Mapping[str, Any] = 0.1,
        epsilon: float | Schedule | Mapping[str, Any] = FADING,
        initial_value: float = 0.0,
        seed: int | None = 0,
    ) -> None:
        super().__init__(
            env,
            discount=discount,
            step_size=step_size,
            epsilon=epsilon,
            initial_value=initial_value,
            seed=seed,
        )

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

    def _play_until(self, timestep: int, experience: Experience) -> None:
        while self.num_timesteps < timestep:
            places = zip(experience.observations(), experience.chosen, strict=True)
            actions = [self.select_action(o) if chosen is None else chosen for o, chosen in places]
            transitions = experience.step(actions)
            experience.chosen = [None] * experience.num_envs
            for copy, transition in zip(experience.played, transitions, strict=True):
                next_action = (
                    None if transition.terminated else self.select_action(transition.next_observation)
                )
                self.update(transition, next_action)
                if transition.terminated or transition.truncated:
                    self.num_episodes += 1
                else:
                    experience.chosen[copy] = next_action
            self._count(len(transitions))
