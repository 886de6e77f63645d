"""The town of Taxi: walls and depots."""

from __future__ import annotations

from .moves import Cell

MAP = (
    "+---------+",
    "|R: | : :G|",
    "| : | : : |",
    "| : : : : |",
    "| | : | : |",
    "|Y| : |B: |",
    "+---------+",
)


SIDE = 5


DEPOTS: tuple[Cell, ...] = ((0, 0), (0, 4), (4, 0), (4, 3))


IN_TAXI = 4
