"""Walking on a rectangle: cells (row, column) from the top left, walls and edges that stop a move."""

from __future__ import annotations

import operator
from collections.abc import Container, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Cell = tuple[int, int]

#: The house order of the four moves, clockwise, so that a's perpendiculars are (a - 1) % 4 and (a + 1) % 4.
UP, RIGHT, DOWN, LEFT = range(4)
MOVES: tuple[Cell, ...] = ((-1, 0), (0, 1), (1, 0), (0, -1))
NAMES = ("up", "right", "down", "left")
ARROWS = ("↑", "→", "↓", "←")


def neighbour(cell: Cell, move: Cell, rows: int, columns: int, walls: Container[Cell] = ()) -> Cell:
    """The cell one move on; the same cell if the edge or a wall is in the way."""
    row, column = cell[0] + move[0], cell[1] + move[1]
    if not (0 <= row < rows and 0 <= column < columns) or (row, column) in walls:
        return cell
    return row, column


def cells_of(rows: int, columns: int) -> tuple[Cell, ...]:
    """Every cell, row by row."""
    return tuple((row, column) for row in range(rows) for column in range(columns))


def placed(cells: Sequence[Cell]) -> npt.NDArray[np.int64]:
    """[S, 2] for a layout."""
    return np.array(cells, dtype=np.int64)


def noisy(a: int, noise: float) -> tuple[tuple[float, int], ...]:
    """(chance, move) of what becomes of move `a`: itself with 1 - noise, each perpendicular one with noise / 2.

    >>> noisy(UP, 0.5)
    ((0.5, 0), (0.25, 3), (0.25, 1))
    """
    chances = ((1.0 - noise, a), (noise / 2, (a - 1) % 4), (noise / 2, (a + 1) % 4))
    return tuple((p, move) for p, move in chances if p > 0)


def free_cell(name: str, value: Any, cells: Sequence[Cell]) -> Cell:
    """A keyword that names a free cell.

    Raises:
        TypeError: no pair of whole numbers.
        ValueError: a wall, or off the grid.
    """
    try:
        row, column = (operator.index(number) for number in value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a pair (row, column) of whole numbers, got {value!r}") from None
    if (row, column) not in cells:
        raise ValueError(f"{name} must be one of the {len(cells)} free cells, got ({row}, {column})")
    return row, column
