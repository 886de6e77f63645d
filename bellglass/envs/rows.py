"""A layout for levels, such as stocks, queues, mileages and blocks: cells in rows, one a state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .mdp import Layout

#: Levels in one row of the picture.
PER_ROW = 10


def in_rows(letters: str, arrows: Sequence[str], *, first: int = 0, per_row: int = PER_ROW) -> Layout:
    """States in the order of their indices, in rows of at most `per_row`.

    Args:
        letters: [S] a letter a state, as in a layout's background.
        arrows: [A] a glyph an action.
        first: the level of the first state; several rows are called by the levels with which they begin.
        per_row: most states in a row.

    >>> in_rows("S       G", "ab", per_row=5).background
    ('S    ', '   G#')
    """
    width = min(per_row, len(letters))
    rows = -(-len(letters) // width)
    filled = letters.ljust(rows * width, "#")
    s = np.arange(len(letters))
    return Layout(
        background=tuple(filled[row * width : (row + 1) * width] for row in range(rows)),
        cell=np.stack([s // width, s % width], axis=1),
        arrows=tuple(arrows),
        row_labels=tuple(str(first + row * width) for row in range(rows)) if rows > 1 else (),
    )
