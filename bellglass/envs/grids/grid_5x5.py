"""Grid5x5: two magic cells, A and B, throw whoever acts in them elsewhere and pay for it.

    .  A  .  B  .      any action in A = (0, 1) pays 10 and leads to (4, 1)
    .  .  .  .  .      any action in B = (0, 3) pays 5 and leads to (2, 3)
    .  .  .  b  .      a move off the grid pays -1 and stays; every other move pays 0
    .  .  .  .  .      it goes on for ever
    .  a  .  .  .      actions: 0 up, 1 right, 2 down, 3 left

From A the best is to come straight back, 1 + 4 steps for 10 points, so v*(A) = 10 / (1 - discount**5) and the
optimal gain is 2 (derived here; for discounts near 1, where B's 5 points for 1 + 2 steps do not pay, as in
the book's .9).

Sutton & Barto, Reinforcement Learning: An Introduction, 2nd ed. (2018), Examples 3.5 and 3.8.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, cells_of, neighbour, placed

SIDE = 5

#: Where a magic cell leads, and what it pays.
JUMPS = {(0, 1): ((4, 1), 10.0), (0, 3): ((2, 3), 5.0)}


def grid_5x5() -> TabularMDP:
    """The table: 25 cells row by row; starts uniformly."""
    cells = cells_of(SIDE, SIDE)
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s, cell in enumerate(cells):
        P[s] = {}
        for a, move in enumerate(MOVES):
            entered = neighbour(cell, move, SIDE, SIDE)
            reward = -1.0 if entered == cell else 0.0
            entered, reward = JUMPS.get(cell, (entered, reward))
            P[s][a] = [(1.0, cells.index(entered), reward, False)]
    return TabularMDP.from_P(
        P,
        initial=np.full(len(cells), 1 / len(cells)),
        state_labels=cells,
        action_labels=NAMES,
        layout=Layout(
            background=(" A B ", "     ", "   b ", "     ", " a   "), cell=placed(cells), arrows=ARROWS
        ),
    )


def closed_form_value_of_a(discount: float) -> float:
    """v*(A), the closed form above."""
    return 10.0 / (1.0 - discount**5)


class Grid5x5(TabularEnv):
    """Come back to A as often as possible."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(grid_5x5(), **settings)
