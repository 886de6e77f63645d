"""Pictures of cars on two lots, and of servers with a customer before them."""

from __future__ import annotations

from ..mdp import TabularMDP
from ..rendering.cells import AGENT, FAINT, FLOOR, INK, LINE, WALL, WHITE, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, spot, words

MARGIN = 20

CARS: tuple[Colour, Colour] = ((62, 116, 196), (205, 92, 78))
GLASS: Colour = (216, 228, 244)
LOT: Colour = (226, 229, 235)

#: The dearer the customer, the warmer.
PRIORITY_COLOURS: dict[int, Colour] = {
    1: (122, 152, 190),
    2: (70, 150, 130),
    4: (225, 170, 50),
    8: (208, 84, 70),
}


class CarLotsArtist:
    """Draws the cars that stand at two locations in the evening.

    Args:
        mdp: the table; its states are called (cars at location 1, cars at location 2).
        most_cars: places of a lot, a multiple of `per_row`.
        per_row: places in a row.
    """

    def __init__(self, mdp: TabularMDP, most_cars: int, per_row: int = 5) -> None:
        self.mdp = mdp
        self.most_cars = most_cars
        self.per_row = per_row

    def text(self, state: int) -> str:
        """A line a location."""
        return "\n".join(
            f"location {i}  [{'o' * cars}{'.' * (self.most_cars - cars)}] {cars}"
            for i, cars in enumerate(self._cars(state), start=1)
        )

    def picture(self, state: int) -> RGBArray:
        """[height, width, 3] a lot beside the other, cars filling them row by row."""
        place = 52
        side, rows = self.per_row * place, self.most_cars // self.per_row
        image = canvas(rows * place + 2 * MARGIN + 34, 2 * side + 3 * MARGIN)
        for i, cars in enumerate(self._cars(state)):
            left = MARGIN + i * (side + MARGIN)
            top = MARGIN + 34
            words(image, f"location {i + 1}", FAINT, (MARGIN + 8, left + 2 + 21 * 2), dot=2)
            words(image, str(cars), INK, (MARGIN + 8, left + side - 18), dot=4)
            panel(image, LOT, (top + rows * place / 2, left + side / 2), (rows * place, side), corner=8)
            for n in range(self.most_cars):
                row, column = divmod(n, self.per_row)
                centre = (top + (row + 0.5) * place, left + (column + 0.5) * place)
                if n < cars:
                    self._draw_car(image, CARS[i], centre)
                else:
                    spot(image, FLOOR, centre, 4)
        return image

    def _draw_car(self, image: RGBArray, colour: Colour, centre: tuple[float, float]) -> None:
        """A car seen from above."""
        down, right = centre
        panel(image, colour, centre, (42, 24), corner=7)
        panel(image, GLASS, (down - 7, right), (7, 18), corner=3)
        panel(image, GLASS, (down + 13, right), (5, 18), corner=2)

    def _cars(self, state: int) -> tuple[int, int]:
        label = self.mdp.decode(state)
        assert isinstance(label, tuple)
        return label


class ServersArtist:
    """Draws servers, free and busy, and the customer at the head of the queue.

    Args:
        mdp: the table; its states are called (free servers, priority of the customer).
        servers: how many there are.
    """

    def __init__(self, mdp: TabularMDP, servers: int) -> None:
        self.mdp = mdp
        self.servers = servers
        self.per_row = next(n for n in range(10, servers + 11) if n * n >= servers)

    def text(self, state: int) -> str:
        """One line: busy servers are #, free ones dots."""
        free, priority = self._seen(state)
        return f"servers [{'#' * (self.servers - free)}{'.' * free}] {free} free, customer of priority {priority}"

    def picture(self, state: int) -> RGBArray:
        """[height, width, 3] servers in rows, dark where busy, and below them the customer."""
        free, priority = self._seen(state)
        place = max(480 // self.per_row, 8)
        rows = -(-self.servers // self.per_row)
        width, below = self.per_row * place, 96
        image = canvas(rows * place // 2 * 2 + 2 * MARGIN + below, width // 2 * 2 + 2 * MARGIN)
        for n in range(self.servers):
            row, column = divmod(n, self.per_row)
            centre = (MARGIN + (row + 0.5) * place, MARGIN + (column + 0.5) * place)
            busy = n < self.servers - free
            panel(image, WALL if busy else LINE, centre, (0.8 * place, 0.8 * place), corner=0.14 * place)
            if busy:
                spot(image, AGENT, centre, 0.2 * place)
            else:
                panel(image, WHITE, centre, (0.8 * place - 4, 0.8 * place - 4), corner=0.1 * place)
        middle = MARGIN + rows * place + below / 2 + 8
        spot(image, PRIORITY_COLOURS[priority], (middle, MARGIN + 40), 30)
        words(image, str(priority), WHITE, (middle, MARGIN + 40), dot=5)
        words(image, "priority", FAINT, (middle, MARGIN + 86 + 31), dot=2)
        told = f"{free} free"
        words(image, told, INK, (middle, MARGIN + width - 2 * (4 * len(told) - 1)), dot=4)
        return image

    def _seen(self, state: int) -> tuple[int, int]:
        label = self.mdp.decode(state)
        assert isinstance(label, tuple)
        return label
