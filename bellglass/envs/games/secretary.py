"""Secretary: candidates come one by one in random order; take the best of all, or lose her for good.

    state (i, whether i is the best so far)     action 0 stop: 1 if candidate i is the best of all n, else 0
    i = 1 .. n, then the end                    action 1 continue: candidate i + 1, the best so far with
                                                chance 1 / (i + 1); past candidate n it ends and pays 0

A candidate who is the best of i is the best of n with chance i / n.  The best is to let r - 1 candidates pass and
to stop at the next one who is the best so far, with r the least number for which  1/r + ... + 1/(n-1) <= 1,
and it succeeds with chance

    (r - 1) / n * (1 / (r - 1) + 1 / r + ... + 1 / (n - 1))        (1 / n for r = 1)

which tends to 1/e.

Gilbert & Mosteller, JASA 61 (1966), section 2.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..rendering.cells import AGENT, FAINT, INK, LINE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, polygon, spot, words
from ..tabular import EnvSettings, TabularEnv

STOP, CONTINUE = 0, 1


def secretary(n: int) -> TabularMDP:
    """The table: (1, no), (1, yes), .., (n, no), (n, yes), the end."""
    end = 2 * n
    require_memory(1700 * end, f"a table of {brief(end + 1)} states", {"n": n})
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        end: {a: [(1.0, end, 0.0, True)] for a in (STOP, CONTINUE)}
    }
    for i in range(1, n + 1):
        for best in (False, True):
            success = i / n if best else 0.0
            stop = [(success, end, 1.0, True), (1.0 - success, end, 0.0, True)]
            go_on = [(i / (i + 1), 2 * i, 0.0, False), (1 / (i + 1), 2 * i + 1, 0.0, False)]
            P[2 * (i - 1) + best] = {
                STOP: [row for row in stop if row[0] > 0],
                CONTINUE: go_on if i < n else [(1.0, end, 0.0, True)],
            }
    labels: list[Hashable] = [(i, best) for i in range(1, n + 1) for best in (False, True)]
    return TabularMDP.from_P(
        P,
        initial=np.arange(end + 1) == 1,  # the first candidate is the best so far
        state_labels=[*labels, "end"],
        action_labels=("stop", "continue"),
    )


def first_to_stop_at(n: int) -> int:
    """The least r with  1/r + ... + 1/(n-1) <= 1:  from it on, stop at a candidate who is the best so far."""
    r, tail = n, 0.0
    while r > 1 and tail + 1.0 / (r - 1) <= 1.0:
        r, tail = r - 1, tail + 1.0 / (r - 1)
    return r


def closed_form_start_value(n: int) -> float:
    """Of the best policy: the closed form above."""
    r = first_to_stop_at(n)
    return 1.0 / n if r == 1 else (r - 1) / n * sum(1.0 / i for i in range(r - 1, n))


CROWN: Colour = (240, 186, 70)
PASSED: Colour = (199, 206, 218)


class SecretaryArtist:
    """Draws the candidates in rows: those who are gone, the one who is here, and those still to come."""

    def __init__(self, n: int) -> None:
        self._n = n

    def text(self, state: int) -> str:
        """One line: gone (-), here (* if the best so far, else o), still to come (.)."""
        if state == 2 * self._n:
            return "(end)"
        i, best = state // 2 + 1, state % 2
        return f"{'-' * (i - 1)}{'*' if best else 'o'}{'.' * (self._n - i)}  candidate {i} of {self._n}"

    def picture(self, state: int) -> RGBArray:
        """Rows of candidates: five, 128 x 160 pixels each, or more and smaller ones where there are many."""
        per_row = 5 if self._n <= 10 else 10 if self._n <= 60 else 20 if self._n <= 400 else 40
        size = 640 // per_row
        height = round(1.25 * size) // 2 * 2
        rows = -(-self._n // per_row)
        image = canvas(rows * height, min(self._n, per_row) * size if self._n >= per_row else 640)
        for i in range(self._n):
            centre = (height * (i // per_row + 0.62), size * (i % per_row + 0.5))
            here = state < 2 * self._n and i == state // 2
            gone = i < state // 2
            _person(image, centre, size, AGENT if here else PASSED if gone else LINE, head=not gone)
            if here and state % 2:
                _crown(image, (centre[0] - 0.5 * size, centre[1]), size)
            if here and size >= 32:
                words(image, str(i + 1), INK, (centre[0] + 0.22 * size, centre[1]), dot=max(size // 28, 1))
            elif size >= 64:
                words(image, str(i + 1), FAINT, (centre[0] + 0.22 * size, centre[1]), dot=size // 32)
        return image


def _person(image: RGBArray, centre: tuple[float, float], size: int, colour: Colour, *, head: bool) -> None:
    y, x = centre
    panel(image, colour, (y + 0.22 * size, x), (0.42 * size, 0.6 * size), corner=0.18 * size)
    if head:
        spot(image, colour, (y - 0.2 * size, x), 0.17 * size)


def _crown(image: RGBArray, centre: tuple[float, float], size: int) -> None:
    y, x = centre
    wide = 0.2 * size
    for side in (-1, 0, 1):
        tip = x + side * 0.7 * wide
        corners = [(y - 0.12 * size, tip), (y + 0.1 * size, tip + wide / 2), (y + 0.1 * size, tip - wide / 2)]
        polygon(image, CROWN, corners)
    panel(image, CROWN, (y + 0.09 * size, x), (0.07 * size, 2 * wide + 0.3 * wide))


class Secretary(TabularEnv):
    """Stop at the best of all.

    Args:
        n: number of candidates, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, n: int = 10, **settings: Unpack[EnvSettings]) -> None:
        self._n = whole("n", n, 1)
        super().__init__(secretary(self._n), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the candidates."""
        return SecretaryArtist(self._n)
