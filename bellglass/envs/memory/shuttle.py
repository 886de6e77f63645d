"""Shuttle: carry supplies between two space stations, docking backwards and seeing only what lies ahead.

    0 docked in LRV, 3 at LRV back to it, 6 at LRV facing it        LRV is the station least recently visited,
    5 in space facing LRV, 2 in space facing MRV                    MRV the most recently visited one
    7 docked in MRV, 4 at MRV back to it, 1 at MRV facing it

    action 0 TurnAround, 1 GoForward (a bump into a station, in 1 and 6, costs 3), 2 Backup (uncertain)
    backing from 3 into the dock of LRV pays 10: delivered, and the stations' roles are exchanged

Seen of the state just entered: LRV, MRV, docked in MRV, nothing, docked in LRV; a station in the distance is
missed with chance .3.

No closed form; at the start the best with memory is worth what it is worth to see the state (32.8897, discount .95),
so the two bounds of the solver meet.

Chrisman, AAAI 1992; the file shuttle.95.POMDP.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag
from ..mdp import TabularMDP
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..rendering.cells import AGENT, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, polygon, spot, words
from ..tabular import EnvSettings
from .resets import hidden

TURN_AROUND, GO_FORWARD, BACKUP = range(3)
NAMES = (
    "docked in LRV",
    "at MRV, facing it",
    "in space, facing MRV",
    "at LRV, back to it",
    "at MRV, back to it",
    "in space, facing LRV",
    "at LRV, facing it",
    "docked in MRV",
)
DOCKED_MRV = 7
DELIVERY, BUMP = 10.0, -3.0

#: Where turning around and going forward lead from each state.
TURNED = (1, 4, 5, 6, 1, 2, 3, 1)
AHEAD = (4, 1, 1, 2, 5, 6, 6, 4)

#: Chances of where backing leads from each state.
BACK: tuple[dict[int, float], ...] = (
    {7: 1.0},
    {1: 0.4, 2: 0.3, 4: 0.3},
    {2: 0.1, 3: 0.8, 6: 0.1},
    {0: 0.7, 3: 0.3},
    {4: 0.3, 7: 0.7},
    {1: 0.1, 4: 0.8, 5: 0.1},
    {3: 0.3, 5: 0.3, 6: 0.4},
    {7: 1.0},
)

#: [8, 5] chance of each observation.
SEEN = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 0.7, 0.0, 0.3, 0.0],
        [0.0, 0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 1.0, 0.0],
        [0.7, 0.0, 0.0, 0.3, 0.0],
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0, 0.0],
    ]
)
SIGHTS = ("see LRV", "see MRV", "docked in MRV", "see nothing", "docked in LRV")


def shuttle(*, observation_at_reset: bool) -> TabularPOMDP:
    """The table: eight states, without an end."""
    P = {
        s: {
            TURN_AROUND: [(1.0, TURNED[s], 0.0, False)],
            GO_FORWARD: [(1.0, AHEAD[s], BUMP if s in (1, 6) else 0.0, False)],
            BACKUP: [
                (p, next_s, DELIVERY if (s, next_s) == (3, 0) else 0.0, False)
                for next_s, p in BACK[s].items()
            ],
        }
        for s in range(8)
    }
    mdp = TabularMDP.from_P(
        P,
        initial=np.arange(8) == DOCKED_MRV,
        state_labels=NAMES,
        action_labels=("TurnAround", "GoForward", "Backup"),
    )
    return hidden(mdp, SEEN, SIGHTS, at_reset=SEEN if observation_at_reset else None)


#: Across the picture from LRV to MRV: where the shuttle is in each state, and whether it looks right.
WHERE = (0, 3, 2, 1, 3, 2, 1, 4)
LOOKS_RIGHT = (True, True, True, True, False, False, False, False)

SKY: Colour = (28, 34, 52)
STATION: Colour = (150, 162, 184)
STARS = ((24, 40), (60, 180), (30, 250), (70, 330), (44, 440), (150, 60), (176, 210), (160, 300), (136, 372))


class ShuttleArtist:
    """Draws both stations and the shuttle between them."""

    def text(self, state: int) -> str:
        """One line."""
        places = ["  "] * 5
        places[WHERE[state]] = "=>" if LOOKS_RIGHT[state] else "<="
        return f"LRV[{places[0]}] {' '.join(places[1:4])} [{places[4]}]MRV"

    def picture(self, state: int) -> RGBArray:
        """[208, 480, 3]."""
        image = canvas(208, 480, SKY)
        for star in STARS:
            spot(image, WHITE, star, 1.6)
        for middle, side, name in ((52.0, 1, "LRV"), (428.0, -1, "MRV")):
            panel(image, (92, 120, 170), (46, middle), (26, 86), corner=4)
            panel(image, (92, 120, 170), (162, middle), (26, 86), corner=4)
            panel(image, STATION, (104, middle), (104, 20), corner=6)
            panel(image, STATION, (104, middle), (64, 88), corner=18)
            panel(image, SKY, (104, middle + 8 * side), (36, 64), corner=10)
            words(image, name, WHITE, (194, middle), dot=3)
        right = 1.0 if LOOKS_RIGHT[state] else -1
        y, x = 104.0, (60.0, 136.0, 240.0, 344.0, 420.0)[WHERE[state]]
        panel(image, WHITE, (y, x - 3 * right), (18, 34), corner=7)
        polygon(image, WHITE, [(y - 9, x + 10 * right), (y, x + 25 * right), (y + 9, x + 10 * right)])
        for down in (-1, 1):
            tip = (y + 19 * down, x - 20 * right)
            polygon(image, AGENT, [(y + 8 * down, x + 4 * right), tip, (y + 8 * down, x - 16 * right)])
        spot(image, (96, 164, 226), (y, x + 8 * right), 4)
        return image


class Shuttle(TabularPOMDPEnv):
    """Deliver supplies, docking backwards.

    Args:
        observation_at_reset: whether reset() shows what lies ahead; else 'none'.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.95

    def __init__(self, observation_at_reset: bool = True, **settings: Unpack[EnvSettings]) -> None:
        pomdp = shuttle(observation_at_reset=flag("observation_at_reset", observation_at_reset))
        super().__init__(pomdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the stations and the shuttle."""
        return ShuttleArtist()
