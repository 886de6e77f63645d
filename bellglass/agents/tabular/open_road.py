"""Whether a compiled loop may walk an environment's table in place of stepping it, and how to set it down again."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

from ...envs.mdp import TableWalker, TabularMDP


class OpenRoad:
    """An environment that walks a table, with nothing on it but Gymnasium's checkers and time limits.

    Attributes:
        mdp: the table that it walks.
        limit: steps after which an episode is truncated; 0 for none.
    """

    def __init__(self, walker: TableWalker, clocks: list[TimeLimit[Any, Any]]) -> None:
        self.mdp: TabularMDP = walker.mdp
        self.limit = min((clock._max_episode_steps for clock in clocks), default=0)
        self._walker = walker
        self._clocks = clocks

    @classmethod
    def through(cls, env: object) -> OpenRoad | None:
        """The road to the table of `env`, or None where steps must be taken one by one."""
        clocks: list[TimeLimit[Any, Any]] = []
        while isinstance(env, gym.Wrapper):
            if type(env) is TimeLimit:
                clocks.append(env)
            elif type(env) not in (PassiveEnvChecker, OrderEnforcing):
                return None
            env = env.env
        if not isinstance(env, gym.Env) or not isinstance(env, TableWalker) or not env.walks_table:
            return None
        space = env.observation_space
        if not isinstance(space, gym.spaces.Discrete) or space.n != env.mdp.num_states:
            return None
        return cls(env, clocks)

    @property
    def generator(self) -> np.random.Generator:
        """The environment's own."""
        return self._walker.np_random

    @property
    def state(self) -> int:
        """Where the environment stands."""
        return int(self._walker.state)

    @property
    def elapsed(self) -> int:
        """Steps of the episode so far, by the clocks; 0 without any."""
        return max((clock._elapsed_steps or 0 for clock in self._clocks), default=0)

    def put(self, state: int, elapsed: int) -> None:
        """Leaves the environment and its clocks where stepping would have left them."""
        self._walker.state = np.int64(state)
        for clock in self._clocks:
            clock._elapsed_steps = elapsed  # type: ignore[assignment]  # Gymnasium infers None from its first value
