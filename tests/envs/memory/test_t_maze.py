"""TMaze: rows and signals by hand, and what memory is worth."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import after_backups

from bellglass.envs import pomdp_of
from bellglass.envs.memory.t_maze import best_fixed_turn, closed_form_start_value, t_maze


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = t_maze(1).mdp
    assert {s: mdp.P[s] for s in range(4)} == {
        0: {
            0: [(1.0, 0, -0.1, False)],
            1: [(1.0, 1, 0.0, False)],
            2: [(1.0, 0, -0.1, False)],
            3: [(1.0, 0, -0.1, False)],
        },
        1: {
            0: [(1.0, 4, 4.0, True)],
            1: [(1.0, 1, -0.1, False)],
            2: [(1.0, 4, -0.1, True)],
            3: [(1.0, 0, 0.0, False)],
        },
        2: {
            0: [(1.0, 2, -0.1, False)],
            1: [(1.0, 3, 0.0, False)],
            2: [(1.0, 2, -0.1, False)],
            3: [(1.0, 2, -0.1, False)],
        },
        3: {
            0: [(1.0, 4, -0.1, True)],
            1: [(1.0, 3, -0.1, False)],
            2: [(1.0, 4, 4.0, True)],
            3: [(1.0, 2, 0.0, False)],
        },
    }
    assert mdp.initial.tolist() == [0.5, 0.0, 0.5, 0.0, 0.0]


def test_the_signal_is_seen_in_the_first_cell_only() -> None:
    pomdp = pomdp_of(gym.make("bellglass/TMaze-v0"))
    assert pomdp.num_states == 23
    assert pomdp.observation_probability.argmax(axis=1)[:22].tolist() == [0, *[2] * 9, 3, 1, *[2] * 9, 3]
    assert np.array_equal(pomdp.initial_observation, pomdp.observation_probability)


@pytest.mark.parametrize("N", [1, 4, 10])
def test_who_knows_the_signal_gets_four_after_n_steps(N: int) -> None:
    mdp = t_maze(N).mdp
    assert mdp.initial @ after_backups(mdp, 0.98, 2 * N + 2) == pytest.approx(
        closed_form_start_value(N, 0.98), abs=1e-12
    )


def test_the_closed_forms_are_the_known_numbers() -> None:
    assert closed_form_start_value(10, 0.98) == pytest.approx(3.26829122755, abs=1e-10)
    assert best_fixed_turn(10, 0.98) == pytest.approx(1.59329197343, abs=1e-10)
    assert gym.make("bellglass/TMaze-v0").get_wrapper_attr("discount") == 0.98


def test_the_text_shows_the_maze_of_the_present_signal() -> None:
    env = gym.make("bellglass/TMaze-v0", N=2, render_mode="ansi")
    env.reset(seed=0, options={"state": 4})
    assert env.render() == " #  #  H\n S [.] .\n #  #  G\nsignal down"
    env.reset(options={"state": 2})
    assert env.render() == " #  #  G\n S  . [.]\n #  #  H\nsignal up"
    env.step(0)
    assert env.render() == "(end)"


def test_a_corridor_needs_a_cell() -> None:
    with pytest.raises(ValueError, match="N must be at least 1, got 0"):
        gym.make("bellglass/TMaze-v0", N=0)
