"""Measures of hardness, against arithmetic, closed forms and the book of known answers."""

from __future__ import annotations

import math

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import TabularMDP


def ring(n: int) -> TabularMDP:
    """N states in a ring; action 0 waits, action 1 goes on; state 0 pays 1 for going on."""

    def model(s: int, a: str) -> list[tuple[float, int, float]]:
        return [(1.0, s, 0.0)] if a == "wait" else [(1.0, (s + 1) % n, float(s == 0))]

    return TabularMDP.from_function(model, range(n), ["wait", "go"])


def test_the_diameter_of_a_ring_is_one_less_than_its_length() -> None:
    measured = bellglass.hardness(ring(7), 0.9)
    assert measured.diameter == pytest.approx(6.0, abs=1e-9)
    assert measured.diameter_pair is not None
    s, t = measured.diameter_pair
    assert (s - t) % 7 == 1


def test_the_diameter_of_river_swim_is_the_books() -> None:
    river = bellglass.table_of(gym.make("bellglass/RiverSwim-v0", variant="strehl"))
    assert bellglass.hardness(river, 0.95).diameter == pytest.approx(22.5102880658, abs=1e-6)


def test_an_end_jumps_to_the_start() -> None:
    """0 -> 1 -> end, and back to 0: from 1 the start is one step away, and 1 is one step from it."""
    walk = TabularMDP.from_function(lambda s, a: [] if s == 2 else [(1.0, s + 1, 0.0)], range(3), ["on"])
    measured = bellglass.hardness(walk, 0.9)
    assert measured.diameter == pytest.approx(1.0)
    assert measured.bias_span == pytest.approx(0.0, abs=1e-9)


def test_where_there_is_no_way_back_the_diameter_is_infinite_and_names_the_pair() -> None:
    trap = TabularMDP.from_P(
        {0: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 0.0, False)]}, 1: {0: [(1.0, 1, 1.0, False)]}},
        initial=[1, 0],
    )
    measured = bellglass.hardness(trap, 0.9)
    assert measured.diameter == math.inf
    assert measured.diameter_pair == (1, 0)


def test_gaps_by_hand() -> None:
    """In the ring of 2 at discount .5: V*(0) = 1 / (1 - .25) = 4/3, V*(1) = 2/3; waiting halves either."""
    measured = bellglass.hardness(ring(2), 0.5)
    np.testing.assert_allclose(measured.action_gaps, [[2 / 3, 0], [1 / 3, 0]], atol=1e-9)
    assert measured.min_gap == pytest.approx(1 / 3)
    assert measured.sum_inverse_gaps == pytest.approx(1.5 + 3.0)
    assert measured.effective_horizon == 2.0


def test_an_unavailable_action_has_no_finite_gap() -> None:
    stakes = bellglass.table_of(gym.make("bellglass/Gambler-v0", goal=8))
    measured = bellglass.hardness(stakes, 0.99)
    assert np.isinf(measured.action_gaps[~stakes.action_mask]).all()
    assert np.isfinite(measured.action_gaps[stakes.action_mask]).all()


def test_laidlaws_horizon_counts_the_backups_that_greed_needs() -> None:
    """1 now, or a room where one of three actions pays 2: the random policy's Q says 2/3 < 1."""

    def model(s: str, a: int) -> list[tuple[float, str, float]]:
        if s == "start":
            return [(1.0, "end", 1.0)] if a == 0 else [(1.0, "room", 0.0)]
        return [] if s == "end" else [(1.0, "end", 2.0 * (a == 2))]

    table = TabularMDP.from_function(model, ["start", "room", "end"], range(3))
    assert bellglass.hardness(table, 0.99).laidlaw_horizon == 2
    assert bellglass.hardness(table, 0.4).laidlaw_horizon == 1  # so hasty that 1 now is best
    assert bellglass.hardness(ring(3), 0.9).laidlaw_horizon == 1


def test_mixing_time_of_a_coin_by_hand() -> None:
    """Lazy, the coin's chain is [[.75, .25], [.25, .75]]: its distance from (.5, .5) is .5 ** (t + 1)."""
    coin = TabularMDP.from_P(
        {s: {0: [(0.5, 0, 0.0, False), (0.5, 1, 0.0, False)]} for s in (0, 1)}, initial=[1, 0]
    )
    assert bellglass.hardness(coin, 0.9).mixing_time == 1.0


@pytest.mark.parametrize("n", [3, 6])
def test_mixing_time_of_a_ring_by_counting(n: int) -> None:
    lazy = np.linalg.matrix_power
    chain = 0.5 * (np.eye(n) + np.roll(np.eye(n), 1, axis=1))
    expected = next(
        t for t in range(1000) if 0.5 * np.abs(lazy(chain, t) - 1 / n).sum(axis=1).max() <= 0.25 + 1e-15
    )
    assert bellglass.hardness(ring(n), 0.9).mixing_time == expected


def test_bias_span_of_two_states_by_hand() -> None:
    """Going round the ring of 2 earns 1/2 a step; being at 0 rather than at 1 is worth 1/2."""
    assert bellglass.hardness(ring(2), 0.9).bias_span == pytest.approx(0.5, abs=1e-7)
