"""What an agent is shown and asked for, read off an environment's spaces."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

#: What a learner may be given: one environment, or many side by side.
AnyEnv = gym.Env[Any, Any] | VectorEnv[Any, Any, Any]


class Sizes(NamedTuple):
    """The sizes of an environment.

    Attributes:
        num_observations: how many observations there are if they are integers; 0 if they are vectors.
        shape: of one observation; () for integers.
        num_actions: A.
    """

    num_observations: int
    shape: tuple[int, ...]
    num_actions: int

    @property
    def integers(self) -> bool:
        """Whether observations are integers."""
        return self.num_observations > 0

    @property
    def num_inputs(self) -> int:
        """Integers, or entries of the observation."""
        return self.num_observations if self.integers else int(np.prod(self.shape))

    def batch(self, observation: npt.ArrayLike) -> tuple[npt.NDArray[Any], bool]:
        """Observations with a leading axis (int64 or float32), and whether there was only one without it.

        Raises:
            TypeError: no integers where integers are meant.
            ValueError: wrong shape, or integers out of range.
        """
        given = np.asarray(observation)
        single = given.ndim == len(self.shape)
        if (given.shape if single else given.shape[1:]) != self.shape:
            raise ValueError(
                f"observations must have shape {self.shape} or (n, *{self.shape}), got {given.shape}"
            )
        if not self.integers:
            rows = given.astype(np.float32)
            return (rows[None] if single else rows), single
        if given.dtype.kind not in "iu":
            raise TypeError(
                f"observations must be integers in [0, {self.num_observations}), got {given.dtype}"
            )
        indices = np.atleast_1d(given).astype(np.int64)
        if indices.size and not (indices.min() >= 0 and indices.max() < self.num_observations):
            raise ValueError(f"observations must be in [0, {self.num_observations}), got {given}")
        return indices, single


def sizes_of(env: AnyEnv) -> Sizes:
    """The sizes of an environment with integer or vector observations and numbered actions.

    Raises:
        TypeError: other spaces, or no environment.
    """
    if isinstance(env, VectorEnv):
        observation, action = env.single_observation_space, env.single_action_space
    elif isinstance(env, gym.Env):
        observation, action = env.observation_space, env.action_space
    else:
        raise TypeError(f"env must be a gymnasium Env or VectorEnv, got {type(env).__name__}")
    if not isinstance(action, gym.spaces.Discrete) or action.start != 0:
        raise TypeError(f"an agent needs a Discrete action space that starts at 0, got {action}")
    num_actions = int(action.n)
    if isinstance(observation, gym.spaces.Discrete) and observation.start == 0:
        return Sizes(int(observation.n), (), num_actions)
    if isinstance(observation, gym.spaces.Box) and observation.shape:
        return Sizes(0, tuple(int(n) for n in observation.shape), num_actions)
    raise TypeError(
        f"observations must be a Discrete space that starts at 0 or a Box with an axis, got {observation}"
    )
