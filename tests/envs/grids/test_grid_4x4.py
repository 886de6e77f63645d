"""Grid4x4 against the book's Figure 4.1 and the shortest way."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import backed_up

from bellglass.envs import table_of
from bellglass.envs.grids.grid_4x4 import closed_form_values, grid_4x4


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = grid_4x4()
    assert mdp.P[1] == {
        0: [(1.0, 1, -1.0, False)],
        1: [(1.0, 2, -1.0, False)],
        2: [(1.0, 5, -1.0, False)],
        3: [(1.0, 0, -1.0, True)],
    }
    assert mdp.P[11][2] == [(1.0, 15, -1.0, True)]
    assert np.flatnonzero(mdp.terminal).tolist() == [0, 15]
    assert mdp.initial.tolist() == [0.0, *[1 / 14] * 14, 0.0]
    assert mdp.encode((2, 3)) == 11
    assert mdp.action_labels == ("up", "right", "down", "left")


@pytest.mark.parametrize("discount", [1.0, 0.9, 0.0])
def test_the_closed_form_solves_bellmans_equation(discount: float) -> None:
    values = closed_form_values(discount)
    assert backed_up(grid_4x4(), values, discount) == pytest.approx(values, abs=1e-12)


def test_the_random_policy_is_worth_what_the_book_prints() -> None:
    mdp = table_of(gym.make("bellglass/Grid4x4-v0"))
    live = ~mdp.terminal
    step = mdp.transition_matrix.toarray().reshape(16, 4, 16).mean(axis=1)
    values = np.zeros(16)
    values[live] = np.linalg.solve(
        np.eye(14) - step[np.ix_(live, live)], mdp.expected_reward[live].mean(axis=1)
    )
    book = [0, -14, -20, -22, -14, -18, -20, -20, -20, -20, -18, -14, -22, -20, -14, 0]
    assert values == pytest.approx(book, abs=1e-9)
