"""What a learner sees: steps of one environment or of many side by side, whatever resets them.

Vector environments reset their copies in three ways (Gymnasium's `AutoresetMode`), and each sets a trap: after
NEXT_STEP the row that follows an end is a dummy (its action was ignored, nothing can be learned from it); after
SAME_STEP the observation that ended the episode lies in `infos["final_obs"]`, and the one returned belongs to the
next episode; with DISABLED the learner resets.  Here `next_observation` is always the one that the step led to, and
`played` says which rows were steps at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from ..envs.mdp import BoolArray
from .base import Transition
from .masks import Masks
from .spaces import AnyEnv, Sizes


class NotFinite(Exception):
    """An environment showed or paid something that is no finite number."""


class Steps(NamedTuple):
    """One vector step; rows where `played` is False are dummies.

    Attributes:
        played: [n] bool.
        observation: [n, ...].
        action: [n] int64.
        reward: [n] float64.
        next_observation: [n, ...].
        terminated: [n] bool; only this means that there is no next value.
        truncated: [n] bool.
    """

    played: BoolArray
    observation: npt.NDArray[Any]
    action: npt.NDArray[np.int64]
    reward: npt.NDArray[Any]
    next_observation: npt.NDArray[Any]
    terminated: BoolArray
    truncated: BoolArray


class Experience:
    """Plays an environment (one, or n side by side) for a learner.

    A learner calls `prepare`, chooses actions for `observations`, and calls `step`; or, where observations are
    numbers and it learns from one transition at a time, `numbers` and `transitions`, which do the same and cost
    little for one environment.

    Args:
        env: the environment.
        sizes: its sizes.
        masks: learns the action masks that the environment shows.
        max_episode_steps: reset an episode after so many steps, which counts as truncated.

    Attributes:
        num_envs: n.
        observations: [n, ...] where each copy stands.
        clock: [n] steps of each episode so far, counted while there is a `limit`.
    """

    def __init__(self, env: AnyEnv, sizes: Sizes, masks: Masks, max_episode_steps: int | None = None) -> None:
        self.env = env
        self.masks = masks
        self._sizes = sizes
        self.num_envs = env.num_envs if isinstance(env, VectorEnv) else 1
        self._mode = autoreset_mode(env)
        if isinstance(env, VectorEnv):
            self._shows_masks = hasattr(env, "action_mask")
        else:
            self._shows_masks = env.has_wrapper_attr("action_mask")
        dtype = np.int64 if sizes.integers else np.float32
        self.observations: npt.NDArray[Any] = np.zeros((self.num_envs, *sizes.shape), dtype=dtype)
        self.clock = np.zeros(self.num_envs, dtype=np.int64)
        self._limit: int | None = None
        self.limit = max_episode_steps
        self._starting: list[int] = []  # copies whose next step is the first of an episode
        self._waiting = np.zeros(self.num_envs, dtype=np.bool_)  # [n] for the dummy step that resets them
        self._to_reset = np.ones(self.num_envs, dtype=np.bool_)  # [n] by us, before the next step
        self._news = True  # whether any copy is starting or to be reset

    @property
    def limit(self) -> int | None:
        """Steps after which an episode is cut; None: never."""
        return self._limit

    @limit.setter
    def limit(self, steps: int | None) -> None:
        if steps is not None and self._mode is not AutoresetMode.DISABLED and not _resets_in_part(self.env):
            raise ValueError(
                f"max_episode_steps needs an environment that the agent can reset copy by copy, and {self.env} "
                "says of none that it does (one environment alone, autoreset_mode DISABLED, or a SyncVectorEnv "
                "does); give the time limit to gymnasium.make_vec instead"
            )
        if self._limit is None and steps is not None:
            self.clock[:] = 0  # it was not counted
        self._limit = steps

    def reset(self, seed: int) -> None:
        """Begins anew, with the environment's generator seeded."""
        self._arrive(*self.env.reset(seed=seed))
        self._waiting[:] = self._to_reset[:] = False
        self.clock[:] = 0
        self._starting, self._news = list(range(self.num_envs)), True

    def prepare(self) -> Sequence[int]:
        """Resets the copies that have ended and do not reset themselves; the copies whose episode begins now."""
        if not self._news:
            return ()
        if self._to_reset.any():
            options = {"reset_mask": self._to_reset.copy()} if isinstance(self.env, VectorEnv) else None
            self._arrive(*self.env.reset(options=options))
            self.clock[self._to_reset] = 0
            self._starting += np.flatnonzero(self._to_reset).tolist()
            self._to_reset[:] = False
        starting, self._starting, self._news = self._starting, [], False
        return starting

    def step(self, actions: npt.NDArray[np.int64]) -> Steps:
        """Takes one action in each copy."""
        before = self.observations  # of many copies, a fresh array at every arrival
        if isinstance(self.env, VectorEnv):
            played = ~self._waiting
            observation, reward, terminated, truncated, infos = self.env.step(actions)
            self._arrive(observation, infos)
            rewards = np.asarray(reward, dtype=np.float64)
            total = np.add.reduce(rewards)
            ends, cuts = np.array(terminated, dtype=np.bool_), np.array(truncated, dtype=np.bool_)
        else:
            before = before.copy()
            played = np.ones(1, dtype=np.bool_)
            observation, paid, terminated, truncated, infos = self.env.step(np.int64(actions[0]))
            self._arrive(observation, infos)
            rewards = np.array([paid], dtype=np.float64)
            total = paid
            ends, cuts = np.array([terminated], dtype=np.bool_), np.array([truncated], dtype=np.bool_)
        if not isfinite(total) and not np.isfinite(rewards).all():
            raise NotFinite(f"the reward is {rewards[~np.isfinite(rewards)][0]}")
        after = self.observations if isinstance(self.env, VectorEnv) else self.observations.copy()
        over = ends | cuts
        if self._mode is AutoresetMode.SAME_STEP:
            if np.count_nonzero(over):
                after = after.copy()
                self._see_last(after, over, infos)
                self._begin(np.flatnonzero(over))
        elif self._mode is AutoresetMode.NEXT_STEP:
            if np.count_nonzero(self._waiting):
                self._begin(np.flatnonzero(self._waiting))  # the dummy has just brought the first observation
            self._waiting = over & played
        elif np.count_nonzero(over):
            self._to_reset, self._news = over, True
        if self._limit is not None:
            self.clock += played & ~(over & (self._mode is AutoresetMode.SAME_STEP))
            late = played & ~over & (self.clock >= self._limit)
            if late.any():
                cuts |= late
                self._to_reset, self._news = self._to_reset | late, True
        return Steps(played, before, actions, rewards, after, ends, cuts)

    def _begin(self, copies: npt.NDArray[np.int64]) -> None:
        """Episodes have begun in these copies without our doing."""
        self.clock[copies] = 0
        self._starting += copies.tolist()
        self._news = True

    def _see_last(self, after: npt.NDArray[Any], over: BoolArray, infos: dict[str, Any]) -> None:
        """Writes the observations that ended episodes into `after`, and notes what was available there."""
        masks = infos.get("final_info", {}).get("action_mask")
        for i in np.flatnonzero(over).tolist():
            after[i] = infos["final_obs"][i]
            if masks is not None:
                self.masks.note(after[i : i + 1], np.asarray(masks[i], dtype=np.bool_)[None])

    def _arrive(self, observation: Any, infos: dict[str, Any]) -> None:
        """Notes where the copies stand and what they may do there."""
        if not isinstance(self.env, VectorEnv):
            self.observations[0] = observation
            self._check_observations()
            mask = self._mask_shown(infos)
            if mask is not None:
                self.masks.note(
                    self.observations.item() if self._sizes.integers else self.observations[0], mask
                )
            return
        self.observations = np.array(observation, dtype=self.observations.dtype)
        self._check_observations()
        shown = infos.get("action_mask")
        if shown is None and self._shows_masks:
            shown = self.env.action_mask  # type: ignore[attr-defined]  # it has one
        if shown is None:
            return
        there = np.asarray(infos.get("_action_mask", True))
        if isinstance(shown, np.ndarray) and shown.dtype == np.bool_ and there.all():
            self.masks.note(self.observations, shown)
        elif there.all():
            self.masks.note(self.observations, np.stack(list(shown)).astype(np.bool_))
        else:
            rows = np.flatnonzero(there)
            self.masks.note(self.observations[rows], np.stack([shown[i] for i in rows]).astype(np.bool_))

    def _check_observations(self) -> None:
        if not self._sizes.integers and not np.isfinite(self.observations).all():
            raise NotFinite(
                f"an entry of the observation is {self.observations[~np.isfinite(self.observations)][0]}"
            )

    def _mask_shown(self, info: dict[str, Any]) -> Any:
        """The mask of a single environment, or None."""
        mask = info.get("action_mask")
        if mask is None and self._shows_masks:
            mask = self.env.get_wrapper_attr("action_mask")  # type: ignore[union-attr]  # asked for one alone
        return mask

    # -- one transition at a time, where observations are numbers -------------------------------------------------

    def numbers(self) -> list[int]:
        """[n] where each copy stands."""
        places: list[int] = self.observations.tolist()
        return places

    def transitions(self, actions: list[int]) -> list[tuple[int, Transition]]:
        """`step`: the copy and the transition of each step that was played."""
        if not isinstance(self.env, VectorEnv):
            return [(0, self._transition(actions[0]))]
        steps = self.step(np.array(actions, dtype=np.int64))
        rows = enumerate(map(Transition._make, zip(*(column.tolist() for column in steps[1:]), strict=True)))
        if np.count_nonzero(steps.played) == len(steps.played):
            return list(rows)
        played = steps.played.tolist()
        return [row for row in rows if played[row[0]]]

    def _transition(self, action: int) -> Transition:
        """A single environment's step, without arrays."""
        before = self.observations.item()
        observation, paid, terminated, truncated, info = self.env.step(np.int64(action))
        after = self.observations[0] = int(observation)
        mask = self._mask_shown(info)
        if mask is not None:
            self.masks.note(after, mask)
        reward = float(paid)
        if not isfinite(reward):
            raise NotFinite(f"the reward is {reward}")
        if self._limit is not None and not terminated:
            self.clock[0] += 1
            truncated = truncated or self.clock[0] >= self._limit
        if terminated or truncated:
            self._to_reset[0] = self._news = True
        return Transition(before, action, reward, after, bool(terminated), bool(truncated))

    # -- loops that walk the table themselves ----------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the episode of a single environment has ended, so that the next step begins with a reset."""
        return bool(self._to_reset[0])

    def put(self, observation: int, over: bool, elapsed: int) -> None:
        """Says where a single environment was left by a loop that did not step it through here."""
        self.observations[0] = observation
        self._to_reset[0] = self._news = over
        self._starting = []
        self.clock[0] = 0 if self._limit is None else elapsed

    # -- files -----------------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Where the copies stand and what they wait for, by name."""
        return {
            "experience_observations": self.observations,
            "experience_clock": self.clock,
            "experience_waiting": self._waiting,
            "experience_to_reset": self._to_reset,
            "experience_starting": np.array(self._starting, dtype=np.int64),
        }

    def take(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Puts back what `arrays` gave; the environment must have been put back, too."""
        self.observations[:] = arrays["experience_observations"]
        self.clock[:] = arrays["experience_clock"]
        self._waiting[:] = arrays["experience_waiting"]
        self._to_reset[:] = arrays["experience_to_reset"]
        self._starting = arrays["experience_starting"].tolist()
        self._news = bool(self._starting) or bool(self._to_reset.any())


def autoreset_mode(env: AnyEnv) -> AutoresetMode:
    """How a vector environment resets its copies; DISABLED for one alone, which the learner resets."""
    if not isinstance(env, VectorEnv):
        return AutoresetMode.DISABLED
    mode = env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    return mode if isinstance(mode, AutoresetMode) else AutoresetMode(mode)


def _resets_in_part(env: AnyEnv) -> bool:
    """Whether `reset(options={"reset_mask": ...})` resets some copies alone, whatever the autoreset mode."""
    base = env.unwrapped
    return isinstance(base, SyncVectorEnv | AsyncVectorEnv) or bool(getattr(base, "resets_in_part", False))
