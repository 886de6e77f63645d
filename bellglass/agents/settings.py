"""Settings of agents: checked alike in the constructor and at every assignment, and written to files by name.

    class Learner:
        discount = number(0.0, 1.0)
        seed = seed_number(fixed="the generators were made from it")

    agent.discount = 0.9      # passes the constructor's check
    agent.discount = 1.5      # ValueError: discount must be in [0, 1], got 1.5
    agent.seed = 3            # AttributeError: seed cannot be changed: the generators were made from it

A setting becomes a property of its class whose getter is written in C, so that reading one costs next to nothing.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from operator import attrgetter
from typing import Any, Generic, ParamSpec, Self, TypeVar, overload

import numpy as np

from .schedules import Argument, Schedule, schedule_from, schedule_to_json

Given = TypeVar("Given")
Kept = TypeVar("Kept")

#: What may be given where a schedule is wanted.
AnySchedule = float | Schedule | Mapping[str, Any]


class Setting(Generic[Given, Kept]):
    """A checked attribute.

    Args:
        check: from the name and what was given to what is kept; raises ValueError.
        fixed: why it cannot be changed once the agent is made; empty: it can.
        to_json: from the name and what is kept to what a file holds.
    """

    def __init__(
        self,
        check: Callable[[str, Any], Kept],
        fixed: str = "",
        to_json: Callable[[str, Kept], object] = lambda name, kept: kept,
    ) -> None:
        self.check, self.fixed, self.to_json = check, fixed, to_json

    def __set_name__(self, owner: type, name: str) -> None:
        slot = f"_{name}"

        def assign(agent: Any, given: Given) -> None:
            made = slot in vars(agent)
            if made and self.fixed:
                raise AttributeError(f"{name} cannot be changed: {self.fixed}; make another agent")
            vars(agent)[slot] = self.check(name, given)
            if made and (changed := getattr(agent, "_setting_changed", None)) is not None:
                changed(name)

        setattr(owner, name, _Assigned(self, attrgetter(slot), assign))

    @overload
    def __get__(self, agent: None, owner: type) -> Self: ...

    @overload
    def __get__(self, agent: object, owner: type) -> Kept: ...

    def __get__(self, agent: object, owner: type) -> Any:
        raise AssertionError("replaced by a property as soon as the class is made")

    def __set__(self, agent: object, given: Given) -> None:
        raise AssertionError("replaced by a property as soon as the class is made")


class _Assigned(property):
    """The property that a setting becomes."""

    def __init__(self, setting: Setting[Any, Any], get: Callable[[Any], Any], assign: Any) -> None:
        super().__init__(get, assign)
        self.setting = setting


def settings_of(agent: object) -> dict[str, object]:
    """Every setting of the agent by its name, as JSON."""
    found: dict[str, object] = {}
    for base in reversed(type(agent).__mro__):
        for name, attribute in vars(base).items():
            if isinstance(attribute, _Assigned):
                found[name] = attribute.setting.to_json(name, getattr(agent, name))
    return found


# -- kinds of settings -----------------------------------------------------------------------------------------


def number(
    low: float, high: float = math.inf, *, above: bool = False, below: bool = False, fixed: str = ""
) -> Setting[float, float]:
    """A finite number in [low, high]; `above`: low itself is out, `below`: high itself is."""
    return Setting(lambda name, given: real(name, given, low, high, above=above, below=below), fixed)


def number_or_none(low: float, *, above: bool = False) -> Setting[float | None, float | None]:
    """None, or a finite number of at least `low`."""
    return Setting(
        lambda name, given: (
            None if given is None else real(name, given, low, above=above, otherwise=" or None")
        )
    )


def finite(*, fixed: str = "") -> Setting[float, float]:
    """Any finite number."""
    return Setting(lambda name, given: real(name, given, -math.inf), fixed)


def count(least: int, *, fixed: str = "") -> Setting[float, int]:
    """A whole number of at least `least`; 32.0 is one."""
    return Setting(lambda name, given: whole(name, given, least), fixed)


def count_or_none(least: int, *, fixed: str = "") -> Setting[float | None, int | None]:
    """None, or a whole number of at least `least`."""
    return Setting(
        lambda name, given: None if given is None else whole(name, given, least, otherwise=" or None"), fixed
    )


def count_or(other: int, least: int) -> Setting[float, int]:
    """The number `other`, or a whole number of at least `least`."""

    def check(name: str, given: Any) -> int:
        return other if given == other else whole(name, given, least, otherwise=f" or {other}")

    return Setting(check)


def flag(*, fixed: str = "") -> Setting[bool, bool]:
    """True or False."""

    def check(name: str, given: Any) -> bool:
        if not isinstance(given, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, got {given!r}")
        return bool(given)

    return Setting(check, fixed)


def word(*allowed: str, fixed: str = "") -> Setting[str, Any]:
    """One of some words."""

    def check(name: str, given: Any) -> str:
        if given not in allowed:
            raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, got {given!r}")
        return str(given)

    return Setting(check, fixed)


def counts(least: int, *, fixed: str = "") -> Setting[Sequence[float], list[int]]:
    """Whole numbers of at least `least`."""
    return Setting(lambda name, given: [whole(name, one, least) for one in given], fixed)


def schedule(
    low: float, high: float = math.inf, *, of: Argument = "progress"
) -> Setting[AnySchedule, Schedule]:
    """A schedule whose numbers lie in [low, high], of the progress of learning or of a count n = 1, 2, ..."""
    return Setting(
        lambda name, given: schedule_from(given, name, low, high, of=of),
        to_json=lambda name, kept: schedule_to_json(kept, name),
    )


# -- checks ----------------------------------------------------------------------------------------------------


def whole(name: str, given: object, least: int, *, otherwise: str = "") -> int:
    """`given` as an int: an integer of Python's or NumPy's, or a float without a fraction, such as 1e6.

    Raises:
        ValueError: too small, infinite, NaN, with a fraction, or no number at all; True is none.

    >>> whole("total_timesteps", 1e3, 0)
    1000
    """
    wanted = f"{name} must be a whole number of at least {least}{otherwise}, got {given!r}"
    if isinstance(given, bool | np.bool_) or not isinstance(given, numbers.Real):
        raise ValueError(wanted)
    if not math.isfinite(given) or given != math.floor(given):
        raise ValueError(wanted)
    if given < least:
        raise ValueError(f"{name} must be at least {least}{otherwise}, got {given}")
    exact: Any = given  # mypy knows of real numbers, but not that they make whole ones
    return int(exact)


def real(
    name: str,
    given: object,
    low: float,
    high: float = math.inf,
    *,
    above: bool = False,
    below: bool = False,
    otherwise: str = "",
) -> float:
    """`given` as a finite float in [low, high].

    Raises:
        ValueError: outside, infinite, NaN, or no number at all; True is none.
    """
    if high == math.inf:
        bounds = (
            "finite" if low == -math.inf else f"a finite number {'above' if above else 'of at least'} {low:g}"
        )
    else:
        bounds = f"in {'(' if above else '['}{low:g}, {high:g}{')' if below else ']'}"
    wanted = f"{name} must be {bounds}{otherwise}, got {given!r}"
    if isinstance(given, bool | np.bool_) or not isinstance(given, numbers.Real):
        raise ValueError(wanted)
    found = float(given)
    if (
        not (math.isfinite(found) and low <= found <= high)
        or (above and found == low)
        or (below and found == high)
    ):
        raise ValueError(wanted)
    return found


def seed_number(*, fixed: str) -> Setting[int | None, int | None]:
    """What generators are made from: a whole number of at least 0, or None for fresh entropy."""
    return Setting(
        lambda name, given: None if given is None else whole(name, given, 0, otherwise=" or None"), fixed
    )


# -- names that were given up ----------------------------------------------------------------------------------

Parameters = ParamSpec("Parameters")


def renamed(**new_names: str) -> Callable[[Callable[Parameters, None]], Callable[Parameters, None]]:
    """Decorates a constructor: a keyword by its old name raises TypeError and says the new one."""

    def decorate(constructor: Callable[Parameters, None]) -> Callable[Parameters, None]:
        @wraps(constructor)
        def checked(*arguments: Parameters.args, **keywords: Parameters.kwargs) -> None:
            for old, new in new_names.items():
                if old in keywords:
                    raise TypeError(f"{old} is called {new} now")
            constructor(*arguments, **keywords)

        return checked

    return decorate
