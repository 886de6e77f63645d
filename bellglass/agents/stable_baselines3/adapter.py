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

Its schedules are functions of the progress that remains, from 1 down to 0; ours of the progress made, from 0 up to
1.  In `settings` a schedule of ours is translated, and a bare function is theirs.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import Any, Literal, Self, cast

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3 import A2C, DQN, PPO
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.dqn.policies import DQNPolicy

from ...envs.mdp import fingerprint_of
from ..base import Callback, Memory
from ..files import read_agent, write_agent
from ..learner import differs, report_end
from ..progress import Interrupts, progress_line
from ..settings import Setting, number, seed_number, whole
from .their_state import Chance, Nowhere, put_back, under_way
from .watch import Watch, in_their_direction

FloatArray = npt.NDArray[np.float64]
AlgorithmName = Literal["DQN", "PPO", "A2C"]

ALGORITHMS: dict[AlgorithmName, type[DQN] | type[PPO] | type[A2C]] = {"DQN": DQN, "PPO": PPO, "A2C": A2C}

#: Settings of theirs that may be schedules.
SCHEDULES = ("learning_rate", "clip_range", "clip_range_vf")

#: Least value of the whole numbers among their settings, where that is not 1.
LEAST = {"learning_starts": 0, "gradient_steps": -1, "seed": 0, "stats_window_size": 0}

#: Of everything that their agent was made by.
MADE = "their agent was made by it"

#: Settings of theirs that are ours to set, or that would write somewhere.
OURS = ("env", "_init_setup_model", "tensorboard_log", "device", "verbose")


def _known(name: str, algorithm: Any) -> AlgorithmName:
    if algorithm not in ALGORITHMS:
        raise ValueError(f"{name} must be one of {', '.join(ALGORITHMS)}, got {algorithm!r}")
    known: AlgorithmName = algorithm
    return known


