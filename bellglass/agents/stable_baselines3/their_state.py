"""Where their agent stands: the global generators that it draws from, its replay buffer, its episode."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, cast

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import torch
from stable_baselines3 import A2C, DQN, PPO

from ..environment_state import environment_state, put_environment
from ..files import generator_from_json, generator_to_json

Model = DQN | PPO | A2C

#: What a replay buffer of theirs holds.
BUFFER = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def under_way(
    model: Model, env: gym.Env[Any, Any] | None, chance: Chance
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """All that learning needs to go on, and acting does not, as JSON and as arrays."""
    names = ("_n_updates", "_episode_num", "_current_progress_remaining", "_total_timesteps")
    about: dict[str, Any] = {
        "environment": environment_state(env),
        "counts": {name: getattr(model, name) for name in names},
        "chance": chance.to_json(),
        "actions": generator_to_json(model.action_space.np_random),
    }
    arrays: dict[str, npt.NDArray[Any]] = {"chance_torch": chance.torch.numpy()}
    if model._last_obs is not None:
        arrays["last_observation"] = np.asarray(model._last_obs)
        arrays["last_starts"] = np.asarray(model._last_episode_starts)
    buffer = model.replay_buffer if isinstance(model, DQN) else None
    if isinstance(model, DQN) and buffer is not None:
        about |= {"calls": model._n_calls, "position": buffer.pos, "full": buffer.full}
        arrays |= {f"buffer.{name}": getattr(buffer, name)[: buffer.size()] for name in BUFFER}
    return about, arrays


def put_back(
    model: Model, env: gym.Env[Any, Any], about: dict[str, Any], arrays: Mapping[str, npt.NDArray[Any]]
) -> None:
    """Goes on where a file says that it stood, as far as the environment can."""
    for name, value in about["counts"].items():
        setattr(model, name, value)
    model.action_space._np_random = generator_from_json(about["actions"])
    buffer = model.replay_buffer if isinstance(model, DQN) else None
    if isinstance(model, DQN) and buffer is not None:
        model._n_calls, buffer.pos, buffer.full = about["calls"], about["position"], about["full"]
        for name in BUFFER:
            getattr(buffer, name)[: len(arrays[f"buffer.{name}"])] = arrays[f"buffer.{name}"]
    assert model.env is not None
    model.env.reset()  # their wrappers refuse to step before
    state = about["environment"]
    if "last_observation" in arrays and state is not None and put_environment(env, state):
        model._last_obs = arrays["last_observation"]
        model._last_episode_starts = arrays["last_starts"]
    else:
        model._last_obs = None
    Chance.from_json(about["chance"], torch.from_numpy(arrays["chance_torch"])).put_back()


class Chance:
    """The global generators' states."""

    def __init__(self) -> None:
        self.python = random.getstate()
        self.numpy = np.random.get_state()  # noqa: NPY002  # theirs
        self.torch = torch.get_rng_state()

    def to_json(self) -> dict[str, Any]:
        """All but torch's."""
        version, words, gauss = self.python
        name, key, *rest = cast("tuple[Any, ...]", self.numpy)
        return {"python": [version, list(words), gauss], "numpy": [name, key.tolist(), *rest]}

    @classmethod
    def from_json(cls, saved: dict[str, Any], torch_state: torch.Tensor) -> Chance:
        """What `to_json` gave."""
        chance = cls()
        version, words, gauss = saved["python"]
        name, key, *rest = saved["numpy"]
        chance.python = version, tuple(words), gauss
        chance.numpy = (name, np.array(key, dtype=np.uint32), *rest)  # type: ignore[assignment]  # the older of two forms
        chance.torch = torch_state
        return chance

    def put_back(self) -> None:
        """Sets the global generators to these states."""
        random.setstate(self.python)
        np.random.set_state(self.numpy)  # noqa: NPY002  # theirs
        torch.set_rng_state(self.torch)


class Nowhere(gym.Env[Any, Any]):
    """Spaces to act in, and nothing to play."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, observation_space: gym.spaces.Space[Any], action_space: gym.spaces.Discrete) -> None:
        self.observation_space = observation_space
        self.action_space = action_space
