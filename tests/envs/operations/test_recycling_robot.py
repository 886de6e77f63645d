"""RecyclingRobot: the book's table, its mask, and the closed form of recharging."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.operations.recycling_robot import closed_form_values, recycling_robot

ENV_ID = "bellglass/RecyclingRobot-v0"


def test_the_table_is_that_of_page_52() -> None:
    mdp = recycling_robot(alpha=0.75, beta=0.25, r_search=3.0, r_wait=0.5)
    assert mdp.P == {
        0: {0: [(0.75, 0, 3.0, False), (0.25, 1, 3.0, False)], 1: [(1.0, 0, 0.5, False)], 2: []},
        1: {
            0: [(0.25, 1, 3.0, False), (0.75, 0, -3.0, False)],
            1: [(1.0, 1, 0.5, False)],
            2: [(1.0, 0, 0.0, False)],
        },
    }
    assert mdp.initial.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("alpha", "r_search", "discount"), [(0.9, 2.0, 0.9), (0.6, 4.0, 0.99), (0.8, 5.0, 0.8)]
)
def test_recharging_is_best_where_a_rescue_is_likely(alpha: float, r_search: float, discount: float) -> None:
    env = gym.make(ENV_ID, alpha=alpha, beta=0.1, r_search=r_search)
    best = bellglass.solve(env, discount)
    assert best.policy.tolist() == [0, 2]
    closed = closed_form_values(alpha=alpha, r_search=r_search, discount=discount)
    assert best.values == pytest.approx(closed, abs=1e-7)


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"alpha": 1.2}, ValueError, r"alpha must be in \[0, 1\], got 1.2"),
        ({"beta": -0.2}, ValueError, r"beta must be in \[0, 1\], got -0.2"),
        ({"r_search": float("nan")}, ValueError, "r_search must be finite, got nan"),
        ({"r_wait": "1"}, TypeError, "r_wait must be a number, finite, got '1'"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)
