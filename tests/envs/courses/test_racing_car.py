"""RacingCar: the lecture's arcs, and the value of sparing a warm engine."""

from __future__ import annotations

import math

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.courses.racing_car import closed_form_values, racing_car


def test_the_arcs_are_those_of_the_lecture() -> None:
    mdp = racing_car()
    assert {s: mdp.P[s] for s in (0, 1)} == {
        0: {0: [(1.0, 0, 1.0, False)], 1: [(0.5, 0, 2.0, False), (0.5, 1, 2.0, False)]},
        1: {0: [(0.5, 0, 1.0, False), (0.5, 1, 1.0, False)], 1: [(1.0, 2, -10.0, True)]},
    }
    assert mdp.state_labels == ("cool", "warm", "overheated")
    assert mdp.terminal.tolist() == [False, False, True]


@pytest.mark.parametrize("discount", [0.1, 0.5, 0.9, 0.99])
def test_sparing_a_warm_engine_is_best(discount: float) -> None:
    best = bellglass.solve(gym.make("bellglass/RacingCar-v0"), discount)
    assert best.values == pytest.approx([*closed_form_values(discount), 0.0], abs=1e-7)
    assert best.policy[:2].tolist() == [1, 0]


def test_a_policy_has_a_total_where_the_optimum_has_none() -> None:
    """Always fast:  warm = -10,  cool = 2 + cool / 2 - 5 = -6.  At random:  cool = 6 + warm = 0.  Slow never ends."""
    env = gym.make("bellglass/RacingCar-v0")
    fast = bellglass.evaluate(env, [1, 1, 0], criterion="total")
    assert fast.values == pytest.approx([-6.0, -10.0, 0.0], abs=1e-12)
    assert (fast.optimum, fast.regret, fast.normalized, fast.solved) == (math.inf, math.inf, None, False)
    assert fast.random == pytest.approx(0.0, abs=1e-12)
    assert math.isnan(fast.gap)
    slow = bellglass.evaluate(env, [0, 0, 0], criterion="total")
    assert (slow.start_value, slow.regret) == (math.inf, 0.0)
