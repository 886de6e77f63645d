"""Numbers that change as learning goes on: functions of a count or of progress.

A *step size* is asked at the n-th update of a pair, n = 1, 2, ...; an *exploration rate* is asked at the
progress of the call of `learn`, 0 at its first step and 1 after its last (steps taken / total_timesteps).
Robbins & Monro (1951) ask of step sizes that their sum diverges and the sum of their squares does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

#: Maps a count n = 1, 2, ... or a progress in [0, 1] to the number in force there.
Schedule = Callable[[float], float]


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
        if self.power < 0:
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
        if self.half < 0:
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
KINDS: dict[str, type[Constant | Linear | Polynomial | Hyperbolic | Exponential]] = {
    "constant": Constant,
    "linear": Linear,
    "polynomial": Polynomial,
    "hyperbolic": Hyperbolic,
    "exponential": Exponential,
}


def schedule_from(
    given: float | Schedule | Mapping[str, Any], name: str, low: float, high: float
) -> Schedule:
    """A schedule from a number, from a schedule, or from its settings as a suite writes them.

    Args:
        given: the number or schedule, or `{"kind": "linear", "start": 1.0, "end": 0.05, "fraction": 0.5}`.
        name: of the setting, for the error.
        low: no number of the schedule may lie below.
        high: no number of the schedule may lie above.

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
    elif callable(given):
        schedule = given
    elif isinstance(given, int | float | np.number) and not isinstance(given, bool):
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
        if not low <= number <= high:
            raise ValueError(f"{name} must lie in [{low:g}, {high:g}], got {number}")
    return schedule


def schedule_to_json(schedule: Schedule, name: str) -> dict[str, Any]:
    """The settings from which `schedule_from` makes the schedule again.

    Raises:
        TypeError: a schedule of the user's own, which a file cannot hold.
    """
    for kind, its_class in KINDS.items():
        if type(schedule) is its_class:
            return {"kind": kind, **asdict(schedule)}
    raise TypeError(f"{name} is a schedule of your own ({schedule!r}), which cannot be saved")


def tabulate(schedule: Schedule, places: Iterable[float]) -> npt.NDArray[np.float64]:
    """The schedule at each place, by the very calls that a step would make, so that bits agree."""
    if type(schedule) is Constant:
        return np.full(1, schedule.value)
    return np.array([schedule(x) for x in places], dtype=np.float64)
