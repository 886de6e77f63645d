"""RussellNorvig: rows by hand, and both editions' utilities."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import after_backups

from bellglass.envs import table_of
from bellglass.envs.grids.russell_norvig import russell_norvig


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = russell_norvig(living_reward=-0.04, noise=0.2, reward_on_entry_too=False)
    cells = [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 2), (1, 3), (2, 0), (2, 1), (2, 2), (2, 3)]
    assert mdp.state_labels == tuple(cells)
    assert mdp.P[2][1] == [(0.8, 3, 1.0, True), (0.1, 2, -0.04, False), (0.1, 5, -0.04, False)]
    assert mdp.P[4][1] == [(0.8, 4, -0.04, False), (0.1, 0, -0.04, False), (0.1, 7, -0.04, False)]  # the wall
    assert [row[:3] for row in mdp.P[5][1]] == [(0.8, 6, -1.0), (0.1, 2, -0.04), (0.1, 9, -0.04)]
    assert np.flatnonzero(mdp.terminal).tolist() == [3, 6]
    assert mdp.initial.argmax() == 7


def test_the_third_edition_pays_the_living_reward_on_entering_an_exit_too() -> None:
    mdp = russell_norvig(living_reward=-0.04, noise=0.2, reward_on_entry_too=True)
    assert mdp.P[2][1][0] == (0.8, 3, 0.96, True)


@pytest.mark.parametrize(
    ("too", "utilities"),
    [
        (True, [0.812, 0.868, 0.918, 0.762, 0.660, 0.705, 0.655, 0.611, 0.388]),
        (False, [0.8516, 0.9078, 0.9578, 0.8016, 0.7003, 0.7453, 0.6953, 0.6514, 0.4279]),
    ],
)
def test_the_optimum_is_what_the_editions_print(too: bool, utilities: list[float]) -> None:
    mdp = table_of(gym.make("bellglass/RussellNorvig-v0", reward_on_entry_too=too))
    assert after_backups(mdp, 1.0, 300)[~mdp.terminal] == pytest.approx(utilities, abs=5.1e-4)


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"noise": 1.5}, r"noise must be in \[0, 1\], got 1.5"),
        ({"living_reward": float("inf")}, "living_reward must be finite, got inf"),
    ],
)
def test_numbers_out_of_range_are_refused(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        gym.make("bellglass/RussellNorvig-v0", **keywords)
