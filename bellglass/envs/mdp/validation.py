"""The checks a table passes before it exists; each failure names the state, the action and the number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import SUM_TOLERANCE, BoolArray, FloatArray, IntArray, locked, row_sums
from .layout import Layout
from .memory_limit import require_memory_for_table


def checked_fields(
    *,
    first_outcome: npt.ArrayLike,
    probability: npt.ArrayLike,
    next_state: npt.ArrayLike,
    reward: npt.ArrayLike,
    terminated: npt.ArrayLike,
    initial: npt.ArrayLike,
    terminal: npt.ArrayLike | None,
    state_labels: Sequence[Hashable] | None,
    action_labels: Sequence[Hashable] | None,
    layout: Layout | None,
    normalise: bool,
) -> dict[str, object]:
    """The fields of a table as read-only arrays of the right types.

    Raises:
        ValueError: whatever is wrong with them.
    """
    starts: FloatArray = _vector("initial", initial, np.float64)
    num_states = len(starts)
    if num_states == 0:
        raise ValueError("a table needs at least one state, got none (initial is empty)")
    first: IntArray = _vector("first_outcome", first_outcome, np.int64)
    num_pairs = len(first) - 1
    if num_pairs < num_states or num_pairs % num_states:
        raise ValueError(
            f"first_outcome must have S*A + 1 entries with S = {num_states} and A >= 1 actions, got {len(first)}"
        )
    num_actions = num_pairs // num_states
    if not all(map(_fixed, (probability, next_state, reward, terminated))):
        require_memory_for_table(num_states, num_actions, int(np.size(probability)))
    chances: FloatArray = _vector("probability", probability, np.float64)
    outcomes = {
        "probability": chances,
        "next_state": _vector("next_state", next_state, np.int32 if num_states < 2**31 else np.int64),
        "reward": _vector("reward", reward, np.float64),
        "terminated": _vector("terminated", terminated, np.bool_),
    }
    for name, array in outcomes.items():
        if len(array) != len(chances):
            raise ValueError(f"{name} has {len(array)} entries, probability has {len(chances)}")
    lengths = np.diff(first)
    if first[0] != 0 or first[-1] != len(chances) or (lengths < 0).any():
        raise ValueError(f"first_outcome must not decrease and must go from 0 to {len(chances)}")
    _check_outcomes(first, num_states, outcomes)

    sums = row_sums(first, chances)
    _check_sums(sums, lengths > 0, num_actions, normalise)
    ends: BoolArray = locked(np.logical_not((lengths > 0).reshape(num_states, num_actions).any(axis=1)))
    if terminal is not None:
        _check_terminal(_vector("terminal", terminal, np.bool_), ends)
    _check_initial(starts, ends, normalise)
    if normalise:
        outcomes["probability"] = locked(chances / np.where(lengths > 0, sums, 1.0).repeat(lengths))
        starts = locked(starts / starts.sum())

    if layout is not None and (len(layout.cell), len(layout.arrows)) != (num_states, num_actions):
        raise ValueError(
            f"the layout places {len(layout.cell)} states and {len(layout.arrows)} actions, "
            f"the table has {num_states} and {num_actions}"
        )
    return outcomes | {
        "first_outcome": first,
        "initial": starts,
        "terminal": ends,
        "state_labels": _labels("state_labels", state_labels, num_states),
        "action_labels": _labels("action_labels", action_labels, num_actions),
        "layout": layout,
    }


def _check_outcomes(first: IntArray, num_states: int, outcomes: dict[str, Any]) -> None:
    chances, targets, rewards = outcomes["probability"], outcomes["next_state"], outcomes["reward"]
    num_actions = (len(first) - 1) // num_states
    for bad, numbers, problem in (
        (~np.isfinite(chances), chances, "the probability {} is not a finite number"),
        (chances < 0, chances, "the probability {} is negative"),
        (~np.isfinite(rewards), rewards, "the reward {} is not a finite number"),
        (
            (targets < 0) | (targets >= num_states),
            targets,
            f"the next state {{}} is not in [0, {num_states})",
        ),
    ):
        if bad.any():
            k = int(np.flatnonzero(bad)[0])
            pair = int(np.searchsorted(first, k, side="right")) - 1
            s, a = divmod(pair, num_actions)
            raise ValueError(
                f"state {s}, action {a}, outcome {k - first[pair]}: " + problem.format(numbers[k])
            )


def _check_sums(sums: FloatArray, available: BoolArray, num_actions: int, normalise: bool) -> None:
    wrong = available & (sums <= 0 if normalise else np.abs(sums - 1.0) > SUM_TOLERANCE)
    if wrong.any():
        pair = int(np.flatnonzero(wrong)[0])
        s, a = divmod(pair, num_actions)
        hint = "" if normalise else f" (tolerance {SUM_TOLERANCE:g}; normalise=True divides by the sum)"
        raise ValueError(f"outcomes of state {s}, action {a} sum to {sums[pair]:.12g}, not 1{hint}")


def _check_terminal(given: BoolArray, ends: BoolArray) -> None:
    if len(given) != len(ends):
        raise ValueError(f"terminal has {len(given)} entries, there are {len(ends)} states")
    if (given != ends).any():
        s = int(np.flatnonzero(given != ends)[0])
        problem = (
            "is terminal but has outcomes" if given[s] else "is not terminal but has no available action"
        )
        raise ValueError(f"state {s} {problem}")


def _check_initial(starts: FloatArray, ends: BoolArray, normalise: bool) -> None:
    bad = ~np.isfinite(starts) | (starts < 0)
    if bad.any():
        s = int(np.flatnonzero(bad)[0])
        raise ValueError(f"initial[{s}] is {starts[s]}, not a probability")
    total = float(starts.sum())
    if total <= 0:
        raise ValueError("initial is 0 in every state: there is no start")
    if abs(total - 1.0) > SUM_TOLERANCE and not normalise:
        raise ValueError(f"initial sums to {total:.12g}, not 1 (tolerance {SUM_TOLERANCE:g})")
    stuck = ends & (starts > 0)
    if stuck.any():
        s = int(np.flatnonzero(stuck)[0])
        raise ValueError(
            f"initial[{s}] is {starts[s]}, but state {s} is terminal: no action is available there"
        )


def _vector(name: str, given: npt.ArrayLike, dtype: type[np.generic]) -> Any:
    """A read-only copy of one dimension; an array that can no longer change is not copied."""
    array = np.asarray(given)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, got shape {list(array.shape)}")
    target = np.dtype(dtype)
    if array.dtype == target:
        return array if _fixed(array) else locked(array.copy())
    converted = array.astype(target)
    if array.size and target.kind in "ib" and (array.dtype.kind not in "iufb" or (converted != array).any()):
        kind = "whole numbers" if target.kind == "i" else "booleans"
        raise ValueError(
            f"{name} must hold {kind}, got {array.dtype} such as {array[converted != array][:1]}"
        )
    return locked(converted)


def _fixed(given: npt.ArrayLike) -> bool:
    """Whether it is an array that can no longer change, and so is taken without a copy."""
    return isinstance(given, np.ndarray) and bool(given.flags.owndata) and not given.flags.writeable


def _labels(name: str, labels: Sequence[Hashable] | None, size: int) -> tuple[Hashable, ...] | None:
    if labels is None:
        return None
    if len(labels) != size:
        raise ValueError(f"{name} has {len(labels)} entries, expected {size}")
    if len(set(labels)) != size:
        raise ValueError(f"{name} must differ from each other")
    return tuple(labels)
