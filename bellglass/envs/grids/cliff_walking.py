"""CliffWalking: the short way home runs along a cliff.

    . . . . . . . . . . . .      every step pays -1
    . . . . . . . . . . . .      a step onto the cliff C pays -100 instead and leads back to S
    . . . . . . . . . . . .      entering G ends it
    S C C C C C C C C C C G      actions: 0 up, 1 right, 2 down, 3 left

`is_slippery`: one third each for the move meant and the two beside it.  Bumping a wall beside the cliff and
falling off it can land on the same cell for different rewards, so outcomes stay apart.

Gymnasium's CliffWalking-v1 and CliffWalkingSlippery-v1, outcome for outcome: the cliff's own cells are states
with rows too, though nothing leads there.  Without slipping v*(start) = -13: one up, eleven along, one down.

Sutton & Barto, Reinforcement Learning: An Introduction, 2nd ed. (2018), Example 6.6.
"""

from __future__ import annotations

from typing import Unpack

from ..keywords import flag
from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, cells_of, neighbour, placed

ROWS, COLUMNS = 4, 12
START, GOAL = (3, 0), (3, 11)
CLIFF = frozenset((3, column) for column in range(1, 11))


def cliff_walking(*, is_slippery: bool) -> TabularMDP:
    """The table: 48 cells row by row."""
    cells = cells_of(ROWS, COLUMNS)
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s, cell in enumerate(cells):
        P[s] = {}
        for a in range(4):
            if cell == GOAL:
                P[s][a] = [(1.0, s, 0.0, True)]
                continue
            P[s][a] = []
            moves = [(a - 1) % 4, a, (a + 1) % 4] if is_slippery else [a]
            for b in moves:
                entered = neighbour(cell, MOVES[b], ROWS, COLUMNS)
                if entered in CLIFF:
                    row = (1 / len(moves), cells.index(START), -100.0, False)
                else:
                    row = (1 / len(moves), cells.index(entered), -1.0, entered == GOAL)
                P[s][a].append(row)
    return TabularMDP.from_P(
        P,
        initial=[float(cell == START) for cell in cells],
        state_labels=cells,
        action_labels=NAMES,
        layout=Layout(
            background=(*[" " * COLUMNS] * 3, "S" + "C" * 10 + "G"), cell=placed(cells), arrows=ARROWS
        ),
    )


class CliffWalking(TabularEnv):
    """Walk home along the cliff.

    Args:
        is_slippery: whether two moves in three go to a side.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, is_slippery: bool = False, **settings: Unpack[EnvSettings]) -> None:
        mdp = cliff_walking(is_slippery=flag("is_slippery", is_slippery))
        super().__init__(mdp, **settings)
