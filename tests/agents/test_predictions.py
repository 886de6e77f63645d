"""RandomWalk and BoyanChain: rows by hand, and their closed forms."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.courses.boyan_chain import closed_form_values as boyan_values
from bellglass.envs.courses.random_walk import closed_form_values as walk_values
from bellglass.envs.mdp import TabularMDP


def table(name: str, **keywords: Any) -> TabularMDP:
    return table_of(gym.make(f"bellglass/{name}-v0", **keywords))


def test_the_walk_leaves_at_either_end() -> None:
    mdp = table("RandomWalk", n=3, left_reward=-0.5)
    assert {s: mdp.P[s][0] for s in range(3)} == {
        0: [(0.5, 3, -0.5, True), (0.5, 1, 0.0, False)],
        1: [(0.5, 0, 0.0, False), (0.5, 2, 0.0, False)],
        2: [(0.5, 1, 0.0, False), (0.5, 3, 1.0, True)],
    }
    assert mdp.state_labels == (1, 2, 3, "end")
    assert mdp.initial.tolist() == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("n", "given", "left_reward"),
    [(5, None, 0.0), (19, None, -1.0), (19, 0, 0.0), (1, 2, 2.0), (43, -3, -3.0)],
)
def test_the_walks_values_are_those_of_the_ruin(n: int, given: float | None, left_reward: float) -> None:
    mdp = table("RandomWalk", n=n, left_reward=given)
    found = bellglass.evaluate(mdp, np.zeros(n + 1, dtype=int), criterion="total").values
    assert found[:n] == pytest.approx(walk_values(n, left_reward=left_reward), abs=1e-9)


def test_the_nineteen_states_start_at_0() -> None:
    assert walk_values(19, left_reward=-1.0) == pytest.approx((np.arange(1, 20) - 10) / 10)


def test_boyans_chain_goes_down_by_one_or_two() -> None:
    mdp = table("BoyanChain")
    assert mdp.P[12][0] == [(0.5, 11, -3.0, False), (0.5, 10, -3.0, False)]
    assert mdp.P[2][0] == [(0.5, 1, -3.0, False), (0.5, 0, -3.0, True)]
    assert mdp.P[1][0] == [(1.0, 0, -2.0, True)]
    assert mdp.terminal.tolist() == [True] + [False] * 12
    assert mdp.initial[12] == 1.0
    found = bellglass.evaluate(mdp, np.zeros(13, dtype=int), criterion="total").values
    assert found == pytest.approx(boyan_values(), abs=1e-9)


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"n": 4}, ValueError, "n must be odd and at least 1, got 4"),
        ({"n": -1}, ValueError, "n must be at least 1, got -1"),
        ({"left_reward": float("nan")}, ValueError, "left_reward must be finite, got nan"),
        ({"left_reward": "none"}, TypeError, "left_reward must be a number, finite, got 'none'"),
    ],
)
def test_settings_out_of_range_are_refused(
    keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        table("RandomWalk", **keywords)
