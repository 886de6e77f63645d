"""MiniHallway: three places and a goal, four ways to face, and walls that look alike.

    +---+               poses 1-4, 5-8, 9-12: places A, B and C, facing 1, 2, 3, 4 in turn; 13 is the goal
    | A |               action 0 forward, 1 turn_a (1 -> 2 -> 3 -> 4 -> 1), 2 turn_b (back); no chance in them
    +---+---+           seen: the pose itself in A and B; 9 and 10 look like 7 and 8, 11 and 12 like 5 and 6
    | B | C |
    +---+---+           entering 13 pays 1 and ends (`restart` False), or the next action, whatever it is, pays 0
        | * |           and leads to any of 1 .. 12 (`restart` True; 13 is seen as 9)
        +---+

(One oddity of the file: forward from 7 leads to 1.)  No closed form, but few beliefs can be reached, and on their table
the solver is exact.

Littman, Cassandra & Kaelbling, ICML 1995; the file mini-hall2.POMDP.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag
from ..mdp import TabularMDP
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..rendering.cells import AGENT, FAINT, FLOOR, GOAL, LINE, WALL, WHITE, Artist, RGBArray
from ..rendering.glyphs import DIRECTIONS, arrow, paint
from ..rendering.shapes import canvas, panel, polygon, spot, words
from ..tabular import EnvSettings
from .resets import hidden

FORWARD, TURN_A, TURN_B = range(3)
GOAL_POSE = 13

#: Where a step forward leads, from pose 1 on.
AHEAD = (1, 2, 7, 4, 1, 10, 1, 8, 9, 10, 13, 8)


def after(pose: int, action: int) -> int:
    """The next pose of one that is not the goal, both counted from 1."""
    if action == FORWARD:
        return AHEAD[pose - 1]
    if action == TURN_A:
        return pose - 3 if pose % 4 == 0 else pose + 1
    return pose + 3 if (pose - 1) % 4 == 0 else pose - 1


def seen_in(pose: int) -> int:
    """The observation of a pose, both counted from 1."""
    if pose <= 8:
        return pose
    return {9: 7, 10: 8, 11: 5, 12: 6}.get(pose, 9)


def mini_hallway(*, restart: bool, observation_at_reset: bool) -> TabularPOMDP:
    """The table: poses 1 .. 13."""
    poses = range(1, GOAL_POSE)
    again = [(1 / 12, pose - 1, 0.0, False) for pose in poses]
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for pose in poses:
        P[pose - 1] = {}
        for action in range(3):
            entered = after(pose, action)
            goal = entered == GOAL_POSE
            P[pose - 1][action] = [(1.0, entered - 1, float(goal), goal and not restart)]
    P[GOAL_POSE - 1] = {a: again if restart else [(1.0, GOAL_POSE - 1, 0.0, True)] for a in range(3)}
    mdp = TabularMDP.from_P(
        P,
        initial=[1 / 12] * 12 + [0.0],
        state_labels=range(1, GOAL_POSE + 1),
        action_labels=("forward", "turn_a", "turn_b"),
    )
    seen = np.eye(9)[[seen_in(pose) - 1 for pose in range(1, GOAL_POSE + 1)]]
    labels = [f"looks {number}" for number in range(1, 10)]
    return hidden(mdp, seen, labels, at_reset=seen if observation_at_reset else None)


#: (row, column) of the places and of the goal.
PLACES = ((0, 0), (1, 0), (1, 1), (2, 1))
SIZE = 96
FACING = "↑→↓←"


class MiniHallwayArtist:
    """Draws the hallway, and the walker as an arrow."""

    def text(self, state: int) -> str:
        """Three lines."""
        cells = [["#", "#"] for _ in range(3)]
        for row, column in PLACES:
            cells[row][column] = "."
        cells[2][1] = "G"
        row, column = PLACES[state // 4]
        cells[row][column] = FACING[state % 4] if state < 12 else "*"
        return "\n".join(" ".join(line) for line in cells)

    def picture(self, state: int) -> RGBArray:
        """[288, 192, 3]."""
        image = canvas(3 * SIZE, 2 * SIZE, WALL)
        for number, (row, column) in enumerate(PLACES):
            centre = (SIZE * (row + 0.5), SIZE * (column + 0.5))
            panel(image, LINE, centre, (SIZE, SIZE))
            goal = number == 3
            panel(image, GOAL if goal else FLOOR, centre, (SIZE - 2, SIZE - 2))
            if not goal:
                words(image, "ABC"[number], FAINT, (centre[0] - 34, centre[1] - 36), dot=3)
            else:
                panel(image, WHITE, (centre[0], centre[1] - 14), (56, 4), corner=2)
                corners = [(centre[0] - 27, centre[1] - 12), (centre[0] - 11, centre[1] + 24)]
                polygon(image, WHITE, [*corners, (centre[0] + 5, centre[1] - 12)])
        row, column = PLACES[state // 4]
        centre = (SIZE * (row + 0.5), SIZE * (column + 0.5))
        spot(image, (30, 36, 48), centre, 31, opacity=0.18)
        spot(image, WHITE, centre, 28)
        spot(image, AGENT, centre, 25)
        if state < 12:
            cell = image[row * SIZE : (row + 1) * SIZE, column * SIZE : (column + 1) * SIZE]
            paint(cell, arrow(SIZE, DIRECTIONS[FACING[state % 4]], 34), WHITE)
        return image


class MiniHallway(TabularPOMDPEnv):
    """Find the goal among walls that look alike.

    Args:
        restart: whether the goal leads back to any pose; else entering it ends the episode.
        observation_at_reset: whether reset() shows the first pose's look; else 'none'.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.95

    def __init__(
        self, restart: bool = True, observation_at_reset: bool = False, **settings: Unpack[EnvSettings]
    ) -> None:
        pomdp = mini_hallway(
            restart=flag("restart", restart),
            observation_at_reset=flag("observation_at_reset", observation_at_reset),
        )
        super().__init__(pomdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the hallway."""
        return MiniHallwayArtist()
