"""DieStopping: roll a die up to k times, and be paid the last face.

    state (rolls made, face)      action 0 stop: pays the face and ends
    6 k states, then the end      action 1 roll again: pays 0; after roll k it stops too

With j rolls still to come the next roll is worth  w(j),  where  w(0) = 0  and

    w(j)  =  E max(face, w(j - 1)),        the face uniform on 1 .. 6

(undiscounted): 7/2, 17/4, 14/3, ...  Stop when the face is at least w of the rolls left.

Folklore; a case of optimal stopping by backward induction.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..rendering.cells import AGENT, INK, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, spot
from ..tabular import EnvSettings, TabularEnv

STOP, ROLL = 0, 1
FACES = range(1, 7)


def die_stopping(k: int) -> TabularMDP:
    """The table: (1, 1), .., (1, 6), (2, 1), .., (k, 6), the end."""
    end = 6 * k
    require_memory(2500 * end, f"a table of {brief(end + 1)} states", {"k": k})
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        end: {a: [(1.0, end, 0.0, True)] for a in (STOP, ROLL)}
    }
    for roll in range(1, k + 1):
        for face in FACES:
            stop = [(1.0, end, float(face), True)]
            again = [(1 / 6, 6 * roll + next_face - 1, 0.0, False) for next_face in FACES]
            P[6 * (roll - 1) + face - 1] = {STOP: stop, ROLL: again if roll < k else stop}
    labels: list[Hashable] = [(roll, face) for roll in range(1, k + 1) for face in FACES]
    return TabularMDP.from_P(
        P,
        initial=(np.arange(end + 1) < 6) / 6,
        state_labels=[*labels, "end"],
        action_labels=("stop", "roll again"),
    )


def closed_form_start_value(k: int) -> float:
    """What k rolls are worth before the first one, undiscounted: the recursion above."""
    worth = 0.0
    for _ in range(k):
        worth = sum(max(float(face), worth) for face in FACES) / 6
    return worth


#: Pips of each face, in steps from the middle.
PIPS = {
    1: ((0, 0),),
    2: ((-1, -1), (1, 1)),
    3: ((-1, -1), (0, 0), (1, 1)),
    4: ((-1, -1), (-1, 1), (1, -1), (1, 1)),
    5: ((-1, -1), (-1, 1), (0, 0), (1, -1), (1, 1)),
    6: ((-1, -1), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 1)),
}

SHADE: Colour = (205, 211, 221)


def draw_die(image: RGBArray, face: int, centre: tuple[float, float], size: float, pip: Colour = INK) -> None:
    """A die that shows `face`; 0 shows none."""
    panel(image, SHADE, (centre[0] + 0.05 * size, centre[1]), (size, size), corner=0.2 * size)
    panel(image, WHITE, centre, (size, size), corner=0.2 * size)
    for down, right in PIPS.get(face, ()):
        spot(image, pip, (centre[0] + 0.27 * size * down, centre[1] + 0.27 * size * right), 0.1 * size)


class DieStoppingArtist:
    """Draws the die, and below it a dot a roll: made or still to come."""

    def __init__(self, k: int) -> None:
        self._k = k

    def text(self, state: int) -> str:
        """One line."""
        if state == 6 * self._k:
            return "(end)"
        return f"roll {state // 6 + 1} of {self._k}: [{state % 6 + 1}]"

    def picture(self, state: int) -> RGBArray:
        """[288, 256, 3]."""
        image = canvas(288, 256)
        over = state == 6 * self._k
        draw_die(image, 0 if over else state % 6 + 1, (124, 128), 176)
        gap = min(28.0, 224.0 / self._k)
        for roll in range(self._k):
            made = over or roll <= state // 6
            centre = (258.0, 128 + gap * (roll - (self._k - 1) / 2))
            spot(image, AGENT if made else LINE, centre, min(8.0, 0.4 * gap))
        return image


class DieStopping(TabularEnv):
    """Roll again, or be content with the face.

    Args:
        k: number of rolls, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, k: int = 3, **settings: Unpack[EnvSettings]) -> None:
        self._k = whole("k", k, 1)
        super().__init__(die_stopping(self._k), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the die."""
        return DieStoppingArtist(self._k)
