"""BookGrid and BridgeGrid: rows by hand, and when crossing the bridge pays."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.mdp import TabularMDP


def grid(name: str, **keywords: Any) -> TabularMDP:
    return table_of(gym.make(f"bellglass/{name}-v0", **keywords))


def test_the_book_grid_is_left_by_acting_in_an_exit_and_not_by_entering_it() -> None:
    mdp = grid("BookGrid")
    cell = mdp.encode
    assert mdp.P[cell((0, 2))][1] == [  # right, into the good exit
        (0.8, cell((0, 3)), 0.0, False),
        (0.1, cell((0, 2)), 0.0, False),  # up, off the grid
        (0.1, cell((1, 2)), 0.0, False),
    ]
    for action in range(4):
        assert mdp.P[cell((0, 3))][action] == [(1.0, cell("end"), 1.0, True)]
        assert mdp.P[cell((1, 3))][action] == [(1.0, cell("end"), -1.0, True)]
    assert mdp.P[cell((2, 1))][0][0] == (0.8, cell((2, 1)), 0.0, False)  # the wall
    assert mdp.initial[cell((2, 0))] == 1.0
    assert (mdp.num_states, mdp.terminal.sum()) == (12, 1)


def test_the_bridge_is_a_row_of_blanks_between_two_chasms() -> None:
    mdp = grid("BridgeGrid", noise=0.0)
    cell = mdp.encode
    for column in range(1, 6):
        assert mdp.P[cell((1, column))][0] == [(1.0, cell((0, column)), 0.0, False)]
        assert mdp.P[cell((0, column))][2] == [(1.0, cell("end"), -100.0, True)]
        assert mdp.P[cell((2, column))][3] == [(1.0, cell("end"), -100.0, True)]
    assert mdp.P[cell((1, 0))][0] == [(1.0, cell("end"), 1.0, True)]
    assert mdp.P[cell((1, 6))][0] == [(1.0, cell("end"), 10.0, True)]
    assert mdp.num_states == 17 + 1


@pytest.mark.parametrize(
    ("discount", "worth"), [(0.9, 10 * 0.9**5), (0.6, 10 * 0.6**5), (0.5, 0.5), (0.56, 0.56)]
)
def test_crossing_pays_for_the_patient_alone(discount: float, worth: float) -> None:
    start_value = bellglass.solve(grid("BridgeGrid", noise=0.0), discount).start_value
    assert start_value == pytest.approx(worth, abs=1e-9)


def test_noise_out_of_range_is_refused() -> None:
    for name in ("BookGrid", "BridgeGrid"):
        with pytest.raises(ValueError, match=r"noise must be in \[0, 1\], got -0.1"):
            grid(name, noise=-0.1)
