"""What every tabular learner shares: numbered observations, and acting from a table of values."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base import Memory, Transition
from ..experience import Experience
from ..learner import FloatArray, Learner
from ..settings import AnySchedule, schedule
from ..spaces import AnyEnv, Sizes


class TabularLearner(Learner):
    """Learns action values for numbered observations; subclasses say how.

    The policy it believes best takes the best available action, ties by the lowest; while it learns it explores
    with probability `exploration_rate` (uniformly over the available actions) and breaks ties at random.  Given a
    partially observed environment it learns a memoryless policy over observations.

    Attributes:
        epsilon: the exploration rate, a schedule of progress.
    """

    epsilon = schedule(0.0, 1.0)

    def __init__(
        self,
        env: AnyEnv | Sizes,
        *,
        discount: float,
        epsilon: AnySchedule,
        max_episode_steps: float | None,
        seed: int | None,
    ) -> None:
        super().__init__(env, discount=discount, max_episode_steps=max_episode_steps, seed=seed)
        if not self.sizes.integers:
            raise TypeError(
                "a tabular agent needs a Discrete observation space that starts at 0, got arrays of shape "
                f"{self.sizes.shape}: use an agent with a network, or leave the observation wrapper away"
            )
        self.epsilon = epsilon

    @property
    @abstractmethod
    def q_values(self) -> FloatArray:
        """[S, A] current estimates."""

    @abstractmethod
    def update(self, transition: Transition) -> object:
        """Learns from one step."""

    @property
    def exploration_rate(self) -> float:
        """The chance of a uniformly random action at the next step, in [0, 1]."""
        return float(self.epsilon(self._progress))

    # -- learning ----------------------------------------------------------------------------------------------

    def _play_until(self, timestep: int, experience: Experience) -> None:
        """Acts and learns, one (vector) step after the other, until `timestep` or Ctrl-C."""
        interrupts = self._interrupts
        while self.num_timesteps < timestep and not interrupts.asked:
            for copy in experience.prepare():
                self._episode_began(copy)
            places = experience.numbers()
            actions = [self._act(observation, copy) for copy, observation in enumerate(places)]
            steps = experience.transitions(actions)
            for copy, transition in steps:
                self._learn_from(transition, copy)
                self.num_episodes += transition.terminated or transition.truncated
            self._count(len(steps))

    def _act(self, observation: int, copy: int) -> int:
        """The action to play in a copy."""
        return self.select_action(observation)

    def _learn_from(self, transition: Transition, copy: int) -> None:
        """Learns from a step that was played in a copy."""
        self.update(transition)
        self.num_updates += 1

    # -- acting ------------------------------------------------------------------------------------------------

    def select_action(self, observation: int) -> int:
        """The action to learn from: epsilon-greedy, ties among the best broken at random."""
        actions = self.masks.actions(observation)
        if not actions:
            return 0
        if self._rng.random() < self.epsilon(self._progress):
            return actions[int(self._rng.random() * len(actions))]
        row = self._acting_values(observation)
        values = [row[a] for a in actions]
        highest = max(values)
        best = [a for a, value in zip(actions, values, strict=True) if value == highest]
        return best[0] if len(best) == 1 else best[int(self._rng.random() * len(best))]

    def _acting_values(self, observation: int) -> list[float]:
        """[A] what the learner is greedy for at the observation."""
        row: list[float] = self.q_values[observation].tolist()
        return row

    def _acting_table(self) -> FloatArray:
        """[S, A] what the learner is greedy for while it explores."""
        return self.q_values

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The action for one observation (np.int64), or for a batch [n] (int64 array), and None.

        Deterministic: the best available action, ties by the lowest.  Otherwise, as in Stable-Baselines3, a draw
        from what it plays while it learns.
        """
        probabilities = np.atleast_2d(self.action_probabilities(observation, exploring=not deterministic))
        actions = self._draw(probabilities, deterministic)
        return (np.int64(actions[0]) if np.ndim(observation) == 0 else actions.astype(np.int64)), None

    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch: the greedy policy (ties by the lowest), or what it plays while it explores.

        Where no action is available (a terminal state) all weight lies on action 0.
        """
        rows, single = self.sizes.batch(observation)
        available = self.masks.available[rows]
        ended = ~available.any(axis=1)
        available[ended, 0] = True
        table = self._acting_table() if exploring else self.q_values
        values = np.where(available, table[rows], -np.inf)
        best = available & (values == values.max(axis=1, keepdims=True))
        if exploring:
            rate = self.exploration_rate
            uniform, greedy = (chosen / chosen.sum(axis=1, keepdims=True) for chosen in (available, best))
            probabilities: FloatArray = rate * uniform + (1.0 - rate) * greedy
        else:
            probabilities = np.zeros(best.shape)
            probabilities[np.arange(len(rows)), best.argmax(axis=1)] = 1.0
        return probabilities[0] if single else probabilities

    @property
    def policy(self) -> npt.NDArray[np.int64]:
        """[S] the action it believes best at each observation."""
        everywhere = np.arange(self.sizes.num_observations)
        best: npt.NDArray[np.int64] = self.action_probabilities(everywhere).argmax(axis=1).astype(np.int64)
        return best
