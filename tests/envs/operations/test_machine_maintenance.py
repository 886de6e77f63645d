"""MachineMaintenance: the book's costs and masks, and the stationary distribution of its best policy."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.operations.machine_maintenance import machine_maintenance

ENV_ID = "bellglass/MachineMaintenance-v0"


def test_actions_are_available_as_the_book_says() -> None:
    mdp = machine_maintenance()
    assert mdp.action_mask.tolist() == [
        [True, False, False],
        [True, False, True],
        [True, True, True],
        [False, False, True],
    ]
    assert mdp.expected_reward[mdp.action_mask].tolist() == [0, -1000, -6000, -3000, -4000, -6000, -6000]
    leave = mdp.transition_matrix.toarray()[[0, 3, 6]]
    assert leave.tolist() == [[0, 7 / 8, 1 / 16, 1 / 16], [0, 3 / 4, 1 / 8, 1 / 8], [0, 0, 1 / 2, 1 / 2]]
    assert mdp.P[2][1] == [(1.0, 1, -4000.0, False)]  # an overhaul ends in minor deterioration


def test_an_inoperable_machine_is_replaced_whatever_is_asked() -> None:
    env = gym.make(ENV_ID)
    env.reset(seed=0, options={"state": 3})
    observation, reward, terminated, _, info = env.step(0)
    assert (observation, reward, terminated) == (0, -6000.0, False)
    assert info["invalid_action"]


def test_the_best_policy_costs_what_its_stationary_distribution_says() -> None:
    solution = bellglass.solve(gym.make(ENV_ID), criterion="average")
    assert solution.policy.tolist() == [0, 0, 1, 2]
    visits = np.array([2 / 21, 5 / 7, 2 / 21, 2 / 21])
    costs = np.array([0, 1000, 4000, 6000])
    assert visits @ costs == pytest.approx(5000 / 3)
    assert solution.start_value == pytest.approx(-5000 / 3, abs=1e-6)
