"""CryingBaby: it cries when hungry, mostly; feed it, or ignore it.

    state 0 not hungry, 1 hungry         action 0 feed      costs 5; not hungry next
    observation 0 quiet, 1 cry           action 1 ignore    hungry next with chance .1; the hungry stay hungry
    (of the state just entered)          both cost 10 more while the baby is hungry
    cries with .8 if hungry, .1 if not

No closed form: beliefs since the last feeding differ by all that was heard.  The solver's certificate stands
behind v* at a belief (-16.3055 where the baby is surely not hungry, discount .9).

Kochenderfer, Decision Making Under Uncertainty (2015), sections 6.1-6.2.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag
from ..mdp import TabularMDP
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..rendering.cells import INK, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, ring, spot, stroke
from ..tabular import EnvSettings
from .resets import hidden

FEED, IGNORE = 0, 1
BECOMES_HUNGRY = 0.1
CRIES = (0.1, 0.8)
COST_OF_FEEDING, COST_OF_HUNGER = -5.0, -10.0


def crying_baby(*, observation_at_reset: bool) -> TabularPOMDP:
    """The table: not hungry, hungry."""
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        0: {
            FEED: [(1.0, 0, COST_OF_FEEDING, False)],
            IGNORE: [(1.0 - BECOMES_HUNGRY, 0, 0.0, False), (BECOMES_HUNGRY, 1, 0.0, False)],
        },
        1: {
            FEED: [(1.0, 0, COST_OF_FEEDING + COST_OF_HUNGER, False)],
            IGNORE: [(1.0, 1, COST_OF_HUNGER, False)],
        },
    }
    mdp = TabularMDP.from_P(
        P, initial=[1.0, 0.0], state_labels=("not hungry", "hungry"), action_labels=("feed", "ignore")
    )
    heard = np.array([[1.0 - cries, cries] for cries in CRIES])
    return hidden(mdp, heard, ("quiet", "cry"), at_reset=heard if observation_at_reset else None)


SKIN: Colour = (250, 214, 186)
RED_SKIN: Colour = (246, 178, 158)
TEAR: Colour = (96, 164, 226)
CRIB: Colour = (199, 226, 204)


class CryingBabyArtist:
    """Draws the baby as it feels, whatever it lets one hear."""

    def text(self, state: int) -> str:
        """One line."""
        return "(^_^) not hungry" if state == 0 else "(;o;) hungry"

    def picture(self, state: int) -> RGBArray:
        """[256, 256, 3]."""
        image = canvas(256, 256, CRIB if state == 0 else (246, 222, 206))
        skin = SKIN if state == 0 else RED_SKIN
        for side in (-1, 1):
            spot(image, skin, (136, 128 + 78 * side), 16)
        spot(image, skin, (128, 128), 80)
        ring(image, (150, 104, 72), (54, 128), 12, 5)
        for side in (-1, 1):
            x = 128.0 + 32 * side
            spot(image, (244, 160, 150), (158, 128 + 48 * side), 12, opacity=0.7)
            if state == 0:
                spot(image, INK, (120, x), 8)
                spot(image, WHITE, (117, x + 3), 3)
            else:
                stroke(image, INK, (112, x - 10 * side), (120, x + 10 * side), 5)
                panel(image, TEAR, (150, x + 8 * side), (36, 9), corner=4.5)
        if state == 0:
            for side in (-1, 1):
                stroke(image, INK, (168, 128), (162, 128 + 18 * side), 5)
        else:
            spot(image, (150, 60, 60), (172, 128), 20)
            spot(image, (220, 120, 120), (182, 128), 9)
        return image


class CryingBaby(TabularPOMDPEnv):
    """Feed the baby when it is hungry, by ear.

    Args:
        observation_at_reset: whether reset() lets one hear the baby; else it shows 'none'.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.9

    def __init__(self, observation_at_reset: bool = True, **settings: Unpack[EnvSettings]) -> None:
        pomdp = crying_baby(observation_at_reset=flag("observation_at_reset", observation_at_reset))
        super().__init__(pomdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the baby."""
        return CryingBabyArtist()
