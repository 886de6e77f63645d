"""PutermanTwoState: the table and its closed form on both sides of 10/11."""

from __future__ import annotations

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.courses.puterman_two_state import closed_form_values, puterman_two_state


def test_the_table_is_that_of_section_3_1() -> None:
    mdp = puterman_two_state()
    assert mdp.P == {
        0: {0: [(0.5, 0, 5.0, False), (0.5, 1, 5.0, False)], 1: [(1.0, 1, 10.0, False)]},
        1: {0: [(1.0, 1, -1.0, False)], 1: []},
    }
    assert mdp.initial.tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("discount", "action"), [(0.0, 1), (0.5, 1), (0.9, 1), (0.92, 0), (0.95, 0), (0.99, 0)]
)
def test_the_closed_form_is_optimal_and_changes_its_action_at_ten_elevenths(
    discount: float, action: int
) -> None:
    best = bellglass.solve(gym.make("bellglass/PutermanTwoState-v0"), discount)
    assert best.values == pytest.approx(closed_form_values(discount), abs=1e-7)
    assert best.policy.tolist() == [action, 0]
