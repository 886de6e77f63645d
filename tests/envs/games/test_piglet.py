"""Piglet: the six states of n = 2 by hand, and a symmetric game."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.games.piglet import chances_of_winning
from bellglass.envs.mdp import TabularMDP


def game(**keywords: Any) -> TabularMDP:
    return bellglass.table_of(gym.make("bellglass/Piglet-v0", **keywords))


def rows(mdp: TabularMDP, label: Any, action: int) -> set[tuple[float, Any, float, bool]]:
    return {(p, mdp.decode(next_s), r, ended) for p, next_s, r, ended in mdp.P[mdp.encode(label)][action]}


def test_the_two_point_game_is_the_one_worked_out_by_hand() -> None:
    """The opponent always flips: from an empty bank it wins a turn with chance 1/4, from one point with 1/2."""
    mdp = game()
    assert mdp.state_labels == ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 1, 0), "end")
    tails = {(0.5 * 0.75, (0, 0, 0), 0.0, False), (0.5 * 0.25, "end", 0.0, True)}
    assert rows(mdp, (0, 0, 0), 0) == {(0.5, (0, 0, 1), 0.0, False)} | tails
    assert rows(mdp, (0, 0, 1), 0) == {(0.5, "end", 1.0, True)} | tails
    assert rows(mdp, (0, 0, 1), 1) == {(0.75, (1, 0, 0), 0.0, False), (0.25, "end", 0.0, True)}
    assert rows(mdp, (0, 1, 0), 1) == {(0.5, (0, 1, 0), 0.0, False), (0.5, "end", 0.0, True)}
    assert mdp.initial[0] == 1.0


def test_two_points_are_worth_four_sevenths() -> None:
    """Neller and Presser's Table: P(0,0,0) = 4/7, P(0,0,1) = 5/7, 2/5, 3/5, 4/5, 2/3."""
    best = bellglass.solve(game(), criterion="total", tolerance=1e-11)
    expected = [4 / 7, 5 / 7, 2 / 5, 3 / 5, 4 / 5, 2 / 3, 0.0]
    assert best.values == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("n", [1, 3, 10, 20])
def test_against_best_play_one_can_do_no_better_than_best_play(n: int) -> None:
    flip, hold = chances_of_winning(n)
    own, _, turn = np.indices((n, n, n))
    known = np.fmax(flip, hold)[own + turn < n]
    best = bellglass.solve(game(n=n), criterion="total", tolerance=1e-11)
    assert best.values is not None
    assert len(known) == n * n * (n + 1) // 2 == len(best.values) - 1
    assert best.values[:-1] == pytest.approx(known, abs=1e-9)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        game(n=0)
