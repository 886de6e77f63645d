"""Piglet: flip a coin as often as you dare; heads add up, tails lose the turn's total, and n points win.

    state (i, j, k)      own bank, opponent's bank, total of the turn;  i + k < n,  j < n;  then the end
    action 0 flip        heads: k + 1, and i + k + 1 = n wins at once;  tails: k = 0 and the turn passes
    action 1 hold        i + k is banked and the turn passes

When the turn passes, the opponent plays a whole turn within the same step.  It plays the best policy of the
undiscounted game (ties: flip), whose chance of winning P for the one to move obeys

    P(i, j, k)  =  max(  1/2 * P(i, j, k + 1) + 1/2 * (1 - P(j, i, 0)),     flip;  P = 1 for i + k = n
                         1 - P(j, i + k, 0)  )                              hold

solved by iteration to the last digit (the chance that a game lasts t turns falls geometrically).  Since the
opponent plays so too, v* without a discount is that same P.

Neller & Presser, Optimal play of the dice game Pig, UMAP Journal 25 (2004), section on Piglet: n = 2 is worth 4/7.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import FloatArray, IntArray, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import AGENT, FAINT, GOAL, HOLE, INK, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, spot, words
from ..tabular import EnvSettings, TabularEnv

FLIP, HOLD = 0, 1

#: Two actions within this of each other are worth the same: of ties the flip is played.
TIE = 1e-12


def chances_of_winning(n: int) -> tuple[FloatArray, FloatArray]:
    """[n, n, n] of flipping and of holding, by best play from then on; NaN where i + k >= n."""
    i, j, k = np.ogrid[:n, :n, :n]
    there = i + k < n
    banked = np.minimum(i + k, n - 1)
    best = np.zeros((n, n, n))
    while True:
        passed = 1.0 - best[:, :, 0].T  # [i, j] of the turn's end with banks i and j
        heads = np.ones((n, n, n))
        heads[:, :, :-1] = np.where((i + k + 1 < n)[:, :, :-1], best[:, :, 1:], 1.0)
        flip = 0.5 * heads + 0.5 * passed[:, :, None]
        hold = passed[banked, j]
        better = np.where(there, np.maximum(flip, hold), 0.0)
        change = np.abs(better - best).max()
        best = better
        if change < 1e-15:
            return np.where(there, flip, np.nan), np.where(there, hold, np.nan)


def turn_of_opponent(n: int, flips: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[IntArray, ...]:
    """How the opponent's turn goes, by its own bank b and ours: heads it flips for, and whether it then wins.

    Returns:
        [n, n] how many heads in a row end its turn, and [n, n] whether they win (else it holds).
    """
    heads = np.where(flips, n, np.arange(n)).min(axis=2)  # the first total at which it holds
    to_win = np.broadcast_to(n - np.arange(n)[:, None], (n, n))
    wins = heads >= to_win
    return np.where(wins, to_win, heads), wins


def piglet(n: int) -> TabularMDP:
    """The table: (i, j, k) in that order, and the end."""
    num_states = n * n * (n + 1) // 2
    num_bytes = num_states * (7 * 90 + 150) + 100 * n**3
    require_memory(num_bytes, f"a table of {brief(num_states)} states and 2 actions", {"n": n})
    flip, hold = chances_of_winning(n)
    with np.errstate(invalid="ignore"):
        flips = ~(flip < hold - TIE)
    heads, wins = turn_of_opponent(n, flips)
    i, j, k = (axis.ravel() for axis in np.indices((n, n, n)))
    kept = np.flatnonzero(i + k < n)
    i, j, k = i[kept], j[kept], k[kept]
    state_of = np.full((n, n, n), num_states)
    state_of[i, j, k] = np.arange(num_states)

    states = np.arange(num_states)
    head = np.where(i + k + 1 == n, num_states, state_of[i, j, np.minimum(k + 1, n - 1)])
    won = head == num_states
    columns = [(2 * states + FLIP, np.full(num_states, 0.5), head, won.astype(np.float64), won)]
    for action, weight, bank in ((FLIP, 0.5, i), (HOLD, 1.0, i + k)):
        run, wins_then = heads[j, bank], wins[j, bank]
        lucky = weight * 0.5**run  # exact: a power of two
        after = np.where(wins_then, num_states, state_of[bank, np.minimum(j + run, n - 1), 0])
        nothing = np.zeros(num_states)
        columns.append((2 * states + action, weight - lucky, state_of[bank, j, 0], nothing, nothing > 0))
        columns.append((2 * states + action, lucky, after, nothing, wins_then))
    pair, probability, next_state, reward, terminated = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    labels: list[Hashable] = list(zip(i.tolist(), j.tolist(), k.tolist(), strict=True))
    return TabularMDP(
        **sorted_outcomes(
            2 * (num_states + 1),
            pair=pair,
            probability=probability,
            next_state=next_state,
            reward=reward,
            terminated=terminated,
        ),
        initial=np.arange(num_states + 1) == 0,
        state_labels=[*labels, "end"],
        action_labels=("flip", "hold"),
    )


RIVAL: Colour = HOLE
COIN: Colour = (240, 186, 70)


class PigletArtist:
    """Draws a track to n points for each player; the total of the turn is the lighter part."""

    def __init__(self, mdp: TabularMDP, n: int) -> None:
        self._labels = mdp.state_labels or ()
        self._n = n

    def text(self, state: int) -> str:
        """Three lines."""
        label = self._labels[state]
        if not isinstance(label, tuple):
            return "(end)"
        own, other, turn = label
        return f"own bank   {own} of {self._n}\nopponent   {other} of {self._n}\nturn total {turn}"

    def picture(self, state: int) -> RGBArray:
        """[256, 480, 3]."""
        image = canvas(256, 480)
        label = self._labels[state]
        own, other, turn = label if isinstance(label, tuple) else (0, 0, 0)
        if not isinstance(label, tuple):
            words(image, "END", FAINT, (128, 240), dot=8)
            return image
        for row, (bank, extra, colour, name) in enumerate(
            ((own, turn, AGENT, "YOU"), (other, 0, RIVAL, "OTHER"))
        ):
            y, unit = 68.0 + 116.0 * row, 430.0 / self._n
            words(image, name, FAINT, (y - 34, 22 + 6 * len(name)), dot=3)
            panel(image, LINE, (y, 240), (28, 436), corner=14)
            if bank + extra:
                width = unit * (bank + extra)
                light = (250, 206, 156)
                panel(image, light, (y, 25 + width / 2), (22, width), corner=min(11.0, width / 2))
            if bank:
                width = unit * bank
                panel(image, colour, (y, 25 + width / 2), (22, width), corner=min(11.0, width / 2))
            panel(image, GOAL, (y, 458), (44, 6), corner=3)
            words(image, str(bank), INK, (y - 34, 446), dot=4)
        spot(image, COIN, (126, 240), 22)
        spot(image, (250, 208, 110), (126, 240), 17)
        words(image, str(turn), WHITE if turn else INK, (126, 240), dot=4 if turn < 10 else 3)
        return image


class Piglet(TabularEnv):
    """Reach n points before the opponent does.

    Args:
        n: points that win, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, n: int = 2, **settings: Unpack[EnvSettings]) -> None:
        self._n = whole("n", n, 1)
        super().__init__(piglet(self._n), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the two tracks."""
        return PigletArtist(self.mdp, self._n)
