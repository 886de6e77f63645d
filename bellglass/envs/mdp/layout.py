"""Where a table's states lie on paper: a hint for pictures, never part of the dynamics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False, kw_only=True)
class Layout:
    """A rectangle of cells, and the cell in which each state is drawn.

    Attributes:
        background: one string a row, all of one length, one letter a cell: ``#`` wall, ``S`` start, ``G`` goal,
            ``H`` hole, ``C`` cliff, ``~`` ice, ``↑`` wind (``⇑`` a strong one; so for ``→``, ``↓`` and ``←``),
            ``ⓐ`` to ``ⓩ`` portals, a blank for plain floor, ``∅`` for no cell at all (after the last one of a row
            that is not full); environments may use further letters.
        cell: [S, 2] row and column of each state; (-1, -1) for a state that has no place on the picture.
        arrows: [A] a glyph for each action, such as ``↑`` or ``3``.
        row_labels: a caption for each row, or empty.
    """

    background: tuple[str, ...]
    cell: npt.NDArray[np.int64]
    arrows: tuple[str, ...]
    row_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        widths = {len(row) for row in self.background}
        if len(widths) != 1 or widths == {0}:
            raise ValueError(f"background rows must have one length of at least 1, got {sorted(widths)}")
        cell = np.array(self.cell, dtype=np.int64)
        if cell.ndim != 2 or cell.shape[1] != 2:
            raise ValueError(f"cell must have shape [S, 2], got {list(cell.shape)}")
        if (cell < -1).any() or (cell >= (self.rows, self.columns)).any():
            raise ValueError(f"a cell lies outside the {self.rows} x {self.columns} rectangle")
        cell.setflags(write=False)
        object.__setattr__(self, "cell", cell)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.background)

    @property
    def columns(self) -> int:
        """Number of columns."""
        return len(self.background[0])

    def part(self, top: int, left: int, rows: int, columns: int) -> Layout:
        """The cells from (top, left) on; states that lie elsewhere have no place on it.

        >>> Layout(background=("S #", "  G"), cell=np.array([(0, 0), (1, 1)]), arrows=()).part(1, 1, 1, 2).background
        (' G',)
        """
        cell = self.cell - (top, left)
        cell[((cell < 0) | (cell >= (rows, columns))).any(axis=1)] = -1
        return Layout(
            background=tuple(row[left : left + columns] for row in self.background[top : top + rows]),
            cell=cell,
            arrows=self.arrows,
            row_labels=self.row_labels[top : top + rows],
        )
