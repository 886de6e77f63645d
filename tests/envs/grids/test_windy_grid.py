"""WindyGrid: where the wind carries whom, and the shortest ways."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.mdp import TabularMDP

UP, RIGHT, DOWN, LEFT, UP_RIGHT, DOWN_RIGHT, DOWN_LEFT, UP_LEFT = range(8)


def windy(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/WindyGrid-v0", **keywords))


def entered(mdp: TabularMDP, cell: tuple[int, int], action: int) -> list[Any]:
    return [mdp.decode(row[1]) for row in mdp.P[mdp.encode(cell)][action]]


def test_the_wind_of_the_column_that_is_left_is_added_before_the_grid_stops_it() -> None:
    mdp = windy()
    assert entered(mdp, (3, 2), RIGHT) == [(3, 3)]
    assert entered(mdp, (3, 3), RIGHT) == [(2, 4)]
    assert entered(mdp, (3, 6), DOWN) == [(2, 6)]
    assert entered(mdp, (6, 6), DOWN) == [(5, 6)]  # clamped after both, not after the move
    assert entered(mdp, (0, 7), UP) == [(0, 7)]
    assert entered(mdp, (5, 6), RIGHT) == [(3, 7)]
    assert mdp.P[mdp.encode((5, 6))][RIGHT] == [(1.0, mdp.encode((3, 7)), -1.0, True)]
    assert entered(mdp, (3, 0), LEFT) == [(3, 0)]
    assert mdp.P[mdp.encode((3, 0))][LEFT] == [(1.0, mdp.encode((3, 0)), -1.0, False)]
    assert mdp.initial[mdp.encode((3, 0))] == 1.0


def test_kings_move_aslant_and_the_last_action_drifts() -> None:
    kings = windy(kings=True, noop=True)
    moves = {UP_RIGHT: (2, 2), DOWN_RIGHT: (4, 2), DOWN_LEFT: (4, 0), UP_LEFT: (2, 0), 8: (3, 1)}
    for action, cell in moves.items():
        assert entered(kings, (3, 1), action) == [cell]
    assert entered(kings, (3, 6), 8) == [(1, 6)]
    assert [windy(noop=noop, kings=king).num_actions for king in (False, True) for noop in (False, True)] == [
        *(4, 5),
        *(8, 9),
    ]
    assert entered(windy(noop=True), (3, 6), 4) == [(1, 6)]


def test_a_stochastic_wind_varies_where_it_blows() -> None:
    mdp = windy(stochastic=True)
    assert entered(mdp, (3, 3), RIGHT) == [(3, 4), (2, 4), (1, 4)]
    assert entered(mdp, (3, 7), RIGHT) == [(3, 7)]  # the end
    assert entered(mdp, (4, 6), LEFT) == [(3, 5), (2, 5), (1, 5)]
    assert entered(mdp, (3, 1), RIGHT) == [(3, 2)]
    assert [row[0] for row in mdp.P[mdp.encode((3, 3))][RIGHT]] == [1 / 3] * 3


@pytest.mark.parametrize(("kings", "noop", "steps"), [(False, False, 15), (True, False, 7), (True, True, 7)])
def test_the_shortest_way_is_the_books(kings: bool, noop: bool, steps: int) -> None:
    assert bellglass.solve(windy(kings=kings, noop=noop), criterion="total").start_value == -steps


def test_words_for_flags_are_refused() -> None:
    with pytest.raises(TypeError, match="kings must be True or False, got 'yes'"):
        windy(kings="yes")
