"""Whether a compiled loop may walk an environment's table in place of stepping it, and how to set it down again."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit

from ...envs.mdp import TableWalker, TabularMDP
from ..experience import Experience


class FastPath:
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
    def through(cls, env: object) -> FastPath | None:
        """The fast path to the table of `env`, or None where steps must be taken one by one."""
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
        """Steps of the episode so far, by the environment's clocks; 0 without any."""
        return max((clock._elapsed_steps or 0 for clock in self._clocks), default=0)

    # -- with a learner's own clock --------------------------------------------------------------------------------

    def agrees_with(self, experience: Experience) -> bool:
        """Whether the learner's clock and the environment's tell the same time, so that one loop can keep both."""
        both = experience.limit is not None and self.limit > 0 and not experience.over
        return not both or int(experience.clock[0]) == self.elapsed

    def elapsed_of(self, experience: Experience) -> int:
        """Steps of the episode so far, by either clock."""
        return self.elapsed if self.limit else int(experience.clock[0])

    def limit_of(self, experience: Experience) -> int:
        """Steps after which the earlier clock cuts; 0 for none."""
        return min((limit for limit in (self.limit, experience.limit) if limit), default=0)

    def put(self, state: int, elapsed: int) -> None:
        """Leaves the environment and its clocks where stepping would have left them."""
        self._walker.state = np.int64(state)
        for clock in self._clocks:
            clock._elapsed_steps = elapsed  # type: ignore[assignment]  # Gymnasium infers None from its first value
