"""Grids: settings that are given as lists of values, and every combination of them.

    grid = { step_size = [0.1, 0.5], epsilon = [0.05, 0.3] }        four combinations
    grid = { settings = { learning_rate = [1e-3, 1e-4] } }          inside a table of settings, two

The last key turns fastest.  A combination is called by what it sets: ``step_size=0.1 epsilon=0.05``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from ..toml import value_text

#: A value whose text is longer is called by its place in the list: ``layers=#2``.
LONGEST_VALUE = 24

#: Combinations that one grid may have: each is made once before anything is run.
MOST_CHOICES = 10_000

#: Where a mistake lies below the entry, and what it is.
Wrong = list[tuple[list[str | int], str]]


class Axis(NamedTuple):
    """One setting of a grid: its path of keys, and its values."""

    path: tuple[str, ...]
    values: list[Any]


class Choice(NamedTuple):
    """One combination: the settings it leads to, and what it is called ("" for that of no grid)."""

    settings: dict[str, Any]
    name: str


def axes_of(grid: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Axis]:
    """Every setting of the grid, those in tables included, in the order of the file."""
    for key, value in grid.items():
        if isinstance(value, Mapping):
            yield from axes_of(value, (*path, key))
        else:
            yield Axis((*path, key), value)


def mistakes_in_grid(grid: Mapping[str, Any], settings: Mapping[str, Any], place: str) -> Wrong:
    """What cannot be turned into combinations.

    Args:
        grid: as above.
        settings: what every combination shares.
        place: what the file calls `settings`.
    """
    wrong: Wrong = []
    for path, values in axes_of(grid):
        where: list[str | int] = ["grid", *path]
        if not isinstance(values, list):
            wrong.append(
                (where, f"must be a list of values, got {values!r}; one value belongs under {place}")
            )
        elif not values:
            wrong.append((where, "must have at least 1 value, got []"))
        elif (twice := repeated_value(values)) is not None:
            wrong.append((where, f"{value_text(twice)} stands there twice"))
        if is_set(settings, path):
            wrong.append((where, f"is set under {place} too; leave it out there or here"))
    count = 1 if wrong else math.prod(len(values) for _, values in axes_of(grid))
    if count > MOST_CHOICES:
        wrong.append((["grid"], f"must have at most {MOST_CHOICES:,} combinations, got {count:,}"))
    return wrong


def choices(settings: Mapping[str, Any], grid: Mapping[str, Any]) -> list[Choice]:
    """Every combination, on top of the settings that all share; one, without a name, where there is no grid.

    >>> [name for _, name in choices({"a": 1}, {"b": [1, 2], "c": {"d": ["x", "y"]}})]
    ['b=1 d=x', 'b=1 d=y', 'b=2 d=x', 'b=2 d=y']
    >>> choices({"a": 1}, {"c": {"d": ["x"]}})
    [Choice(settings={'a': 1, 'c': {'d': 'x'}}, name='d=x')]
    """
    axes = list(axes_of(grid))
    found = []
    for places in itertools.product(*(range(len(axis.values)) for axis in axes)):
        merged: dict[str, Any] = dict(settings)
        words = []
        for axis, place in zip(axes, places, strict=True):
            merged = with_value(merged, axis.path, axis.values[place])
            words.append(f"{axis.path[-1]}={name_of(axis.values[place], place)}")
        found.append(Choice(merged, " ".join(words)))
    return found


def with_value(settings: Mapping[str, Any], path: tuple[str, ...], value: object) -> dict[str, Any]:
    """A copy in which one setting, perhaps within tables, has this value."""
    key, *rest = path
    return {**settings, key: with_value(settings.get(key, {}), tuple(rest), value) if rest else value}


def is_set(settings: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether a setting stands there already, or something that is no table stands in the way."""
    key, *rest = path
    if key not in settings:
        return False
    inside = settings[key]
    return is_set(inside, tuple(rest)) if rest and isinstance(inside, Mapping) else True


def repeated_value(values: list[Any]) -> object | None:
    """A value that occurs twice, or None; 1, 1.0 and true are three values."""
    texts = [value_text(value) for value in values]
    return next((value for k, value in enumerate(values) if texts[k] in texts[:k]), None)


def name_of(value: object, place: int) -> str:
    """The value as a name has room for it."""
    text = value if isinstance(value, str) else value_text(value)
    return text if text.isprintable() and 0 < len(text) <= LONGEST_VALUE else f"#{place + 1}"
