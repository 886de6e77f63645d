"""Parking: drive towards the theatre past places that may be free; park near, or pay for the garage.

    place   N   N-1  ...   2     1   garage       action 0 drive on; past place 1 the garage costs C
          |   | car |   |     | car |             action 1 park: costs k, the distance; on an occupied place it
          ------------------> theatre             drives on.  Each place is free with chance p, seen on arrival.

States (N, occupied), (N, free), (N-1, occupied), .., (1, free), then the end.  With w(k) the value of arriving at
place k, undiscounted,

    w(0)  =  -C            w(k)  =  p * max(-k, w(k - 1)) + (1 - p) * w(k - 1)

Park at a free place k if  -k >= w(k - 1).  Since w never falls as k grows, while -k does, those are the places up
to some distance, and no others.

Bertsekas, Dynamic Programming and Optimal Control, vol. I.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, Layout, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import AGENT, FAINT, GOAL, HOLE, INK, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.rows import in_rows
from ..rendering.shapes import canvas, panel, spot, words
from ..tabular import EnvSettings, TabularEnv

DRIVE, PARK = 0, 1


def parking(N: int, *, p: float, C: float) -> TabularMDP:
    """The table: 2 N states from the far end on, and the end."""
    end = 2 * N
    require_memory(600 * end, f"a table of {brief(end + 1)} states", {"N": N})
    states = np.arange(end)
    k, free = N - states // 2, states % 2 == 1
    pairs, chances, targets, rewards, ends = [], [], [], [], []
    for arrives_free in (0, 1):  # driving on, whether asked to or because the place is taken
        for a, drives in ((DRIVE, states), (PARK, states[~free])):
            past = k[drives] == 1
            pairs.append(2 * drives + a)
            chances.append(np.where(past, 1.0 - arrives_free, p if arrives_free else 1.0 - p))
            targets.append(np.where(past, end, 2 * (drives // 2 + 1) + arrives_free))
            rewards.append(np.where(past, -C, 0.0))
            ends.append(past)
    parked = states[free]
    return TabularMDP(
        **sorted_outcomes(
            2 * (end + 1),
            pair=np.concatenate([*pairs, 2 * parked + PARK]),
            probability=np.concatenate([*chances, np.ones(N)]),
            next_state=np.concatenate([*targets, np.full(N, end)]),
            reward=np.concatenate([*rewards, -k[free]]),
            terminated=np.concatenate([*ends, np.ones(N, dtype=np.bool_)]),
        ),
        initial=[1.0 - p, p, *[0.0] * (end - 1)],
        state_labels=_labels(N),
        action_labels=("drive on", "park"),
        layout=_places(N),
    )


def _places(N: int) -> Layout:
    """The free places, from the far end on; at the others there is nothing to choose."""
    rows = in_rows(" " * N, ("D", "P"))
    cell = np.full((2 * N + 1, 2), -1)
    cell[1 : 2 * N : 2] = rows.cell
    begins = tuple(str(N - row * rows.columns) for row in range(rows.rows)) if rows.rows > 1 else ()
    return replace(rows, cell=cell, row_labels=begins)


def _labels(N: int) -> list[Hashable]:
    return [*((k, free) for k in range(N, 0, -1) for free in (False, True)), "end"]


def closed_form_values(N: int, *, p: float, C: float) -> FloatArray:
    """[N + 1] w(0) .. w(N): the recursion above."""
    worth = np.full(N + 1, -float(C))
    for k in range(1, N + 1):
        worth[k] = p * max(-float(k), worth[k - 1]) + (1.0 - p) * worth[k - 1]
    return worth


ROAD: Colour = (88, 96, 112)
KERB: Colour = (226, 229, 235)


class ParkingArtist:
    """Draws the place beside the car, and how far it is to the theatre."""

    def __init__(self, N: int) -> None:
        self._N = N

    def text(self, state: int) -> str:
        """One line."""
        if state == 2 * self._N:
            return "(end)"
        return f"place {self._N - state // 2}: {'free' if state % 2 else 'occupied'}"

    def picture(self, state: int) -> RGBArray:
        """[288, 480, 3]."""
        image = canvas(288, 480)
        panel(image, KERB, (74, 240), (116, 480))
        panel(image, ROAD, (172, 240), (84, 480))
        for x in range(20, 480, 88):
            panel(image, WHITE, (172, x + 20), (4, 44), corner=2, opacity=0.8)
        panel(image, KERB, (250, 232), (8, 400), corner=4)
        words(image, "T", GOAL, (250, 454), dot=5)
        if state == 2 * self._N:
            words(image, "END", INK, (74, 240), dot=8)
            return image
        k, free = self._N - state // 2, state % 2
        panel(image, WHITE, (74, 240), (108, 160), corner=10)
        if free:
            panel(image, HOLE, (66, 240), (64, 56), corner=10)
            words(image, "P", WHITE, (66, 240), dot=8)
        else:
            _car(image, (66, 240), FAINT)
        words(image, str(k), INK, (116, 240), dot=3)
        _car(image, (172, 240), AGENT)
        spot(image, AGENT, (250, 32 + 400 * (1 - k / self._N)), 8)
        return image


def _car(image: RGBArray, centre: tuple[float, float], colour: Colour) -> None:
    """A car from above, driving right."""
    y, x = centre
    for down in (-24, 24):
        for right in (-30, 30):
            panel(image, INK, (y + down, x + right), (8, 20), corner=4)
    panel(image, colour, centre, (46, 104), corner=16)
    panel(image, (40, 48, 62), (y, x + 20), (36, 14), corner=6)
    panel(image, (40, 48, 62), (y, x - 32), (34, 10), corner=5)
    panel(image, LINE, (y, x - 4), (32, 28), corner=6, opacity=0.35)


class Parking(TabularEnv):
    """Find a free place as near as you dare.

    Args:
        N: number of places, at least 1.
        p: chance in [0, 1] that a place is free.
        C: cost of the garage, any finite number.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self, N: int = 200, p: float = 0.05, C: float = 100, **settings: Unpack[EnvSettings]
    ) -> None:
        self._N = whole("N", N, 1)
        mdp = parking(self._N, p=real("p", p, 0.0, 1.0), C=real("C", C))
        super().__init__(mdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the street."""
        return ParkingArtist(self._N)
