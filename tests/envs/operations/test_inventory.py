"""Inventory: rows by hand, Poisson chances, and Zheng & Federgruen's formula for (s, S) policies."""

from __future__ import annotations

from math import exp
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import scipy.stats

import bellglass
from bellglass.envs.mdp import IntArray
from bellglass.envs.operations.inventory import cost_of_levels
from bellglass.envs.operations.poisson import poisson

ENV_ID = "bellglass/Inventory-v0"


def test_poisson_chances_are_lumped_into_the_last() -> None:
    assert poisson(3.0, 4) == pytest.approx(
        [*scipy.stats.poisson(3.0).pmf(range(4)), scipy.stats.poisson(3.0).sf(3)]
    )
    assert poisson(5.0, 0).tolist() == pytest.approx([1.0])
    assert poisson(0.0).tolist() == [1.0]
    for mean in (0.3, 10.0, 75.0, 2000.0):
        chances = poisson(mean)
        assert chances.sum() == pytest.approx(1.0, abs=1e-13)
        assert chances @ np.arange(len(chances)) == pytest.approx(mean, rel=1e-12)
        assert scipy.stats.poisson(mean).sf(len(chances) - 1) < 1e-13


def test_the_rows_are_those_of_the_definition() -> None:
    """Stock 1 ordered up to 3, with lo = -2: demands 0, 1, .. leave 3, 2, 1, 0, -1, -2, -2, ..."""
    mdp = bellglass.table_of(gym.make(ENV_ID, lam=1.0, K=50, h=2, b=7, lo=-2, hi=5))
    s, a = mdp.encode(1), 3 - (-2)
    rows = mdp.P[s][a]
    assert [mdp.decode(row[1]) for row in rows[:7]] == [3, 2, 1, 0, -1, -2, -2]
    assert [row[2] for row in rows[:7]] == [-56, -54, -52, -50, -57, -64, -71]
    assert [row[0] for row in rows[:3]] == pytest.approx([exp(-1), exp(-1), exp(-1) / 2])
    kept = mdp.P[s][1 - (-2)]
    assert [row[2] for row in kept[:3]] == [-2, 0, -7]  # no order, no fixed cost
    assert mdp.action_mask[s].tolist() == [level >= 1 for level in range(-2, 6)]
    assert mdp.decode(int(mdp.initial.argmax())) == 0


def ordering_up_to(s: int, S: int, lo: int, hi: int) -> IntArray:
    stock = np.arange(lo, hi + 1)
    return np.where(stock <= s, S, stock) - lo


@pytest.mark.parametrize(("s", "S", "lam"), [(6, 40, 10.0), (0, 5, 2.5), (-3, 12, 4.0)])
def test_the_formula_is_the_gain_of_the_policy_on_the_table(s: int, S: int, lam: float) -> None:
    mdp = bellglass.table_of(gym.make(ENV_ID, lam=lam))
    score = bellglass.evaluate(mdp, ordering_up_to(s, S, -60, 120), criterion="average")
    assert -score.start_value == pytest.approx(cost_of_levels(s, S, lam=lam, K=64, h=1, b=9), abs=1e-6)


def test_no_policy_beats_the_best_levels() -> None:
    keywords: dict[str, Any] = {"lam": 5.0, "K": 20, "h": 1, "b": 4}
    best = bellglass.solve(gym.make(ENV_ID, **keywords, lo=-40, hi=50), criterion="average")
    costs = [cost_of_levels(s, S, **keywords) for s in range(-5, 10) for S in range(s + 1, 30)]
    assert -best.start_value == pytest.approx(min(costs), abs=1e-6)


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"lam": -1}, ValueError, r"lam must be in \[0, 1e\+06\], got -1"),
        ({"lo": 1}, ValueError, r"lo must be in \[-1000000, 0\], got 1"),
        ({"hi": -1}, ValueError, "hi must be at least 0, got -1"),
        ({"hi": 12.5}, TypeError, "hi must be a whole number at least 0, got 12.5"),
        ({"b": "dear"}, TypeError, "b must be a number, finite, got 'dear'"),
        ({"hi": 10**6}, ValueError, "would take .* GiB"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)
