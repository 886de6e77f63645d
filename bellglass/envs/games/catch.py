"""Catch: a ball falls one row a step; be below it when it lands.

    row 0       . . o . .        actions: 0 left, 1 stay, 2 right; at the wall the paddle stays
      ...                        each step the paddle moves, then the ball falls one row
    row rows-1  . . = . .        the step that lands the ball pays +1 if the paddle is in its column, else -1

States (row of the ball, column of the ball, column of the paddle), those of the last row terminal.  The paddle
starts in column cols // 2, the ball in any column.  With  rows - 1  steps the paddle reaches every column at
most that far away, so without a discount

    v*(start)  =  2 * (share of columns at most rows - 1 away from cols // 2)  -  1

and that times  discount**(rows - 2)  with one.

Osband et al., Behaviour Suite for Reinforcement Learning (2020).
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import AGENT, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, spot
from ..tabular import EnvSettings, TabularEnv


def catch(rows: int, cols: int) -> TabularMDP:
    """The table: rows * cols * cols states."""
    num_states = rows * cols * cols
    require_memory_to_make(num_states, 3, 3 * num_states, {"rows": rows, "cols": cols})
    live = np.arange((rows - 1) * cols * cols)
    row, ball, paddle = live // cols**2, live // cols % cols, live % cols
    action = np.arange(3)[:, None]
    moved = np.clip(paddle + action - 1, 0, cols - 1)
    lands = np.broadcast_to(row == rows - 2, moved.shape)
    starts = np.zeros(num_states)
    starts[np.arange(cols) * cols + cols // 2] = 1.0 / cols
    return TabularMDP(
        **sorted_outcomes(
            3 * num_states,
            pair=3 * live + action,
            probability=1.0,
            next_state=((row + 1) * cols + ball) * cols + moved,
            reward=np.where(lands, np.where(moved == ball, 1.0, -1.0), 0.0),
            terminated=lands,
        ),
        initial=starts,
        state_labels=[(y, x, at) for y in range(rows) for x in range(cols) for at in range(cols)],
        action_labels=("left", "stay", "right"),
    )


def closed_form_start_value(rows: int, cols: int, discount: float = 1.0) -> float:
    """The closed form above."""
    caught = sum(abs(column - cols // 2) <= rows - 1 for column in range(cols))
    return (2.0 * caught / cols - 1.0) * discount ** (rows - 2)


NIGHT: Colour = (36, 44, 62)
NIGHT_LINE: Colour = (48, 58, 80)
BALL: Colour = (250, 232, 140)


class CatchArtist:
    """Draws ball and paddle, bright on dark and without captions: little for a network to be distracted by."""

    def __init__(self, rows: int, cols: int) -> None:
        self._rows, self._cols = rows, cols

    def _places(self, state: int) -> tuple[int, int, int]:
        return state // self._cols**2, state // self._cols % self._cols, state % self._cols

    def text(self, state: int) -> str:
        """A line a row: o the ball, = the paddle, * the ball caught."""
        row, ball, paddle = self._places(state)
        lines = [["."] * self._cols for _ in range(self._rows)]
        lines[-1][paddle] = "="
        lines[row][ball] = "*" if lines[row][ball] == "=" else "o"
        return "\n".join(" ".join(line) for line in lines)

    def picture(self, state: int) -> RGBArray:
        """[rows * cell, cols * cell, 3]; a cell is 32 pixels, fewer on a board of more than 20 rows or columns."""
        size = min(max(640 // max(self._rows, self._cols), 8), 32) // 2 * 2
        row, ball, paddle = self._places(state)
        image = canvas(self._rows * size, self._cols * size, NIGHT)
        image[:: 2 * size] = image[:, :: 2 * size] = NIGHT_LINE
        centre = ((self._rows - 0.5) * size, (paddle + 0.5) * size)
        panel(image, AGENT, (centre[0] + 0.2 * size, centre[1]), (0.4 * size, 0.9 * size), corner=0.15 * size)
        spot(
            image,
            BALL,
            ((row + 0.5 - 0.18 * (row == self._rows - 1)) * size, (ball + 0.5) * size),
            0.34 * size,
        )
        return image


class Catch(TabularEnv):
    """Be below the ball when it lands.

    Args:
        rows: of the board, at least 2.
        cols: of the board, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, rows: int = 10, cols: int = 5, **settings: Unpack[EnvSettings]) -> None:
        self._size = whole("rows", rows, 2), whole("cols", cols, 1)
        super().__init__(catch(*self._size), **settings)

    @property
    def artist(self) -> Artist:
        """Draws ball and paddle."""
        return CatchArtist(*self._size)
