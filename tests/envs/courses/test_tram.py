"""Tram: blocks by hand, masks, and the recursion from the end."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.courses.tram import closed_form_values, tram

ENV_ID = "bellglass/Tram-v0"


def test_five_blocks_by_hand() -> None:
    mdp = tram(5, fail=0.25)
    assert [mdp.decode(s) for s in range(5)] == [1, 2, 3, 4, 5]
    assert {s: mdp.P[s] for s in range(4)} == {
        0: {0: [(1.0, 1, -1.0, False)], 1: [(0.75, 1, -2.0, False), (0.25, 0, -2.0, False)]},
        1: {0: [(1.0, 2, -1.0, False)], 1: [(0.75, 3, -2.0, False), (0.25, 1, -2.0, False)]},
        2: {0: [(1.0, 3, -1.0, False)], 1: []},
        3: {0: [(1.0, 4, -1.0, True)], 1: []},
    }
    assert mdp.terminal.tolist() == [False] * 4 + [True]
    assert tram(4, fail=0.0).P[1][1] == [(1.0, 3, -2.0, True)]  # a ride to the last block ends the journey


@pytest.mark.parametrize(
    ("N", "fail"), [(2, 0.5), (10, 0.5), (27, 0.5), (64, 0.1), (100, 0.0), (30, 0.95), (30, 1.0)]
)
def test_the_recursion_is_optimal(N: int, fail: float) -> None:
    best = bellglass.solve(gym.make(ENV_ID, N=N, fail=fail), criterion="total")
    assert best.values == pytest.approx(closed_form_values(N, fail=fail), abs=1e-6)


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"N": 1}, ValueError, "N must be at least 2, got 1"),
        ({"N": "10"}, TypeError, "N must be a whole number at least 2, got '10'"),
        ({"fail": 1.5}, ValueError, r"fail must be in \[0, 1\], got 1.5"),
        ({"N": 10**13}, ValueError, "would take .* GiB"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)
