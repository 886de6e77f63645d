"""UmbrellaChain: the first action takes the umbrella or leaves it, and only the last step says if that was right.

    step    1             2          ...         N
    action  0 leave it    nothing                nothing       the forecast, sun or rain, is always in sight
            1 take it
    reward  +1 or -1      +1 or -1               +1 for an umbrella in rain, or none in sun; else -1
            (chance 1/2 each, whatever one does)

Fully observed: what is hard is to credit the first action among N - 1 noisy rewards.  States (steps made, forecast,
whether the umbrella is there), then the end.

Only the last reward can be chosen, so  v*(start) = discount**(N - 1),  and the uniform random policy has 0.

Osband et al., Behaviour Suite for Reinforcement Learning (2020), umbrella length.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import AGENT, FAINT, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, polygon, spot, stroke, words
from ..tabular import EnvSettings, TabularEnv

LEAVE, TAKE = 0, 1
SUN, RAIN = 0, 1
FORECASTS = ("sun", "rain")


def umbrella_chain(N: int) -> TabularMDP:
    """The table: (0, sun, False), (0, sun, True), (0, rain, False), .., (N - 1, rain, True), the end."""
    end = 4 * N
    require_memory(600 * end, f"a table of {brief(end)} states", {"N": N})
    states = np.arange(end)
    step, forecast, umbrella = states // 4, states // 2 % 2, states % 2
    action = np.arange(2)[:, None]
    carried = np.where(step == 0, action, umbrella)
    last = step == N - 1
    on = np.where(last, end, 4 * (step + 1) + 2 * forecast + carried)
    right = np.where(carried == forecast, 1.0, -1.0)  # an umbrella (1) in rain (1), or neither
    noise = np.array([1.0, -1.0])[:, None, None]
    starts = np.zeros(end + 1)
    starts[[2 * SUN, 2 * RAIN]] = 0.5
    return TabularMDP(
        **sorted_outcomes(
            2 * (end + 1),
            pair=2 * states + action,
            probability=np.where(last, np.where(noise > 0, 1.0, 0.0), 0.5),
            next_state=on,
            reward=np.where(last, right, noise),
            terminated=last,
        ),
        initial=starts,
        state_labels=_labels(N),
        action_labels=("leave it", "take it"),
    )


def _labels(N: int) -> list[Hashable]:
    return [*((t, sky, umbrella) for t in range(N) for sky in FORECASTS for umbrella in (False, True)), "end"]


def closed_form_start_value(N: int, discount: float = 1.0) -> float:
    """The closed form above."""
    return discount ** (N - 1)


SUNNY: Colour = (255, 226, 140)
RAINY: Colour = (164, 182, 208)
CLOTH: Colour = (205, 92, 78)


class UmbrellaChainArtist:
    """Draws the forecast, the umbrella if it is there, and the steps."""

    def __init__(self, N: int) -> None:
        self._N = N

    def text(self, state: int) -> str:
        """One line."""
        if state == 4 * self._N:
            return "(end)"
        umbrella = "umbrella" if state % 2 else "no umbrella"
        return f"{state // 4} of {self._N} steps made, {FORECASTS[state // 2 % 2]} forecast, {umbrella}"

    def picture(self, state: int) -> RGBArray:
        """[256, 480, 3]."""
        over = state == 4 * self._N
        step, forecast, umbrella = (self._N, SUN, 0) if over else (state // 4, state // 2 % 2, state % 2)
        image = canvas(256, 480)
        panel(image, LINE if over else RAINY if forecast else SUNNY, (92, 240), (184, 480))
        if over:
            words(image, "END", WHITE, (92, 240), dot=9)
        elif forecast == SUN:
            for turn in range(12):
                down, right = np.sin(turn * np.pi / 6), np.cos(turn * np.pi / 6)
                start, tip = (92 + 50 * down, 140 + 50 * right), (92 + 66 * down, 140 + 66 * right)
                stroke(image, (246, 178, 60), start, tip, 6)
            spot(image, (250, 190, 70), (92, 140), 42)
        else:
            for drop in range(-3, 4):
                x = 140.0 + 20 * drop
                stroke(image, (72, 110, 173), (118 + 8 * (drop % 2), x), (140 + 8 * (drop % 2), x - 7), 5)
            for y, x, radius in ((86, 96, 28), (70, 140, 38), (86, 184, 28)):
                spot(image, WHITE, (y, x), radius)
            panel(image, WHITE, (98, 140), (32, 92), corner=12)
        if umbrella:
            stroke(image, (88, 96, 112), (70, 340), (146, 340), 6)
            stroke(image, (88, 96, 112), (146, 340), (146, 324), 6)
            for part in range(8):
                one, two = np.pi * (1 + part / 8), np.pi * (1 + (part + 1) / 8)
                edge = [(100 + 62 * np.sin(angle), 340 + 76 * np.cos(angle)) for angle in (one, two)]
                polygon(image, CLOTH if part // 2 % 2 == 0 else (226, 130, 112), [(100, 340), *edge])
        panel(image, LINE, (220, 240), (8, 408), corner=4)
        spot(image, WHITE, (220, 40 + 400 * step / self._N), 13)
        spot(image, AGENT, (220, 40 + 400 * step / self._N), 11)
        words(image, f"{step} OF {self._N}", FAINT, (244, 240), dot=2)
        return image


class UmbrellaChain(TabularEnv):
    """Take the umbrella if rain is forecast, and find out N steps later.

    Args:
        N: number of steps, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, N: int = 20, **settings: Unpack[EnvSettings]) -> None:
        self._N = whole("N", N, 1)
        super().__init__(umbrella_chain(self._N), **settings)

    @property
    def artist(self) -> Artist:
        """Draws sky, umbrella and steps."""
        return UmbrellaChainArtist(self._N)
