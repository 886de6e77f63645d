"""What a learner sees: transitions from one environment or from many, whatever resets them.

Vector environments reset their copies in three ways (Gymnasium's `AutoresetMode`), and each sets a trap: after
NEXT_STEP the row that follows an end is a dummy (its action was ignored, nothing was learned from it); after
SAME_STEP the observation that ended the episode lies in `infos["final_obs"]`, and the one returned belongs to the
next episode; with DISABLED the learner resets.  Here every row is a step that was played, and its
`next_observation` is the one that the step led to.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv

from ...envs.mdp import BoolArray
from ..base import Transition
from ..masks import told_of_unseen

#: What a learner may be given: one environment, or many side by side.
AnyEnv = gym.Env[Any, Any] | VectorEnv[Any, Any, Any]


class Sizes(NamedTuple):
    """How many observations and actions there are."""

    num_observations: int
    num_actions: int


def sizes_of(env: AnyEnv) -> Sizes:
    """The sizes of an environment whose observations and actions are numbered from 0.

    Raises:
        TypeError: another space, or no environment.
    """
    if isinstance(env, VectorEnv):
        spaces = {"observation": env.single_observation_space, "action": env.single_action_space}
    elif isinstance(env, gym.Env):
        spaces = {"observation": env.observation_space, "action": env.action_space}
    else:
        raise TypeError(f"env must be a gymnasium Env or VectorEnv, got {type(env).__name__}")
    for name, space in spaces.items():
        if not isinstance(space, gym.spaces.Discrete) or space.start != 0:
            raise TypeError(
                f"a tabular agent needs a Discrete {name} space that starts at 0, got {space}: "
                "use an agent with a network, or leave the observation wrapper away"
            )
    return Sizes(int(spaces["observation"].n), int(spaces["action"].n))  # type: ignore[attr-defined]  # Discrete


class ActionMasks:
    """Which actions were seen to be available at each observation; all of them until one has been seen.

    Where one observation stands for several states, what any of them allows counts as available.

    Attributes:
        available: [O, A] bool.
        seen: [O] bool, observations that came with a mask.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.available = np.ones(sizes, dtype=np.bool_)
        self.seen = np.zeros(sizes.num_observations, dtype=np.bool_)
        self._actions: dict[int, tuple[int, ...]] = {}
        self._last: dict[int, bytes] = {}  # what each observation came with most recently
        self._all = tuple(range(sizes.num_actions))

    def note(self, observation: int, mask: npt.ArrayLike) -> None:
        """The environment showed `mask` [A] together with `observation`."""
        shown = np.asarray(mask, dtype=np.bool_)
        bits = shown.tobytes()
        if self._last.get(observation) == bits:
            return
        self._last[observation] = bits
        before = self.available[observation]
        now = (before | shown) if self.seen[observation] else shown
        if (now != before).any():
            self.available[observation] = now
            self._actions.pop(observation, None)
        self.seen[observation] = True

    def told(self, observations: npt.NDArray[Any], masks: BoolArray) -> AbstractContextManager[None]:
        """Meanwhile the masks [n, A] of observations [n] that were not seen are known, too: `told_of_unseen`."""
        return told_of_unseen(self.available, self.seen, observations, masks)

    def actions(self, observation: int) -> tuple[int, ...]:
        """The available actions, lowest first; none in a terminal state that has been seen."""
        if not self.seen[observation]:
            return self._all
        found = self._actions.get(observation)
        if found is None:
            found = tuple(np.flatnonzero(self.available[observation]).tolist())
            self._actions[observation] = found
        return found

    def forget_cached(self) -> None:
        """To be called after the arrays have been written to directly."""
        self._actions.clear()
        self._last.clear()


