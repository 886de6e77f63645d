"""Taxi: drive to the passenger, pick up, drive to the destination, drop off.

    +---------+
    |R: | : :G|      state ((row*5 + column)*5 + passenger)*4 + destination
    | : | : : |      passenger and destination: 0 R, 1 G, 2 Y, 3 B; passenger 4: in the taxi
    | : : : : |      ':' is open, '|' a wall between two cells
    | | : | : |      actions: 0 south, 1 north, 2 east, 3 west, 4 pick up, 5 drop off
    |Y| : |B: |
    +---------+

A step pays -1, the delivery 20 instead and ends the episode, an illegal pick-up or drop-off -10 instead.
Dropping off at a depot that is not the destination leaves the passenger there (-1).  `is_rainy`: a move that
is not blocked goes as meant with `rainy_probability`, else to one of its sides (a blocked side stays); a
blocked move stays for sure.

Gymnasium's Taxi-v4, outcome for outcome.  Four states are terminal: taxi and passenger at the destination.
Some states that no start reaches (the passenger waits at the destination, the taxi is elsewhere) enter them
unterminated, there as here.  No closed form in general; dry, a start is worth 20 - (shortest way, pick-up
included).

Dietterich, JAIR 13 (2000), sections 2 and 7.1.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag, real
from ..mdp import TabularMDP
from ..rendering.cells import Artist
from ..tabular import EnvSettings, TabularEnv
from .moves import Cell
from .taxi_map import DEPOTS, IN_TAXI, MAP, SIDE
from .taxi_pictures import TaxiArtist

SOUTH, NORTH, EAST, WEST, PICK_UP, DROP_OFF = range(6)
MOVES: dict[int, Cell] = {SOUTH: (1, 0), NORTH: (-1, 0), EAST: (0, 1), WEST: (0, -1)}

#: The sides to which rain may push a move, seen in driving direction: left, right.
SIDES = {SOUTH: (EAST, WEST), NORTH: (WEST, EAST), EAST: (NORTH, SOUTH), WEST: (SOUTH, NORTH)}


def drive(cell: Cell, direction: int) -> Cell:
    """The next cell; the same one if a wall is in the way."""
    row, column = cell
    if direction in (EAST, WEST):
        border = MAP[1 + row][2 * column + (2 if direction == EAST else 0)]
        return (row, column + MOVES[direction][1]) if border == ":" else cell
    return min(max(row + MOVES[direction][0], 0), SIDE - 1), column


def encode(row: int, column: int, passenger: int, destination: int) -> int:
    """The state's index."""
    return ((row * SIDE + column) * 5 + passenger) * 4 + destination


def taxi(*, is_rainy: bool, rainy_probability: float) -> TabularMDP:
    """The table: 500 states, 300 of them starts."""
    labels = [
        (row, column, passenger, destination)
        for row in range(SIDE)
        for column in range(SIDE)
        for passenger in range(5)
        for destination in range(4)
    ]
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    starts = np.zeros(len(labels))
    for s, (row, column, passenger, destination) in enumerate(labels):
        cell = (row, column)
        if passenger == destination and cell == DEPOTS[destination]:
            P[s] = {a: [(1.0, s, 0.0, True)] for a in range(6)}
            continue
        starts[s] = passenger not in (IN_TAXI, destination)
        P[s] = {}
        for a in MOVES:
            ahead = drive(cell, a)
            roads = [(1.0, ahead)]
            if is_rainy:
                astray = [drive(cell, side) if ahead != cell else cell for side in SIDES[a]]
                chances = (rainy_probability, *[(1.0 - rainy_probability) / 2.0] * 2)
                roads = list(zip(chances, (ahead, *astray), strict=True))
            P[s][a] = [(p, encode(*to, passenger, destination), -1.0, False) for p, to in roads]
        boards = passenger != IN_TAXI and cell == DEPOTS[passenger]
        P[s][PICK_UP] = [
            (1.0, encode(*cell, IN_TAXI, destination), -1.0, False) if boards else (1.0, s, -10.0, False)
        ]
        P[s][DROP_OFF] = [(1.0, s, -10.0, False)]
        if passenger == IN_TAXI and cell in DEPOTS:
            depot = DEPOTS.index(cell)
            arrived = depot == destination
            P[s][DROP_OFF] = [(1.0, encode(*cell, depot, destination), 20.0 if arrived else -1.0, arrived)]
    return TabularMDP.from_P(
        P,
        initial=starts / starts.sum(),
        state_labels=labels,
        action_labels=("south", "north", "east", "west", "pick up", "drop off"),
    )


class Taxi(TabularEnv):
    """Bring the passenger to the destination.

    Args:
        is_rainy: whether moves may go astray.
        rainy_probability: chance in [0, 1] that a move in the rain goes as meant.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self, is_rainy: bool = False, rainy_probability: float = 0.8, **settings: Unpack[EnvSettings]
    ) -> None:
        super().__init__(
            taxi(
                is_rainy=flag("is_rainy", is_rainy),
                rainy_probability=real("rainy_probability", rainy_probability, 0.0, 1.0),
            ),
            **settings,
        )

    @property
    def artist(self) -> Artist:
        """Draws the town, the taxi, the passenger and the destination."""
        return TaxiArtist()
