"""BookGrid and BridgeGrid: grids of numbered squares that one leaves by an exit action.

    BookGrid                 BridgeGrid

    .  .  .  +1              #  C  C  C  C  C  #      C is a chasm: -100
    .  #  .  -1              1  S  .  .  .  .  10
    S  .  .  .               #  C  C  C  C  C  #

A move goes as meant with probability 1 - noise, to each side with noise / 2, and stays where a wall # or the
edge is in the way.  Entering a numbered square pays nothing and ends nothing: there any action pays the number
and leads to the end, the last state.  So the number comes one step, and one discount, later than in
RussellNorvig's version of the same book grid.

Actions: 0 up, 1 right, 2 down, 3 left.

Without noise the far end of the bridge is worth  10 * discount**5  from the start and the near one
1 * discount,  so that crossing pays for discounts above  (1/10)**(1/4) = .562.  With noise no closed form is
known; the solver's certificate stands behind the book grid's .43 at the start.

Berkeley CS188, Reinforcement Learning project, gridworld.py (BookGrid, BridgeGrid); the book is Russell &
Norvig's.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Unpack

from ..keywords import real
from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, Cell, cells_of, neighbour, noisy, placed

BOOK = ("   G", " # H", "S   ")
BOOK_NUMBERS: Mapping[Cell, float] = {(0, 3): 1.0, (1, 3): -1.0}

BRIDGE = ("#CCCCC#", "1S    G", "#CCCCC#")
BRIDGE_NUMBERS: Mapping[Cell, float] = {
    (1, 0): 1.0,
    (1, 6): 10.0,
    **{(row, column): -100.0 for row in (0, 2) for column in range(1, 6)},
}

END = "end"


def numbered_grid(drawing: tuple[str, ...], numbers: Mapping[Cell, float], *, noise: float) -> TabularMDP:
    """The table: the free cells row by row, then the end.

    Args:
        drawing: rows of letters; # is a wall, S the start.
        numbers: what the exit action pays in each exit.
        noise: chance in [0, 1] of slipping to a side.
    """
    rows, columns = len(drawing), len(drawing[0])
    walls = {cell for cell in cells_of(rows, columns) if drawing[cell[0]][cell[1]] == "#"}
    cells = [cell for cell in cells_of(rows, columns) if cell not in walls]
    (start,) = (cell for cell in cells if drawing[cell[0]][cell[1]] == "S")

    def model(cell: Cell | str, name: str) -> list[tuple[float, Hashable, float]]:
        if isinstance(cell, str):
            return []
        if cell in numbers:
            return [(1.0, END, numbers[cell])]
        return [
            (p, neighbour(cell, MOVES[move], rows, columns, walls), 0.0)
            for p, move in noisy(NAMES.index(name), noise)
        ]

    return TabularMDP.from_function(
        model,
        states=[*cells, END],
        actions=NAMES,
        initial={start: 1.0},
        layout=Layout(background=drawing, cell=placed([*cells, (-1, -1)]), arrows=ARROWS),
    )


class BookGrid(TabularEnv):
    """Leave the 4x3 grid by its good exit.

    Args:
        noise: chance in [0, 1] of slipping to a side.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.9

    def __init__(self, noise: float = 0.2, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(numbered_grid(BOOK, BOOK_NUMBERS, noise=real("noise", noise, 0.0, 1.0)), **settings)


class BridgeGrid(TabularEnv):
    """Cross the bridge, or be content with the near exit.

    Args:
        noise: chance in [0, 1] of slipping to a side.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.9

    def __init__(self, noise: float = 0.2, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(
            numbered_grid(BRIDGE, BRIDGE_NUMBERS, noise=real("noise", noise, 0.0, 1.0)), **settings
        )
