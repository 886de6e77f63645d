"""What deep learners share: when to train, exploration, acting from action values, and files of weights."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from math import isfinite
from os import PathLike
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import torch

from ...envs.mdp import BoolArray
from ...networks import Adam, FlatParameters
from ..experience import Experience, Steps
from ..learner import FloatArray, Learner
from ..masks import greedy
from ..schedules import Constant, Linear, Schedule
from ..settings import AnySchedule, count, flag, number, number_or_none, schedule
from ..spaces import AnyEnv, Sizes

#: Of a setting by which the networks were made.
MADE = "the networks were made by it"


class NeuralLearner(Learner):
    """Learns action values with a network; subclasses say how.

    The policy it believes best takes the best available action, ties by the lowest; while it learns it
    explores uniformly over the available actions, with a chance that falls along a straight line from
    `exploration_initial_eps` to `exploration_final_eps` over the first `exploration_fraction` of the plan of
    `learn`, and always during its first `learning_starts` steps.

    The warm-up counts what the memory holds: there is no gradient step before `learning_starts` steps have been
    put into it.  After a load without the memory it is filled again by the policy that explores, not at random.

    Attributes:
        parameters: of the online network, in one vector.
        target_parameters: of the network that values next states.
        optimiser: Adam, on the online network's parameters.
        num_updates: gradient steps.
    """

    learning_rate = schedule(0.0)
    buffer_size = count(1, fixed="the replay memory was made for it")
    learning_starts = count(0)
    batch_size = count(1)
    train_freq = count(1)
    target_update_interval = count(1)
    tau = number(0.0, 1.0, above=True)
    exploration_fraction = number(0.0, 1.0)
    exploration_initial_eps = number(0.0, 1.0)
    exploration_final_eps = number(0.0, 1.0)
    max_grad_norm = number_or_none(0.0, above=True)
    double = flag()
    dueling = flag(fixed=MADE)

    parameters: FlatParameters
    target_parameters: FlatParameters
    optimiser: Adam

    _COUNTED: ClassVar[tuple[str, ...]] = (*Learner._COUNTED, "_vector_steps", "_warmed_up")

    def __init__(
        self,
        env: AnyEnv | Sizes,
        *,
        discount: float,
        learning_rate: AnySchedule,
        buffer_size: float,
        learning_starts: float,
        batch_size: float,
        train_freq: float,
        target_update_interval: float,
        tau: float,
        exploration_fraction: float,
        exploration_initial_eps: float,
        exploration_final_eps: float,
        max_grad_norm: float | None,
        double: bool,
        dueling: bool,
        max_episode_steps: float | None,
        seed: int | None,
    ) -> None:
        super().__init__(env, discount=discount, max_episode_steps=max_episode_steps, seed=seed)
        self.learning_rate = learning_rate
        self.buffer_size, self.learning_starts, self.batch_size = buffer_size, learning_starts, batch_size
        self.train_freq, self.target_update_interval, self.tau = train_freq, target_update_interval, tau
        self.exploration_fraction = exploration_fraction
        self.exploration_initial_eps = exploration_initial_eps
        self.exploration_final_eps = exploration_final_eps
        self.max_grad_norm, self.double, self.dueling = max_grad_norm, double, dueling
        self._line: Schedule | None = None  # of exploration, as the three settings say
        self._torch_rng = torch.Generator().manual_seed(self._network_seed)
        self._vector_steps = 0
        self._remembered_steps = 0  # put into the memory since it was empty
        self._warmed_up = False  # whether it ever held enough

    @property
    def epsilon(self) -> Schedule:
        """The exploration rate as a function of progress, after the warm-up; it follows from `exploration_...`."""
        if self._line is None:
            initial, final = self.exploration_initial_eps, self.exploration_final_eps
            fraction = self.exploration_fraction
            self._line = Linear(initial, final, fraction) if fraction else Constant(final)
        return self._line

    @epsilon.setter
    def epsilon(self, given: object) -> None:
        raise AttributeError(
            "epsilon follows from exploration_fraction, exploration_initial_eps and exploration_final_eps: "
            "assign one of these"
        )

    @property
    def exploration_rate(self) -> float:
        """The chance of a uniformly random action at the next step, in [0, 1]."""
        first = not self._warmed_up and self._remembered_steps < self.learning_starts
        return 1.0 if first else float(self.epsilon(self._progress))

    def _setting_changed(self, name: str) -> None:
        self._line = None

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
    def update_target(self) -> None:
        """Moves the target network towards the online network."""

    @abstractmethod
    def _train(self) -> None:
        """Gradient steps, from a memory that is warm."""

    # -- learning --------------------------------------------------------------------------------------------

    def _play_until(self, timestep: int, experience: Experience) -> None:
        interrupts = self._interrupts
        update_every = max(self.target_update_interval // experience.num_envs, 1)  # vector steps
        while self.num_timesteps < timestep and not interrupts.asked:
            for copy in experience.prepare():
                self._episode_began(copy)
            steps = experience.step(self._explore(experience))
            self._remember(steps)
            self._vector_steps += 1
            played = int(np.count_nonzero(steps.played))
            self._remembered_steps += played
            self.num_episodes += int(np.count_nonzero(steps.played & (steps.terminated | steps.truncated)))
            self._count(played)
            if self._vector_steps % update_every == 0:
                self.update_target()
            if self._remembered_steps >= self.learning_starts and self._vector_steps % self.train_freq == 0:
                self._warmed_up = True
                self._train()
                self._check_finite()

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

    def _finite(self) -> bool:
        values = self.parameters.values.numpy()
        return isfinite(values.dot(values)) or bool(np.isfinite(values).all())

    def _why_no_update(self) -> str:
        if self._remembered_steps < self.learning_starts:
            return (
                f"the memory holds {self._remembered_steps} steps, and learning_starts is {self.learning_starts}; "
                "learn longer, go on in further calls, or make learning_starts smaller"
            )
        return (
            f"no step was one of every train_freq = {self.train_freq}, or the memory holds nothing whole yet; "
            "learn longer, make train_freq smaller, or give max_episode_steps"
        )

    # -- acting ----------------------------------------------------------------------------------------------

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

    # -- files -----------------------------------------------------------------------------------------------

    @classmethod
    def load(
        cls, path: str | PathLike[str], env: AnyEnv | None = None, *, network: torch.nn.Module | None = None
    ) -> Self:
        """Reads what `save` wrote.

        `learn` goes on with the same generators: from a reset environment and an empty memory, or, after
        `save(path, replay=True)` and with reset_num_timesteps=False, from where it stood.

        Args:
            path: the file.
            env: to learn in; none is needed to act.
            network: a module like the one that the agent was made with, if it was made with one.

        Raises:
            ValueError: the file is damaged, no agent of ours, another agent's, or made for other sizes.
        """
        return cls._read(path, env, {"network": network})

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {
            "optimiser_mean": self.optimiser.mean.numpy(),
            "optimiser_square": self.optimiser.square.numpy(),
            "optimiser_steps": np.array(self.optimiser.num_steps),
            "frozen": np.array(
                [name for name, p in self.network.named_parameters() if not p.requires_grad], dtype=np.str_
            ),
            "torch_generator": self._torch_rng.get_state().numpy(),
            **_state_arrays("online", self.network),
            **_state_arrays("target", self.target_network),
        }

    def _take_arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._torch_rng.set_state(torch.from_numpy(arrays["torch_generator"]))
        _restore("online", self.network, arrays)
        _restore("target", self.target_network, arrays)
        for name in arrays["frozen"].tolist():
            self.network.get_parameter(name).requires_grad_(False)
        self.optimiser.mean.copy_(torch.from_numpy(arrays["optimiser_mean"]))
        self.optimiser.square.copy_(torch.from_numpy(arrays["optimiser_square"]))
        self.optimiser.num_steps = int(arrays["optimiser_steps"])

    def _memory_arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {"remembered_steps": np.array(self._remembered_steps)}

    def _take_memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._remembered_steps = int(arrays["remembered_steps"])


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
