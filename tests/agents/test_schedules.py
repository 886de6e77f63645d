"""Schedules, by hand and through their settings."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from bellglass.agents.schedules import (
    Constant,
    Exponential,
    Hyperbolic,
    Linear,
    Polynomial,
    Schedule,
    schedule_from,
    schedule_to_json,
    tabulate,
)


@pytest.mark.parametrize(
    ("schedule", "place", "expected"),
    [
        (Constant(0.3), 17, 0.3),
        (Linear(1.0, 0.2), 0.25, 0.8),
        (Linear(1.0, 0.2, fraction=0.5), 0.25, 0.6),
        (Linear(1.0, 0.2, fraction=0.5), 0.75, 0.2),
        (Polynomial(0.5), 4, 0.5),
        (Polynomial(1.0, scale=0.5), 5, 0.1),
        (Hyperbolic(half=9.0), 1, 1.0),
        (Hyperbolic(half=9.0), 11, 0.5),
        (Exponential(1.0, 0.01), 0.5, 0.1),
        (Exponential(1.0, 0.01, fraction=0.5), 0.5, 0.01),
    ],
)
def test_values_by_hand(schedule: Schedule, place: float, expected: float) -> None:
    assert schedule(place) == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(
    "schedule",
    [Constant(0.3), Linear(1.0, 0.2, 0.4), Polynomial(0.7, 0.9), Hyperbolic(3.0), Exponential(1.0, 0.1)],
)
def test_settings_make_the_same_schedule_again(schedule: Schedule) -> None:
    settings = json.loads(json.dumps(schedule_to_json(schedule, "epsilon")))
    assert schedule_from(settings, "epsilon", 0.0, 1.0) == schedule


def test_numbers_become_constants() -> None:
    assert schedule_from(np.float64(0.5), "epsilon", 0.0, 1.0) == Constant(0.5)
    assert schedule_from(1, "epsilon", 0.0, 1.0) == Constant(1.0)


def test_a_tabulated_schedule_has_the_bits_of_the_calls() -> None:
    schedule = Polynomial(0.6)
    assert tabulate(schedule, range(1, 1000)).tolist() == [schedule(n) for n in range(1, 1000)]
    assert tabulate(Constant(0.1), range(1000)).tolist() == [0.1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Linear(1.0, 0.0, fraction=0.0), r"fraction must be in \(0, 1\], got 0"),
        (lambda: Exponential(1.0, 0.0), "start and end must be positive"),
        (lambda: Polynomial(-1.0), "power must be at least 0"),
        (lambda: Hyperbolic(-1.0), "half must be at least 0"),
        (lambda: schedule_from(1.5, "step_size", 0.0, 1.0), r"step_size must lie in \[0, 1\], got 1.5"),
        (lambda: schedule_from(float("nan"), "step_size", 0.0, 1.0), "step_size must lie in"),
        (lambda: schedule_from({"start": 1.0}, "epsilon", 0.0, 1.0), "epsilon names the kind None"),
    ],
)
def test_wrong_numbers_are_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("wrong", ["0.1", True, None, [0.1]])
def test_other_things_are_no_schedules(wrong: Any) -> None:
    with pytest.raises(TypeError, match="epsilon must be a number, a schedule or its settings"):
        schedule_from(wrong, "epsilon", 0.0, 1.0)
