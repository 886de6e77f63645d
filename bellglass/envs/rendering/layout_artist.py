"""Draws states on a layout of any size.

Up to 53 cells a side all is shown, with signs and names.  Larger maps are shown whole in plain squares of colour, the
state named below; of a long corridor, or a map of more cells than there are pixels, the part around the state is shown.
"""

from __future__ import annotations

from ..mdp import Layout, TabularMDP
from .cells import DETAILED, FLOOR, INK, LINE, RGBArray, draw, fitting_cell_size
from .letters import caption, width
from .rows import in_rows
from .shapes import canvas

#: Pixels of a picture's longer side, and the least that the shorter side of a map that is shown whole may have.
SIDE, SLENDER = 640, 100

#: Cells to a side of the largest map whose text is whole, and of what is shown of a larger one.
MOST_TEXT, TEXT = 64, 25

#: Pixels of the line with a state's name, and the least width of a picture that has one.
FOOT, NARROW = 32, 160


class LayoutArtist:
    """Draws states on a layout.

    Args:
        mdp: the table.
        layout: where its states lie; by default the table's own, or without one rows in the order of their indices.
    """

    def __init__(self, mdp: TabularMDP, layout: Layout | None = None) -> None:
        self.mdp = mdp
        self.layout = layout or mdp.layout or chain_layout(mdp)
        labels = mdp.state_labels
        chain = labels is None or all(isinstance(label, int) for label in labels)
        self._size = cell_size(self.layout)
        #: What is written into the cells; cells of a chain bear their numbers, where there is room.
        self._names: list[str] | None = None
        self._named_below = (
            self._size < DETAILED or max(self.layout.rows, self.layout.columns) > SIDE // self._size
        )
        if chain and not self._named_below:
            self._names = [str(mdp.decode(s)) for s in range(mdp.num_states)]
            longest = max(map(len, self._names))
            self._named_below = (4 * longest - 1) * max(
                self._size // 24, 1
            ) > self._size - self._size // 12 - 1

    def text(self, state: int) -> str:
        """The background with the state's cell in brackets; a state off the map, or of a part of it, is named below."""
        layout, outside = self.layout, self.layout.cell[state, 0] < 0
        cut = max(layout.rows, layout.columns) > MOST_TEXT
        lines = text_of(part_around(layout, state, TEXT) if cut else layout, state)
        return f"{lines}\n({self.mdp.decode(state)})" if outside or cut else lines

    def picture(self, state: int) -> RGBArray:
        """The layout, or a part of it, with a marker on the state."""
        part = part_around(self.layout, state, SIDE // self._size)
        image = draw(part, state=state, names=self._names, cell_size=self._size)
        return with_name(image, str(self.mdp.decode(state))) if self._named_below else image


def chain_layout(mdp: TabularMDP) -> Layout:
    """States in the order of their indices, in rows."""
    letters = "".join("G" if ends else " " for ends in mdp.terminal)
    return in_rows(letters, [str(a) for a in range(mdp.num_actions)])


def cell_size(layout: Layout) -> int:
    """Pixels a cell: those that show the whole map or, where it would be slender or too fine, those of a part."""
    size, shorter = fitting_cell_size(layout), min(layout.rows, layout.columns)
    if size >= DETAILED or (shorter * size >= SLENDER and size > 1):
        return size
    return min(max(SIDE // (3 * shorter), 2), 24)  # a corridor's breadth is a third of the picture


def part_around(layout: Layout, state: int, side: int) -> Layout:
    """At most `side` x `side` cells, the state's in their middle unless the map ends there."""
    if max(layout.rows, layout.columns) <= side:
        return layout
    rows, columns = min(layout.rows, side), min(layout.columns, side)
    row, column = layout.cell[state].tolist()
    top = min(max(row - rows // 2, 0), layout.rows - rows)
    left = min(max(column - columns // 2, 0), layout.columns - columns)
    return layout.part(top, left, rows, columns)


def with_name(image: RGBArray, name: str) -> RGBArray:
    """The picture above a line of text; a long one is cut."""
    height, wide = image.shape[0], max(image.shape[1], NARROW)
    framed = canvas(height + FOOT, wide, FLOOR)
    left = (wide - image.shape[1]) // 2
    framed[:height, left : left + image.shape[1]] = image
    framed[height] = LINE
    while len(name) > 1 and width(name, 2) > wide - 8:
        name = name[:-1]
    caption(framed, name, INK, (height + FOOT / 2, wide / 2))
    return framed


def text_of(layout: Layout, state: int | None = None) -> str:
    """The background, one line a row, the state's cell in brackets; plain floor is a dot.

    >>> import numpy as np
    >>> print(text_of(Layout(background=("S #", "  G"), cell=np.array([(0, 0), (1, 1)]), arrows=()), state=1))
     S  .  #
     . [.] G
    """
    here = None if state is None else (int(layout.cell[state, 0]), int(layout.cell[state, 1]))
    lines = []
    for row, letters in enumerate(layout.background):
        cells = [
            f"[{letter}]" if (row, column) == here else f" {letter} "
            for column, letter in enumerate(letters.replace(" ", ".").replace("∅", " "))
        ]
        lines.append("".join(cells).rstrip())
    return "\n".join(lines)
