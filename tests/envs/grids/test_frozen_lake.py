"""FrozenLake: rows by hand, 14/17, and maps that are none; test_tables compares it with Gymnasium's."""

from __future__ import annotations

import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import after_backups

from bellglass.envs import table_of
from bellglass.envs.mdp import TabularMDP


def lake(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/FrozenLake-v0", **keywords))


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = lake(desc=["SF", "HG"], success_rate=0.5)
    assert mdp.P[0] == {
        0: [(0.25, 0, 0.0, False), (0.5, 0, 0.0, False), (0.25, 2, 0.0, True)],
        1: [(0.25, 0, 0.0, False), (0.5, 2, 0.0, True), (0.25, 1, 0.0, False)],
        2: [(0.25, 2, 0.0, True), (0.5, 1, 0.0, False), (0.25, 0, 0.0, False)],
        3: [(0.25, 1, 0.0, False), (0.5, 0, 0.0, False), (0.25, 0, 0.0, False)],
    }
    assert mdp.P[1][1][1] == (0.5, 3, 1.0, True)
    assert mdp.terminal.tolist() == [False, False, True, True]
    assert mdp.action_labels == ("left", "down", "right", "up")


def test_the_lake_is_worth_14_of_17_without_a_clock() -> None:
    assert after_backups(lake(), 1.0, 3000)[0] == pytest.approx(14 / 17, abs=1e-9)


def test_the_clock_takes_its_share() -> None:
    assert after_backups(lake(), 1.0, 100)[0] == pytest.approx(0.744190287829, abs=1e-9)
    assert gym.spec("bellglass/FrozenLake-v0").max_episode_steps == 100


def test_without_slipping_the_way_is_six_steps_long() -> None:
    mdp = lake(is_slippery=False, success_rate=0.1)  # the rate is ignored
    assert after_backups(mdp, 0.99, 50)[0] == pytest.approx(0.99**5)


def test_several_starts_are_equally_likely() -> None:
    assert lake(desc=["SS", "FG"]).initial.tolist() == [0.5, 0.5, 0.0, 0.0]


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"desc": ["SFF", "FG"]}, "row 1 of desc has 2 columns, row 0 has 3: .FG."),
        ({"desc": ["SX", "FG"]}, "desc may use S, F, H and G only, got 'X'"),
        ({"desc": ["FF", "FG"]}, "desc needs a start S"),
        ({"desc": []}, "desc must be a list of rows"),
        ({"desc": "SFFG"}, "desc must be a list of rows"),
        ({"map_name": "5x5"}, "map_name must be one of '4x4', '8x8', got '5x5'"),
        ({"success_rate": 1.1}, r"success_rate must be in \[0, 1\], got 1.1"),
    ],
)
def test_maps_that_are_none_are_refused(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        lake(**keywords)


def test_each_goal_out_of_reach_is_told() -> None:
    with pytest.warns(UserWarning, match="goal at row 0, column 3 of desc cannot be reached from any start$"):
        lake(desc=["SGHG"])
    with pytest.warns(UserWarning, match="row 0, column 2 of desc cannot .*, nor can 5 others: every policy"):
        lake(desc=["SHGGG", "HHGGG"])


@pytest.mark.parametrize("desc", [["SHG"], ["SFF"]])
def test_a_goal_out_of_reach_is_a_warning(desc: list[str]) -> None:
    with pytest.warns(UserWarning, match="every policy is worth 0"):
        lake(desc=desc)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert np.all(after_backups(lake(desc=desc), 1.0, 50) == 0.0)
