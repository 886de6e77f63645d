"""Maze and FourRooms: rows by hand, walls that block, and shortest ways."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.mdp import TabularMDP

UP, RIGHT, DOWN, LEFT = range(4)


def maze(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/Maze-v0", **keywords))


def rooms(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/FourRooms-v0", **keywords))


def test_walls_and_edges_block_and_entering_the_goal_pays() -> None:
    mdp = maze()
    cell = mdp.encode
    assert mdp.num_states == 54 - 7
    assert mdp.P[cell((2, 1))][RIGHT] == [(1.0, cell((2, 1)), 0.0, False)]
    assert mdp.P[cell((2, 0))][LEFT] == [(1.0, cell((2, 0)), 0.0, False)]
    assert mdp.P[cell((1, 8))][UP] == [(1.0, cell((0, 8)), 1.0, True)]
    assert mdp.terminal.nonzero()[0].tolist() == [cell((0, 8))]


@pytest.mark.parametrize(
    ("layout", "phase", "start", "steps", "states"),
    [
        ("dyna", 0, (2, 0), 14, 47),
        ("dyna", 1, (2, 0), 14, 47),
        ("blocking", 0, (5, 3), 10, 46),
        ("blocking", 1, (5, 3), 16, 46),
        ("shortcut", 0, (5, 3), 16, 46),
        ("shortcut", 1, (5, 3), 10, 47),
    ],
)
def test_the_shortest_way_is_the_books(
    layout: str, phase: int, start: tuple[int, int], steps: int, states: int
) -> None:
    mdp = maze(layout=layout, phase=phase)
    assert mdp.num_states == states
    assert mdp.initial[mdp.encode(start)] == 1.0
    assert bellglass.solve(mdp, 0.95).start_value == pytest.approx(0.95 ** (steps - 1), abs=1e-9)


def test_a_move_goes_each_other_way_once_in_nine() -> None:
    mdp = rooms()
    cell = mdp.encode
    assert mdp.num_states == 104
    chances: dict[Any, float] = {}
    for p, next_s, _, _ in mdp.P[cell((1, 1))][DOWN]:
        chances[mdp.decode(next_s)] = chances.get(mdp.decode(next_s), 0.0) + p
    assert chances == pytest.approx({(2, 1): 2 / 3, (1, 2): 1 / 9, (1, 1): 2 / 9})
    assert (2 / 3, cell((11, 11)), 1.0, True) in mdp.P[cell((10, 11))][DOWN]
    for hall in ((3, 6), (10, 6), (6, 2), (7, 9)):
        assert not mdp.terminal[cell(hall)]


@pytest.mark.parametrize(
    ("start", "goal", "steps"), [((1, 1), (11, 11), 20), ((11, 1), (1, 11), 20), ((5, 2), (7, 2), 2)]
)
def test_deterministic_rooms_are_crossed_by_the_shortest_way(
    start: tuple[int, int], goal: tuple[int, int], steps: int
) -> None:
    mdp = rooms(start=list(start), goal=list(goal), deterministic=True)
    assert mdp.initial[mdp.encode(start)] == 1.0
    assert mdp.terminal[mdp.encode(goal)]
    assert bellglass.solve(mdp, 0.9).start_value == pytest.approx(0.9 ** (steps - 1), abs=1e-9)
    assert np.unique(mdp.probability).tolist() == [1.0]


@pytest.mark.parametrize(
    ("env", "keywords", "error", "problem"),
    [
        ("Maze", {"layout": "minos"}, ValueError, "'dyna', 'blocking', 'shortcut', got 'minos'"),
        ("Maze", {"phase": 2}, ValueError, r"phase must be in \[0, 1\], got 2"),
        ("FourRooms", {"goal": (0, 0)}, ValueError, r"one of the 104 free cells, got \(0, 0\)"),
        ("FourRooms", {"goal": 3}, TypeError, r"goal must be a pair \(row, column\)"),
        ("FourRooms", {"start": (11, 11)}, ValueError, r"another cell than goal, got \(11, 11\) for both"),
    ],
)
def test_settings_out_of_range_are_refused(
    env: str, keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        gym.make(f"bellglass/{env}-v0", **keywords)
