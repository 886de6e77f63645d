"""Catch: rows by hand, the closed form, and a picture that tells everything."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.games.catch import closed_form_start_value
from bellglass.envs.mdp import TabularMDP


def game(**keywords: Any) -> TabularMDP:
    return bellglass.table_of(gym.make("bellglass/Catch-v0", **keywords))


def test_the_paddle_moves_before_the_ball_falls() -> None:
    mdp = game(rows=3, cols=3)
    assert mdp.num_states == 27

    def outcome(label: tuple[int, int, int], action: int) -> tuple[float, Any, float, bool]:
        ((p, next_s, reward, ended),) = mdp.P[mdp.encode(label)][action]
        return p, mdp.decode(next_s), reward, ended

    assert outcome((0, 2, 1), 2) == (1.0, (1, 2, 2), 0.0, False)
    assert outcome((0, 2, 0), 0) == (1.0, (1, 2, 0), 0.0, False)
    assert outcome((1, 2, 1), 2) == (1.0, (2, 2, 2), 1.0, True)
    assert outcome((1, 2, 1), 1) == (1.0, (2, 2, 1), -1.0, True)
    assert mdp.terminal.tolist() == [False] * 18 + [True] * 9
    assert {mdp.decode(int(s)) for s in np.flatnonzero(mdp.initial)} == {(0, x, 1) for x in range(3)}


@pytest.mark.parametrize(("rows", "cols"), [(10, 5), (2, 5), (3, 8), (4, 1)])
def test_every_ball_within_reach_is_caught(rows: int, cols: int) -> None:
    best = bellglass.solve(game(rows=rows, cols=cols), 0.9)
    assert best.start_value == pytest.approx(closed_form_start_value(rows, cols, 0.9), abs=1e-7)


def test_every_state_has_a_picture_of_its_own() -> None:
    env: Any = gym.make("bellglass/Catch-v0", render_mode="rgb_array").unwrapped
    pictures = {env.artist.picture(s).tobytes() for s in range(env.mdp.num_states)}
    assert len(pictures) == env.mdp.num_states
    assert env.artist.picture(0).shape == (320, 160, 3)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="rows must be at least 2, got 1"):
        game(rows=1)
    with pytest.raises(TypeError, match=r"cols must be a whole number at least 1, got 2\.0"):
        game(cols=2.0)
