"""Monte Carlo control: wait for the end of the episode, then learn from what really followed.

    backwards over the episode's transitions (s, a, r, s'), from tail at its end:
        G        <-  r + discount * G
        Q(s, a)  <-  Q(s, a) + step_size * (G - Q(s, a))          at every visit

    tail  =  0 if terminated;  sum_a' pi(a' | s') Q(s', a') if truncated, with pi the policy that is played

Sutton & Barto (2018), section 5.4, in its every-visit form.  On-policy: it values its own exploration.  Nothing is
bootstrapped inside an episode, but a clock that runs out is not an end of the world, so a *truncated* episode goes
on with what is believed about s'; a return cut there would call every long episode worthless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..base import Transition
from ..schedules import Schedule
from .action_values import ActionValueLearner
from .experience import AnyEnv, Experience, Sizes
from .sarsa import FADING


class MonteCarlo(ActionValueLearner):
    """A table of mean returns of the policy that it plays; learns at the end of each episode.

    Settings are those of `ActionValueLearner`, with a constant step size (older returns speak of older policies) and
    an exploration that fades to .01.  An episode that is under way when the agent is saved is not kept.
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

    def update(self, transition: Transition) -> None:
        """Learns from one step as if it were an episode of its own, cut after it unless it terminated."""
        self.learn_from([transition])

    def learn_from(self, episode: Sequence[Transition]) -> None:
        """Moves every pair of the episode towards the return that followed it."""
        last = episode[-1]
        following = 0.0 if last.terminated else self._expected(last.next_observation)
        for s, a, r, *_ in reversed(episode):
            following = r + self.discount * following
            self.visits[s, a] += 1
            self._q_values[s, a] += self.step_size(int(self.visits[s, a])) * (
                following - self._q_values[s, a]
            )

    def _expected(self, observation: int) -> float:
        """The mean value under epsilon-greedy play; 0 where no action is available (a terminal state)."""
        row: list[float] = self._q_values[observation].tolist()
        values = [row[a] for a in self.masks.actions(observation)]
        if not values:
            return 0.0
        epsilon = self.exploration_rate
        return epsilon * sum(values) / len(values) + (1.0 - epsilon) * max(values)

    def _play_until(self, timestep: int, experience: Experience) -> None:
        while self.num_timesteps < timestep:
            actions = [self.select_action(observation) for observation in experience.observations()]
            transitions = experience.step(actions)
            for copy, transition in zip(experience.played, transitions, strict=True):
                path = experience.paths[copy]
                path.append(transition)
                if transition.terminated or transition.truncated:
                    self.learn_from(path)
                    path.clear()
                    self.num_episodes += 1
            self._count(len(transitions))
