"""A layout for levels, such as stocks, queues and mileages: cells in rows, each level in its place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..mdp import Layout

#: Levels in one row of the picture.
PER_ROW = 10


def in_rows(num_states: int, arrows: Sequence[str], *, start: int = 0, per_row: int = PER_ROW) -> Layout:
    """States in the order of their indices, in rows of at most `per_row`; S marks `start`."""
    width = min(per_row, num_states)
    rows = -(-num_states // width)
    letters = " " * start + "S" + " " * (num_states - start - 1)
    letters = letters.ljust(rows * width, "#")
    s = np.arange(num_states)
    return Layout(
        background=tuple(letters[row * width : (row + 1) * width] for row in range(rows)),
        cell=np.stack([s // width, s % width], axis=1),
        arrows=tuple(arrows),
    )
