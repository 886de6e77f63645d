"""FourRooms: four rooms joined by four doorways, and legs that obey two times in three.

    #############
    #.....#.....#      a move goes as meant with probability 2/3, in each other direction with 1/9
    #.....#.....#      (deterministic: always as meant); walls stop it
    #...........#
    #.....#.....#      entering the goal pays 1 and ends the episode, everything else pays 0
    #.....#.....#      actions: 0 up, 1 right, 2 down, 3 left
    ##.####.....#
    #.....###.###
    #.....#.....#
    #.....#.....#
    #...........#
    #.....#.....#
    #############

Deterministic moves make  v*(start) = discount**(d - 1)  for a shortest way of d steps: 20 from the corner (1, 1)
to the corner (11, 11).  With slips no closed form is known.

Sutton, Precup & Singh, Between MDPs and semi-MDPs, Artificial Intelligence 112 (1999), Figure 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from ..keywords import flag
from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, Cell, cells_of, free_cell, neighbour, placed

MAP = (
    "#############",
    "#.....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#.....#",
    "#.....#.....#",
    "##.####.....#",
    "#.....###.###",
    "#.....#.....#",
    "#.....#.....#",
    "#...........#",
    "#.....#.....#",
    "#############",
)
SIDE = len(MAP)
WALLS = frozenset(cell for cell in cells_of(SIDE, SIDE) if MAP[cell[0]][cell[1]] == "#")
CELLS = tuple(cell for cell in cells_of(SIDE, SIDE) if cell not in WALLS)

AS_MEANT, ASTRAY = 2.0 / 3.0, 1.0 / 9.0


def four_rooms(*, goal: Cell, start: Cell, deterministic: bool) -> TabularMDP:
    """The table: the 104 free cells row by row."""

    def model(cell: Cell, name: str) -> list[tuple[float, Cell, float]]:
        if cell == goal:
            return []
        chances = {other: ASTRAY for other in NAMES} | {name: AS_MEANT}
        if deterministic:
            chances = {name: 1.0}
        entered = {other: neighbour(cell, MOVES[NAMES.index(other)], SIDE, SIDE, WALLS) for other in chances}
        return [(p, entered[other], float(entered[other] == goal)) for other, p in chances.items()]

    drawing = [list(row.replace(".", " ")) for row in MAP]
    drawing[start[0]][start[1]], drawing[goal[0]][goal[1]] = "S", "G"
    return TabularMDP.from_function(
        model,
        states=CELLS,
        actions=NAMES,
        initial={start: 1.0},
        layout=Layout(background=tuple("".join(row) for row in drawing), cell=placed(CELLS), arrows=ARROWS),
    )


class FourRooms(TabularEnv):
    """Walk through the rooms to the goal.

    Args:
        goal: row and column of a free cell; row 0 is the upper wall.
        start: row and column of another free cell.
        deterministic: whether every move goes as meant.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.9

    def __init__(
        self,
        goal: Sequence[int] = (11, 11),
        start: Sequence[int] = (1, 1),
        deterministic: bool = False,
        **settings: Unpack[EnvSettings],
    ) -> None:
        goal_cell, start_cell = free_cell("goal", goal, CELLS), free_cell("start", start, CELLS)
        if start_cell == goal_cell:
            raise ValueError(f"start must be another cell than goal, got {start_cell} for both")
        super().__init__(
            four_rooms(goal=goal_cell, start=start_cell, deterministic=flag("deterministic", deterministic)),
            **settings,
        )
