"""TMaze: a signal seen once at the start says which way to turn at the end of a long corridor.

            +---+                          +---+
            | 4 |                          |   |      a turn at the junction ends the episode, and pays 4
    +---+---+---+               +---+---+---+         if the signal said so, else -.1; a bump costs .1
    | up|   | + |               |dwn|   | + |
    +---+---+---+               +---+---+---+         actions: 0 north, 1 east, 2 south, 3 west
            |   |                          | 4 |
            +---+                          +---+

Seen: 0 "up" and 1 "down" in cell 0 only (at reset too, and when coming back), 2 in the corridor, 3 at the
junction.

With memory the best is to walk east N times and turn right:  4 * discount**N.  Without memory a turn is a
guess, and the best fixed turn is worth  (4 - .1) / 2 * discount**N  (both from the start; derived here).

Bakker, Reinforcement learning with long short-term memory, NIPS 2001.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import Layout, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..rendering.cells import Artist, RGBArray
from ..rendering.layout_artist import LayoutArtist
from ..tabular import EnvSettings

NORTH, EAST, SOUTH, WEST = range(4)
UP, DOWN, CORRIDOR, JUNCTION = range(4)

RIGHT_TURN, WRONG_TURN, BUMP = 4.0, -0.1, -0.1


def t_maze(N: int) -> TabularPOMDP:
    """The table: cells 0 .. N under the signal up, then under the signal down, then the end."""
    end = 2 * (N + 1)
    require_memory(1600 * end, f"a table of {brief(end + 1)} states", {"N": N})
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        end: {a: [(1.0, end, 0.0, True)] for a in range(4)}
    }
    for signal in (UP, DOWN):
        for cell in range(N + 1):
            s = signal * (N + 1) + cell
            bump = [(1.0, s, BUMP, False)]
            P[s] = {
                NORTH: bump,
                EAST: [(1.0, s + 1, 0.0, False)] if cell < N else bump,
                SOUTH: bump,
                WEST: [(1.0, s - 1, 0.0, False)] if cell > 0 else bump,
            }
            if cell == N:
                P[s][NORTH] = [(1.0, end, RIGHT_TURN if signal == UP else WRONG_TURN, True)]
                P[s][SOUTH] = [(1.0, end, RIGHT_TURN if signal == DOWN else WRONG_TURN, True)]

    seen = np.zeros((end + 1, 4))
    seen[:, CORRIDOR] = 1.0
    for signal in (UP, DOWN):
        seen[signal * (N + 1)] = np.eye(4)[signal]
        seen[signal * (N + 1) + N] = np.eye(4)[JUNCTION]
    seen[end] = np.eye(4)[JUNCTION]  # never seen by one who still has to act

    labels: list[Hashable] = [(name, cell) for name in ("up", "down") for cell in range(N + 1)]
    starts = np.zeros(end + 1)
    starts[[0, N + 1]] = 0.5
    mdp = TabularMDP.from_P(
        P,
        initial=starts,
        state_labels=[*labels, "end"],
        action_labels=("north", "east", "south", "west"),
        layout=_layout(N),
    )
    return TabularPOMDP(mdp, seen, seen, observation_labels=("up", "down", "corridor", "junction"))


def _layout(N: int) -> Layout:
    """The maze under the signal up, and below it the one under the signal down; G is the right arm."""
    arms = {letter: "#" * N + letter for letter in "GH"}
    corridor = "S" + " " * N
    cells = [(row, column) for row in (1, 5) for column in range(N + 1)]
    return Layout(
        background=(arms["G"], corridor, arms["H"], "#" * (N + 1), arms["H"], corridor, arms["G"]),
        cell=np.array([*cells, (-1, -1)]),
        arrows=("↑", "→", "↓", "←"),
        row_labels=("", "signal up", "", "", "", "signal down", ""),
    )


class TMazeArtist:
    """Draws the maze under the signal of the state, and leaves the other one out."""

    def __init__(self, mdp: TabularMDP) -> None:
        both = mdp.layout
        assert both is not None
        self._length = both.columns
        self._mazes = [LayoutArtist(mdp, both.part(top, 0, 3, both.columns)) for top in (0, 4)]

    def text(self, state: int) -> str:
        """Three lines of maze, and the signal."""
        if state == 2 * self._length:
            return "(end)"
        signal = state // self._length
        return f"{self._mazes[signal].text(state)}\nsignal {'down' if signal else 'up'}"

    def picture(self, state: int) -> RGBArray:
        """[3 * cell, (N + 1) * cell, 3]; after the end an empty maze."""
        return self._mazes[state // self._length % 2].picture(state)


def closed_form_start_value(N: int, discount: float) -> float:
    """Value of the start for who remembers the signal."""
    return RIGHT_TURN * discount**N


def best_fixed_turn(N: int, discount: float) -> float:
    """Value of the start of walking to the junction and always turning the same way."""
    return (RIGHT_TURN + WRONG_TURN) / 2 * discount**N


class TMaze(TabularPOMDPEnv):
    """Remember the signal until the junction.

    Args:
        N: length of the corridor in steps, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    discount = 0.98

    def __init__(self, N: int = 10, **settings: Unpack[EnvSettings]) -> None:
        mdp = t_maze(whole("N", N, 1))
        super().__init__(mdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the maze of the present signal."""
        if self._artist is None:
            self._artist = TMazeArtist(self.mdp)
        return self._artist
