"""Pictures of tables: as text, as an image in plain NumPy, in a window where pygame is installed.

`draw` paints a layout: walls, start, goal, holes and cliff, where the agent stands, and, if asked, how much
each state is worth and what a policy does there.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .glyphs import DIRECTIONS, Colour, arrow, disc, paint, pixels, rounded_box, write, write_centred
from .mdp import Layout, TabularMDP

RGBArray = npt.NDArray[np.uint8]

#: "human" opens a window, so it is offered only where pygame is installed.
RENDER_MODES = ("ansi", "rgb_array", *(("human",) if importlib.util.find_spec("pygame") else ()))

FLOOR: Colour = (247, 248, 250)
LINE: Colour = (218, 222, 229)
WALL: Colour = (58, 65, 81)
START: Colour = (219, 232, 252)
GOAL: Colour = (46, 160, 103)
HOLE: Colour = (72, 110, 173)
CLIFF: Colour = (205, 92, 78)
WIND: Colour = (182, 205, 219)
ICE: Colour = (208, 232, 244)
PORTALS: tuple[Colour, ...] = ((123, 97, 196), (206, 106, 60), (40, 150, 170), (190, 80, 140), (96, 140, 50))
INK: Colour = (55, 63, 81)
FAINT: Colour = (138, 147, 163)
AGENT: Colour = (240, 140, 40)
WHITE: Colour = (255, 255, 255)

#: Values from low to high: five colours between which a cell's colour is interpolated.
VALUE_COLOURS = np.array([(252, 248, 236), (199, 226, 204), (110, 186, 180), (45, 125, 160), (28, 62, 115)])


#: Letters of wind: where it blows, and how hard.
WINDS = {letter: ("↑→↓←"[k % 4], 1 + k // 4) for k, letter in enumerate("↑→↓←⇑⇒⇓⇐")}


class Artist(Protocol):
    """Draws states of one table."""

    def text(self, state: int) -> str:
        """Some lines of text."""
        ...

    def picture(self, state: int) -> RGBArray:
        """[height, width, 3] uint8."""
        ...


class LayoutArtist:
    """Draws states on the table's layout, or, without one, in rows in the order of their indices."""

    def __init__(self, mdp: TabularMDP) -> None:
        self.mdp = mdp
        self.layout = chain_layout(mdp) if mdp.layout is None else mdp.layout

    def text(self, state: int) -> str:
        """The background with the state's cell in brackets; a state off the map is named below."""
        lines = text_of(self.layout, state)
        return lines if self.layout.cell[state, 0] >= 0 else f"{lines}\n({self.mdp.decode(state)})"

    def picture(self, state: int) -> RGBArray:
        """The layout with a marker on the state; cells of a chain bear their numbers."""
        labels = self.mdp.state_labels
        chain = labels is None or all(isinstance(label, int) for label in labels)
        names = [str(self.mdp.decode(s)) for s in range(self.mdp.num_states)] if chain else None
        return draw(self.layout, state=state, names=names)


