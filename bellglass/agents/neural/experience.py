"""What a deep learner sees: batches of steps from one environment or from many, whatever resets them.

Vector environments reset their copies in three ways (Gymnasium's `AutoresetMode`), and each sets a trap:
after NEXT_STEP the row that follows an end is a dummy (its action was ignored, nothing can be learned from
it); after SAME_STEP the observation that ended the episode lies in `infos["final_obs"]`, and the one returned
belongs to the next episode; with DISABLED the learner resets.  Here `next_observation` is always the one that
the step led to, and `played` says which rows were steps at all.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode, VectorEnv

from ...envs.mdp import BoolArray
from .masks import Masks
from .spaces import AnyEnv, Sizes


class Steps(NamedTuple):
    """One vector step; rows where `played` is False are dummies.

    Attributes:
        played: [n] bool.
        observation: [n, ...].
        action: [n] int64.
        reward: [n] float32.
        next_observation: [n, ...].
        terminated: [n] bool; only this means that there is no next value.
        truncated: [n] bool.
    """

    played: BoolArray
    observation: npt.NDArray[Any]
    action: npt.NDArray[np.int64]
    reward: npt.NDArray[np.float32]
    next_observation: npt.NDArray[Any]
    terminated: BoolArray
    truncated: BoolArray


class Experience:
    """Plays an environment (one, or n side by side) for a learner.

    Args:
        env: the environment.
        sizes: its sizes.
        masks: learns the action masks that the environment shows.
        max_episode_steps: reset an episode after so many steps, which counts as truncated; only where the
            learner resets (a single environment, or autoreset mode DISABLED).

    Attributes:
        num_envs: n.
        observations: [n, ...] where each copy stands.
        starts: [n] bool, copies whose next step is the first of an episode.
    """

    def __init__(self, env: AnyEnv, sizes: Sizes, masks: Masks, max_episode_steps: int | None = None) -> None:
        self.env = env
        self.masks = masks
        self.num_envs = env.num_envs if isinstance(env, VectorEnv) else 1
        self._mode = _autoreset_mode(env)
        if isinstance(env, VectorEnv):
            self._shows_masks = hasattr(env, "action_mask")
        else:
            self._shows_masks = env.has_wrapper_attr("action_mask")
        if max_episode_steps is not None and self._mode is not AutoresetMode.DISABLED:
            raise ValueError(
                "max_episode_steps needs an environment that the agent resets (one alone, or autoreset_mode "
                "DISABLED); give the time limit to gymnasium.make_vec instead"
            )
        self._limit = max_episode_steps
        dtype = np.int64 if sizes.integers else np.float32
        self.observations: npt.NDArray[Any] = np.zeros((self.num_envs, *sizes.shape), dtype=dtype)
        self.starts = np.ones(self.num_envs, dtype=np.bool_)
        self._over = np.ones(self.num_envs, dtype=np.bool_)
        self._clock = np.zeros(self.num_envs, dtype=np.int64)

    def reset(self, seed: int) -> None:
        """Begins anew, with the environment's generator seeded."""
        self._arrive(*self.env.reset(seed=seed))
        self._over[:] = False
        self.starts[:] = True
        self._clock[:] = 0

    def prepare(self) -> None:
        """Resets the copies that have ended and do not reset themselves."""
        if self._mode is not AutoresetMode.DISABLED or not self._over.any():
            return
        options = {"reset_mask": self._over.copy()} if isinstance(self.env, VectorEnv) else None
        self._arrive(*self.env.reset(options=options))
        self.starts |= self._over
        self._clock[self._over] = 0
        self._over[:] = False

    def step(self, actions: npt.NDArray[np.int64]) -> Steps:
        """Takes one action in each copy."""
        before = self.observations.copy()
        if isinstance(self.env, VectorEnv):
            played = (
                ~self._over
                if self._mode is AutoresetMode.NEXT_STEP
                else np.ones(self.num_envs, dtype=np.bool_)
            )
            observation, reward, terminated, truncated, infos = self.env.step(actions)
            self._arrive(observation, infos)
            rewards = np.asarray(reward, dtype=np.float32)
            ends, cuts = np.array(terminated, dtype=np.bool_), np.array(truncated, dtype=np.bool_)
        else:
            played = np.ones(1, dtype=np.bool_)
            observation, reward, terminated, truncated, infos = self.env.step(np.int64(actions[0]))
            self._arrive(observation, infos)
            rewards = np.array([reward], dtype=np.float32)
            ends, cuts = np.array([terminated], dtype=np.bool_), np.array([truncated], dtype=np.bool_)
        after = self.observations
        over = ends | cuts
        if self._mode is AutoresetMode.SAME_STEP and over.any():
            after = self.observations.copy()
            final = infos.get("final_info", {}).get("action_mask")
            for i in np.flatnonzero(over).tolist():
                after[i] = infos["final_obs"][i]
                if final is not None:
                    self.masks.note(after[i : i + 1], np.asarray(final[i], dtype=np.bool_)[None])
            self.starts = over
        elif self._mode is AutoresetMode.NEXT_STEP:
            self.starts = self._over.copy()  # the dummy row has just brought the first observation
            self._over = over & played
        else:
            self.starts = np.zeros(self.num_envs, dtype=np.bool_)
            if self._limit is not None:
                self._clock += 1
                cuts |= ~ends & (self._clock >= self._limit)
                over = ends | cuts
            self._over = over
        return Steps(played, before, actions, rewards, after.copy(), ends, cuts)

    def _arrive(self, observation: Any, infos: dict[str, Any]) -> None:
        """Notes where the copies stand and what they may do there."""
        env = self.env
        if not isinstance(env, VectorEnv):
            self.observations[0] = observation
            mask = infos.get("action_mask")
            if mask is None and self._shows_masks:
                mask = env.get_wrapper_attr("action_mask")
            if mask is not None:
                self.masks.note(self.observations, np.asarray(mask, dtype=np.bool_)[None])
            return
        self.observations[:] = observation
        shown = infos.get("action_mask")
        if shown is None and self._shows_masks:
            shown = env.action_mask  # type: ignore[attr-defined]  # it has one
        if shown is None:
            return
        there = np.asarray(infos.get("_action_mask", True))
        if there.all():
            self.masks.note(self.observations, np.stack(list(shown)).astype(np.bool_))
        else:
            rows = np.flatnonzero(there)
            self.masks.note(self.observations[rows], np.stack([shown[i] for i in rows]).astype(np.bool_))


def _autoreset_mode(env: AnyEnv) -> AutoresetMode:
    """How a vector environment resets its copies; DISABLED for one alone, which the learner resets."""
    if not isinstance(env, VectorEnv):
        return AutoresetMode.DISABLED
    mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    return mode if isinstance(mode, AutoresetMode) else AutoresetMode(mode)
