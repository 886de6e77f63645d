"""A layout for levels, such as stocks, queues, mileages and blocks: cells in rows, one a state."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from ..mdp import Layout


def in_rows(letters: str, arrows: Sequence[str], *, first: int = 0, per_row: int | None = None) -> Layout:
    """States in the order of their indices, in rows.

    Args:
        letters: [S] a letter a state, as in a layout's background.
        arrows: [A] a glyph an action.
        first: the level of the first state; several rows are called by the levels with which they begin.
        per_row: most states in a row; by default `row_length` of their number.

    >>> in_rows("S       G", "ab", per_row=5).background
    ('S    ', '   G∅')
    """
    width = row_length(len(letters)) if per_row is None else min(per_row, len(letters))
    rows = -(-len(letters) // width)
    filled = letters.ljust(rows * width, "∅")
    s = np.arange(len(letters))
    return Layout(
        background=tuple(filled[row * width : (row + 1) * width] for row in range(rows)),
        cell=np.stack([s // width, s % width], axis=1),
        arrows=tuple(arrows),
        row_labels=tuple(str(first + row * width) for row in range(rows)) if rows > 1 else (),
    )


def row_length(number: int) -> int:
    """Cells in a row: one row of up to 25, else 10, 20, 50, 100, ... in a row and at most half as many rows again.

    >>> [row_length(number) for number in (1, 25, 26, 101, 151, 1_000, 10**5)]
    [1, 25, 10, 10, 20, 50, 500]
    """
    if number <= 25:
        return number
    lengths = (int(digit * 10**k) for k in itertools.count(1) for digit in (1, 2, 5))
    return next(length for length in lengths if number <= 1.5 * length**2)
