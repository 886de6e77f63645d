"""CheeseMaze: a mouse sees only the walls around it, and three corridors look alike.

    +---+---+---+---+---+        cells      0  1  2  3  4        seen  0  1  2  1  3
    |                   |                   5     6     7              4     4     4
    +   +---+   +---+   +                   8    10     9              5     6     5
    |   |   |   |   |   |
    +   +---+   +---+   +        action 0 N, 1 S, 2 E, 3 W; a bump stays
    |   |   | * |   |   |
    +---+---+---+---+---+

`restart` False: entering the cheese pays 1 and ends.  True: entering pays 0, any action there pays 1 and leads to one
of the ten other cells.  No closed form, but few beliefs can be reached, and on their table the solver is exact.

McCallum (1992); Littman, Cassandra & Kaelbling, ICML 1995; the file cheese.95.POMDP.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag
from ..mdp import Layout, TabularMDP
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..tabular import EnvSettings
from .resets import hidden

#: (row, column) of each cell; the last one holds the cheese.
CELLS = ((0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (1, 0), (1, 2), (1, 4), (2, 0), (2, 4), (2, 2))
CHEESE = 10
MOVES = ((-1, 0), (1, 0), (0, 1), (0, -1))
SEEN = (0, 1, 2, 1, 3, 4, 4, 4, 5, 5, 6)
LOOKS = ("top left", "corridor", "junction", "top right", "shaft", "dead end", "cheese")


def after(cell: int, action: int) -> int:
    """The next cell; the same one after a bump."""
    row, column = CELLS[cell][0] + MOVES[action][0], CELLS[cell][1] + MOVES[action][1]
    return CELLS.index((row, column)) if (row, column) in CELLS else cell


def cheese_maze(*, restart: bool, observation_at_reset: bool) -> TabularPOMDP:
    """The table: cells 0 .. 10."""
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for cell in range(CHEESE):
        P[cell] = {}
        for action in range(4):
            entered = after(cell, action)
            ends = entered == CHEESE and not restart
            P[cell][action] = [(1.0, entered, float(ends), ends)]
    again = [(0.1, cell, 1.0, False) for cell in range(CHEESE)]
    P[CHEESE] = {a: again if restart else [(1.0, CHEESE, 0.0, True)] for a in range(4)}
    mdp = TabularMDP.from_P(
        P,
        initial=[0.1] * CHEESE + [0.0],
        state_labels=CELLS,
        action_labels=("N", "S", "E", "W"),
        layout=Layout(
            background=("     ", " # # ", " #G# "), cell=np.array(CELLS), arrows=("↑", "↓", "→", "←")
        ),
    )
    seen = np.eye(7)[list(SEEN)]
    return hidden(mdp, seen, LOOKS, at_reset=seen if observation_at_reset else None)


class CheeseMaze(TabularPOMDPEnv):
    """Find the cheese by the walls around you.

    Args:
        restart: whether the cheese leads back to any other cell; else entering it ends the episode.
        observation_at_reset: whether reset() shows the walls; else 'none'.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.95

    def __init__(
        self, restart: bool = True, observation_at_reset: bool = False, **settings: Unpack[EnvSettings]
    ) -> None:
        pomdp = cheese_maze(
            restart=flag("restart", restart),
            observation_at_reset=flag("observation_at_reset", observation_at_reset),
        )
        super().__init__(pomdp, **settings)
