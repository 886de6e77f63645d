"""Maze: find the goal in the corner; the mazes of the chapter on planning, before and after they change.

    dyna                           blocking, phase 0 (1)          shortcut, phase 0 (1)

    .  .  .  .  .  .  .  #  G      .  .  .  .  .  .  .  .  G      .  .  .  .  .  .  .  .  G
    .  .  #  .  .  .  .  #  .      .  .  .  .  .  .  .  .  .      .  .  .  .  .  .  .  .  .
    S  .  #  .  .  .  .  #  .      .  .  .  .  .  .  .  .  .      .  .  .  .  .  .  .  .  .
    .  .  #  .  .  .  .  .  .      #  #  #  #  #  #  #  #  .      .  #  #  #  #  #  #  #  #
    .  .  .  .  .  #  .  .  .      .  .  .  .  .  .  .  .  .      .  .  .  .  .  .  .  .  .
    .  .  .  .  .  .  .  .  .      .  .  .  S  .  .  .  .  .      .  .  .  S  .  .  .  .  .
                                   (phase 1: the gap is on        (phase 1: one more gap,
                                   the left instead)              on the right)

Moves never slip; walls and edges block.  Entering G pays 1 and ends the episode, everything else pays 0.
Actions: 0 up, 1 right, 2 down, 3 left.  An environment stays in its phase: to see the maze change, make both.

With a shortest way of d steps from the start,  v*(start) = discount**(d - 1):  d = 14 for dyna, 10 and 16 for
blocking, 16 and 10 for shortcut.

Sutton & Barto, Reinforcement Learning: An Introduction, 2nd ed. (2018), Examples 8.1-8.3, Figures 8.2, 8.4, 8.5.
"""

from __future__ import annotations

from typing import Literal, Unpack

from ..keywords import one_of, whole
from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, Cell, cells_of, neighbour, placed

MazeLayout = Literal["dyna", "blocking", "shortcut"]

ROWS, COLUMNS = 6, 9
GOAL = (0, 8)
STARTS: dict[str, Cell] = {"dyna": (2, 0), "blocking": (5, 3), "shortcut": (5, 3)}

DYNA_WALLS = ((1, 2), (2, 2), (3, 2), (4, 5), (0, 7), (1, 7), (2, 7))

#: The columns of the wall in row 3, by layout and phase.
BARRIERS = {
    ("blocking", 0): range(0, 8),
    ("blocking", 1): range(1, 9),
    ("shortcut", 0): range(1, 9),
    ("shortcut", 1): range(1, 8),
}


def maze(layout: str, *, phase: int) -> TabularMDP:
    """The table: the free cells row by row."""
    walls = set(DYNA_WALLS) if layout == "dyna" else {(3, column) for column in BARRIERS[layout, phase]}
    cells = [cell for cell in cells_of(ROWS, COLUMNS) if cell not in walls]

    def model(cell: Cell, name: str) -> list[tuple[float, Cell, float]]:
        if cell == GOAL:
            return []
        entered = neighbour(cell, MOVES[NAMES.index(name)], ROWS, COLUMNS, walls)
        return [(1.0, entered, float(entered == GOAL))]

    def letter(cell: Cell) -> str:
        return "G" if cell == GOAL else "S" if cell == STARTS[layout] else "#" if cell in walls else " "

    return TabularMDP.from_function(
        model,
        states=cells,
        actions=NAMES,
        initial={STARTS[layout]: 1.0},
        layout=Layout(
            background=tuple(
                "".join(letter((row, column)) for column in range(COLUMNS)) for row in range(ROWS)
            ),
            cell=placed(cells),
            arrows=ARROWS,
        ),
    )


class Maze(TabularEnv):
    """Find the goal.

    Args:
        layout: "dyna", "blocking" or "shortcut".
        phase: in [0, 1]: 0 before the change, 1 after it; "dyna" does not change.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.95

    def __init__(self, layout: MazeLayout = "dyna", phase: int = 0, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(
            maze(one_of("layout", layout, tuple(STARTS)), phase=whole("phase", phase, 0, 1)), **settings
        )
