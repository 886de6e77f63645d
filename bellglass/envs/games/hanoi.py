"""Hanoi: carry a tower of discs to the last peg, one at a time, never a larger one upon a smaller.

        |     |     |        action (from peg, to peg): 0 (0,1)  1 (0,2)  2 (1,0)  3 (1,2)  4 (2,0)  5 (2,1)
       =|=    |     |
      ==|==   |     |        every action costs 1; one that is not allowed changes nothing
     ===|===  |     |        the end: all discs on peg 2

A state is the peg of every disc, from the largest to the smallest, read as a number in base 3: the start is
state 0, the end the last.  To free the largest disc, all smaller ones must cross twice, so the least number
of moves is  m(n) = 2 m(n - 1) + 1 = 2**n - 1,  and  v*(start) = -(2**n - 1)  without a discount.

Lucas (1883).
"""

from __future__ import annotations

from itertools import product
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import IntArray, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import FAINT, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, mixed, panel, words
from ..tabular import EnvSettings, TabularEnv

#: (from peg, to peg) of each action.
PEGS = ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))


def pegs_of_discs(n: int) -> IntArray:
    """[3**n, n] the peg of each disc, the largest first."""
    pegs: IntArray = np.arange(3**n)[:, None] // 3 ** np.arange(n - 1, -1, -1) % 3
    return pegs


#: No memory holds the states of more; so many need not be counted to be refused.
MOST_DISCS = 200


def hanoi(n: int) -> TabularMDP:
    """The table: 3**n states."""
    num_states = 3 ** min(n, MOST_DISCS)
    # 6 outcomes' worth of arrays a state, its discs, and a tuple for its name
    require_memory(
        num_states * (120 * 6 + 24 * n + 150),
        f"a table of {brief(num_states)} states and 6 actions",
        {"n": n},
    )
    pegs = pegs_of_discs(n)
    weight = 3 ** np.arange(n - 1, -1, -1)
    states = np.arange(num_states)
    top = np.stack([_smallest(pegs == peg) for peg in range(3)])
    next_state = np.tile(states, (len(PEGS), 1))
    for a, (source, target) in enumerate(PEGS):
        s = np.flatnonzero(top[source] > top[target])
        next_state[a, s] += (target - source) * weight[top[source, s]]
    live = states[:-1]
    return TabularMDP(
        **sorted_outcomes(
            len(PEGS) * num_states,
            pair=len(PEGS) * live + np.arange(len(PEGS))[:, None],
            probability=1.0,
            next_state=next_state[:, :-1],
            reward=-1.0,
            terminated=next_state[:, :-1] == num_states - 1,
        ),
        initial=states == 0,
        state_labels=list(product(range(3), repeat=n)),
        action_labels=[f"{source} to {target}" for source, target in PEGS],
    )


def _smallest(there: np.ndarray[tuple[int, int], np.dtype[np.bool_]]) -> IntArray:
    """[S] the number of the smallest disc on a peg (n - 1 is the smallest of all), -1 on an empty peg."""
    n = there.shape[1]
    return np.where(there.any(axis=1), n - 1 - there[:, ::-1].argmax(axis=1), -1).astype(np.int64)


def fewest_moves(n: int) -> int:
    """From the start to the end: the closed form above."""
    return int(2**n) - 1


WOOD: Colour = (196, 170, 140)
LARGE: Colour = (28, 62, 115)
SMALL: Colour = (110, 186, 180)


class HanoiArtist:
    """Draws the three pegs and their discs."""

    def __init__(self, n: int) -> None:
        self._n = n

    def _towers(self, state: int) -> list[list[int]]:
        """The discs on each peg from the bottom up; disc 1 is the smallest."""
        pegs = [state // 3 ** (self._n - 1 - disc) % 3 for disc in range(self._n)]
        return [[self._n - disc for disc in range(self._n) if pegs[disc] == peg] for peg in range(3)]

    def text(self, state: int) -> str:
        """A line a peg, from the bottom up; discs are numbered from the smallest."""
        towers = self._towers(state)
        return "\n".join(
            f"{peg} |{''.join(f' {disc}' for disc in discs)}" for peg, discs in enumerate(towers)
        )

    def picture(self, state: int) -> RGBArray:
        """[288, 480, 3]."""
        image = canvas(288, 480)
        base, height = 248.0, min(34.0, 190.0 / self._n)
        panel(image, WOOD, (base + 7, 240), (14, 456), corner=7)
        for peg, discs in enumerate(self._towers(state)):
            x = 90.0 + 150.0 * peg
            panel(image, WOOD, (base - 105, x), (216, 10), corner=5)
            words(image, str(peg), FAINT, (274, x), dot=3)
            for level, disc in enumerate(discs):
                share = (disc - 1) / max(self._n - 1, 1)
                y, width = base - height * (level + 0.5), 46.0 + 90.0 * share
                panel(image, LINE, (y + 1.5, x), (height - 2, width), corner=height / 2.4)
                panel(image, mixed(SMALL, LARGE, share), (y, x), (height - 3, width), corner=height / 2.4)
                if height >= 16:
                    words(image, str(disc), WHITE, (y, x), dot=2)
        return image


class Hanoi(TabularEnv):
    """Carry the tower to the last peg.

    Args:
        n: number of discs, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, n: int = 3, **settings: Unpack[EnvSettings]) -> None:
        self._n = whole("n", n, 1)
        super().__init__(hanoi(self._n), **settings)

    @property
    def artist(self) -> Artist:
        """Draws pegs and discs."""
        return HanoiArtist(self._n)
