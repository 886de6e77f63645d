"""BernoulliBandit: rows by hand, exact fractions, and Gittins' indices."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.memory import gittins_index


def bandit(**keywords: Any) -> bellglass.TabularMDP:
    return bellglass.table_of(gym.make("bellglass/BernoulliBandit-v0", **keywords))


def test_a_pull_adds_to_its_arms_counts() -> None:
    mdp = bandit(n=3)
    assert mdp.num_states == 1 + 4 + 10 + 1
    two_one = mdp.P[mdp.encode((2, 1, 1, 1))]
    assert two_one[0] == [
        (2 / 3, mdp.encode((3, 1, 1, 1)), 1.0, False),
        (1 - 2 / 3, mdp.encode((2, 2, 1, 1)), 0.0, False),
    ]
    assert two_one[1] == [
        (1 / 2, mdp.encode((2, 1, 2, 1)), 1.0, False),
        (1 / 2, mdp.encode((2, 1, 1, 2)), 0.0, False),
    ]
    assert {(row[1], row[3]) for row in mdp.P[mdp.encode((2, 2, 1, 1))][0]} == {(mdp.encode("end"), True)}
    assert mdp.initial[mdp.encode((1, 1, 1, 1))] == 1.0


@cache
def worth(a: int, b: int, c: int, d: int, pulls: int) -> Fraction:
    """The recursion over counts in exact fractions."""
    if pulls == 0:
        return Fraction(0)
    p, q = Fraction(a, a + b), Fraction(c, c + d)
    one = p * (1 + worth(a + 1, b, c, d, pulls - 1)) + (1 - p) * worth(a, b + 1, c, d, pulls - 1)
    other = q * (1 + worth(a, b, c + 1, d, pulls - 1)) + (1 - q) * worth(a, b, c, d + 1, pulls - 1)
    return max(one, other)


@pytest.mark.parametrize("n", [1, 2, 7, 10])
def test_the_optimum_is_the_exact_fraction(n: int) -> None:
    best = bellglass.solve(bandit(n=n), criterion="total", tolerance=1e-10)
    assert best.start_value == pytest.approx(float(worth(1, 1, 1, 1, n)), abs=1e-9)


@pytest.mark.parametrize(
    ("a", "b", "discount", "printed"),
    [
        (1, 1, 0.9, 0.7029),
        (1, 1, 0.95, 0.7614),
        (2, 1, 0.9, 0.8001),
        (1, 2, 0.9, 0.5001),
        (1, 1, 0.5, 0.5590),
    ],
)
def test_gittins_indices_are_those_of_his_tables(a: int, b: int, discount: float, printed: float) -> None:
    assert gittins_index(a, b, discount) == pytest.approx(printed, abs=6e-5)


def test_an_index_is_its_arms_mean_plus_what_can_be_learned() -> None:
    assert gittins_index(3, 1, 0.0) == 0.75
    assert gittins_index(300_000, 100_000, 0.5) == pytest.approx(0.75, abs=1e-5)
    assert 0.5 < gittins_index(1, 1, 0.3) < gittins_index(1, 1, 0.8) < 1.0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ((0, 1, 0.9), "a must be positive, got 0"),
        ((1, -1, 0.9), "b must be at least 0, got -1"),
        ((1, 1, 1.0), r"discount must be in \[0, 1\), got 1\.0"),
        ((1, 1, 0.999999), "look .* pulls ahead, .* at most"),
    ],
)
def test_an_index_out_of_reach_is_refused(arguments: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        gittins_index(*arguments)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        bandit(n=0)
