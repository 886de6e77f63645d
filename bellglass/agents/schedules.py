"""Numbers that change as learning goes on: functions of a count or of progress.

A *step size* is asked at the n-th update of a pair, n = 1, 2, ...; an *exploration rate* or a *learning rate* is
asked at the progress of learning, which runs from 0 at the first step up to 1 after the last (steps taken / steps
planned).  Stable-Baselines3's schedules run the other way, from 1 down to 0 (`progress_remaining`): a function of
theirs, or one whose parameter bears that name, is asked at 1 - progress.
Robbins & Monro (1951) ask of step sizes that their sum diverges and the sum of their squares does not.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

#: Maps a count n = 1, 2, ... or a progress in [0, 1] to the number in force there.
Schedule = Callable[[float], float]

#: What a schedule is asked at: the progress of learning, from 0 up to 1, or a count 1, 2, ...
Argument = Literal["progress", "count"]


@dataclass(frozen=True)
class Constant:
    """The same number for ever."""

    value: float

    def __call__(self, x: float) -> float:
        """The value, whatever x is."""
        return self.value


@dataclass(frozen=True)
class Linear:
    """From `start` to `end` along a straight line over the first `fraction` of the way, then `end`.

    Meant for progress in [0, 1]: `Linear(1.0, 0.05, fraction=0.5)` is at .05 from half of the steps on.
    """

    start: float
    end: float
    fraction: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 < self.fraction <= 1.0:
            raise ValueError(f"fraction must be in (0, 1], got {self.fraction}")

    def __call__(self, x: float) -> float:
        """The value at progress x in [0, 1]."""
        return self.end if x >= self.fraction else self.start + (self.end - self.start) * (x / self.fraction)


@dataclass(frozen=True)
class Polynomial:
    """scale * n ** -power; 0.5 < power <= 1 meets the Robbins-Monro conditions.  Meant for counts n = 1, 2, ..."""

    power: float = 1.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.power < math.inf:
            raise ValueError(f"power must be at least 0, got {self.power}")

    def __call__(self, x: float) -> float:
        """The value at count x."""
        return float(self.scale * x**-self.power)


@dataclass(frozen=True)
class Hyperbolic:
    """scale * (1 + half) / (n + half): falls like 1/n, at half of its start after about `half` updates.

    `Hyperbolic(half=(1 + discount) / (1 - discount))` is the rescaled linear step size of Wainwright (2019),
    "Stochastic approximation with cone-contractive operators", up to a constant: a plain 1/n forgets the start
    at a rate that is exponentially slow in 1 / (1 - discount).
    """

    half: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.half < math.inf:
            raise ValueError(f"half must be at least 0, got {self.half}")

    def __call__(self, x: float) -> float:
        """The value at count x = 1, 2, ..."""
        return float(self.scale * (1.0 + self.half) / (x + self.half))


@dataclass(frozen=True)
class Exponential:
    """start * (end / start) ** (x / fraction), then `end`: equal ratios in equal times.  Meant for progress."""

    start: float
    end: float
    fraction: float = 1.0

    def __post_init__(self) -> None:
        if not (self.start > 0 and self.end > 0):
            raise ValueError(f"start and end must be positive, got {self.start} and {self.end}")
        if not 0.0 < self.fraction <= 1.0:
            raise ValueError(f"fraction must be in (0, 1], got {self.fraction}")

    def __call__(self, x: float) -> float:
        """The value at progress x in [0, 1]."""
        if x >= self.fraction:
            return self.end
        return float(self.start * (self.end / self.start) ** (x / self.fraction))


#: The schedules that files and settings can name.
KnownSchedule = Constant | Linear | Polynomial | Hyperbolic | Exponential
KINDS: dict[str, type[KnownSchedule]] = {
    "constant": Constant,
    "linear": Linear,
    "polynomial": Polynomial,
    "hyperbolic": Hyperbolic,
    "exponential": Exponential,
}


@dataclass(frozen=True)
class OwnSchedule:
    """A schedule of the user's own, checked at every number that it gives.

    Attributes:
        given: the user's function.
        name: of the setting.
        low: no number may lie below.
        high: no number may lie above.
        of: what it is asked at.
        remaining: it wants what remains of the progress, from 1 down to 0, as in Stable-Baselines3.
    """

    given: Schedule
    name: str
    low: float
    high: float
    of: Argument
    remaining: bool = False

    def __call__(self, x: float) -> float:
        """The number that the function gives at x.

        Raises:
            ValueError: it is none, or outside [low, high].
        """
        value = self.given(1.0 - x if self.remaining else x)
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not self.low <= number <= self.high:
            raise ValueError(
                f"{self.name} must lie in {_range(self.low, self.high)}, but its schedule {self.given!r} gives "
                f"{value!r} at {self.of} {x:g}"
                + (
                    " (progress runs from 0 at the first step to 1 at the last)"
                    if self.of == "progress"
                    else ""
                )
            )
        return number


def _range(low: float, high: float) -> str:
    return f"[{low:g}, {high:g}]" if high < math.inf else f"[{low:g}, inf)"


def parameter_of(function: Schedule) -> str:
    """The name of the parameter that a schedule is called with; empty where it does not say."""
    try:
        return next(iter(inspect.signature(function).parameters), "")
    except (TypeError, ValueError):  # a function in C
        return ""


def wants_remaining(function: Schedule) -> bool:
    """Whether a function says that it runs in Stable-Baselines3's direction: theirs, or by its parameter's name."""
    home = getattr(function, "__module__", None) or ""
    return home.startswith("stable_baselines3.") or parameter_of(function) == "progress_remaining"


def warn_if_rising(name: str, first: float, last: float, *, runs: str, instead: str) -> None:
    """Warns of a rate that is higher at the end of learning than at its start: perhaps it runs the wrong way."""
    if last > first:
        warnings.warn(
            f"{name} rises from {first:g} at the first step to {last:g} at the last: {runs}.  {instead}",
            UserWarning,
            stacklevel=2,
        )


def schedule_from(
    given: float | Schedule | Mapping[str, Any],
    name: str,
    low: float,
    high: float,
    *,
    of: Argument = "progress",
) -> Schedule:
    """A schedule from a number, from a schedule, or from its settings as a suite writes them.

    Args:
        given: the number or schedule, or `{"kind": "linear", "start": 1.0, "end": 0.05, "fraction": 0.5}`.
        name: of the setting, for the error.
        low: no number of the schedule may lie below.
        high: no number of the schedule may lie above.
        of: what it is asked at; progress runs from 0 at the first step up to 1 after the last.

    A function of the user's own is checked at every number that it gives.  If it gives more at progress 1 than at
    progress 0, a warning says which way progress runs, unless its parameter is called `progress`; if it is one of
    Stable-Baselines3's, or its parameter is called `progress_remaining`, it is asked at 1 - progress.

    Raises:
        ValueError: a number outside [low, high], or an unknown kind or setting.
        TypeError: something else.

    >>> schedule_from({"kind": "linear", "start": 1.0, "end": 0.0}, "epsilon", 0.0, 1.0)(0.25)
    0.75
    """
    if isinstance(given, Mapping):
        settings = dict(given)
        kind = settings.pop("kind", None)
        if kind not in KINDS:
            raise ValueError(f"{name} names the kind {kind!r}; known are {', '.join(KINDS)}")
        try:
            schedule: Schedule = KINDS[kind](**settings)
        except TypeError as error:
            raise ValueError(f"{name}: {error}") from error
    elif type(given) in KINDS.values():
        schedule = given  # type: ignore[assignment]  # one of ours
    elif callable(given):
        return _own(given, name, low, high, of)
    elif isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool):
        schedule = Constant(float(given))
    else:
        raise TypeError(f"{name} must be a number, a schedule or its settings, got {given!r}")
    numbers: tuple[float, ...] = ()
    if isinstance(schedule, Constant):
        numbers = (schedule.value,)
    elif isinstance(schedule, Linear | Exponential):
        numbers = (schedule.start, schedule.end)
    elif isinstance(schedule, Polynomial | Hyperbolic):
        numbers = (schedule.scale,)
    for number in numbers:
        if not (low <= number <= high and math.isfinite(number)):
            raise ValueError(f"{name} must lie in {_range(low, high)}, got {number}")
    return schedule


def _own(given: Schedule, name: str, low: float, high: float, of: Argument) -> OwnSchedule:
    """The user's function, checked; it is tried where learning begins, and where it ends if that is known."""
    if isinstance(given, OwnSchedule):
        given = given.given
    schedule = OwnSchedule(given, name, low, high, of, of == "progress" and wants_remaining(given))
    if of == "count":
        schedule(1)
        return schedule
    first, last = schedule(0.0), schedule(1.0)
    if parameter_of(given) != "progress":
        warn_if_rising(
            name,
            first,
            last,
            runs="progress runs from 0 up to 1 here, in Stable-Baselines3 from 1 down to 0",
            instead="Call the function's parameter `progress` if it is meant so, or `progress_remaining` if it is "
            "written for theirs",
        )
    return schedule


def schedule_to_json(schedule: Schedule, name: str) -> dict[str, Any]:
    """The settings from which `schedule_from` makes the schedule again.

    Raises:
        TypeError: a schedule of the user's own, which a file cannot hold.
    """
    for kind, its_class in KINDS.items():
        if type(schedule) is its_class:
            return {"kind": kind, **asdict(schedule)}
    own = schedule.given if isinstance(schedule, OwnSchedule) else schedule
    raise TypeError(f"{name} is a schedule of your own ({own!r}), which cannot be saved")


def tabulate(schedule: Schedule, places: Iterable[float]) -> npt.NDArray[np.float64]:
    """The schedule at each place, by the very calls that a step would make, so that bits agree."""
    if type(schedule) is Constant:
        return np.full(1, schedule.value)
    return np.array([schedule(x) for x in places], dtype=np.float64)
