"""SlidingPuzzle: slide the tiles of a frame with one blank until they stand in order.

    solved      1 2 3        actions 0 up, 1 down, 2 left, 3 right move the blank; off the board it stays
    (2 x 3)     4 5 .        every action costs 1

Half of all arrangements can be solved: each move swaps the blank with a tile and takes it one cell on, so the
parity of the permutation plus that of the blank's distance from home never changes.  States are the
solvable arrangements, tiles read row by row with 0 for the blank, in lexicographic order.

Episodes start in any of them but the solved one.  No closed form: minus the optimum is the depth in a
breadth-first search from the solved arrangement (at most 21 for 2 x 3, 31 for 3 x 3; Reinefeld, IJCAI 1993).

Reinefeld, Complete solution of the eight-puzzle, IJCAI 1993.
"""

from __future__ import annotations

from math import factorial
from typing import Unpack

import numpy as np
import numpy.typing as npt

from ..keywords import whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import GOAL, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, words
from ..tabular import EnvSettings, TabularEnv

Tiles = npt.NDArray[np.int8]

#: (row, column) that each action moves the blank by.
MOVES = ((-1, 0), (1, 0), (0, -1), (0, 1))
NAMES = ("up", "down", "left", "right")


def permutations(n: int) -> Tiles:
    """[n!, n] every arrangement of 0 .. n - 1 in lexicographic order."""
    rows: Tiles = np.zeros((1, 1), dtype=np.int8)
    for size in range(2, n + 1):
        first = np.repeat(np.arange(size, dtype=np.int8), len(rows))[:, None]
        rest = np.tile(rows, (size, 1))
        rows = np.concatenate([first, rest + (rest >= first)], axis=1).astype(np.int8)
    return rows


def solvable(rows: int, cols: int) -> Tiles:
    """[(rows * cols)! / 2, rows * cols] the arrangements that can be solved."""
    n = rows * cols
    tiles = permutations(n)
    inversions = np.zeros(len(tiles), dtype=np.int64)
    for cell in range(n - 1):  # inversions among the tiles, the blank left out
        here = tiles[:, cell : cell + 1]
        inversions += ((here > tiles[:, cell + 1 :]) & (tiles[:, cell + 1 :] > 0)).sum(axis=1)
    # Sideways the blank passes no tile; a row up or down it passes cols - 1 of them.
    rows_from_home = rows - 1 - (tiles == 0).argmax(axis=1) // cols
    kept: Tiles = tiles[(inversions + (cols - 1) * rows_from_home) % 2 == 0]
    return kept


#: No memory holds the arrangements of more; so many need not be counted to be refused.
MOST_CELLS = 100


def sliding_puzzle(rows: int, cols: int) -> TabularMDP:
    """The table: (rows * cols)! / 2 states."""
    n = rows * cols
    num_states = factorial(min(n, MOST_CELLS)) // 2
    num_bytes, what = num_states * (2 * 3 * n + 750), f"a table of {brief(num_states)} states and 4 actions"
    require_memory(num_bytes, what, {"rows": rows, "cols": cols})
    tiles = solvable(rows, cols)
    weight = n ** np.arange(n - 1, -1, -1)
    codes = tiles @ weight  # ascending
    solved = int(np.searchsorted(codes, np.append(np.arange(1, n), 0) @ weight))
    states = np.arange(num_states)
    blank = (tiles == 0).argmax(axis=1)
    next_state = np.tile(states, (len(MOVES), 1))
    for a, (down, right) in enumerate(MOVES):
        row, column = blank // cols + down, blank % cols + right
        s = np.flatnonzero((row >= 0) & (row < rows) & (column >= 0) & (column < cols))
        target = (row * cols + column)[s]
        moved = codes[s] + tiles[s, target] * (weight[blank[s]] - weight[target])
        next_state[a, s] = np.searchsorted(codes, moved)
    live = np.flatnonzero(states != solved)
    return TabularMDP(
        **sorted_outcomes(
            len(MOVES) * num_states,
            pair=len(MOVES) * live + np.arange(len(MOVES))[:, None],
            probability=1.0,
            next_state=next_state[:, live],
            reward=-1.0,
            terminated=next_state[:, live] == solved,
        ),
        initial=(states != solved) / (num_states - 1.0),
        state_labels=list(map(tuple, tiles.tolist())),
        action_labels=NAMES,
    )


TILE: Colour = (72, 110, 173)
FRAME: Colour = (58, 65, 81)


class SlidingPuzzleArtist:
    """Draws the frame and its tiles; those at home are green."""

    def __init__(self, mdp: TabularMDP, rows: int, cols: int) -> None:
        self._labels = mdp.state_labels or ()
        self._rows, self._cols = rows, cols

    def _tiles(self, state: int) -> tuple[int, ...]:
        label = self._labels[state]
        assert isinstance(label, tuple)
        return label

    def text(self, state: int) -> str:
        """A line a row, a dot for the blank."""
        tiles, wide = self._tiles(state), len(str(self._rows * self._cols - 1))
        cells = [(str(tile) if tile else ".").rjust(wide) for tile in tiles]
        return "\n".join(
            " ".join(cells[row * self._cols : (row + 1) * self._cols]) for row in range(self._rows)
        )

    def picture(self, state: int) -> RGBArray:
        """[80 * rows + 24, 80 * cols + 24, 3]."""
        size = 80
        height, width = size * self._rows + 24, size * self._cols + 24
        image = canvas(height, width)
        panel(image, FRAME, (height / 2, width / 2), (height - 4, width - 4), corner=16)
        for cell, tile in enumerate(self._tiles(state)):
            centre = (12 + size * (cell // self._cols + 0.5), 12 + size * (cell % self._cols + 0.5))
            if tile == 0:
                panel(image, (46, 52, 66), centre, (size - 6, size - 6), corner=10)
                continue
            panel(image, (34, 40, 52), (centre[0] + 3, centre[1]), (size - 8, size - 8), corner=10)
            panel(image, GOAL if tile == cell + 1 else TILE, centre, (size - 8, size - 8), corner=10)
            panel(image, WHITE, (centre[0] - size / 2 + 9, centre[1]), (2, size - 30), corner=1, opacity=0.5)
            words(image, str(tile), WHITE, centre, dot=7)
        return image


class SlidingPuzzle(TabularEnv):
    """Put the tiles in order.

    Args:
        rows: of the frame, at least 2.
        cols: of the frame, at least 2.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, rows: int = 2, cols: int = 3, **settings: Unpack[EnvSettings]) -> None:
        self._size = whole("rows", rows, 2), whole("cols", cols, 2)
        super().__init__(sliding_puzzle(*self._size), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the tiles in their frame."""
        return SlidingPuzzleArtist(self.mdp, *self._size)