class StableBaselines3:
    """DQN, PPO or A2C as Stable-Baselines3 has it.

    Args:
        env: one environment with Discrete actions (Stable-Baselines3 knows no action masks).
        algorithm: which of theirs.
        discount: what they call gamma.
        seed: of everything random.
        settings: more of their settings under their names and with their defaults; `learning_rate` and `clip_range`
            may also be {"kind": "linear", "start": 1e-3, "end": 0.0} or a schedule of ours, both of the progress
            made, from 0 up to 1; a bare function is theirs, of the progress that remains, from 1 down to 0, unless
            its parameter is called `progress`.  `policy` is "MlpPolicy" unless given.

    Attributes:
        env: the environment, or None after `load` without one.
        num_timesteps: environment steps learned from.
        model: their agent.
    """

    discount = number(0.0, 1.0, fixed=MADE)
    seed = seed_number(fixed=MADE)
    algorithm: Setting[AlgorithmName, AlgorithmName] = Setting(_known, fixed=MADE)
    settings: Setting[Mapping[str, Any], dict[str, Any]] = Setting(
        lambda name, given: dict(given), fixed=MADE
    )

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
        self.algorithm = algorithm
        if not isinstance(env, gym.Env):
            raise TypeError(f"env must be one gymnasium Env, got {type(env).__name__}")
        if not isinstance(env.action_space, gym.spaces.Discrete) or env.action_space.start != 0:
            raise TypeError(f"env must have a Discrete action space that starts at 0, got {env.action_space}")
        self.discount, self.seed = discount, seed
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
        for name, value in given.items():
            usual = inspect.signature(kind.__init__).parameters[name].default
            if isinstance(usual, int) and not isinstance(usual, bool) and not isinstance(value, tuple | list):
                given[name] = whole(f"settings: {name}", value, LEAST.get(name, 1))
        self.env = env
        self.settings = given
        self.num_timesteps = 0
        self._predict_rng = np.random.default_rng(seed)
        self._num_actions = int(env.action_space.n)
        arguments = {"policy": "MlpPolicy", **given, "gamma": self.discount, "seed": self.seed}
        arguments |= {name: in_their_direction(name, given[name]) for name in SCHEDULES if name in given}
        self._saved: tuple[dict[str, Any], Mapping[str, npt.NDArray[Any]]] | None = None
        self._plan_given: int | None = None
        self._chance: Chance | None = None
        with self._their_chance():
            self.model = kind(env=env, device="cpu", verbose=0, **arguments)

    @contextmanager
    def _their_chance(self) -> Iterator[None]:
        """Lends them the global generators, in the state that this agent left them in."""
        before = Chance()
        if self._chance is not None:
            self._chance.put_back()
        try:
            yield
        finally:
            self._chance = Chance()
            before.put_back()

    @property
    def exploration_rate(self) -> float:
        """DQN's present chance of a random action; 0 for the others, whose policies are random themselves."""
        return float(self.model.exploration_rate) if isinstance(self.model, DQN) else 0.0

    @property
    def learning_starts(self) -> int:
        """Steps that must be exceeded before anything is learned: theirs, or all but one of the first rollout."""
        model = self.model
        return model.learning_starts if isinstance(model, DQN) else model.n_steps - 1

    def learn(
        self,
        total_timesteps: float,
        callback: Callback | None = None,
        *,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
        planned_timesteps: float | None = None,
        raise_interrupt: bool = False,
    ) -> Self:
        """Learns from exactly `total_timesteps` environment steps, or fewer if the callback says False.

        Args:
            total_timesteps: a whole number of at least 0.
            callback: asked after every step, or when its `next_timestep` is reached; False stops.
            reset_num_timesteps: count from 0 and reset the environment; otherwise the count goes on, and so
                does the episode under way.
            progress_bar: show how far it has come.
            planned_timesteps: how long the whole plan is that their schedules run over, all calls together; kept
                until a call resets the count or names another.
            raise_interrupt: after Ctrl-C raise KeyboardInterrupt; otherwise return, with a warning.

        Raises:
            FloatingPointError: the environment showed or paid something that is no finite number, or their weights
                no longer are.
        """
        total = whole("total_timesteps", total_timesteps, 0)
        planned = None if planned_timesteps is None else whole("planned_timesteps", planned_timesteps, 1)
        if self.env is None:
            raise ValueError("no environment to learn in: give one to load(path, env)")
        if reset_num_timesteps:
            self.num_timesteps, self._plan_given = 0, None
        if total == 0:
            return self
        goal, first, updates = self.num_timesteps + total, self.num_timesteps, self.model._n_updates
        if planned is not None:
            if planned < goal:
                raise ValueError(
                    f"planned_timesteps must be at least {goal}, the steps taken after this call, got {planned}"
                )
            self._plan_given = planned
        title = type(self).__name__
        with (
            progress_line(progress_bar, total, title) as show,
            self._their_chance(),
            Interrupts() as interrupts,
        ):
            if not reset_num_timesteps and self._saved is not None:
                self._plan_given = self._saved[0]["plan"]
                put_back(self.model, self.env, *self._saved)
            self._saved = None
            self.model.num_timesteps = self.num_timesteps
            watch = Watch(self, callback, goal, total % self._rollout() != 0, show, interrupts)
            self.model.learn(total, watch, reset_num_timesteps=reset_num_timesteps)
        self._check_finite()
        report_end(
            total,
            self.num_timesteps - first,
            interrupted=interrupts.asked,
            raise_interrupt=raise_interrupt,
            idle="" if watch.stopped or self.model._n_updates > updates else self._why_idle(),
        )
        return self

    def _check_finite(self) -> None:
        tensors = self.model.policy.state_dict().values()
        if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors):
            raise FloatingPointError(
                f"what {self.algorithm} has learned by environment step {self.num_timesteps} is no longer finite; "
                "smaller steps or rewards may help"
            )

    def _why_idle(self) -> str:
        return (
            f"{self.algorithm} learns once {self.learning_starts} steps are exceeded (learning_starts, or n_steps of "
            "a rollout); learn longer, or give a smaller number"
        )

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

    def save(self, path: str | PathLike[str], *, replay: bool = False) -> None:
        """Writes weights, the optimiser's moments and settings: arrays and JSON, whole or not at all.

        Args:
            path: the file, taken as it is.
            replay: keep what they replay from too, the generators, the episode under way, and where an environment
                of ours stands: `learn(..., reset_num_timesteps=False)` after `load(path, env)` then goes on to the
                same bits (PPO and A2C: if a rollout had just been finished).

        Raises:
            TypeError: a setting that JSON cannot hold, such as a class or a function.
            FloatingPointError: their weights are no longer finite.
        """
        self._check_finite()
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
            "fingerprint": None if self.env is None else fingerprint_of(self.env),
        }
        if replay:
            there = self._saved or under_way(self.model, self.env, self._chance or Chance())
            settings["under_way"] = {"plan": self._plan_given, **there[0]}
            arrays |= there[1]
        write_agent(path, type(self).__name__, settings, arrays)

    @classmethod
    def load(cls, path: str | PathLike[str], env: gym.Env[Any, Any] | None = None) -> Self:
        """Reads what `save` wrote.

        Learning goes on from a reset environment, with generators made from the seed; or, after
        `save(path, replay=True)` and with reset_num_timesteps=False, from where it stood.

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
                Nowhere(space, actions) if env is None else env,
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
            if "under_way" in settings:
                agent._saved = settings["under_way"], arrays
            known = settings["fingerprint"]
        except (KeyError, TypeError, RuntimeError) as error:
            raise ValueError(f"{path} is damaged: {error!r}") from error
        if differs(path, known, env):
            agent._saved = None
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
