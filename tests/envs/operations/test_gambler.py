"""Gambler: rows by hand, masks, and bold play's closed form."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import backed_up

from bellglass.envs import table_of
from bellglass.envs.operations.gambler import closed_form_values, gambler


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = gambler(p_h=0.25, goal=4)
    assert {s: mdp.P[s] for s in (1, 2, 3)} == {
        1: {0: [(0.25, 2, 0.0, False), (0.75, 0, 0.0, True)], 1: []},
        2: {
            0: [(0.25, 3, 0.0, False), (0.75, 1, 0.0, False)],
            1: [(0.25, 4, 1.0, True), (0.75, 0, 0.0, True)],
        },
        3: {0: [(0.25, 4, 1.0, True), (0.75, 2, 0.0, False)], 1: []},
    }
    assert mdp.terminal.tolist() == [True, False, False, False, True]
    assert mdp.initial.tolist() == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0])


def test_stakes_that_you_cannot_or_need_not_pay_are_masked() -> None:
    mdp = table_of(gym.make("bellglass/Gambler-v0"))
    assert mdp.num_actions == 50
    for s in range(101):
        assert mdp.action_mask[s].sum() == min(s, 100 - s)
    env = gym.make("bellglass/Gambler-v0")
    env.reset(seed=0, options={"state": 3})
    _, _, _, _, info = env.step(40)
    assert info["invalid_action"]
    assert info["state"] in (2, 4)  # played as a stake of 1


@pytest.mark.parametrize("p_h", [0.0, 0.1, 0.25, 0.4, 0.5, 0.55, 0.9, 1.0])
@pytest.mark.parametrize("goal", [2, 7, 100])
def test_the_closed_form_solves_bellmans_equation(p_h: float, goal: int) -> None:
    values = closed_form_values(p_h=p_h, goal=goal)
    after = backed_up(gambler(p_h=p_h, goal=goal), np.where(np.arange(goal + 1) == goal, 0.0, values), 1.0)
    assert after[1:goal] == pytest.approx(values[1:goal], abs=1e-12)


def test_the_closed_form_is_what_the_book_draws() -> None:
    values = closed_form_values(p_h=0.4, goal=100)
    assert values[[25, 50, 75]] == pytest.approx([0.16, 0.4, 0.64], abs=1e-12)
    assert values[[1, 13, 51, 99]] == pytest.approx(
        [0.00206562477654, 0.0652393748659, 0.403098437165, 0.964332967227], abs=1e-10
    )
    assert closed_form_values(p_h=0.55, goal=100)[1] == pytest.approx(0.181818182164, abs=1e-11)


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [({"p_h": 1.1}, r"p_h must be in \[0, 1\], got 1.1"), ({"goal": 1}, "goal must be at least 2, got 1")],
)
def test_settings_out_of_range_are_refused(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        gym.make("bellglass/Gambler-v0", **keywords)
