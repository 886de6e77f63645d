"""Stable-Baselines3's agents behind our protocol: same budgets, same exact scores, files without code.

Raffin et al., Stable-Baselines3: reliable reinforcement learning implementations, JMLR 22 (2021).  Its word
`gamma` is `discount` here.  Three of its habits are fenced in:

- it draws from the global generators of Python, NumPy and torch: here they are put back after every call, so
that
  agents do not disturb each other;
- its budgets are rounded up to whole rollouts (2048 steps for PPO): here learning stops at the step asked
for, and
  steps of an unfinished rollout are not learned from;
- its zip files run code when loaded: here weights and settings are saved as arrays and JSON.
"""

from __future__ import annotations

import inspect
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import Any, Literal, Self, cast

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.dqn.policies import DQNPolicy

from .base import Callback, Memory
from .files import read_agent, write_agent
from .progress import progress_line
from .schedules import schedule_from

FloatArray = npt.NDArray[np.float64]
AlgorithmName = Literal["DQN", "PPO", "A2C"]

ALGORITHMS: dict[AlgorithmName, type[DQN] | type[PPO] | type[A2C]] = {"DQN": DQN, "PPO": PPO, "A2C": A2C}

#: Settings of theirs that are ours to set, or that would write somewhere.
OURS = ("env", "_init_setup_model", "tensorboard_log", "device", "verbose")


