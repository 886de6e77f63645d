"""MemoryChain: some bits are shown at reset, and long after it one of them is asked for.

    t = 0          t = 1        ...        t = N
    bits shown     blank                   which bit is asked for is shown; the action answers: 1 if right, else -1
                                           and the episode ends; earlier actions do nothing

Seen: 0 .. 2**bits - 1 the bits, read as a number with bit 0 first; then blank; then each of the `bits` questions.
Bits and question are uniform; time is not observed.  States (t, bits, question), then the end.

With memory the answer is always right, which is worth 1 (discount**N from reset); an agent that remembers one
of the bits is worth 1 / bits, one without memory 0.

Osband et al., Behaviour Suite for Reinforcement Learning (2020), memory length and memory size.
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
from ..rendering.cells import AGENT, FAINT, INK, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, spot, words
from ..tabular import EnvSettings

#: No memory holds the patterns of more; so many need not be counted to be refused.
MOST_BITS = 200


def memory_chain(N: int, bits: int) -> TabularPOMDP:
    """The table: (0, 0..0, question 0), (0, 0..0, question 1), .., (N, 1..1, last question), the end."""
    num_patterns = 2 ** min(bits, MOST_BITS)
    a_step = num_patterns * bits
    end = (N + 1) * a_step
    num_observations = num_patterns + 1 + bits
    require_memory(
        end * (9 * 8 * num_observations + 400),
        f"a table of {brief(end)} states with {brief(num_observations)} observations each",
        {"N": N, "bits": bits},
    )
    states = np.arange(end)
    t, pattern, question = states // a_step, states // bits % num_patterns, states % bits
    asked = t == N
    right = pattern >> (bits - 1 - question) & 1
    action = np.arange(2)[:, None]
    mdp = TabularMDP(
        **sorted_outcomes(
            2 * (end + 1),
            pair=2 * states + action,
            probability=1.0,
            next_state=np.where(asked, end, states + a_step),
            reward=np.where(asked, np.where(action == right, 1.0, -1.0), 0.0),
            terminated=asked,
        ),
        initial=np.append(t == 0, False) / a_step,
        state_labels=_labels(N, bits),
        action_labels=("answer 0", "answer 1"),
    )
    shown = np.where(t == 0, pattern, np.where(asked, num_patterns + 1 + question, num_patterns))
    seen = np.zeros((end + 1, num_observations))
    seen[np.arange(end + 1), np.append(shown, num_patterns)] = 1.0
    return TabularPOMDP(mdp, seen, seen, observation_labels=_names(bits))


def _labels(N: int, bits: int) -> list[Hashable]:
    patterns = list(product((0, 1), repeat=bits))
    return [*((t, shown, q) for t in range(N + 1) for shown in patterns for q in range(bits)), "end"]


def _names(bits: int) -> list[str]:
    patterns = ["".join(map(str, shown)) for shown in product((0, 1), repeat=bits)]
    return [*patterns, "blank", *(f"bit {question}?" for question in range(bits))]


ON: Colour = (240, 140, 40)
OFF: Colour = (72, 110, 173)


class MemoryChainArtist:
    """Draws the bits, open at t = 0 and covered later, and how far it is to the question."""

    def __init__(self, mdp: TabularMDP, N: int, bits: int) -> None:
        self._labels = mdp.state_labels or ()
        self._N, self._bits = N, bits

    def text(self, state: int) -> str:
        """One line."""
        label = self._labels[state]
        if not isinstance(label, tuple):
            return "(end)"
        t, shown, question = label
        told = "shown" if t == 0 else f"bit {question} asked for" if t == self._N else "hidden"
        return f"t = {t} of {self._N}: bits {''.join(map(str, shown))} {told}; question {question}"

    def picture(self, state: int) -> RGBArray:
        """[224, 480, 3]."""
        image = canvas(224, 480)
        label = self._labels[state]
        t, shown, question = label if isinstance(label, tuple) else (self._N + 1, (), -1)
        size = min(72.0, 440.0 / self._bits)
        for number in range(self._bits):
            centre = (82.0, 240 + size * (number - (self._bits - 1) / 2))
            if not shown:
                panel(image, LINE, centre, (0.86 * size, 0.86 * size), corner=0.16 * size)
                continue
            colour = ON if shown[number] else OFF
            if number == question:
                panel(image, INK, centre, (0.98 * size, 0.98 * size), corner=0.22 * size)
                panel(image, WHITE, centre, (0.91 * size, 0.91 * size), corner=0.19 * size)
            opacity = 1.0 if t == 0 else 0.35
            panel(image, colour, centre, (0.82 * size, 0.82 * size), corner=0.16 * size, opacity=opacity)
            if size >= 16:
                words(image, str(shown[number]), WHITE, centre, dot=int(size / 12))
        panel(image, LINE, (168, 240), (8, 408), corner=4)
        for step in range(self._N + 1):
            if self._N <= 40:
                spot(image, LINE, (168, 40 + 400 * step / self._N), 7)
        if t <= self._N:
            spot(image, WHITE, (168, 40 + 400 * t / self._N), 13)
            spot(image, AGENT, (168, 40 + 400 * t / self._N), 11)
        words(image, "END" if t > self._N else f"T {t}", FAINT, (202, 240), dot=3)
        return image


class MemoryChain(TabularPOMDPEnv):
    """Remember the bits until one is asked for.

    Args:
        N: steps from reset to the question, at least 1.
        bits: how many bits are shown, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, N: int = 10, bits: int = 1, **settings: Unpack[EnvSettings]) -> None:
        self._size = whole("N", N, 1), whole("bits", bits, 1)
        super().__init__(memory_chain(*self._size), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the bits and the time."""
        return MemoryChainArtist(self.mdp, *self._size)
