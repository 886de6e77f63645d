"""Grid5x5 against the book's Figure 3.5."""

from __future__ import annotations

import pytest
from helpers.bellman import after_backups

from bellglass.envs.grids.grid_5x5 import closed_form_value_of_a, grid_5x5


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = grid_5x5()
    for a in range(4):
        assert mdp.P[1][a] == [(1.0, 21, 10.0, False)]
        assert mdp.P[3][a] == [(1.0, 13, 5.0, False)]
    assert mdp.P[0] == {
        0: [(1.0, 0, -1.0, False)],
        1: [(1.0, 1, 0.0, False)],
        2: [(1.0, 5, 0.0, False)],
        3: [(1.0, 0, -1.0, False)],
    }
    assert not mdp.terminal.any()
    assert mdp.initial.tolist() == [0.04] * 25


def test_the_optimum_is_the_books() -> None:
    values = after_backups(grid_5x5(), 0.9, 400)
    assert values.reshape(5, 5)[0].round(1).tolist() == [22.0, 24.4, 22.0, 19.4, 17.5]
    assert values.reshape(5, 5)[4].round(1).tolist() == [14.4, 16.0, 14.4, 13.0, 11.7]


@pytest.mark.parametrize("discount", [0.85, 0.9, 0.95])
def test_a_pays_ten_every_five_steps(discount: float) -> None:
    assert after_backups(grid_5x5(), discount, 700)[1] == pytest.approx(
        closed_form_value_of_a(discount), abs=1e-9
    )
