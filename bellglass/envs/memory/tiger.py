"""Tiger: behind one of two doors waits a tiger; listen until you dare to open the other.

    state 0 tiger left, 1 tiger right       action 0 listen       costs 1; hear the right side with chance `accuracy`
                                            action 1 open left    -100 with the tiger, else 10; the tiger is put
                                            action 2 open right   anew behind either door (or the episode ends)
    observation 0 hear left, 1 hear right; after opening either, equally likely; 2 none at reset

What was heard matters only by the difference d of lefts and rights:  P(left) = 1 / (1 + ((1 - q) / q)**d)  with
q = accuracy.  So the best is to listen until |d| reaches some D and then to open the other door, and each D is one
small linear system (`closed_form_value_of_a`, derived here); the optimum is the greatest of them.

Cassandra, Kaelbling & Littman, AAAI 1994; Kaelbling, Littman & Cassandra, AIJ 101 (1998), section 5.1.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag, real
from ..mdp import TabularMDP
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..rendering.cells import FAINT, INK, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, polygon, spot, stroke, words
from ..tabular import EnvSettings
from .resets import hidden

LISTEN, OPEN_LEFT, OPEN_RIGHT = range(3)
COST, EATEN, GOLD = -1.0, -100.0, 10.0


def tiger(*, accuracy: float, episodic: bool, observation_at_reset: bool) -> TabularPOMDP:
    """The table: tiger left, tiger right, and the end where there is one."""
    end = 2
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for side in (0, 1):
        P[side] = {LISTEN: [(1.0, side, COST, False)]}
        for door, action in enumerate((OPEN_LEFT, OPEN_RIGHT)):
            paid = EATEN if door == side else GOLD
            anew = [(0.5, 0, paid, False), (0.5, 1, paid, False)]
            P[side][action] = [(1.0, end, paid, True)] if episodic else anew
    names = ["tiger left", "tiger right"]
    if episodic:
        P[end] = {a: [(1.0, end, 0.0, True)] for a in range(3)}
        names.append("end")
    mdp = TabularMDP.from_P(
        P,
        initial=[0.5, 0.5, 0.0][: len(names)],
        state_labels=names,
        action_labels=("listen", "open left", "open right"),
    )
    heard = np.full((3, len(names), 2), 0.5)
    heard[LISTEN, :2] = [[accuracy, 1.0 - accuracy], [1.0 - accuracy, accuracy]]
    return hidden(
        mdp, heard, ("hear left", "hear right"), at_reset=heard[LISTEN] if observation_at_reset else None
    )


def closed_form_start_value(D: int, *, accuracy: float, discount: float, episodic: bool = False) -> float:
    """Value of the uniform belief of who opens once one side was heard D times more often (`accuracy` in (0, 1)).

    With w(d) the value at difference d, in expectation over both tigers:

        w(d)   =  -1 + discount * (up(d) * w(d + 1) + (1 - up(d)) * w(d - 1)),    |d| < D
        w(+-D) =  10 P - 100 (1 - P) + discount * w(0)                            (nothing after it if episodic)

    where up(d) = q P(d) + (1 - q) (1 - P(d)) is the chance to hear left; one linear system.
    """
    d = np.arange(-D, D + 1)
    left = 1.0 / (1.0 + ((1.0 - accuracy) / accuracy) ** d)
    up = accuracy * left + (1.0 - accuracy) * (1.0 - left)
    system, paid = np.eye(2 * D + 1), np.full(2 * D + 1, COST)
    for k in range(2 * D + 1):
        if 0 < k < 2 * D:
            system[k, k + 1] -= discount * up[k]
            system[k, k - 1] -= discount * (1.0 - up[k])
        else:
            sure = max(left[k], 1.0 - left[k])
            paid[k] = GOLD * sure + EATEN * (1.0 - sure)
            system[k, D] -= 0.0 if episodic else discount
    return float(np.linalg.solve(system, paid)[D])


DOOR: Colour = (156, 112, 78)
DARK: Colour = (120, 84, 58)
FUR: Colour = (240, 150, 50)
COIN: Colour = (240, 196, 80)


class TigerArtist:
    """Draws both doors, and what is hidden behind them."""

    def text(self, state: int) -> str:
        """One line."""
        return ("[tiger] [gold ]", "[gold ] [tiger]", "(end)")[state]

    def picture(self, state: int) -> RGBArray:
        """[288, 400, 3]."""
        image = canvas(288, 400, (240, 236, 228))
        panel(image, (214, 206, 192), (268, 200), (40, 400))
        for door in (0, 1):
            x = 110.0 + 180.0 * door
            panel(image, DARK, (150, x), (212, 136), corner=10)
            panel(image, DOOR, (152, x), (200, 124), corner=6)
            panel(image, (52, 44, 52), (126, x), (116, 96), corner=8)
            spot(image, COIN, (214, x + (44 if door == 0 else -44)), 6)
            if state == 2:
                continue
            if door == state:
                _tiger(image, (132, x))
            else:
                for y, step in ((160, -24), (160, 0), (160, 24), (140, -12), (140, 12), (120, 0)):
                    spot(image, (206, 158, 50), (y + 2, x + step), 12)
                    spot(image, COIN, (y, x + step), 11)
            words(image, "LEFT" if door == 0 else "RIGHT", FAINT, (272, x), dot=3)
        if state == 2:
            words(image, "END", INK, (272, 200), dot=4)
        return image


def _tiger(image: RGBArray, centre: tuple[float, float]) -> None:
    y, x = centre
    for side in (-1, 1):
        spot(image, FUR, (y - 30, x + 26 * side), 11)
        spot(image, (250, 220, 180), (y - 30, x + 26 * side), 5)
    spot(image, FUR, centre, 38)
    for step in (-10, 0, 10):
        stroke(image, INK, (y - 36, x + step), (y - 22, x + 0.7 * step), 4)
    for side in (-1, 1):
        for down in (-2, 10):
            stroke(image, INK, (y + down, x + 36 * side), (y + down + 2, x + 25 * side), 4)
        spot(image, (252, 250, 240), (y - 8, x + 14 * side), 7)
        spot(image, INK, (y - 8, x + 13 * side), 3.5)
        spot(image, (250, 226, 190), (y + 15, x + 8 * side), 11)
    polygon(image, INK, [(y + 5, x - 7), (y + 5, x + 7), (y + 12, x)])
    for side in (-1, 1):
        stroke(image, INK, (y + 12, x), (y + 19, x + 7 * side), 2.5)


class Tiger(TabularPOMDPEnv):
    """Listen, then open the door without the tiger.

    Args:
        accuracy: chance in [0, 1] of hearing the side where the tiger is.
        episodic: whether opening a door ends the episode.
        observation_at_reset: whether reset() lets one listen; else it shows 'none'.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.95

    def __init__(
        self,
        accuracy: float = 0.85,
        episodic: bool = False,
        observation_at_reset: bool = False,
        **settings: Unpack[EnvSettings],
    ) -> None:
        pomdp = tiger(
            accuracy=real("accuracy", accuracy, 0.0, 1.0),
            episodic=flag("episodic", episodic),
            observation_at_reset=flag("observation_at_reset", observation_at_reset),
        )
        super().__init__(pomdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the doors and what is behind them."""
        return TigerArtist()
