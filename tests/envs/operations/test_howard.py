"""HowardTaxicab and HowardToymaker: the book's rows, masks and first policy iterations."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import FloatArray


def expected_rewards(env_id: str) -> FloatArray:
    return bellglass.table_of(gym.make(env_id)).expected_reward


def test_a_trip_pays_what_howard_prints() -> None:
    """His q: the expected immediate rewards, chapter 4."""
    taxi = [[8, 2.75, 4.25], [16, 15, 0], [7, 4, 4.5]]
    assert expected_rewards("bellglass/HowardTaxicab-v0").tolist() == taxi
    assert np.allclose(expected_rewards("bellglass/HowardToymaker-v0"), [[6, 4], [-3, -5]])


def test_there_is_no_radio_in_b() -> None:
    mdp = bellglass.table_of(gym.make("bellglass/HowardTaxicab-v0"))
    assert (~mdp.action_mask).nonzero()[0].tolist() == [mdp.encode("B")]
    assert mdp.P[1] == {
        0: [(0.5, 0, 14.0, False), (0.5, 2, 18.0, False)],
        1: [(0.0625, 0, 8.0, False), (0.875, 1, 16.0, False), (0.0625, 2, 8.0, False)],
        2: [],
    }
    env: Any = gym.make("bellglass/HowardTaxicab-v0", invalid_actions="raise")
    env.reset(options={"state": 1})
    with pytest.raises(ValueError, match=r"action 2 is not available in state 1 \('B'\); available: 0, 1"):
        env.step(2)


def test_the_best_policies_and_their_gains() -> None:
    taxi = bellglass.solve(gym.make("bellglass/HowardTaxicab-v0"), criterion="average")
    assert taxi.policy.tolist() == [1, 1, 1]
    assert taxi.start_value == pytest.approx(1588 / 119, abs=1e-8)
    toys = bellglass.solve(gym.make("bellglass/HowardToymaker-v0"), criterion="average")
    assert toys.policy.tolist() == [1, 1]
    assert toys.start_value == pytest.approx(2.0, abs=1e-8)
    assert bellglass.evaluate(toys.mdp, np.array([0, 0]), criterion="average").start_value == pytest.approx(
        1.0
    )