class Experience:
    """Plays an environment (one, or n side by side) for a learner.

    Args:
        env: the environment.
        masks: learns the action masks that the environment shows.

    Attributes:
        num_envs: n.
        played: the copies that the transitions of the last step came from.
        chosen: [n] the action that an on-policy learner has already chosen for the next step, or None.
        paths: [n] the steps of the episode under way, for a learner that waits for its end.
    """

    def __init__(self, env: AnyEnv, masks: ActionMasks) -> None:
        self.env = env
        self.masks = masks
        self.num_envs = env.num_envs if isinstance(env, VectorEnv) else 1
        self.played = [0]
        self.chosen: list[int | None] = [None] * self.num_envs
        self.paths: list[list[Transition]] = [[] for _ in range(self.num_envs)]
        self._observations = [0] * self.num_envs
        self._over = np.ones(self.num_envs, dtype=np.bool_)
        self._mode = _autoreset_mode(env)

    def reset(self, seed: int) -> None:
        """Begins anew, with the environment's generator seeded."""
        observation, info = self.env.reset(seed=seed)
        self._over[:] = False
        self.chosen = [None] * self.num_envs
        self.paths = [[] for _ in range(self.num_envs)]
        if isinstance(self.env, VectorEnv):
            self._arrive(observation, info)
        else:
            self._observations[0] = int(observation)
            if "action_mask" in info:
                self.masks.note(self._observations[0], info["action_mask"])

    def observations(self) -> list[int]:
        """[n] where each copy stands, after resetting those that do not reset themselves."""
        if self._mode is not AutoresetMode.DISABLED or not self._over.any():
            return self._observations
        if not isinstance(self.env, VectorEnv):
            observation, info = self.env.reset()
            self._over[0] = False
            self._observations[0] = int(observation)
            if "action_mask" in info:
                self.masks.note(self._observations[0], info["action_mask"])
        else:
            self._arrive(*self.env.reset(options={"reset_mask": self._over.copy()}))
            self._over[:] = False
        return self._observations

    @property
    def over(self) -> bool:
        """Whether the episode of a single environment has ended, so that the next step begins with a reset."""
        return bool(self._over[0])

    def put(self, observation: int, over: bool) -> None:
        """Says where a single environment was left by a loop that did not step it through here."""
        self._observations[0] = observation
        self._over[0] = over

    def step(self, actions: list[int]) -> list[Transition]:
        """The steps that were really played, in the order of the copies."""
        if isinstance(self.env, VectorEnv):
            return self._step_all(self.env, np.array(actions, dtype=np.int64))
        before = self._observations[0]
        observation, reward, terminated, truncated, info = self.env.step(np.int64(actions[0]))
        after = self._observations[0] = int(observation)
        if "action_mask" in info:
            self.masks.note(after, info["action_mask"])
        if terminated or truncated:
            self._over[0] = True
        return [Transition(before, actions[0], float(reward), after, bool(terminated), bool(truncated))]

    def _step_all(self, env: VectorEnv[Any, Any, Any], actions: npt.NDArray[np.int64]) -> list[Transition]:
        played = (
            ~self._over if self._mode is AutoresetMode.NEXT_STEP else np.ones(self.num_envs, dtype=np.bool_)
        )
        before = list(self._observations)
        observation, reward, terminated, truncated, infos = env.step(actions)
        self._arrive(observation, infos)
        after = list(self._observations)
        ended = np.asarray(terminated, dtype=np.bool_) | np.asarray(truncated, dtype=np.bool_)
        if self._mode is AutoresetMode.SAME_STEP and ended.any():
            final_masks = infos.get("final_info", {}).get("action_mask")
            for i in np.flatnonzero(ended).tolist():
                after[i] = int(infos["final_obs"][i])
                if final_masks is not None:
                    self.masks.note(after[i], final_masks[i])
        self._over = ended & (self._mode is not AutoresetMode.SAME_STEP)
        self.played = np.flatnonzero(played).tolist()
        rows = zip(before, actions.tolist(), reward, after, terminated, truncated, strict=True)
        return [
            Transition(o, a, float(r), next_o, bool(ends), bool(cut))
            for (o, a, r, next_o, ends, cut), real in zip(rows, played.tolist(), strict=True)
            if real
        ]

    def _arrive(self, observations: npt.NDArray[np.int64], infos: dict[str, Any]) -> None:
        """Notes where the copies stand and what they may do there."""
        self._observations = np.asarray(observations).tolist()
        masks = infos.get("action_mask")
        if masks is None:
            return
        shown = infos.get("_action_mask", np.ones(self.num_envs, dtype=np.bool_))
        for i in np.flatnonzero(shown).tolist():
            self.masks.note(self._observations[i], masks[i])


def _autoreset_mode(env: AnyEnv) -> AutoresetMode:
    """How a vector environment resets its copies; DISABLED for a single environment, which the learner resets."""
    if not isinstance(env, VectorEnv):
        return AutoresetMode.DISABLED
    mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    return mode if isinstance(mode, AutoresetMode) else AutoresetMode(mode)
