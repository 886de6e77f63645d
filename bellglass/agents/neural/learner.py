"""What deep learners share: the calls of `learn`, exploration, acting from action values, and files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from os import PathLike
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from ...envs.mdp import BoolArray
from ...networks import Adam, FlatParameters
from ..base import Callback, Memory
from ..files import generator_from_json, generator_to_json, read_agent, write_agent
from ..progress import progress_line
from ..schedules import Linear, Schedule, schedule_from, schedule_to_json
from .experience import Experience, Steps
from .masks import Masks, greedy
from .spaces import AnyEnv, Sizes, sizes_of

FloatArray = npt.NDArray[np.float64]

#: A learning rate: a number, a schedule of progress in [0, 1], or its settings as a suite writes them.
LearningRate = float | Schedule | Mapping[str, Any]


class NeuralLearner(ABC):
    """Learns action values with a network; subclasses say how.

    The policy it believes best takes the best available action, ties by the lowest; while it learns it
    explores uniformly over the available actions, with a chance that falls along a straight line from
    `exploration_initial_eps` to `exploration_final_eps` over the first `exploration_fraction` of the steps of
    a call of `learn`, and always during its first `learning_starts` steps.

    All chance comes from generators made from `seed`: one for learning, from which the environment's seed is
    drawn, one for `predict`, so that looking at an agent never changes what it learns, and torch's for
    weights and dropout.

    Attributes:
        env: the environment, or None after `load` without one.
        num_timesteps: environment steps learned from.
        num_episodes: episodes that ended while it learned.
        num_updates: gradient steps.
        masks: the action masks that the environment has shown.
    """

    env: AnyEnv | None
    parameters: FlatParameters
    target_parameters: FlatParameters
    optimiser: Adam

    def __init__(
        self,
        env: AnyEnv | Sizes,
        *,
        discount: float,
        seed: int | None,
        learning_rate: LearningRate,
        exploration_fraction: float,
        exploration_initial_eps: float,
        exploration_final_eps: float,
        learning_starts: int,
        max_episode_steps: int | None,
    ) -> None:
        self.sizes = env if isinstance(env, Sizes) else sizes_of(env)
        self.env = None if isinstance(env, Sizes) else env
        check_range("discount", discount, 0.0, 1.0)
        check_range("exploration_fraction", exploration_fraction, 0.0, 1.0)
        check_range("exploration_initial_eps", exploration_initial_eps, 0.0, 1.0)
        check_range("exploration_final_eps", exploration_final_eps, 0.0, 1.0)
        check_range("learning_starts", learning_starts, 0, np.inf)
        if max_episode_steps is not None:
            check_range("max_episode_steps", max_episode_steps, 1, np.inf)
        self.discount = float(discount)
        self.seed = seed
        self.learning_rate = schedule_from(learning_rate, "learning_rate", 0.0, np.inf)
        self.exploration = (exploration_fraction, exploration_initial_eps, exploration_final_eps)
        if exploration_fraction > 0.0:
            line = Linear(exploration_initial_eps, exploration_final_eps, exploration_fraction)
            self.epsilon: Schedule = line
        else:
            self.epsilon = schedule_from(exploration_final_eps, "exploration_final_eps", 0.0, 1.0)
        self.learning_starts = int(learning_starts)
        self.max_episode_steps = max_episode_steps
        self.num_timesteps = 0
        self.num_episodes = 0
        self.num_updates = 0
        self.masks = Masks(self.sizes)
        streams = np.random.SeedSequence(seed).spawn(3)
        self._rng, self._predict_rng = (np.random.default_rng(stream) for stream in streams[:2])
        self._torch_rng = torch.Generator().manual_seed(int(streams[2].generate_state(1)[0]))
        self._experience: Experience | None = None
        self._progress = 0.0
        self._first_step, self._steps_asked = 0, 1  # of the call of learn
        self._vector_steps = 0

    @property
    def exploration_rate(self) -> float:
        """The chance of a uniformly random action at the next step, in [0, 1]."""
        return 1.0 if self.num_timesteps < self.learning_starts else float(self.epsilon(self._progress))

    # -- what a subclass does --------------------------------------------------------------------------------

    @property
    @abstractmethod
    def network(self) -> torch.nn.Module:
        """The online network."""

    @property
    @abstractmethod
    def target_network(self) -> torch.nn.Module:
        """The one that values next states."""

    @abstractmethod
    def _acting_values(self, experience: Experience) -> npt.NDArray[np.float32]:
        """[n, A] action values where the copies stand."""

    @abstractmethod
    def _remember(self, steps: Steps) -> None:
        """Keeps what was seen."""

    @abstractmethod
    def _train(self) -> None:
        """Gradient steps, if it is time for some, and copies to the target network, if it is time for one."""

    @abstractmethod
    def _begin(self, experience: Experience) -> None:
        """The environment was reset."""

    @abstractmethod
    def _settings(self) -> dict[str, object]:
        """The keyword arguments of the constructor that are not of this class, as JSON."""

    # -- learning --------------------------------------------------------------------------------------------

    def learn(
        self,
        total_timesteps: int,
        callback: Callback | None = None,
        *,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Learns from `total_timesteps` environment steps; what it has learned before stays.

        With n environments every step of each counts, and the last vector step may exceed the number
        by n - 1.

        Args:
            total_timesteps: at least 0.
            callback: asked after every vector step, or when its `next_timestep` is reached; False stops.
            reset_num_timesteps: count from 0 and reset the environment; otherwise the count goes on, and so
                does the episode under way.
            progress_bar: show how far it has come.
        """
        if total_timesteps < 0:
            raise ValueError(f"total_timesteps must be at least 0, got {total_timesteps}")
        if self.env is None:
            raise ValueError("no environment to learn in: give one to load(path, env)")
        if reset_num_timesteps:
            self.num_timesteps = 0
        experience = self._experience
        if experience is None or experience.env is not self.env:
            if sizes_of(self.env) != self.sizes:
                raise ValueError(f"the environment has other sizes than the agent: {sizes_of(self.env)}")
            experience = Experience(self.env, self.sizes, self.masks, self.max_episode_steps)
            reset_num_timesteps = True
        if reset_num_timesteps:
            experience.reset(seed=int(2**31 * self._rng.random()))
            self._begin(experience)
        self._experience = experience
        self._first_step, self._steps_asked = self.num_timesteps, max(total_timesteps, 1)
        self._progress = 0.0
        goal = self.num_timesteps + total_timesteps
        with progress_line(progress_bar, total_timesteps, type(self).__name__) as show:
            while self.num_timesteps < goal:
                self._play(experience)
                self._train()
                show(self.num_timesteps - self._first_step)
                due = self.num_timesteps >= getattr(callback, "next_timestep", 0)
                if callback is not None and due and callback(self) is False:
                    break
        return self

    def _play(self, experience: Experience) -> None:
        """One vector step."""
        experience.prepare()
        actions = self._explore(experience)
        steps = experience.step(actions)
        self._remember(steps)
        self._vector_steps += 1
        self.num_timesteps += int(np.count_nonzero(steps.played))
        self.num_episodes += int(np.count_nonzero(steps.played & (steps.terminated | steps.truncated)))
        self._progress = min(1.0, (self.num_timesteps - self._first_step) / self._steps_asked)

    def _explore(self, experience: Experience) -> npt.NDArray[np.int64]:
        """[n] epsilon-greedy actions, one coin for each copy."""
        n, num_actions = experience.num_envs, self.sizes.num_actions
        coins = self._rng.random((2, n))
        masks = self.masks.of(experience.observations)
        actions = greedy(self._acting_values(experience), masks)
        random = coins[0] < self.exploration_rate
        if random.any():
            if masks is None:
                drawn = (coins[1] * num_actions).astype(np.int64)
            else:
                running = masks.cumsum(axis=1)
                drawn = (running > coins[1][:, None] * running[:, -1:]).argmax(axis=1)
            actions = np.where(random, drawn, actions)
        return actions

    # -- acting ----------------------------------------------------------------------------------------------

    def _draw(self, probabilities: FloatArray, deterministic: bool) -> npt.NDArray[np.int64]:
        """[n] one action a row: the likeliest (ties by the lowest), or a draw."""
        if deterministic:
            best: npt.NDArray[np.int64] = probabilities.argmax(axis=1)
            return best
        running = probabilities.cumsum(axis=1)
        drawn: npt.NDArray[np.int64] = (
            running > self._predict_rng.random((len(running), 1)) * running[:, -1:]
        ).argmax(axis=1)
        return drawn

    def _probabilities(
        self, q_values: npt.NDArray[np.float32], masks: BoolArray | None, exploring: bool
    ) -> FloatArray:
        """[n, A] the greedy policy, or what it plays while it explores; action 0 where none is available."""
        rows = np.arange(len(q_values))
        rate = self.exploration_rate if exploring else 0.0
        if masks is None:
            uniform = np.full(q_values.shape, 1.0 / self.sizes.num_actions)
        else:
            available = masks.copy()
            available[~masks.any(axis=1), 0] = True
            uniform = available / available.sum(axis=1, keepdims=True)
        probabilities: FloatArray = rate * uniform
        probabilities[rows, greedy(q_values, masks)] += 1.0 - rate
        return probabilities

    @abstractmethod
    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The action for one observation (np.int64), or for a batch (int64 [n]), and the memory.

        Deterministic: the best available action.  Otherwise, as in Stable-Baselines3, a draw from what it
        plays while it learns.
        """

    @abstractmethod
    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch: the greedy policy, ties by the lowest, or what it plays to explore."""

    # -- files -----------------------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str]) -> None:
        """Writes both networks, Adam's moments, masks and settings: arrays and JSON, whole or not at all.

        Memories to replay from are not kept.

        Raises:
            TypeError: the agent has a schedule of the user's own.
        """
        fraction, initial, final = self.exploration
        keywords: dict[str, object] = {
            "discount": self.discount,
            "seed": self.seed,
            "learning_rate": schedule_to_json(self.learning_rate, "learning_rate"),
            "exploration_fraction": fraction,
            "exploration_initial_eps": initial,
            "exploration_final_eps": final,
            "learning_starts": self.learning_starts,
            "max_episode_steps": self.max_episode_steps,
            **self._settings(),
        }
        settings: dict[str, object] = {
            "keywords": keywords,
            "sizes": [self.sizes.num_observations, list(self.sizes.shape), self.sizes.num_actions],
            "counts": [self.num_timesteps, self.num_episodes, self.num_updates, self._vector_steps],
            "optimiser_steps": self.optimiser.num_steps,
            "progress": self._progress,
            "frozen": [name for name, p in self.network.named_parameters() if not p.requires_grad],
            "generators": [generator_to_json(self._rng), generator_to_json(self._predict_rng)],
        }
        arrays = {
            "optimiser_mean": self.optimiser.mean.numpy(),
            "optimiser_square": self.optimiser.square.numpy(),
            "torch_generator": self._torch_rng.get_state().numpy(),
            **self.masks.arrays(),
            **_state_arrays("online", self.network),
            **_state_arrays("target", self.target_network),
        }
        write_agent(path, type(self).__name__, settings, arrays)

    @classmethod
    def load(
        cls, path: str | PathLike[str], env: AnyEnv | None = None, *, network: torch.nn.Module | None = None
    ) -> Self:
        """Reads what `save` wrote.

        `learn` goes on with the same generators, from a reset environment and an empty replay memory.

        Args:
            path: the file.
            env: to learn in; none is needed to act.
            network: a module like the one that the agent was made with, if it was made with one.

        Raises:
            ValueError: the file is damaged, no agent of ours, another agent's, or made for other sizes.
        """
        settings, arrays = read_agent(path, cls.__name__)
        try:
            sizes = Sizes(settings["sizes"][0], tuple(settings["sizes"][1]), settings["sizes"][2])
            if env is not None and sizes_of(env) != sizes:
                raise ValueError(f"{path} was made for {sizes}, the environment has {sizes_of(env)}")
            keywords = dict(settings["keywords"])
            if keywords.get("network") == "own":
                if network is None:
                    raise ValueError(
                        f"{path} was saved with a network of your own: give one to load(..., network=)"
                    )
                keywords["network"] = network
            agent = cls(sizes if env is None else env, **keywords)
            agent._take(settings, arrays)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"{path} is damaged: {error!r}") from error
        return agent

    def _take(self, settings: Mapping[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Puts back what `save` wrote."""
        self.num_timesteps, self.num_episodes, self.num_updates, self._vector_steps = settings["counts"]
        self._progress = settings["progress"]
        self._rng, self._predict_rng = map(generator_from_json, settings["generators"])
        self._torch_rng.set_state(torch.from_numpy(arrays["torch_generator"]))
        self.masks.take(arrays)
        _restore("online", self.network, arrays)
        _restore("target", self.target_network, arrays)
        for name in settings.get("frozen", []):
            self.network.get_parameter(name).requires_grad_(False)
        self.optimiser.mean.copy_(torch.from_numpy(arrays["optimiser_mean"]))
        self.optimiser.square.copy_(torch.from_numpy(arrays["optimiser_square"]))
        self.optimiser.num_steps = settings["optimiser_steps"]


def _state_arrays(prefix: str, module: torch.nn.Module) -> dict[str, npt.NDArray[Any]]:
    return {f"{prefix}.{name}": tensor.detach().numpy() for name, tensor in module.state_dict().items()}


def _restore(prefix: str, module: torch.nn.Module, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Copies into the module's tensors, which stay the views that they are."""
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            array = arrays[f"{prefix}.{name}"]
            if array.shape != tuple(tensor.shape):
                raise ValueError(
                    f"{prefix}.{name} has shape {array.shape} in the file, {tuple(tensor.shape)} here"
                )
            tensor.copy_(torch.from_numpy(array))


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Refuses a number outside [low, high] (or nan).

    Raises:
        ValueError: it names the value and the range.
    """
    if not low <= value <= high:
        range_ = f"at least {low:g}" if high == np.inf else f"in [{low:g}, {high:g}]"
        raise ValueError(f"{name} must be {range_}, got {value}")
