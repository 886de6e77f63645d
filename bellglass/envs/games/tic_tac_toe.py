"""TicTacToe: three in a row against an opponent who is part of the table.

     0 | 1 | 2        action = cell; after our move the opponent replies within the same step
    ---+---+---       "random": any free cell, all equally likely
     3 | 4 | 5        "minimax": any move of the best game value, all equally likely, however long it takes to win
    ---+---+---       a win pays 1, a loss -1, a draw 0
     6 | 7 | 8

Of the 5478 positions that can be reached 958 are terminal, 2423 have X to move and 2097 have O to move.  The
states are those with the agent to move, then the terminal ones, each in the order of its cells read as
digits (. X O).  For agent O an episode starts after the opponent's first move.

No closed form; `game_values` is the minimax recursion from full boards down to the empty one, which is a
draw, so that no agent has more than 0 against "minimax".

Folklore.
"""

from __future__ import annotations

from typing import Literal, Unpack

import numpy as np
import numpy.typing as npt

from ..keywords import one_of
from ..mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, ring, stroke
from ..tabular import EnvSettings, TabularEnv

Mark = Literal["X", "O"]
Opponent = Literal["random", "minimax"]

LETTERS = ".XO"
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))

#: What a mark in each cell adds to the code of a board.
PLACE = 3 ** np.arange(8, -1, -1)


class Boards:
    """All 3**9 ways to fill the cells, by their code, and what is known of each.

    Attributes:
        cells: [19683, 9] 0 free, 1 X, 2 O.
        wins: [2, 19683] whether X, and O, has three in a row.
        over: [19683] whether the game is over.
        to_move: [19683] 1 or 2.
        possible: [19683] whether a game can lead there.
    """

    def __init__(self) -> None:
        codes = np.arange(3**9)
        self.cells: IntArray = codes[:, None] // PLACE % 3
        lines = self.cells[:, np.array(LINES)]
        self.wins: BoolArray = np.stack([(lines == mark).all(axis=2).any(axis=1) for mark in (1, 2)])
        marks = (self.cells > 0).sum(axis=1)
        ahead = (self.cells == 1).sum(axis=1) - (self.cells == 2).sum(axis=1)
        self.over: BoolArray = self.wins.any(axis=0) | (marks == 9)
        self.to_move: IntArray = 1 + marks % 2
        self.possible: BoolArray = ((ahead == 0) & ~self.wins[0]) | ((ahead == 1) & ~self.wins[1])
        self.marks = marks


def game_values(boards: Boards) -> IntArray:
    """[19683] 1 where X wins by best play, -1 where O does, else 0."""
    values = boards.wins[0].astype(np.int64) - boards.wins[1]
    for marks in range(8, -1, -1):
        codes = np.flatnonzero((boards.marks == marks) & ~boards.over)
        mover = boards.to_move[codes[0]] if len(codes) else 1
        sign = 1 if mover == 1 else -1
        moves = codes[:, None] + mover * PLACE
        worth = np.where(boards.cells[codes] == 0, sign * values[np.minimum(moves, 3**9 - 1)], -2)
        values[codes] = sign * worth.max(axis=1)
    return np.asarray(values, dtype=np.int64)


def replies(boards: Boards, codes: IntArray, mark: int, opponent: Opponent) -> FloatArray:
    """[n, 9] chance that the opponent, who plays `mark`, answers in each cell of the boards `codes` [n]."""
    good = boards.cells[codes] == 0
    if opponent == "minimax":
        sign = 1 if mark == 1 else -1
        after = np.minimum(codes[:, None] + mark * PLACE, 3**9 - 1)
        worth = np.where(good, sign * game_values(boards)[after], -2)
        good = good & (worth == worth.max(axis=1, keepdims=True))
    chances: FloatArray = good / np.maximum(good.sum(axis=1, keepdims=True), 1)
    return chances


