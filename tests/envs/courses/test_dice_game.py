"""DiceGame: two rows and a maximum."""

from __future__ import annotations

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.courses.dice_game import closed_form_start_value, dice_game

ENV_ID = "bellglass/DiceGame-v0"


def test_staying_pays_also_when_the_game_then_ends() -> None:
    mdp = dice_game()
    assert mdp.P[0] == {0: [(2 / 3, 0, 4.0, False), (1 / 3, 1, 4.0, True)], 1: [(1.0, 1, 10.0, True)]}
    assert mdp.terminal.tolist() == [False, True]
    assert mdp.initial.tolist() == [1.0, 0.0]


def test_staying_is_best_without_a_discount() -> None:
    best = bellglass.solve(gym.make(ENV_ID), criterion="total")
    assert best.start_value == pytest.approx(12.0, abs=1e-7)
    assert best.policy[0] == 0


@pytest.mark.parametrize(("discount", "action"), [(0.0, 1), (0.75, 1), (0.89, 1), (0.91, 0), (0.99, 0)])
def test_the_closed_form_is_optimal(discount: float, action: int) -> None:
    best = bellglass.solve(gym.make(ENV_ID), discount)
    assert best.start_value == pytest.approx(closed_form_start_value(discount), abs=1e-7)
    assert best.policy[0] == action
