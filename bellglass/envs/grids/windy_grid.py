"""WindyGrid: a straight walk, were it not for the wind that carries everyone up.

    .  .  .  .  .  .  .  .  .  .
    .  .  .  .  .  .  .  .  .  .      new cell = cell + move + wind of the column that is left,
    .  .  .  .  .  .  .  .  .  .      clamped to the grid once both are added
    S  .  .  .  .  .  .  G  .  .
    .  .  .  .  .  .  .  .  .  .      every step pays -1; reaching G ends the episode
    .  .  .  .  .  .  .  .  .  .
    .  .  .  .  .  .  .  .  .  .
    0  0  0  1  1  1  2  2  1  0  up

Actions: 0 up, 1 right, 2 down, 3 left; `kings` adds 4 up-right, 5 down-right, 6 down-left, 7 up-left; `noop` adds
one more at the end, which only drifts.  `stochastic`: where the wind w blows at all, it is w - 1, w or w + 1,
each with probability 1/3.

Without a discount v*(start) is minus the length of the shortest way: 15 steps, 7 for kings, whom the ninth action
does not help.  In a stochastic wind no closed form is known.

Sutton & Barto, Reinforcement Learning: An Introduction, 2nd ed. (2018), Example 6.5 and Exercises 6.9-6.10.
"""

from __future__ import annotations

from typing import Unpack

from ..keywords import flag
from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, Cell, cells_of, placed

ROWS, COLUMNS = 7, 10
START, GOAL = (3, 0), (3, 7)

#: How many rows the wind carries up whoever leaves a column.
WIND = (0, 0, 0, 1, 1, 1, 2, 2, 1, 0)

#: Name, move and glyph of the actions that `kings` and `noop` add.
KINGS = (
    ("up-right", (-1, 1), "↗"),
    ("down-right", (1, 1), "↘"),
    ("down-left", (1, -1), "↙"),
    ("up-left", (-1, -1), "↖"),
)
NOOP = ("stay", (0, 0), "-")

#: How the picture shows the wind.
GUSTS = (" ", "↑", "⇑")


def windy_grid(*, kings: bool, noop: bool, stochastic: bool) -> TabularMDP:
    """The table: 70 cells row by row."""
    steps = [*zip(NAMES, MOVES, ARROWS, strict=True), *(KINGS if kings else ()), *((NOOP,) if noop else ())]
    moves = {name: move for name, move, _ in steps}

    def model(cell: Cell, name: str) -> list[tuple[float, Cell, float]]:
        if cell == GOAL:
            return []
        wind = WIND[cell[1]]
        gusts = (wind - 1, wind, wind + 1) if stochastic and wind > 0 else (wind,)
        return [(1.0 / len(gusts), blown(cell, moves[name], gust), -1.0) for gust in gusts]

    letters = "".join(GUSTS[wind] for wind in WIND)
    drawing = [list(letters) for _ in range(ROWS)]
    drawing[START[0]][START[1]], drawing[GOAL[0]][GOAL[1]] = "S", "G"
    cells = cells_of(ROWS, COLUMNS)
    return TabularMDP.from_function(
        model,
        states=cells,
        actions=list(moves),
        initial={START: 1.0},
        layout=Layout(
            background=tuple("".join(row) for row in drawing),
            cell=placed(cells),
            arrows=tuple(glyph for *_, glyph in steps),
        ),
    )


def blown(cell: Cell, move: Cell, wind: int) -> Cell:
    """Where the move ends that a wind carries up by `wind` rows."""
    row, column = cell[0] + move[0] - wind, cell[1] + move[1]
    return min(max(row, 0), ROWS - 1), min(max(column, 0), COLUMNS - 1)


class WindyGrid(TabularEnv):
    """Reach the goal against the wind.

    Args:
        kings: whether diagonal moves are allowed too.
        noop: whether staying in place (but for the wind) is allowed too.
        stochastic: whether the wind varies by one.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        kings: bool = False,
        noop: bool = False,
        stochastic: bool = False,
        **settings: Unpack[EnvSettings],
    ) -> None:
        super().__init__(
            windy_grid(
                kings=flag("kings", kings), noop=flag("noop", noop), stochastic=flag("stochastic", stochastic)
            ),
            **settings,
        )
