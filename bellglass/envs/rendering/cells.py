"""Pictures of tables: as text, as an image in plain NumPy, in a window where pygame is installed.

`draw` paints a layout: walls, start, goal, holes and cliff, where the agent stands, and, if asked, how much
each state is worth and what a policy does there.  `layout_artist` chooses what of a large one is shown.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ..mdp import Layout
from .glyphs import DIRECTIONS, Colour, arrow, disc, paint, pixels, rounded_box, write, write_centred

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
SIGN: Colour = (123, 97, 196)
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


#: Smaller cells, in pixels, are plain squares of colour; still smaller ones have no lines between them.
DETAILED, LINED = 12, 6


def fitting_cell_size(layout: Layout) -> int:
    """Pixels a cell so that the longer side has about 640, from 1 to 64; even where cells have details."""
    size = min(max(640 // max(layout.rows, layout.columns), 1), 64)
    return size // 2 * 2 if size >= DETAILED else size


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
        policy: [S] the action whose arrow each state shows; negative shows none.  Cells of less than 12 pixels have
            no room for arrows and names.
        names: [S] what is written small in a state's cell, if it fits.
        cell_size: pixels a cell; by default about 640 pixels for the longer side.

    Returns:
        [rows * cell_size, columns * cell_size, 3] uint8; a last row or column more where that is odd, since videos
        need even sides.
    """
    size = fitting_cell_size(layout) if cell_size is None else cell_size
    if size < 1:
        raise ValueError(f"cell_size must be at least 1 pixel, got {size}")
    height, width = layout.rows * size, layout.columns * size
    image: RGBArray = np.empty((height + height % 2, width + width % 2, 3), dtype=np.uint8)
    image[:] = FLOOR
    shades = None if values is None else _shades(np.asarray(values, dtype=np.float64))
    if size < DETAILED:
        _paint_plainly(image[:height, :width], layout, size, shades)
    else:
        _paint_in_detail(image, layout, size, shades, policy, names)
    if state is not None and layout.cell[state, 0] >= 0:
        row, column = layout.cell[state].tolist()
        _paint_agent(image, ((row + 0.5) * size, (column + 0.5) * size), max(size, 16))
    return image


def _paint_plainly(
    image: RGBArray, layout: Layout, size: int, shades: npt.NDArray[np.float64] | None
) -> None:
    """Squares of colour, many at once."""
    letters = np.array([list(row) for row in layout.background])
    colours: RGBArray = np.empty((*letters.shape, 3), dtype=np.uint8)
    for letter in np.unique(letters).tolist():
        colours[letters == letter] = _plain_colour(letter)
    if shades is not None:
        s = np.flatnonzero(layout.cell[:, 0] >= 0)
        row, column = layout.cell[s].T
        shown = ~np.isin(letters[row, column], list("#GHC"))
        colours[row[shown], column[shown]] = shades[s[shown]]
    if size >= LINED:
        image[:] = np.where((letters == "#")[..., None], WALL, LINE).repeat(size, axis=0).repeat(size, axis=1)
        for y in range(size - 1):
            for x in range(size - 1):
                image[y::size, x::size] = colours
        blank = (letters == "∅").repeat(size, axis=0).repeat(size, axis=1)
        image[blank] = FLOOR
    else:
        image[:] = colours.repeat(size, axis=0).repeat(size, axis=1)


def _plain_colour(letter: str) -> Colour:
    """What a cell too small for its sign is painted with."""
    if letter in WINDS:
        return WIND
    if "ⓐ" <= letter <= "ⓩ":
        return PORTALS[(ord(letter) - ord("ⓐ")) % len(PORTALS)]
    special = {"#": WALL, "S": START, "G": GOAL, "H": HOLE, "C": CLIFF, "~": ICE, " ": FLOOR, "∅": FLOOR}
    return special.get(letter, FAINT if letter.islower() else SIGN)


def _paint_in_detail(
    image: RGBArray,
    layout: Layout,
    size: int,
    shades: npt.NDArray[np.float64] | None,
    policy: npt.ArrayLike | None,
    names: list[str] | None,
) -> None:
    """Cell by cell, with signs, names and arrows."""

    def cell(row: int, column: int) -> RGBArray:
        return image[row * size : (row + 1) * size, column * size : (column + 1) * size]

    for row, letters in enumerate(layout.background):
        for column, letter in enumerate(letters):
            _paint_background(cell(row, column), letter)
    places = [(s, *layout.cell[s].tolist()) for s in np.flatnonzero(layout.cell[:, 0] >= 0).tolist()]
    dark = np.zeros(len(layout.cell), dtype=np.bool_)
    if shades is not None:
        dark = shades.sum(axis=1) < 380
        for s, r, c in places:
            if layout.background[r][c] not in "#GHC":
                cell(r, c)[:-1, :-1] = shades[s]
    if names is not None:
        dot, margin = max(size // 24, 1), size // 12
        for s, r, c in places:
            fits = (4 * len(names[s]) - 1) * dot <= size - margin - 1
            if fits and layout.background[r][c] not in "#GH":
                write(cell(r, c), names[s], WHITE if dark[s] else FAINT, dot=dot, top=margin, left=margin)
    if policy is not None:
        chosen = np.asarray(policy)
        for s, r, c in places:
            if chosen[s] >= 0 and layout.background[r][c] not in "#GH":
                _paint_action(cell(r, c), layout.arrows[int(chosen[s])], WHITE if dark[s] else INK)


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
    elif letter not in " #∅":
        colour = FAINT if letter.islower() else SIGN
        write_centred(cell, letter, colour, height=0.4 * size)
    if letter not in "#∅":
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


def _paint_agent(image: RGBArray, centre: tuple[float, float], size: int) -> None:
    """A disc for a cell of `size` pixels around `centre` (down, right); what does not fit is cut off."""
    top, left = (round(middle - size / 2) for middle in centre)
    there = image[max(top, 0) : top + size, max(left, 0) : left + size]
    rows = slice(max(-top, 0), max(-top, 0) + there.shape[0])
    columns = slice(max(-left, 0), max(-left, 0) + there.shape[1])
    for radius, colour, opacity in ((0.33, (30, 36, 48), 0.18), (0.30, WHITE, 1.0), (0.26, AGENT, 1.0)):
        paint(there, disc(size, radius * size)[rows, columns], colour, opacity=opacity)


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
