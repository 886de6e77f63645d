"""The town of Taxi: depots, walls, the taxi, who waits and where to go."""

from __future__ import annotations

import numpy as np

from ..rendering.cells import FLOOR, INK, LINE, WALL, WHITE, RGBArray
from ..rendering.glyphs import Colour, disc, paint, rounded_box, write_centred
from .taxi_map import DEPOTS, IN_TAXI, MAP, SIDE

SIZE = 64
NAMES = "RGYB"
COLOURS: tuple[Colour, ...] = ((222, 90, 84), (84, 168, 104), (222, 186, 60), (84, 128, 214))
CAB: Colour = (250, 190, 40)
BUSY_CAB: Colour = (240, 140, 40)
PASSENGER: Colour = (64, 72, 120)
TARGET: Colour = (160, 64, 180)


def decode(state: int) -> tuple[int, int, int, int]:
    """Row, column, passenger and destination."""
    rest, destination = divmod(state, 4)
    rest, passenger = divmod(rest, 5)
    row, column = divmod(rest, SIDE)
    return row, column, passenger, destination


class TaxiArtist:
    """Draws a state as the map with the taxi (T with a passenger, t without) and a line below."""

    def text(self, state: int) -> str:
        """The map of the town, and who is where.

        >>> print(TaxiArtist().text(328).splitlines()[-1])
        taxi at (3, 1), passenger waits at Y, destination R
        """
        row, column, passenger, destination = decode(state)
        lines = [list(line) for line in MAP]
        lines[1 + row][1 + 2 * column] = "T" if passenger == IN_TAXI else "t"
        rides = "passenger rides" if passenger == IN_TAXI else f"passenger waits at {NAMES[passenger]}"
        below = f"taxi at ({row}, {column}), {rides}, destination {NAMES[destination]}"
        return "\n".join(["".join(line) for line in lines] + [below])

    def picture(self, state: int) -> RGBArray:
        """[320, 320, 3]: depots as coloured squares, the destination framed, the passenger a dark dot."""
        row, column, passenger, destination = decode(state)
        image: RGBArray = np.empty((SIDE * SIZE, SIDE * SIZE, 3), dtype=np.uint8)
        image[:] = FLOOR

        def cell(r: int, c: int) -> RGBArray:
            return image[r * SIZE : (r + 1) * SIZE, c * SIZE : (c + 1) * SIZE]

        image[SIZE - 1 :: SIZE] = LINE
        image[:, SIZE - 1 :: SIZE] = LINE
        for depot, place in enumerate(DEPOTS):
            if depot == destination:
                paint(cell(*place), rounded_box(SIZE, (29, 29), 8), TARGET)
                paint(cell(*place), rounded_box(SIZE, (25, 25), 5), FLOOR)
            paint(cell(*place), rounded_box(SIZE, (22, 22), 5), COLOURS[depot], opacity=0.55)
            write_centred(cell(*place), NAMES[depot], WHITE, height=26)
        for r in range(SIDE):
            for c in range(SIDE - 1):
                if MAP[1 + r][2 * c + 2] == "|":
                    image[r * SIZE : (r + 1) * SIZE, (c + 1) * SIZE - 3 : (c + 1) * SIZE + 3] = WALL

        here = cell(row, column)
        paint(here, rounded_box(SIZE, (13, 21), 6, (3, 0)), INK)
        paint(here, rounded_box(SIZE, (11, 19), 5, (3, 0)), BUSY_CAB if passenger == IN_TAXI else CAB)
        paint(here, rounded_box(SIZE, (5, 11), 3, (-9, 0)), INK)
        for wheel in (-11, 11):
            paint(here, disc(SIZE, 5, (15, wheel)), INK)
        person = here if passenger == IN_TAXI else cell(*DEPOTS[passenger])
        centre = (1.0, 0.0) if passenger == IN_TAXI else (-14.0, 14.0)
        paint(person, disc(SIZE, 7.5, centre), WHITE)
        paint(person, disc(SIZE, 6, centre), PASSENGER)
        return image
