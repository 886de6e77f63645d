"""RepeatPrevious: name the symbol that was shown k steps ago, again and again.

    shown     c0   c1   c2   ...   ck    ck+1  ...          each symbol uniform in 0 .. m - 1, independent
    action    -    -    -          c0?   c1?                from step k on: right pays 1, wrong costs 1
                                                            the action at step L - 1 ends the episode
States (t, the last k + 1 symbols, oldest first, 0 where there was none yet), then the end; seen: the last symbol.
Time is not observed.

With memory every answer is right:  L - k  without a discount.  Without memory the symbol asked for is independent
of the one in sight, so an answer is right with chance 1/m:  (L - k) (2/m - 1),  for k >= 1 and L >= k.

Morad et al., POPGym (ICLR 2023), RepeatPrevious, with independent symbols in place of a shuffled deck.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import product
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..pomdp import TabularPOMDP, TabularPOMDPEnv
from ..rendering.cells import FAINT, INK, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, words
from ..tabular import EnvSettings

#: No memory holds the windows of more; so many need not be counted to be refused.
MOST_SHOWN = 200


def repeat_previous(m: int, k: int, L: int) -> TabularPOMDP:
    """The table: m**(k+1) windows at each of L steps, and the end."""
    num_windows = m ** min(k + 1, MOST_SHOWN)
    end = L * num_windows
    require_memory(
        end * (m * m * 70 + 16 * m + 200 + 8 * k),
        f"a table of {brief(end)} states and {brief(end * m * m)} outcomes",
        {"m": m, "k": k, "L": L},
    )
    states, action = np.arange(end)[:, None, None], np.arange(m)[:, None]
    shown_next = np.arange(m)
    t, window = states // num_windows, states % num_windows
    oldest = window // m**k
    last = t == L - 1
    paid = np.where(action == oldest, 1.0, -1.0) * (t >= k)
    on = (t + 1) * num_windows + window * m % num_windows + shown_next
    starts = np.zeros(end + 1)
    starts[:m] = 1.0 / m
    mdp = TabularMDP(
        **sorted_outcomes(
            m * (end + 1),
            pair=m * states + action + 0 * shown_next,
            probability=np.where(last, shown_next == 0, 1.0 / m),
            next_state=np.where(last, end, on),
            reward=paid,
            terminated=last,
        ),
        initial=starts,
        state_labels=_labels(m, k, L),
        action_labels=[f"say {symbol}" for symbol in range(m)],
    )
    seen = np.eye(m)[np.append(np.arange(end) % m, 0)]
    return TabularPOMDP(mdp, seen, seen, observation_labels=[f"symbol {symbol}" for symbol in range(m)])


def _labels(m: int, k: int, L: int) -> list[Hashable]:
    windows = list(product(range(m), repeat=k + 1))
    return [*((t, window) for t in range(L) for window in windows), "end"]


def closed_form_start_value(k: int, L: int) -> float:
    """Undiscounted: the closed form above."""
    return float(max(L - k, 0))


def best_without_memory(m: int, k: int, L: int) -> float:
    """Undiscounted: the closed form above; with k = 0 the symbol asked for is in sight."""
    return closed_form_start_value(k, L) * (1.0 if k == 0 else 2.0 / m - 1.0)


COLOURS: tuple[Colour, ...] = (
    (72, 110, 173),
    (240, 140, 40),
    (46, 160, 103),
    (160, 84, 180),
    (205, 92, 78),
    (60, 160, 176),
    (222, 186, 60),
    (120, 100, 84),
)


class RepeatPreviousArtist:
    """Draws the window of symbols: the one in sight in full colour, the one asked for framed."""

    def __init__(self, mdp: TabularMDP, k: int, L: int) -> None:
        self._labels = mdp.state_labels or ()
        self._k, self._L = k, L

    def _window(self, label: Hashable) -> tuple[int, tuple[int | None, ...]]:
        """The step, and the last k + 1 symbols."""
        if not isinstance(label, tuple):
            return self._L, (None,) * (self._k + 1)
        return label

    def text(self, state: int) -> str:
        """One line: step, hidden symbols, and the one in sight in brackets."""
        label = self._labels[state]
        if not isinstance(label, tuple):
            return "(end)"
        t, symbols = self._window(label)
        earlier = "".join(f"{symbol} " for symbol in symbols[:-1])
        return f"step {t} of {self._L}: {earlier}[{symbols[-1]}]"

    def picture(self, state: int) -> RGBArray:
        """[176, 480, 3]."""
        image = canvas(176, 480)
        t, symbols = self._window(self._labels[state])
        size = min(80.0, 440.0 / (self._k + 1))
        for place, symbol in enumerate(symbols):
            centre = (76.0, 240 + size * (place - self._k / 2))
            if symbol is None:
                panel(image, LINE, centre, (0.82 * size, 0.82 * size), corner=0.16 * size)
                continue
            if place == 0 and t >= self._k:
                panel(image, INK, centre, (0.98 * size, 0.98 * size), corner=0.22 * size)
                panel(image, WHITE, centre, (0.91 * size, 0.91 * size), corner=0.19 * size)
            shown = 1.0 if place == self._k else 0.4 if place >= self._k - t else 0.12
            colour = COLOURS[symbol % len(COLOURS)]
            panel(image, colour, centre, (0.82 * size, 0.82 * size), corner=0.16 * size, opacity=shown)
            if size >= 16:
                words(image, str(symbol), WHITE, centre, dot=max(int(size / 12), 1))
        panel(image, LINE, (140, 240), (6, 408), corner=3)
        panel(image, FAINT, (140, 36 + 204 * t / self._L), (6, 408 * t / self._L), corner=3)
        words(image, "END" if t == self._L else f"STEP {t}", FAINT, (160, 240), dot=2)
        return image


class RepeatPrevious(TabularPOMDPEnv):
    """Name the symbol of k steps ago.

    Args:
        m: number of symbols, at least 2.
        k: how many steps ago, at least 0.
        L: symbols shown in an episode, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, m: int = 4, k: int = 4, L: int = 48, **settings: Unpack[EnvSettings]) -> None:
        m, self._k, self._L = whole("m", m, 2), whole("k", k, 0), whole("L", L, 1)
        pomdp = repeat_previous(m, self._k, self._L)
        super().__init__(pomdp, **settings)

    @property
    def artist(self) -> Artist:
        """Draws the window of symbols."""
        return RepeatPreviousArtist(self.mdp, self._k, self._L)
