"""The clock as part of what is seen: what is best depends on the steps that are left.

With the time in sight the limit is no longer a cut but an end of the world, told as `terminated`: whoever learns may
not bootstrap through it, and the optimum under the limit is a function of what is seen.  It is the finite-horizon
optimum:  v*((t, s))  =  best of the H - t steps left from s.

Pardo, Tavakoli, Levdik & Kormushev, Time limits in reinforcement learning, ICML 2018.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from ..keywords import whole
from ..mdp import BoolArray
from ..mdp.clocked import clocked
from ..rendering.cells import AGENT, LINE, Artist, RGBArray
from ..rendering.shapes import canvas, panel
from ..tabular import EnvState, TableEnv, check_start
from .observations import table_of_shown_states


@dataclass(frozen=True)
class ClockedState:
    """Where an environment and its clock stand.  Made by `clone_state`."""

    elapsed: int
    ended: bool
    env: EnvState


class TimeObserved(gym.Wrapper[np.int64, Any, np.int64, Any], gym.utils.RecordConstructorArgs):
    """Shows t * S + s, state and clock, and ends after `horizon` steps by `terminated`.

    Args:
        env: an environment of ours that shows its state.
        horizon: steps in an episode, at least 1; None: the time limit that `gymnasium.make` added.

    Attributes:
        mdp: the exact table over state x clock; `table_of(env)` finds it.

    Raises:
        TypeError: the environment is none of ours, or does not show its state.
        ValueError: no horizon and no time limit, or a time limit that would cut before the horizon.

    >>> env = TimeObserved(gym.make("bellglass/FrozenLake-v0", max_episode_steps=20))
    >>> env.observation_space
    Discrete(336)
    >>> env.reset(seed=0)[0], env.step(2)[0] // 16
    (np.int64(0), np.int64(1))
    """

    def __init__(self, env: gym.Env[Any, Any], horizon: int | None = None) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, horizon=horizon)
        super().__init__(env)
        inner = table_of_shown_states("TimeObserved needs", env, env.observation_space)
        if not isinstance(env.unwrapped, TableEnv):
            raise TypeError(f"TimeObserved needs an environment of ours, which can be set back, got {env}")
        self._limits: list[Any] = [
            layer for layer in _layers(env) if isinstance(layer, gym.wrappers.TimeLimit)
        ]
        limit = min((layer._max_episode_steps for layer in self._limits), default=None)
        if horizon is None and limit is None:
            raise ValueError(f"horizon must be given, since {env} has no time limit")
        self.horizon = whole("horizon", limit if horizon is None else horizon, 1)
        if limit is not None and limit < self.horizon:
            raise ValueError(f"horizon must be at most {limit}, the time limit of {env}, got {horizon}")
        self.mdp = clocked(inner, self.horizon)
        self.observation_space = gym.spaces.Discrete(self.mdp.num_states)
        self._num_inner = inner.num_states
        self._elapsed, self._ended = 0, False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.int64, dict[str, Any]]:
        """Starts an episode at time 0, or in `options["state"]`, a state of this table with its time."""
        chosen = None if options is None else options.get("state")
        elapsed = 0
        if options is not None and chosen is not None:
            elapsed, s = divmod(check_start(self.mdp, chosen), self._num_inner)
            options = {**options, "state": s}
        observation, info = self.env.reset(seed=seed, options=options)
        self._elapsed, self._ended = elapsed, False
        return self._seen(observation, info)

    def step(self, action: Any) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """Steps; the end of time is told as `terminated`, and after an end nothing happens."""
        if self._ended:  # nothing happens any more, as in every table
            seen, info = self._seen(self.env.get_wrapper_attr("state"), {"probability": 1.0})
            return seen, 0.0, True, False, info
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._elapsed += 1
        over = self._elapsed == self.horizon
        self._ended = terminated or over
        seen, info = self._seen(observation, info)
        return seen, float(reward), self._ended, truncated and not over, info

    def _seen(self, observation: Any, info: dict[str, Any]) -> tuple[np.int64, dict[str, Any]]:
        state = np.int64(self._elapsed * self._num_inner + int(observation))
        return state, info | {"state": int(state), "action_mask": self.mdp.action_mask[state].copy()}

    # -- the open table, with its clock ------------------------------------------------------------------

    def observe(self, state: npt.ArrayLike) -> Any:
        """What is seen in a state (or in each of some states): its index."""
        return np.asarray(state, dtype=np.int64)[()]

    @property
    def state(self) -> np.int64:
        """T * S + s."""
        return np.int64(self._elapsed * self._num_inner + int(self.env.get_wrapper_attr("state")))

    @property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """Gymnasium's nested form of the table."""
        return self.mdp.P

    @property
    def action_mask(self) -> BoolArray:
        """[A] which actions are available, a fresh copy; none when the time is over."""
        return np.array(self.mdp.action_mask[self.state])

    def encode(self, label: Hashable) -> int:
        """The state of the name (t, *label)."""
        return self.mdp.encode(label)

    def decode(self, state: int) -> Hashable:
        """The name of the state."""
        return self.mdp.decode(state)

    def clone_state(self) -> ClockedState:
        """Everything the future depends on, the clock included."""
        return ClockedState(self._elapsed, self._ended, self.env.get_wrapper_attr("clone_state")())

    def restore_state(self, state: ClockedState) -> None:
        """Goes back to where `clone_state` was called."""
        self.env.get_wrapper_attr("restore_state")(state.env)
        self._elapsed, self._ended = state.elapsed, state.ended
        for layer in self._limits:
            layer._elapsed_steps = state.elapsed

    @property
    def artist(self) -> Artist:
        """Draws the state, and how much of the time has passed."""
        return ClockArtist(self.env.get_wrapper_attr("artist"), self._num_inner, self.horizon)


class ClockArtist:
    """Draws what another artist draws, and a bar for the time below."""

    def __init__(self, artist: Artist, num_states: int, horizon: int) -> None:
        self._artist, self._num_states, self._horizon = artist, num_states, horizon

    def text(self, state: int) -> str:
        """The other's text, and a line for the time."""
        time, s = divmod(state, self._num_states)
        return f"{self._artist.text(s)}\nstep {time} of {self._horizon}"

    def picture(self, state: int) -> RGBArray:
        """[height + a tenth, width, 3]."""
        time, s = divmod(state, self._num_states)
        above = self._artist.picture(s)
        width = above.shape[1]
        strip = canvas(max(len(above) // 10, 12) // 2 * 2, width)
        high, share = len(strip) / 2, time / self._horizon
        panel(strip, LINE, (high, width / 2), (high, 0.94 * width), corner=high / 2)
        if time:
            done = max(0.94 * width * share, high)
            panel(strip, AGENT, (high, 0.03 * width + done / 2), (high, done), corner=high / 2)
        return np.concatenate([above, strip])


def _layers(env: gym.Env[Any, Any]) -> list[gym.Env[Any, Any]]:
    """The wrappers from the outermost inwards, and the environment."""
    layers = [env]
    while isinstance(layers[-1], gym.Wrapper):
        layers.append(layers[-1].env)
    return layers
