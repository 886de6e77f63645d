"""LightMaze: look up for the light that tells which arm is right, or walk on without knowing.

    left ---- branch ---- right       action 0 look up      at the start: the light is seen next; elsewhere nothing
                 |                           1 forward      start -> branch;  left, right -> end
               start                         2 turn left    branch, right -> left
                                             3 turn right   branch, left -> right
    leaving by the arm on the side of the light pays 1, by the other one -1; whatever is not listed changes nothing

Seen: 0 start, 1 light left, 2 light right (right after looking up at the start), 3 branch, 4 left, 5 right.

With memory the best is look up, forward, turn, forward:  discount**3.  Without it the light is forgotten at the
branch, and the best deterministic policy walks on after one light only, waiting for ever after the other:
discount**3 / 2.

Littman, A tutorial on partially observable Markov decision processes, J. Math. Psych. 53 (2009).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..mdp import TabularMDP
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..rendering.cells import AGENT, FAINT, FLOOR, LINE, WALL, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, spot, words
from ..tabular import EnvSettings

LOOK_UP, FORWARD, TURN_LEFT, TURN_RIGHT = range(4)
START, BRANCH, LEFT, RIGHT = range(4)
PLACES = ("start", "branch", "left", "right")
LIGHTS = ("left", "right")
END = 8

#: Where turning left and turning right lead from each place.
TURNED = {BRANCH: (LEFT, RIGHT), LEFT: (LEFT, RIGHT), RIGHT: (LEFT, RIGHT), START: (START, START)}


def light_maze() -> TabularPOMDP:
    """The table: (start, left), (start, right), (branch, left), .., (right, right), the end."""
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        END: {a: [(1.0, END, 0.0, True)] for a in range(4)}
    }
    for place in range(4):
        for light in (0, 1):
            s = 2 * place + light
            out = (1.0, END, 1.0 if place == LEFT + light else -1.0, True)
            ahead = (1.0, 2 * BRANCH + light if place == START else s, 0.0, False)
            left, right = TURNED[place]
            P[s] = {
                LOOK_UP: [(1.0, s, 0.0, False)],
                FORWARD: [out if place in (LEFT, RIGHT) else ahead],
                TURN_LEFT: [(1.0, 2 * left + light, 0.0, False)],
                TURN_RIGHT: [(1.0, 2 * right + light, 0.0, False)],
            }
    labels: list[Hashable] = [(place, light) for place in PLACES for light in LIGHTS]
    mdp = TabularMDP.from_P(
        P,
        initial=[0.5, 0.5, *[0.0] * 7],
        state_labels=[*labels, "end"],
        action_labels=("look up", "forward", "turn left", "turn right"),
    )
    place_seen = np.eye(6)[[0, 0, 3, 3, 4, 4, 5, 5, 0]]
    seen = np.repeat(place_seen[None], 4, axis=0)
    seen[LOOK_UP, :2] = np.eye(6)[[1, 2]]
    names = ("start", "light left", "light right", "branch", "left", "right")
    return TabularPOMDP(mdp, seen, place_seen, observation_labels=names)


GLOW: Colour = (250, 214, 90)
SIZE = 96
#: (row, column) of each place.
CELLS = ((1, 1), (0, 1), (0, 0), (0, 2))


class LightMazeArtist:
    """Draws the maze, and the light above the right arm."""

    def text(self, state: int) -> str:
        """Two lines, * above them the light."""
        if state == END:
            return "(end)"
        place, light = divmod(state, 2)
        cells = ["[L]", "[+]", "[R]", "[S]"]
        at = {START: 3, BRANCH: 1, LEFT: 0, RIGHT: 2}[place]
        cells[at] = "[@]"
        return f"{' *' if light == 0 else ' ' * 7 + '*'}\n{''.join(cells[:3])}\n   {cells[3]}"

    def picture(self, state: int) -> RGBArray:
        """[240, 288, 3]."""
        image = canvas(48 + 2 * SIZE, 3 * SIZE, WALL)
        place, light = divmod(state, 2)
        for number, (row, column) in enumerate(CELLS):
            centre = (48 + SIZE * (row + 0.5), SIZE * (column + 0.5))
            panel(image, LINE, centre, (SIZE, SIZE))
            panel(image, FLOOR, centre, (SIZE - 2, SIZE - 2))
            words(image, "S LR"[number], FAINT, centre, dot=6)
        for side in (0, 1):
            lit = side == light and state != END
            centre = (24.0, SIZE * (0.5 + 2 * side))
            if lit:
                spot(image, GLOW, centre, 20, opacity=0.35)
            spot(image, GLOW if lit else (84, 92, 110), centre, 13)
        if state == END:
            words(image, "END", WHITE, (24, 1.5 * SIZE), dot=4)
            return image
        row, column = CELLS[place]
        centre = (48 + SIZE * (row + 0.5), SIZE * (column + 0.5))
        spot(image, (30, 36, 48), centre, 31, opacity=0.18)
        spot(image, WHITE, centre, 28)
        spot(image, AGENT, centre, 25)
        return image


class LightMaze(TabularPOMDPEnv):
    """Look up, remember the light, take that arm."""

    discount = 0.95

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(light_maze(), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the maze and its light."""
        return LightMazeArtist()
