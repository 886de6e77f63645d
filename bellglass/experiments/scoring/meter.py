"""Counts, step by step, what the actions that were really played have cost.

    gap regret = sum over steps of  discount**t * (V*(s_t) - q*(s_t, a_t)),   t counted from the episode's
    start

One look-up a step, for any agent, with memory or without: by the performance difference lemma (Kakade &
Langford, 2002) its mean is the episodic cumulative regret, if no other clock cuts the episode.  With a finite
horizon V* and q* are those of the steps left.  The meter reads `info["state"]` and nothing else; agents never
see it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper


@dataclass(frozen=True, eq=False)
class Gaps:
    """What each action costs.

    Attributes:
        cost: [S, A], or [H, S, A] where it depends on the step of the episode: V*(s) - q*(s, a), at least 0.
        discount: weight of a step against the one before, in [0, 1].
    """

    cost: npt.NDArray[np.float64]
    discount: float

    @classmethod
    def of(
        cls,
        values: npt.NDArray[np.float64],
        q_values: npt.NDArray[np.float64],
        lowest_action: npt.NDArray[np.int64],
        action_mask: npt.NDArray[np.bool_],
        discount: float,
    ) -> Gaps:
        """From exact answers; an action that is not available costs what the one played in its place costs.

        Args:
            values: [S], or [H, S].
            q_values: [S, A], or [H, S, A].
            lowest_action: [S] what an unavailable action is played as.
            action_mask: [S, A].
            discount: as above.
        """
        played = np.where(action_mask, np.arange(action_mask.shape[1]), lowest_action[:, None])
        q_played = np.take_along_axis(q_values, np.broadcast_to(played, q_values.shape), axis=-1)
        live = np.asarray(action_mask.any(axis=1))[:, None]
        with np.errstate(invalid="ignore"):  # -inf - -inf in states from which every way is bottomless
            cost = values[..., None] - q_played
        cost = np.where(live & ~np.isnan(cost), np.maximum(cost, 0.0), 0.0)
        return cls(cost, discount)


class RegretMeter(gym.Wrapper[Any, Any, Any, Any]):
    """Meters one environment.

    Attributes:
        total: gap regret of all steps so far.
        episodes: episodes finished so far.
    """

    def __init__(self, env: gym.Env[Any, Any], gaps: Gaps) -> None:
        super().__init__(env)
        self.total = 0.0
        self.episodes = 0
        self._discount = gaps.discount
        self._cost: list[Any] = gaps.cost.tolist()
        self._timed = gaps.cost.ndim == 3
        self._state, self._clock, self._weight = 0, 0, 1.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._state, self._clock, self._weight = info["state"], 0, 1.0
        return observation, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Adds the cost of the action, and plays it."""
        outcome = self.env.step(action)
        if not self._timed:
            self.total += self._weight * self._cost[self._state][int(action)]
        elif self._clock < len(self._cost):
            self.total += self._weight * self._cost[self._clock][self._state][int(action)]
        self._clock += 1
        self._weight *= self._discount
        _, _, terminated, truncated, info = outcome
        self._state = info["state"]
        if terminated or truncated:
            self.episodes += 1
        return outcome


class VectorRegretMeter(VectorWrapper):
    """Meters copies that step together; the dummy step that resets a copy costs nothing.

    Attributes:
        total: gap regret of all steps of all copies so far.
        episodes: episodes finished so far.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], gaps: Gaps) -> None:
        super().__init__(env)
        self.total = 0.0
        self.episodes = 0
        self._gaps = gaps
        self._mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        self._states = np.zeros(self.num_envs, dtype=np.int64)
        self._clocks = np.zeros(self.num_envs, dtype=np.int64)
        self._weights = np.ones(self.num_envs)
        self._resetting = np.zeros(self.num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Begins episodes, in all copies or in those that `options["reset_mask"]` names."""
        observations, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # Gymnasium's
        begun = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=np.bool_))
        self._states = np.where(begun, infos["state"], self._states)
        self._begin(np.asarray(begun, dtype=np.bool_))
        self._resetting &= ~begun
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Adds the cost of the actions, and plays them."""
        outcome = self.env.step(actions)
        _, _, terminated, truncated, infos = outcome
        played = ~self._resetting
        cost = self._gaps.cost
        chosen = np.asarray(actions, dtype=np.int64)
        if cost.ndim == 3:
            left = self._clocks < len(cost)
            costs = np.where(left, cost[np.minimum(self._clocks, len(cost) - 1), self._states, chosen], 0.0)
        else:
            costs = cost[self._states, chosen]
        self.total += float((self._weights * costs)[played].sum())
        ended = (np.asarray(terminated) | np.asarray(truncated)) & played
        self.episodes += int(ended.sum())
        self._clocks += 1
        self._weights *= self._gaps.discount
        self._states = np.array(infos["state"], dtype=np.int64)
        self._begin(ended if self._mode is AutoresetMode.SAME_STEP else self._resetting)
        self._resetting = ended if self._mode is AutoresetMode.NEXT_STEP else np.zeros_like(ended)
        return outcome

    def _begin(self, begun: npt.NDArray[np.bool_]) -> None:
        self._clocks[begun] = 0
        self._weights[begun] = 1.0
