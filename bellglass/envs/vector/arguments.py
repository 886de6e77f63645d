"""What a caller hands to a vector environment: checked, and refused by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode

from ..keywords import whole
from ..mdp import BoolArray, IntArray, TabularMDP
from ..tabular import InvalidActions, check_render_mode, check_start, unavailable


def check_settings(
    num_envs: int,
    max_episode_steps: int | None,
    autoreset_mode: AutoresetMode | str,
    render_mode: str | None,
    invalid_actions: InvalidActions,
) -> AutoresetMode:
    """The autoreset mode, if all settings of a vector environment make sense.

    Raises:
        TypeError: a number is no whole one.
        ValueError: one of them is out of range.
    """
    whole("num_envs", num_envs, 1)
    check_limit(max_episode_steps)
    if render_mode == "human":
        raise ValueError(
            "render_mode of a vector environment must be None, 'ansi' or 'rgb_array', got 'human'"
        )
    check_render_mode(render_mode)
    if invalid_actions not in ("lowest", "raise"):
        raise ValueError(f"invalid_actions must be 'lowest' or 'raise', got {invalid_actions!r}")
    try:
        return AutoresetMode(autoreset_mode)
    except ValueError:
        words = ", ".join(repr(mode.value) for mode in AutoresetMode)
        raise ValueError(f"autoreset_mode must be one of {words}, got {autoreset_mode!r}") from None


def check_limit(max_episode_steps: int | None) -> None:
    """Refuses what is no time limit.

    Raises:
        TypeError: neither a whole number nor None.
        ValueError: less than 1.
    """
    if max_episode_steps is not None:
        whole("max_episode_steps, if not None,", max_episode_steps, 1)


def checked_seeds(seed: int | Sequence[int | None], num_envs: int) -> int | list[int | None]:
    """One seed, or one for each copy (None: keep its generator), as plain integers.

    Raises:
        ValueError: neither, or a seed that is no whole number of at least 0.
    """
    try:
        if isinstance(seed, int | np.integer):
            return whole("seed", seed, 0)
        seeds = [None if one is None else whole("seed", one, 0) for one in seed]
    except TypeError:
        seeds = []
    if len(seeds) != num_envs:
        raise ValueError(f"seed must be one integer or a list of {num_envs}, got {seed!r}")
    return seeds


def checked_actions(actions: npt.ArrayLike, num_envs: int, num_actions: int) -> IntArray:
    """[n] the actions as int64.

    Raises:
        ValueError: the wrong shape or kind, or an action outside the space.
    """
    given = np.asarray(actions)
    if given.shape != (num_envs,) or given.dtype.kind not in "iu":
        raise ValueError(
            f"actions must be integers of shape [{num_envs}], got {given.dtype} {list(given.shape)}"
        )
    chosen: IntArray = given.astype(np.int64, copy=False)
    beyond = chosen.view(np.uint64) >= num_actions  # as unsigned numbers, the negative ones are huge
    if np.count_nonzero(beyond):
        i = int(beyond.argmax())
        raise ValueError(f"actions must be in [0, {num_actions}), got {given[i]} for copy {i}")
    return chosen


def refuse_unavailable(mdp: TabularMDP, pair: IntArray, invalid: BoolArray) -> None:
    """Raises ValueError for the first copy that plays an unavailable action."""
    i = int(invalid.argmax())
    raise ValueError(f"copy {i}: " + unavailable(mdp, *divmod(int(pair[i]), mdp.num_actions)))


def refuse_ended(ended: BoolArray) -> None:
    """Raises ResetNeeded for the copies whose episode is over."""
    raise gym.error.ResetNeeded(
        f"{int(ended.sum())} copies have ended; call reset(options={{'reset_mask': ended}}) first"
    )


def reset_mask(options: dict[str, Any] | None, num_envs: int) -> BoolArray:
    """[n] which copies to reset: `options["reset_mask"]`, or all; a fresh array.

    Raises:
        TypeError: the mask is no array of bool.
        ValueError: it has the wrong length, or is all False.
    """
    mask = None if options is None else options.get("reset_mask")
    if mask is None:
        return np.ones(num_envs, dtype=np.bool_)
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_:
        kind = f"{mask.dtype} array" if isinstance(mask, np.ndarray) else type(mask).__name__
        raise TypeError(f"options['reset_mask'] must be a bool array, got {kind}")
    if mask.shape != (num_envs,) or not mask.any():
        raise ValueError(
            f"options['reset_mask'] must have shape [{num_envs}] and one True at least, got {mask!r}"
        )
    return mask.copy()


def chosen_starts(mdp: TabularMDP, options: dict[str, Any] | None, mask: BoolArray) -> IntArray | None:
    """The states of `options["state"]` for the copies of `mask` [n], or None where none are given.

    Raises:
        ValueError: neither one state nor n, or one that is terminal or out of range.
    """
    chosen = None if options is None else options.get("state")
    if chosen is None:
        return None
    given = np.asarray(chosen)
    if given.shape not in ((), mask.shape):
        raise ValueError(f"options['state'] must be one state or {len(mask)}, got shape {list(given.shape)}")
    states = np.broadcast_to(given, mask.shape)[mask].tolist()
    return np.array([check_start(mdp, s) for s in states], dtype=np.int64)
