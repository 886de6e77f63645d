"""Answers as people hand them in: arrays read, their shapes checked, and how finely they were rounded.

values [S], q_values [S, A], a policy [S] of actions or [S, A] of chances; with a finite horizon [H + 1, S],
[H, S, A], [H, S] and [H, S, A] as well; for the average reward the gain, one number or [S].
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from ..solutions.record import Criterion
from .verdict import Kind

#: A rounded answer counts only where half a unit is less than this share of the greatest value.
COARSEST = 0.01


class Answer(NamedTuple):
    """One thing that was handed in.

    Attributes:
        kind: which.
        numbers: values or q_values as given, in float64; chances [..., A] of a policy (rows of actions that do
            not exist are 0).
        actions: a policy's actions as given; None where it was given as chances.
        single: whether the numbers were of single precision.
    """

    kind: Kind
    numbers: FloatArray
    actions: IntArray | None = None
    single: bool = False


def read_values(
    given: npt.ArrayLike, kind: Kind, mdp: TabularMDP, criterion: Criterion, horizon: int | None
) -> Answer:
    """Values or q_values.

    Raises:
        ValueError: a wrong shape, NaN or infinity where a number is due.
        TypeError: no real numbers.
    """
    array = _real(given, kind)
    size = (mdp.num_states, mdp.num_actions)
    if kind == "q_values" and criterion == "average":
        raise ValueError(
            "for criterion 'average' values (the gain) and policies can be checked, not q_values"
        )
    shapes: list[tuple[int, ...]] = [size[:1] if kind == "values" else size]
    if horizon is not None:
        shapes.insert(0, (horizon + 1, *size[:1]) if kind == "values" else (horizon, *size))
    if criterion == "average" and array.shape == ():
        array = np.full(size[:1], array)
    if array.shape not in shapes:
        wanted = " or ".join(str(list(shape)) for shape in shapes)
        raise ValueError(f"{kind} must have shape {wanted}, got {list(array.shape)}")
    numbers = array.astype(np.float64)
    needed = mdp.action_mask if kind == "q_values" else ~mdp.terminal
    bad = (np.isnan(numbers) if criterion == "total" else ~np.isfinite(numbers)) & needed
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        names = ", ".join(
            f"{name} {index}"
            for name, index in zip(("step", "state", "action")[-numbers.ndim :], where, strict=True)
        )
        if kind == "values":
            names = f"state {where[-1]}" if len(where) == 1 else f"step {where[0]}, state {where[1]}"
        elif len(where) == 2:
            names = f"state {where[0]}, action {where[1]}"
        raise ValueError(f"{kind} must be finite numbers, got {numbers[where]} at {names}")
    return Answer(kind, numbers, single=array.dtype.itemsize < 8 and array.dtype.kind == "f")


def read_policy(given: npt.ArrayLike, mdp: TabularMDP, horizon: int | None) -> Answer:
    """A policy; actions that do not exist or are not available are wrong, but they can be read.

    Raises:
        ValueError: a wrong shape, or chances that are negative or do not sum to 1 in a live state.
        TypeError: no real numbers.
    """
    array = _real(given, "policy")
    num_states, num_actions = size = (mdp.num_states, mdp.num_actions)
    times: list[tuple[int, ...]] = [()] if horizon is None else [(), (horizon,)]
    whole = array.dtype.kind in "iu"
    as_actions = array.shape in [(*time, num_states) for time in times]
    as_chances = array.shape in [(*time, *size) for time in times]
    if not as_actions and not as_chances:
        wanted = " or ".join(str([*time, *shape]) for shape in ((num_states,), size) for time in times)
        raise ValueError(f"policy must have shape {wanted}, got {list(array.shape)}")
    live = ~mdp.terminal
    if as_actions and (whole or not as_chances):  # [H, S] and [S, A] may look alike: integers are actions
        broken = live & (array != np.round(np.nan_to_num(array, nan=0.5)))
        if broken.any():
            where = tuple(np.argwhere(broken)[0].tolist())
            raise ValueError(f"policy must hold whole numbers, got {array[where]} at state {where[-1]}")
        actions = np.where(live, array, 0).astype(np.int64)
        known = (actions >= 0) & (actions < num_actions)
        chances = np.zeros((*actions.shape, num_actions))
        np.put_along_axis(chances, np.where(known, actions, 0)[..., None], known[..., None] * 1.0, axis=-1)
        return Answer("policy", chances, actions)
    chances = np.where(live[:, None], array, 0.0).astype(np.float64)
    bad = ~((chances >= 0) & (chances <= 1.0 + 1e-6))
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise ValueError(
            f"policy: {chances[where]} at state {where[-2]}, action {where[-1]} is no chance in [0, 1]"
        )
    sums = chances.sum(axis=-1)
    off = live & (np.abs(sums - 1.0) > 1e-3)  # three decimals of each chance are enough
    if off.any():
        where = tuple(np.argwhere(off)[0].tolist())
        raise ValueError(f"policy: the chances of state {where[-1]} sum to {sums[where]:.6g}, not 1")
    return Answer("policy", chances)


def _real(given: npt.ArrayLike, name: str) -> npt.NDArray[np.generic]:
    try:
        array = np.asarray(given)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name} must be one rectangular array: {error}") from None
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    return array


class Rounding(NamedTuple):
    """How finely the numbers were written.

    Attributes:
        words: such as "3 decimals".
        half: half a unit of the last digit; one number for all, or one for each.
    """

    words: str
    half: FloatArray


def roundings(numbers: FloatArray) -> list[Rounding]:
    """The fewest decimals (1 to 8) and significant digits (3 to 7) that tell the finite numbers exactly.

    Both may hold: 0.0689 and 0.112 have four decimals, and three digits.  Whole numbers are whole, not rounded.
    """
    shown = np.where(np.isfinite(numbers), numbers, 0.0)
    slack = 1e-9 * np.maximum(1.0, np.abs(shown))
    if (np.abs(shown - np.round(shown)) <= slack).all():
        return []
    found = []
    for decimals in range(1, 9):
        if (np.abs(shown - np.round(shown, decimals)) <= slack).all():
            found.append(Rounding(f"{decimals} decimals", np.full(shown.shape, 0.5 * 10.0**-decimals)))
            break
    exponent = np.floor(np.log10(np.abs(np.where(shown == 0, 1.0, shown))))
    for digits in range(3, 8):
        unit = 10.0 ** (exponent - digits + 1)
        if (np.abs(shown / unit - np.round(shown / unit)) <= 1e-6).all():
            found.append(Rounding(f"{digits} significant digits", np.where(shown == 0, 0.0, 0.5 * unit)))
            break
    return found


def distance(one: FloatArray, other: FloatArray) -> FloatArray:
    """|one - other|: 0 for equal infinities, infinite for different ones and for NaN."""
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - other)
    return np.where(one == other, 0.0, np.where(np.isnan(apart), np.inf, apart))
