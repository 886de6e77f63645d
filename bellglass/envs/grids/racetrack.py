"""Racetrack: drive round a bend, fast, but not so fast as to leave the road.

    left                      right

    ###.............G         ################...............G
    ##..............G         ############...................G
    #...............G         ###########....................G      S  start line
    ................G         #############..................G      G  finish line
    ..........#######         ##############............######      #  off the road
    .........########         ###########............#########
    ##.......########         ####...................#########      (not every row is shown)
    ###SSSSSS########         SSSSSSSSSSSSSSSSSSSSSSS#########

A state is the car's cell (row, column) and its velocity (up, right), cells a step, each from 0 to 4.  A step
    1. adds the increments of the action, -1, 0 or +1 to each component, and cuts the sums to 0 .. 4; with
       probability `noise` both increments are 0 instead.  Off the start line the velocity never becomes (0, 0): the
       old one is kept then;
    2. drives along the straight line from the centre of the cell to that of the cell `up` rows higher and `right`
       columns further.  The cells through whose inside the line runs are looked at in order (touching a corner is
       no crossing): if the first that is no plain road is a finish cell, the episode ends; if it is off the road
       or off the map, the car is put back onto a cell of the start line, each equally likely, with velocity (0, 0);
    3. pays -1.

Action 3 * (du + 1) + (dr + 1) increments the velocity by (du, dr): 0 is (-1, -1), 4 changes nothing, 8 is (1, 1).

States are those that a start can reach, by row, column and velocity, and, last, the finish.  The book tells
everything but what a step does whose velocity would be (0, 0), and which cells a path crosses: 1. and 2. above.
Without a discount v*(start) is minus the expected number of steps; no closed form: the solver's certificate stands
behind it.  Without noise each start cell is worth the shortest way or, where that is longer, a crash on purpose: it
costs a step or two and may put the car onto a better cell.

Sutton & Barto, Reinforcement Learning: An Introduction, 2nd ed. (2018), Exercise 5.12 and Figure 5.5.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from typing import Literal, Unpack

import numpy as np

from ..keywords import one_of, real
from ..mdp import BoolArray, IntArray, TabularMDP
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import Artist
from ..tabular import EnvSettings, TabularEnv
from .moves import Cell
from .racetrack_pictures import RacetrackArtist

Track = Literal["left", "right"]

TRACKS: dict[str, tuple[str, ...]] = {
    "left": (
        "###.............G",
        "##..............G",
        "##..............G",
        "#...............G",
        "................G",
        "................G",
        "..........#######",
        ".........########",
        ".........########",
        ".........########",
        ".........########",
        ".........########",
        ".........########",
        ".........########",
        "#........########",
        "#........########",
        "#........########",
        "#........########",
        "#........########",
        "#........########",
        "#........########",
        "#........########",
        "##.......########",
        "##.......########",
        "##.......########",
        "##.......########",
        "##.......########",
        "##.......########",
        "##.......########",
        "###......########",
        "###......########",
        "###SSSSSS########",
    ),
    "right": (
        "################...............G",
        "#############..................G",
        "############...................G",
        "###########....................G",
        "###########....................G",
        "###########....................G",
        "###########....................G",
        "############...................G",
        "#############..................G",
        "##############................##",
        "##############.............#####",
        "##############............######",
        "##############..........########",
        "##############.........#########",
        "#############..........#########",
        "############...........#########",
        "###########............#########",
        "##########.............#########",
        "#########..............#########",
        "########...............#########",
        "#######................#########",
        "######.................#########",
        "#####..................#########",
        "####...................#########",
        "###....................#########",
        "##.....................#########",
        "#......................#########",
        ".......................#########",
        ".......................#########",
        "SSSSSSSSSSSSSSSSSSSSSSS#########",
    ),
}

#: Velocities are (up, right), each in 0 .. 4, numbered 5 * up + right.
SPEEDS = 5

#: (up, right) increments of the actions.
INCREMENTS: tuple[Cell, ...] = tuple((du, dr) for du in (-1, 0, 1) for dr in (-1, 0, 1))
STEADY = INCREMENTS.index((0, 0))


def crossed(up: int, right: int) -> list[Cell]:
    """(rows up, columns right) of the cells through which a car of that velocity drives, its own one excluded.

    >>> crossed(1, 1), crossed(1, 2)
    ([(1, 1)], [(0, 1), (1, 1), (1, 2)])
    """
    borders = {(k + 0.5) / up for k in range(up)} | {(k + 0.5) / right for k in range(right)}
    times = [*sorted(borders), 1.0]
    middles = [(now + then) / 2 for now, then in pairwise(times)]
    return [(round(t * up), round(t * right)) for t in middles]


def racetrack(track: str, *, noise: float) -> TabularMDP:
    """The table: the states that a start can reach, and the finish."""
    road = Road(TRACKS[track])
    tried = [road.next_state(*increment) for increment in INCREMENTS]
    reached = road.reachable(tried if noise < 1.0 else [tried[STEADY]])
    states = np.flatnonzero(reached)  # the finish is last
    number = np.full(road.finish + 1, -1)
    number[states] = np.arange(len(states))
    live, starts, finish = states[:-1], number[road.starts], len(states) - 1

    pairs, chances, targets = [], [], []
    for a, meant in enumerate(tried):
        pair = number[live] * len(INCREMENTS) + a
        ways = [(1.0, meant)] if a == STEADY else [(1.0 - noise, meant), (noise, tried[STEADY])]
        crash = np.zeros(len(live))
        for p, way in ways:
            driven = way[live] >= 0
            pairs.append(pair[driven])
            chances.append(np.full(len(pairs[-1]), p))
            targets.append(number[way[live[driven]]])
            crash += np.where(driven, 0.0, p)
        for start in starts:
            pairs.append(pair)
            chances.append(crash / len(starts))
            targets.append(np.full(len(live), start))
    next_state = np.concatenate(targets)
    labels: list[Hashable] = [road.label(s) for s in live.tolist()]
    return TabularMDP(
        **sorted_outcomes(
            len(states) * len(INCREMENTS),
            pair=np.concatenate(pairs),
            probability=np.concatenate(chances),
            next_state=next_state,
            reward=-1.0,
            terminated=next_state == finish,
        ),
        initial=np.bincount(starts, minlength=len(states)) / len(starts),
        state_labels=[*labels, "finish"],
        action_labels=INCREMENTS,
    )


class Road:
    """A track, and every (cell, velocity) on its map as the number  25 * (row * columns + column) + velocity.

    Attributes:
        finish: the number after the last one stands for the finish.
        starts: the numbers of the start states.
    """

    def __init__(self, drawing: tuple[str, ...]) -> None:
        self._letters = np.array([list(row) for row in drawing])
        self._rows, self._columns = self._letters.shape
        self.finish = self._letters.size * SPEEDS**2
        self.starts: IntArray = np.flatnonzero(self._letters == "S") * SPEEDS**2

    def label(self, state: int) -> tuple[int, int, int, int]:
        """(row, column, up, right)."""
        cell, velocity = divmod(state, SPEEDS**2)
        return (*divmod(cell, self._columns), *divmod(velocity, SPEEDS))

    def next_state(self, du: int, dr: int) -> IntArray:
        """[finish] where these increments lead from every state: a number, or -1 for back to the start."""
        cell, velocity = np.divmod(np.arange(self.finish), SPEEDS**2)
        up, right = np.divmod(velocity, SPEEDS)
        new_up, new_right = np.clip(up + du, 0, SPEEDS - 1), np.clip(right + dr, 0, SPEEDS - 1)
        stalled = (new_up == 0) & (new_right == 0) & (self._letters.ravel()[cell] != "S")
        new = SPEEDS * np.where(stalled, up, new_up) + np.where(stalled, right, new_right)
        reached = np.full(self.finish, -1)
        for v in range(SPEEDS**2):
            driving = new == v
            reached[driving] = self._driven(cell[driving], *divmod(v, SPEEDS))
        return reached

    def _driven(self, cell: IntArray, up: int, right: int) -> IntArray:
        """Where cars at that velocity arrive."""
        row, column = np.divmod(cell, self._columns)
        open_road: BoolArray = np.ones(len(cell), dtype=np.bool_)
        arrived: IntArray = (cell - up * self._columns + right) * SPEEDS**2 + SPEEDS * up + right
        for rows_up, columns_right in crossed(up, right):
            r, c = row - rows_up, column + columns_right
            on_map = (r >= 0) & (c < self._columns)
            letter = np.where(on_map, self._letters[np.maximum(r, 0), np.minimum(c, self._columns - 1)], "#")
            arrived = np.where(open_road & (letter == "G"), self.finish, arrived)
            arrived = np.where(open_road & (letter == "#"), -1, arrived)
            open_road &= (letter != "G") & (letter != "#")
        return arrived

    def reachable(self, ways: list[IntArray]) -> BoolArray:
        """[finish + 1] which states a start can reach by these ways; the finish counts as reached."""
        reached: BoolArray = np.zeros(self.finish + 1, dtype=np.bool_)
        reached[self.finish] = True
        frontier = self.starts
        while len(frontier):
            reached[frontier] = True
            new = np.unique(np.concatenate([way[frontier] for way in ways]))
            frontier = new[(new >= 0) & ~reached[new]]
        return reached


class Racetrack(TabularEnv):
    """Reach the finish line in as few steps as possible.

    Args:
        track: "left" or "right", the two of Figure 5.5.
        noise: chance in [0, 1] that the increments are both 0, whatever the action.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, track: Track = "left", noise: float = 0.1, **settings: Unpack[EnvSettings]) -> None:
        self._track = one_of("track", track, tuple(TRACKS))
        super().__init__(racetrack(self._track, noise=real("noise", noise, 0.0, 1.0)), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the track, the car, and where its velocity takes it."""
        if not isinstance(self._artist, RacetrackArtist):
            self._artist = RacetrackArtist(TRACKS[self._track], self.mdp)
        return self._artist
