"""PutermanInventory: the book's rewards and chances, masks, keywords."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.operations.puterman_inventory import puterman_inventory

ENV_ID = "bellglass/PutermanInventory-v0"


def test_rewards_and_chances_are_those_of_pages_41_and_42() -> None:
    mdp = bellglass.table_of(gym.make(ENV_ID))
    rewards = np.where(mdp.action_mask, mdp.expected_reward, np.nan)
    expected = [
        [0, -1, -2, -5],
        [5, 0, -3, np.nan],
        [6, -1, np.nan, np.nan],
        [5, np.nan, np.nan, np.nan],
    ]
    np.testing.assert_array_equal(rewards, expected)
    chances = mdp.transition_matrix.toarray().reshape(4, 4, 4)
    for after_order, row in enumerate(
        [[1, 0, 0, 0], [0.75, 0.25, 0, 0], [0.25, 0.5, 0.25, 0], [0, 0.25, 0.5, 0.25]]
    ):
        for s in range(after_order + 1):
            assert chances[s, after_order - s].tolist() == row


def test_keywords_change_what_they_name() -> None:
    """Stock 1, order 2: sales min(3, d) are 1 on average."""
    mdp = puterman_inventory(4, K=10.0, c=3.0, h=2.0, price=100.0)
    assert mdp.num_states == mdp.num_actions == 5
    assert mdp.expected_reward[1, 2] == 100.0 * 1.0 - (10.0 + 3.0 * 2) - 2.0 * 3
    assert mdp.action_mask.sum(axis=1).tolist() == [5, 4, 3, 2, 1]


def test_the_first_of_three_orders_is_three_from_nothing() -> None:
    best = bellglass.solve(gym.make(ENV_ID), criterion="finite_horizon", horizon=3)
    assert best.policy.tolist() == [[3, 0, 0, 0], [2, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"M": 0}, ValueError, "M must be at least 1, got 0"),
        ({"K": float("nan")}, ValueError, "K must be finite, got nan"),
        ({"c": None}, TypeError, "c must be a number, finite, got None"),
        ({"M": 10**8}, ValueError, "would take .* GiB"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)