def chain_layout(mdp: TabularMDP, columns: int = 20) -> Layout:
    """States in the order of their indices, in rows of at most `columns`."""
    width = min(columns, mdp.num_states)
    s = np.arange(mdp.num_states)
    rows = -(-mdp.num_states // width)
    full = "".join("G" if ends else " " for ends in mdp.terminal).ljust(rows * width, "#")
    return Layout(
        background=tuple(full[row * width : (row + 1) * width] for row in range(rows)),
        cell=np.stack([s // width, s % width], axis=1),
        arrows=tuple(str(a) for a in range(mdp.num_actions)),
    )


def text_of(layout: Layout, state: int | None = None) -> str:
    """The background, one line a row, the state's cell in brackets; plain floor is a dot.

    >>> print(text_of(Layout(background=("S #", "  G"), cell=np.array([(0, 0), (1, 1)]), arrows=()), state=1))
     S  .  #
     . [.] G
    """
    here = None if state is None else (int(layout.cell[state, 0]), int(layout.cell[state, 1]))
    lines = []
    for row, letters in enumerate(layout.background):
        cells = [
            f"[{letter}]" if (row, column) == here else f" {letter} "
            for column, letter in enumerate(letters.replace(" ", "."))
        ]
        lines.append("".join(cells).rstrip())
    return "\n".join(lines)


def fitting_cell_size(layout: Layout) -> int:
    """Pixels a cell so that the longer side has about 640: even (videos need even sides), from 12 to 64."""
    return min(max(640 // max(layout.rows, layout.columns), 12), 64) // 2 * 2


def draw(
    layout: Layout,
    *,
    state: int | None = None,
    values: npt.ArrayLike | None = None,
    policy: npt.ArrayLike | None = None,
    names: list[str] | None = None,
    cell_size: int | None = None,
) -> RGBArray:
    """Paints the layout.

    Args:
        layout: where the states lie.
        state: where the agent stands.
        values: [S] colours the cells from the lowest to the highest value.
        policy: [S] the action whose arrow each state shows; negative shows none.
        names: [S] what is written small in a state's cell.
        cell_size: pixels a cell; by default about 640 pixels for the longer side.

    Returns:
        [rows * cell_size, columns * cell_size, 3] uint8.
    """
    size = fitting_cell_size(layout) if cell_size is None else cell_size
    if size < 4:
        raise ValueError(f"cell_size must be at least 4 pixels, got {size}")
    image: RGBArray = np.empty((layout.rows * size, layout.columns * size, 3), dtype=np.uint8)

    def cell(row: int, column: int) -> RGBArray:
        return image[row * size : (row + 1) * size, column * size : (column + 1) * size]

    for row, letters in enumerate(layout.background):
        for column, letter in enumerate(letters):
            _paint_background(cell(row, column), letter)
    places = [(s, int(r), int(c)) for s, (r, c) in enumerate(layout.cell.tolist()) if r >= 0]
    dark = np.zeros(len(layout.cell), dtype=np.bool_)
    if values is not None:
        shades = _shades(np.asarray(values, dtype=np.float64))
        dark = shades.sum(axis=1) < 380
        for s, r, c in places:
            if layout.background[r][c] not in "#GHC":
                cell(r, c)[:-1, :-1] = shades[s]
    if names is not None:
        dot, margin = max(size // 24, 1), size // 12
        for s, r, c in places:
            if layout.background[r][c] not in "#GH":
                write(cell(r, c), names[s], WHITE if dark[s] else FAINT, dot=dot, top=margin, left=margin)
    if policy is not None:
        chosen = np.asarray(policy)
        for s, r, c in places:
            if chosen[s] >= 0 and layout.background[r][c] not in "#GH":
                _paint_action(cell(r, c), layout.arrows[int(chosen[s])], WHITE if dark[s] else INK)
    if state is not None and layout.cell[state, 0] >= 0:
        _paint_agent(cell(*layout.cell[state].tolist()))
    return image


def _paint_background(cell: RGBArray, letter: str) -> None:
    size = len(cell)
    cell[:] = {"#": WALL, "S": START, "G": GOAL, "C": CLIFF}.get(letter, FLOOR)
    if letter == "H":
        paint(cell, disc(size, 0.38 * size), HOLE)
        paint(cell, disc(size, 0.30 * size, (0.04 * size, 0.0)), (48, 80, 138))
    elif letter == "G":
        _paint_flag(cell)
    elif letter == "C":
        y, x = pixels(size)
        stripes = np.abs((x + y + size) % (size / 3) - size / 6) - size / 14
        paint(cell, stripes * 0.7, (176, 66, 56))
    elif letter == "S":
        write_centred(cell, "S", (112, 150, 214), height=0.4 * size)
    elif letter in WINDS:
        glyph, strength = WINDS[letter]
        for k in range(strength):
            away = 0.26 * size * (k - (strength - 1) / 2)
            dy, dx = DIRECTIONS[glyph]
            paint(cell, arrow(size, (dy, dx), 0.34 * size, (abs(dx) * away, abs(dy) * away)), WIND)
    elif letter == "~":
        _paint_ice(cell)
    elif "ⓐ" <= letter <= "ⓩ":
        _paint_portal(cell, chr(ord(letter) - ord("ⓐ") + ord("A")))
    elif letter not in " #":
        colour = FAINT if letter.islower() else (123, 97, 196)
        write_centred(cell, letter, colour, height=0.4 * size)
    if letter != "#":
        cell[-1, :] = cell[:, -1] = LINE


def _paint_ice(cell: RGBArray) -> None:
    size = len(cell)
    cell[:] = ICE
    y, x = pixels(size)
    for across, reach in ((-0.16, 0.26), (0.0, 0.34), (0.16, 0.2)):
        along = np.maximum(np.abs(x - y) / 2**0.5 - reach * size, 0.0)
        paint(cell, np.hypot(along, (x + y) / 2**0.5 - across * size) - 0.012 * size - 0.5, WHITE)


def _paint_portal(cell: RGBArray, letter: str) -> None:
    size = len(cell)
    colour = PORTALS[(ord(letter) - ord("A")) % len(PORTALS)]
    paint(cell, disc(size, 0.42 * size), colour, opacity=0.22)
    paint(cell, np.abs(disc(size, 0.38 * size)) - 0.035 * size, colour)
    write_centred(cell, letter, colour, height=0.34 * size)


def _paint_flag(cell: RGBArray) -> None:
    size = len(cell)
    paint(cell, rounded_box(size, (0.30 * size, 0.025 * size + 0.5), 0.5, (0.0, -0.14 * size)), WHITE)
    y, x = pixels(size)
    top, left, height, width = -0.30 * size, -0.14 * size, 0.34 * size, 0.40 * size
    middle = top + height / 2
    slope = np.abs(y - middle) / (height / 2)
    paint(cell, np.maximum(left - x, x - left - width * (1.0 - slope)), WHITE)


def _paint_action(cell: RGBArray, glyph: str, colour: Colour) -> None:
    size = len(cell)
    if glyph in DIRECTIONS:
        paint(cell, arrow(size, DIRECTIONS[glyph], 0.56 * size), colour)
    else:
        write_centred(cell, glyph, colour, height=0.36 * size)


def _paint_agent(cell: RGBArray) -> None:
    size = len(cell)
    paint(cell, disc(size, 0.33 * size), (30, 36, 48), opacity=0.18)
    paint(cell, disc(size, 0.30 * size), WHITE)
    paint(cell, disc(size, 0.26 * size), AGENT)


def _shades(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """[S, 3] a colour for each value; values that are not finite stay pale."""
    finite = np.isfinite(values)
    low, high = (values[finite].min(), values[finite].max()) if finite.any() else (0.0, 0.0)
    place = np.where(finite, values - low, 0.0) / (high - low if high > low else 1.0)
    stops = np.linspace(0.0, 1.0, len(VALUE_COLOURS))
    return np.stack([np.interp(place, stops, VALUE_COLOURS[:, channel]) for channel in range(3)], axis=1)


class Window:
    """A window that shows pictures, opened by the first one; needs pygame."""

    def __init__(self, title: str, fps: int) -> None:
        self._title = title
        self._fps = fps
        self._screen: Any = None
        self._clock: Any = None

    def show(self, picture: RGBArray) -> None:
        """Draws the picture and waits until the frame's time is over."""
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        import pygame

        if self._screen is None:
            pygame.display.init()
            pygame.display.set_caption(self._title)
            self._screen = pygame.display.set_mode(picture.shape[1::-1])
            self._clock = pygame.time.Clock()
        pygame.surfarray.blit_array(self._screen, picture.swapaxes(0, 1))
        pygame.event.pump()
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Closes the window."""
        if self._screen is not None:
            import pygame

            pygame.display.quit()
            self._screen = self._clock = None
