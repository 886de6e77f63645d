"""ForestManagement: rows by hand, and the renewal chains' gains."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.operations.forest_management import closed_form_gain, forest_management

ENV_ID = "bellglass/ForestManagement-v0"


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = forest_management(4, r1=7.0, r2=5.0, p=0.25)
    assert mdp.P == {
        0: {0: [(0.25, 0, 0.0, False), (0.75, 1, 0.0, False)], 1: [(1.0, 0, 0.0, False)]},
        1: {0: [(0.25, 0, 0.0, False), (0.75, 2, 0.0, False)], 1: [(1.0, 0, 1.0, False)]},
        2: {0: [(0.25, 0, 0.0, False), (0.75, 3, 0.0, False)], 1: [(1.0, 0, 1.0, False)]},
        3: {0: [(0.25, 0, 7.0, False), (0.75, 3, 7.0, False)], 1: [(1.0, 0, 5.0, False)]},
    }
    assert mdp.initial.tolist() == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "keywords",
    [
        {},  # waiting is best
        {"S": 10, "p": 0.3},  # cutting in age 1
        {"S": 4, "r1": 0.1, "r2": 9.0, "p": 0.0},  # cutting in the oldest age
        {"S": 2, "r1": -1.0, "r2": -2.0, "p": 0.5},  # cutting in age 0 pays nothing
    ],
)
def test_the_best_gain_is_the_closed_form(keywords: dict[str, Any]) -> None:
    full: dict[str, Any] = {"S": 3, "r1": 4.0, "r2": 2.0, "p": 0.1} | keywords
    solution = bellglass.solve(gym.make(ENV_ID, **keywords), criterion="average", tolerance=1e-10)
    assert solution.start_value == pytest.approx(closed_form_gain(**full), abs=1e-9)


def test_a_large_forest_is_made_by_array_operations() -> None:
    mdp = forest_management(100_000, r1=4.0, r2=2.0, p=0.1)
    assert mdp.num_outcomes == 300_000
    assert mdp.P[99_999][0] == [(0.1, 0, 4.0, False), (0.9, 99_999, 4.0, False)]


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"S": 1}, ValueError, "S must be at least 2, got 1"),
        ({"S": 2.5}, TypeError, "S must be a whole number at least 2, got 2.5"),
        ({"p": 1.5}, ValueError, r"p must be in \[0, 1\], got 1.5"),
        ({"r1": float("inf")}, ValueError, "r1 must be finite, got inf"),
        ({"r2": "two"}, TypeError, "r2 must be a number, finite, got 'two'"),
        ({"S": 10**13}, ValueError, "would take .* GiB"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)
