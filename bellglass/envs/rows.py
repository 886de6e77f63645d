"""A layout for levels, such as stocks, queues, mileages and blocks: cells in rows, one a state."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .mdp import Layout

#: Levels in one row of the picture.
PER_ROW = 10


def in_rows(letters: str, arrows: Sequence[str], *, per_row: int = PER_ROW) -> Layout:
    """States in the order of their indices, in rows of at most `per_row`.

    Args:
        letters: [S] a letter a state, as in a layout's background.
        arrows: [A] a glyph an action.
        per_row: most states in a row.

    >>> in_rows("S       G", "ab", per_row=5).background
    ('S    ', '   G#')
    """
    width = min(per_row, len(letters))
    filled = letters.ljust(-(-len(letters) // width) * width, "#")
    s = np.arange(len(letters))
    return Layout(
        background=tuple(filled[first : first + width] for first in range(0, len(filled), width)),
        cell=np.stack([s // width, s % width], axis=1),
        arrows=tuple(arrows),
    )