def tic_tac_toe(agent: Mark, opponent: Opponent) -> TabularMDP:
    """The table for the agent's mark."""
    boards = Boards()
    own, other = (1, 2) if agent == "X" else (2, 1)
    live = np.flatnonzero(boards.possible & ~boards.over & (boards.to_move == own))
    ended = np.flatnonzero(boards.possible & boards.over)
    states = np.concatenate([live, ended])
    state_of = np.full(3**9, -1)
    state_of[states] = np.arange(len(states))
    worth = boards.wins[own - 1].astype(np.float64) - boards.wins[other - 1]

    s, a = np.nonzero(boards.cells[live] == 0)
    after = live[s] + own * PLACE[a]
    pair = 9 * s + a
    at_once = np.flatnonzero(boards.over[after])
    answered = np.flatnonzero(~boards.over[after])
    chances = replies(boards, after[answered], other, opponent)
    row, cell = np.nonzero(chances)
    then = after[answered][row] + other * PLACE[cell]

    starts = np.zeros(len(states))
    if own == 1:
        starts[state_of[0]] = 1.0
    else:
        starts[state_of[other * PLACE]] = replies(boards, np.array([0]), other, opponent)[0]
    codes = np.concatenate([after[at_once], then])
    return TabularMDP(
        **sorted_outcomes(
            9 * len(states),
            pair=np.concatenate([pair[at_once], pair[answered][row]]),
            probability=np.concatenate([np.ones(len(at_once)), chances[row, cell]]),
            next_state=state_of[codes],
            reward=worth[codes],
            terminated=boards.over[codes],
        ),
        initial=starts,
        state_labels=[_written(cells) for cells in boards.cells[states]],
        action_labels=[f"cell {cell}" for cell in range(9)],
    )


def _written(cells: npt.NDArray[np.int64]) -> str:
    return "".join(LETTERS[mark] for mark in cells)


CROSS: Colour = (72, 110, 173)
NOUGHT: Colour = (240, 140, 40)
WON: Colour = (214, 240, 222)
SIZE = 96


class TicTacToeArtist:
    """Draws the board; three in a row lie on green."""

    def __init__(self, mdp: TabularMDP) -> None:
        self._labels = tuple(str(label) for label in mdp.state_labels or ())

    def text(self, state: int) -> str:
        """Three lines of three cells."""
        label = self._labels[state]
        return "\n".join(" ".join(label[row : row + 3]) for row in (0, 3, 6))

    def picture(self, state: int) -> RGBArray:
        """[320, 320, 3]."""
        label = self._labels[state]
        won = {cell for line in LINES for cell in line if label[line[0]] != "." and _same(label, line)}
        image = canvas(320, 320)
        for cell in range(9):
            centre = (64.0 + SIZE * (cell // 3), 64.0 + SIZE * (cell % 3))
            panel(image, LINE, (centre[0] + 2, centre[1]), (SIZE - 10, SIZE - 10), corner=14)
            panel(image, WON if cell in won else WHITE, centre, (SIZE - 10, SIZE - 10), corner=14)
            if label[cell] == "X":
                for side in (-1, 1):
                    start = (centre[0] - 20, centre[1] - 20 * side)
                    stroke(image, CROSS, start, (centre[0] + 20, centre[1] + 20 * side), 11)
            elif label[cell] == "O":
                ring(image, NOUGHT, centre, 21, 11)
        return image


def _same(label: str, line: tuple[int, int, int]) -> bool:
    return label[line[0]] == label[line[1]] == label[line[2]]


class TicTacToe(TabularEnv):
    """Get three in a row before the opponent does.

    Args:
        agent: "X", who begins, or "O".
        opponent: "random" or "minimax".
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": a taken cell is played as the first free one; "raise": ValueError.
    """

    def __init__(
        self, agent: Mark = "X", opponent: Opponent = "random", **settings: Unpack[EnvSettings]
    ) -> None:
        one_of("agent", agent, ("X", "O"))
        one_of("opponent", opponent, ("random", "minimax"))
        mdp = tic_tac_toe(agent, opponent)
        super().__init__(mdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the board."""
        return TicTacToeArtist(self.mdp)
