"""RacingCar: fast pays double, but a warm engine that is raced breaks.

               slow (0)                          fast (1)
    cool       cool                        1     cool or warm, 1/2 each     2
    warm       cool or warm, 1/2 each      1     overheated, the end      -10

Racing while cool and sparing a warm engine is worth, with discount g (`closed_form_values`, derived here: both
states go on alike, so  v(cool) = v(warm) + 1),

    v(cool) = (2 - g/2) / (1 - g),   v(warm) = v(cool) - 1

For g = .9 that is 15.5 and 14.5.  It is best for every g: slow in cool is worth 1 / (1 - g) only.

Berkeley CS188, lecture on Markov decision processes.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

COOL, WARM, OVERHEATED = range(3)
SLOW, FAST = 0, 1


def racing_car() -> TabularMDP:
    """The table: cool, warm and, the end, overheated."""
    return TabularMDP.from_P(
        {
            COOL: {
                SLOW: [(1.0, COOL, 1.0, False)],
                FAST: [(0.5, COOL, 2.0, False), (0.5, WARM, 2.0, False)],
            },
            WARM: {
                SLOW: [(0.5, COOL, 1.0, False), (0.5, WARM, 1.0, False)],
                FAST: [(1.0, OVERHEATED, -10.0, True)],
            },
            OVERHEATED: {a: [(1.0, OVERHEATED, 0.0, True)] for a in (SLOW, FAST)},
        },
        initial=(1.0, 0.0, 0.0),
        state_labels=("cool", "warm", "overheated"),
        action_labels=("slow", "fast"),
    )


def closed_form_values(discount: float) -> tuple[float, float]:
    """Values of cool and warm: the closed form above."""
    cool = (2.0 - discount / 2) / (1.0 - discount)
    return cool, cool - 1.0


class RacingCar(TabularEnv):
    """Race without overheating."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(racing_car(), **settings)
