"""What every tabular learner shares: acting from a table of values, the calls of `learn`, and files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..base import Callback, Memory, Transition
from ..files import generator_from_json, generator_to_json, read_agent, write_agent
from ..progress import progress_line
from ..schedules import Schedule
from .experience import ActionMasks, AnyEnv, Experience, Sizes, sizes_of

FloatArray = npt.NDArray[np.float64]


class TabularLearner(ABC):
    """Learns action values for numbered observations; subclasses say how.

    The policy it believes best takes the best available action, ties by the lowest; while it learns it explores
    with probability `exploration_rate` (uniformly over the available actions) and breaks ties at random.  Given a
    partially observed environment it learns a memoryless policy over observations.

    All chance comes from two generators made from `seed`: one for learning, from which the environment's seed is
    drawn first, and one for `predict`, so that looking at an agent never changes what it learns.

    Attributes:
        env: the environment, or None after `load` without one.
        num_timesteps: environment steps learned from.
        num_episodes: episodes that ended while it learned.
        discount: weight of the value one step later.
        seed: what the generators were made from.
        masks: the action masks that the environment has shown.
    """

    env: AnyEnv | None

    def __init__(self, env: AnyEnv | Sizes, *, discount: float, epsilon: Schedule, seed: int | None) -> None:
        sizes = env if isinstance(env, Sizes) else sizes_of(env)
        self.env = None if isinstance(env, Sizes) else env
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"discount must be in [0, 1], got {discount}")
        self.discount = float(discount)
        self.epsilon = epsilon
        self.seed = seed
        self.num_timesteps = 0
        self.num_episodes = 0
        self.masks = ActionMasks(sizes)
        streams = np.random.SeedSequence(seed).spawn(2)
        self._rng, self._predict_rng = (np.random.default_rng(stream) for stream in streams)
        self._experience: Experience | None = None
        self._progress = 0.0
        self._first_step, self._steps_asked = 0, 1  # of the call of learn

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

    def learn(
        self,
        total_timesteps: int,
        callback: Callback | None = None,
        *,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Learns from `total_timesteps` environment steps; what it has learned before stays.

        With n environments every step of each counts, and the last vector step may exceed the number by n - 1.

        Args:
            total_timesteps: at least 0.
            callback: asked after every (vector) step, or when its `next_timestep` is reached; False stops.
            reset_num_timesteps: count from 0 and reset the environment; otherwise the count goes on, and so does
                the episode under way.
            progress_bar: show how far it has come.
        """
        if total_timesteps < 0:
            raise ValueError(f"total_timesteps must be at least 0, got {total_timesteps}")
        if self.env is None:
            raise ValueError("no environment to learn in: give one to load(path, env)")
        if reset_num_timesteps:
            self.num_timesteps = 0
        if self._experience is None or self._experience.env is not self.env:
            if sizes_of(self.env) != self.masks.available.shape:
                raise ValueError(f"the environment has other sizes than the agent: {sizes_of(self.env)}")
            self._experience = Experience(self.env, self.masks)
            reset_num_timesteps = True
        if reset_num_timesteps:
            self._experience.reset(seed=int(2**31 * self._rng.random()))

        self._first_step, self._steps_asked = self.num_timesteps, max(total_timesteps, 1)
        self._progress = 0.0
        goal = self.num_timesteps + total_timesteps
        with progress_line(progress_bar, total_timesteps, type(self).__name__) as show:
            while self.num_timesteps < goal:
                wanted = goal
                if callback is not None:
                    wanted = getattr(callback, "next_timestep", 0)
                    wanted = min(goal, max(wanted, self.num_timesteps + 1))
                elif progress_bar:
                    wanted = min(goal, self.num_timesteps + max(1, total_timesteps // 100))
                self._play_until(wanted, self._experience)
                show(self.num_timesteps - self._first_step)
                due = self.num_timesteps >= getattr(callback, "next_timestep", 0)
                if callback is not None and due and callback(self) is False:
                    break
        return self

    def _play_until(self, timestep: int, experience: Experience) -> None:
        """Acts and learns, one (vector) step after the other, until `timestep` is reached."""
        while self.num_timesteps < timestep:
            actions = [self.select_action(observation) for observation in experience.observations()]
            transitions = experience.step(actions)
            for transition in transitions:
                self.update(transition)
                self.num_episodes += transition.terminated or transition.truncated
            self._count(len(transitions))

    def _count(self, steps: int) -> None:
        self.num_timesteps += steps
        self._progress = min(1.0, (self.num_timesteps - self._first_step) / self._steps_asked)

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
        if deterministic:
            actions = probabilities.argmax(axis=1)
        else:
            running = probabilities.cumsum(axis=1)
            drawn = self._predict_rng.random((len(running), 1)) * running[:, -1:]
            actions = (running > drawn).argmax(axis=1)
        return (np.int64(actions[0]) if np.ndim(observation) == 0 else actions.astype(np.int64)), None

    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch: the greedy policy (ties by the lowest), or what it plays while it explores.

        Where no action is available (a terminal state) all weight lies on action 0.
        """
        rows = self._checked(observation)
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
        if np.ndim(observation) == 0:
            probabilities = probabilities[0]
        return probabilities

    @property
    def policy(self) -> npt.NDArray[np.int64]:
        """[S] the action it believes best at each observation."""
        everywhere = np.arange(len(self.masks.seen))
        best: npt.NDArray[np.int64] = self.action_probabilities(everywhere).argmax(axis=1).astype(np.int64)
        return best

    def _checked(self, observation: npt.ArrayLike) -> npt.NDArray[np.int64]:
        given = np.asarray(observation)
        if given.dtype.kind not in "iu" or given.ndim > 1:
            raise TypeError(
                f"observations must be one integer or a batch of them, got {given.dtype} {list(given.shape)}"
            )
        rows = np.atleast_1d(given).astype(np.int64)
        size = len(self.masks.seen)
        if rows.size and not (rows.min() >= 0 and rows.max() < size):
            raise ValueError(f"observations must be in [0, {size}), got {given}")
        return rows

    # -- files -------------------------------------------------------------------------------------------------

    @abstractmethod
    def _settings(self) -> dict[str, object]:
        """The constructor's keyword arguments as JSON."""

    @abstractmethod
    def _arrays(self) -> Mapping[str, npt.NDArray[Any]]:
        """Everything learned, by name."""

    @abstractmethod
    def _take_arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Puts back what `_arrays` gave."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes arrays and JSON, never pickle, whole or not at all.

        Raises:
            TypeError: the agent has a schedule of the user's own.
        """
        settings: dict[str, object] = {
            "keywords": {"discount": self.discount, "seed": self.seed, **self._settings()},
            "sizes": list(self.masks.available.shape),
            "num_timesteps": self.num_timesteps,
            "num_episodes": self.num_episodes,
            "progress": self._progress,
            "generators": [generator_to_json(self._rng), generator_to_json(self._predict_rng)],
        }
        masks = {"masks_available": self.masks.available, "masks_seen": self.masks.seen}
        write_agent(path, type(self).__name__, settings, {**masks, **self._arrays()})

    @classmethod
    def load(cls, path: str | PathLike[str], env: AnyEnv | None = None) -> Self:
        """Reads what `save` wrote; `learn` goes on with the same generators, from a reset environment.

        Raises:
            ValueError: the file is damaged, no agent of ours, another agent's, or made for other sizes.
        """
        settings, arrays = read_agent(path, cls.__name__)
        try:
            sizes = Sizes(*settings["sizes"])
            if env is not None and sizes_of(env) != sizes:
                raise ValueError(f"{path} was made for {sizes}, the environment has {sizes_of(env)}")
            agent = cls(sizes if env is None else env, **settings["keywords"])
            agent.num_timesteps = settings["num_timesteps"]
            agent.num_episodes = settings["num_episodes"]
            agent._progress = settings["progress"]
            agent._rng, agent._predict_rng = map(generator_from_json, settings["generators"])
            agent.masks.available[:] = arrays["masks_available"]
            agent.masks.seen[:] = arrays["masks_seen"]
            agent._take_arrays(arrays)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: {error!r}") from error
        return agent
