"""Checks of the keyword arguments of environments: each refusal names the value and the range that is right."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np


def whole(name: str, value: object, least: int, most: int | None = None) -> int:
    """An integer of at least `least` and, if given, at most `most`.

    Raises:
        TypeError: no integer.
        ValueError: out of range.
    """
    bounds = f"at least {least}" if most is None else f"in [{least}, {most}]"
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)  # type: ignore[arg-type]  # refused below when it is no integer
    except TypeError:
        raise TypeError(f"{name} must be a whole number {bounds}, got {value!r}") from None
    if number < least or (most is not None and number > most):
        raise ValueError(f"{name} must be {bounds}, got {value}")
    return number


def real(name: str, value: object, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number in [least, most].

    Raises:
        TypeError: no number.
        ValueError: out of range, infinite or NaN.
    """
    if math.isinf(least) and math.isinf(most):
        bounds = "finite"
    else:
        bounds = f"at least {least:g}" if math.isinf(most) else f"in [{least:g}, {most:g}]"
    try:
        if isinstance(value, (bool, np.bool_, str, bytes, bytearray)):
            raise TypeError
        number = float(value)  # type: ignore[arg-type]  # refused below when it is no number
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, {bounds}, got {value!r}") from None
    except OverflowError:  # a whole number beyond all floats
        number = math.inf
    if not math.isfinite(number):
        bounds = "finite" if bounds == "finite" else f"finite and {bounds}"
    if not math.isfinite(number) or not least <= number <= most:
        raise ValueError(f"{name} must be {bounds}, got {value}")
    return number


def flag(name: str, value: object) -> bool:
    """True or False.

    Raises:
        TypeError: anything else.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def one_of(name: str, value: object, choices: Sequence[str]) -> str:
    """One of some words.

    Raises:
        TypeError: no word.
        ValueError: another one.
    """
    listed = ", ".join(map(repr, choices))
    if not isinstance(value, str):
        raise TypeError(f"{name} must be one of {listed}, got {value!r}")
    if value not in choices:
        raise ValueError(f"{name} must be one of {listed}, got {value!r}")
    return value
