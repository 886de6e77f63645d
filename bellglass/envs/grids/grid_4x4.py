"""Grid4x4: walk to either of two opposite corners, one point a step.

    T  1  2  3       every move costs 1; a move off the grid stays
    4  5  6  7       entering a corner T ends the episode
    8  9 10 11       actions: 0 up, 1 right, 2 down, 3 left
   12 13 14  T

The best is to walk straight to the nearer corner, so v*(r, c) = -min(r + c, 6 - r - c) without a discount.
The uniform random policy's values are the -14, -20, -22 and -18 of the book's Figure 4.1.

Sutton & Barto, Reinforcement Learning: An Introduction, 2nd ed. (2018), Example 4.1.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..mdp import FloatArray, Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, cells_of, neighbour, placed

SIDE = 4
CORNERS = ((0, 0), (SIDE - 1, SIDE - 1))


def grid_4x4() -> TabularMDP:
    """The table: 16 cells row by row; starts uniformly in the 14 that are no corner."""
    cells = cells_of(SIDE, SIDE)
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s, cell in enumerate(cells):
        P[s] = {}
        for a, move in enumerate(MOVES):
            entered = neighbour(cell, move, SIDE, SIDE)
            ends = cell in CORNERS
            P[s][a] = [(1.0, s, 0.0, True) if ends else (1.0, cells.index(entered), -1.0, entered in CORNERS)]
    starts = np.array([cell not in CORNERS for cell in cells]) / (len(cells) - len(CORNERS))
    return TabularMDP.from_P(
        P,
        initial=starts,
        state_labels=cells,
        action_labels=NAMES,
        layout=Layout(background=("G   ", "    ", "    ", "   G"), cell=placed(cells), arrows=ARROWS),
    )


def closed_form_values(discount: float = 1.0) -> FloatArray:
    """[16] the closed form: k steps cost 1 + discount + ... + discount**(k - 1)."""
    steps = np.array([min(r + c, 2 * (SIDE - 1) - r - c) for r, c in cells_of(SIDE, SIDE)])
    values: FloatArray = -np.array([sum(discount**t for t in range(k)) for k in steps], dtype=np.float64)
    return values


class Grid4x4(TabularEnv):
    """Walk to the nearer corner."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(grid_4x4(), **settings)
