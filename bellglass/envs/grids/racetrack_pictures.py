"""The tracks of Racetrack: the road, both lines, the car, and where its velocity would take it."""

from __future__ import annotations

from functools import cached_property
from typing import cast

import numpy as np

from ..mdp import TabularMDP
from ..rendering.cells import AGENT, FLOOR, INK, LINE, START, WALL, WHITE, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, spot, stroke, words

#: Pixels a cell, and of the line below.
SIZE = 20
CAPTION = 24

COLOURS: dict[str, Colour] = {"#": (214, 224, 206), ".": FLOOR, "S": START, "G": WHITE}
CURB: Colour = (205, 92, 78)


class RacetrackArtist:
    """Draws a state as the track with the car, and a line from it as long as its velocity."""

    def __init__(self, drawing: tuple[str, ...], mdp: TabularMDP) -> None:
        self._drawing = drawing
        self._mdp = mdp

    @cached_property
    def _empty(self) -> RGBArray:
        return empty_track(self._drawing)

    def text(self, state: int) -> str:
        r"""The track, the car an @, and its velocity.

        >>> from bellglass.envs.grids.racetrack import TRACKS, racetrack
        >>> artist = RacetrackArtist(TRACKS["left"], racetrack("left", noise=0.1))
        >>> print("\n".join(artist.text(artist._mdp.encode((31, 5, 0, 0))).splitlines()[-2:]))
        ###SS@SSS########
        velocity: 0 up, 0 right
        """
        if self._mdp.terminal[state]:
            return "\n".join([*self._drawing, "over the finish line"])
        row, column, up, right = cast("tuple[int, int, int, int]", self._mdp.decode(state))
        lines = list(self._drawing)
        lines[row] = lines[row][:column] + "@" + lines[row][column + 1 :]
        return "\n".join([*lines, f"velocity: {up} up, {right} right"])

    def picture(self, state: int) -> RGBArray:
        """[rows * 20 + 24, columns * 20, 3]; over the finish line the car is out of sight."""
        image = canvas(len(self._empty) + CAPTION, self._empty.shape[1])
        image[: len(self._empty)] = self._empty
        if self._mdp.terminal[state]:
            return image
        row, column, up, right = cast("tuple[int, int, int, int]", self._mdp.decode(state))
        here = ((row + 0.5) * SIZE, (column + 0.5) * SIZE)
        there = (here[0] - up * SIZE, here[1] + right * SIZE)
        stroke(image, AGENT, here, there, 3.0)
        if (up, right) != (0, 0):
            spot(image, AGENT, there, 4.5)
            spot(image, WHITE, there, 2.5)
        spot(image, WHITE, here, 8.5)
        spot(image, AGENT, here, 7.0)
        image[len(self._empty) :] = FLOOR
        place = (len(self._empty) + CAPTION / 2, image.shape[1] / 2)
        words(image, f"{up} up, {right} right", INK, place)
        return image


def empty_track(drawing: tuple[str, ...]) -> RGBArray:
    """Grass, road with a curb, the start line blue, the finish line chequered."""
    rows, columns = len(drawing), len(drawing[0])
    image: RGBArray = np.empty((rows * SIZE, columns * SIZE, 3), dtype=np.uint8)
    for row, letters in enumerate(drawing):
        for column, letter in enumerate(letters):
            cell = image[row * SIZE : (row + 1) * SIZE, column * SIZE : (column + 1) * SIZE]
            cell[:] = COLOURS[letter]
            if letter == "G":
                y, x = np.indices((SIZE, SIZE)) // (SIZE // 4)
                cell[(y + x) % 2 == 0] = WALL
            elif letter != "#":
                cell[-1, :] = cell[:, -1] = LINE

    def on_road(row: int, column: int) -> bool:
        return 0 <= row < rows and 0 <= column < columns and drawing[row][column] != "#"

    for row in range(rows):
        for column in range(columns):
            if on_road(row, column):
                for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                    if not on_road(row + dy, column + dx) and drawing[row][column] != "G":
                        centre = (SIZE * (row + 0.5 + dy * 0.46), SIZE * (column + 0.5 + dx * 0.46))
                        panel(image, CURB, centre, (3.0, SIZE) if dx == 0 else (SIZE, 3.0), opacity=0.75)
    return image