class StableBaselines3:
    """DQN, PPO or A2C as Stable-Baselines3 has it.

    Args:
        env: one environment with Discrete actions (Stable-Baselines3 knows no action masks).
        algorithm: which of theirs.
        discount: what they call gamma.
        seed: of everything random.
        settings: more of their settings under their names and with their defaults; `learning_rate` may also
            be {"kind": "linear", "start": 1e-3, "end": 0.0}, and `policy` is "MlpPolicy" unless given.

    Attributes:
        env: the environment, or None after `load` without one.
        num_timesteps: environment steps learned from.
        model: their agent.
    """

    env: gym.Env[Any, Any] | None

    def __init__(
        self,
        env: gym.Env[Any, Any],
        *,
        algorithm: AlgorithmName = "DQN",
        discount: float = 0.99,
        seed: int | None = 0,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        if algorithm not in ALGORITHMS:
            raise ValueError(f"algorithm must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
        if not isinstance(env, gym.Env):
            raise TypeError(f"env must be one gymnasium Env, got {type(env).__name__}")
        if not isinstance(env.action_space, gym.spaces.Discrete) or env.action_space.start != 0:
            raise TypeError(f"env must have a Discrete action space that starts at 0, got {env.action_space}")
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"discount must be in [0, 1], got {discount}")
        kind = ALGORITHMS[algorithm]
        given = dict(settings or {})
        for theirs, name, value in [("gamma", "discount", discount), ("seed", "seed", seed)]:
            if theirs in given and given[theirs] != value:
                raise ValueError(f"settings say {theirs} = {given[theirs]}, but {name} is {value}")
        known = set(inspect.signature(kind.__init__).parameters) - {"self", *OURS}
        unknown = sorted(set(given) - known)
        if unknown:
            raise ValueError(
                f"settings: {algorithm} has no {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        self.env = env
        self.algorithm: AlgorithmName = algorithm
        self.discount = float(discount)
        self.seed = seed
        self.settings = given
        self.num_timesteps = 0
        self._predict_rng = np.random.default_rng(seed)
        self._num_actions = int(env.action_space.n)
        arguments = {"policy": "MlpPolicy", **given, "gamma": float(discount), "seed": seed}
        if isinstance(given.get("learning_rate"), Mapping):
            schedule = schedule_from(given["learning_rate"], "learning_rate", 0.0, np.inf)
            arguments["learning_rate"] = lambda remaining: schedule(1.0 - remaining)
        self._chance: _Chance | None = None
        with self._their_chance():
            self.model = kind(env=env, device="cpu", verbose=0, **arguments)

    @contextmanager
    def _their_chance(self) -> Iterator[None]:
        """Lends them the global generators, in the state that this agent left them in."""
        before = _Chance()
        if self._chance is not None:
            self._chance.put_back()
        try:
            yield
        finally:
            self._chance = _Chance()
            before.put_back()

    @property
    def exploration_rate(self) -> float:
        """DQN's present chance of a random action; 0 for the others, whose policies are random themselves."""
        return float(self.model.exploration_rate) if isinstance(self.model, DQN) else 0.0

    def learn(
        self,
        total_timesteps: int,
        callback: Callback | None = None,
        *,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Learns from exactly `total_timesteps` environment steps, or fewer if the callback says False.

        Args:
            total_timesteps: at least 0.
            callback: asked after every step, or when its `next_timestep` is reached; False stops.
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
        if total_timesteps == 0:
            return self
        goal = self.num_timesteps + total_timesteps
        with progress_line(progress_bar, total_timesteps, type(self).__name__) as show, self._their_chance():
            self.model.num_timesteps = self.num_timesteps
            watch = _Watch(self, callback, goal, total_timesteps % self._rollout() != 0, show)
            self.model.learn(total_timesteps, watch, reset_num_timesteps=reset_num_timesteps)
        return self

    def _rollout(self) -> int:
        """Environment steps between two trainings; a rollout by episodes counts as endless."""
        if isinstance(self.model, OnPolicyAlgorithm):
            return self.model.n_steps
        frequency = self.model.train_freq
        if isinstance(frequency, int):
            return frequency
        steps, unit = frequency if isinstance(frequency, tuple) else (frequency.frequency, frequency.unit)
        return int(steps) if str(getattr(unit, "value", unit)) == "step" else 2**62

    # -- acting ----------------------------------------------------------------------------------------------

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The action for one observation (np.int64), or for a batch (int64 [n]), and None.

        Deterministic: the likeliest action, ties by the lowest.  Otherwise a draw from what it plays to
            explore.
        """
        probabilities = self.action_probabilities(observation, exploring=not deterministic)
        rows = np.atleast_2d(probabilities)
        if deterministic:
            actions = rows.argmax(axis=1)
        else:
            running = rows.cumsum(axis=1)
            actions = (running > self._predict_rng.random((len(rows), 1)) * running[:, -1:]).argmax(axis=1)
        return (np.int64(actions[0]) if probabilities.ndim == 1 else actions.astype(np.int64)), None

    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch.

        DQN: the greedy policy, ties by the lowest, or epsilon-greedy while exploring.  PPO and A2C: their
        stochastic policy.
        """
        policy = self.model.policy
        policy.set_training_mode(False)
        given = np.asarray(observation)
        with torch.no_grad():
            tensor, batched = policy.obs_to_tensor(given)
            if isinstance(policy, DQNPolicy):
                q_values = policy.q_net(tensor).numpy()
                rate = self.exploration_rate if exploring else 0.0
                probabilities = np.full(q_values.shape, rate / self._num_actions)
                probabilities[np.arange(len(q_values)), q_values.argmax(axis=1)] += 1.0 - rate
            else:
                chosen = policy.get_distribution(tensor).distribution
                probabilities = cast(torch.distributions.Categorical, chosen).probs.numpy().astype(np.float64)
                probabilities /= probabilities.sum(axis=1, keepdims=True)
        found: FloatArray = probabilities if batched else probabilities[0]
        return found

    # -- files -----------------------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str]) -> None:
        """Writes weights, the optimiser's moments and settings: arrays and JSON, whole or not at all.

        Raises:
            TypeError: a setting that JSON cannot hold, such as a class or a function.
        """
        space = self.model.observation_space
        about: dict[str, object] = {"n": int(space.n)} if isinstance(space, gym.spaces.Discrete) else {}
        arrays: dict[str, npt.NDArray[Any]] = {}
        if isinstance(space, gym.spaces.Box):
            arrays |= {"space_low": space.low, "space_high": space.high}
        for name, tensor in self.model.policy.state_dict().items():
            arrays[f"policy.{name}"] = tensor.numpy()
        for index, moments in self.model.policy.optimizer.state_dict()["state"].items():
            for name, value in moments.items():
                arrays[f"optimiser.{index}.{name}"] = np.asarray(value)
        settings: dict[str, object] = {
            "algorithm": self.algorithm,
            "discount": self.discount,
            "seed": self.seed,
            "settings": self.settings,
            "observation_space": about,
            "num_actions": self._num_actions,
            "num_timesteps": self.num_timesteps,
            "exploration_rate": self.exploration_rate,
        }
        write_agent(path, type(self).__name__, settings, arrays)

    @classmethod
    def load(cls, path: str | PathLike[str], env: gym.Env[Any, Any] | None = None) -> Self:
        """Reads what `save` wrote.

        Learning goes on from a reset environment, with generators made from the seed.

        Raises:
            ValueError: the file is damaged, no agent of ours, another agent's, or made for other spaces.
        """
        settings, arrays = read_agent(path, cls.__name__)
        try:
            about = settings["observation_space"]
            space: gym.spaces.Space[Any]
            if "n" in about:
                space = gym.spaces.Discrete(about["n"])
            else:
                low, high = arrays["space_low"], arrays["space_high"]
                space = gym.spaces.Box(low, high, dtype=low.dtype.type)
            actions = gym.spaces.Discrete(settings["num_actions"])
            if env is not None and (env.observation_space != space or env.action_space != actions):
                raise ValueError(
                    f"{path} was made for {space} and {actions}, "
                    f"the environment has {env.observation_space} and {env.action_space}"
                )
            agent = cls(
                _Nowhere(space, actions) if env is None else env,
                algorithm=settings["algorithm"],
                discount=settings["discount"],
                seed=settings["seed"],
                settings=settings["settings"],
            )
            if env is None:
                agent.env = None
            agent.num_timesteps = agent.model.num_timesteps = settings["num_timesteps"]
            if isinstance(agent.model, DQN):
                agent.model.exploration_rate = settings["exploration_rate"]
            agent._take(arrays)
        except (KeyError, TypeError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged: {error!r}") from error
        return agent

    def _take(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        weights: dict[str, torch.Tensor] = {}
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, array in arrays.items():
            kind, _, rest = name.partition(".")
            if kind == "policy":
                weights[rest] = torch.from_numpy(array)
            elif kind == "optimiser":
                index, _, moment = rest.partition(".")
                moments.setdefault(int(index), {})[moment] = torch.from_numpy(array)
        self.model.policy.load_state_dict(weights)
        optimiser = self.model.policy.optimizer
        optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})


class _Watch(BaseCallback):
    """Asks our callback, and ends an unfinished rollout at the goal."""

    def __init__(
        self, agent: StableBaselines3, callback: Callback | None, goal: int, stops_at_goal: bool, show: Any
    ) -> None:
        super().__init__(verbose=0)
        self.agent = agent
        self.callback = callback
        self.goal = goal
        self.stops_at_goal = stops_at_goal
        self.show = show
        self.first = agent.num_timesteps

    def _on_step(self) -> bool:
        self.agent.num_timesteps = self.num_timesteps
        self.show(self.num_timesteps - self.first)
        due = self.num_timesteps >= getattr(self.callback, "next_timestep", 0)
        if self.callback is not None and due and self.callback(self.agent) is False:
            return False
        return not (self.stops_at_goal and self.num_timesteps >= self.goal)


class _Chance:
    """The global generators' states."""

    def __init__(self) -> None:
        self.python = random.getstate()
        self.numpy = np.random.get_state()  # noqa: NPY002  # theirs
        self.torch = torch.get_rng_state()

    def put_back(self) -> None:
        """Sets the global generators to these states."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002  # theirs
        torch.set_rng_state(self.torch)


class _Nowhere(gym.Env[Any, Any]):
    """Spaces to act in, and nothing to play."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, observation_space: gym.spaces.Space[Any], action_space: gym.spaces.Discrete) -> None:
        self.observation_space = observation_space
        self.action_space = action_space
