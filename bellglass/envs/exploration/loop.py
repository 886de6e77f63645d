"""Loop: two loops that meet in one state; the better one must be walked without a slip of the pen.

    2 <-- 1           5 --> 6      action 0 (a) leads from 0 to 1, action 1 (b) from 0 to 5
    |      <--     -->      |      left loop: both actions move on; 4 -> 0 pays 1
    |          0            |      right loop: b moves on, and pays 2 in state 8;
    |      -->     <--      |                  a returns to 0, and pays nothing, in state 8 too
    3 --> 4           8 <-- 7

It goes on for ever.  Each loop takes five steps and pays at the last, so that with the right one

    v*(0)  =  2 * discount**4 / (1 - discount**5),      and the optimal gain is 2/5.

Dearden, Friedman & Russell, Bayesian Q-learning, AAAI 1998; Strens, A Bayesian framework for reinforcement
learning, ICML 2000.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv

A, B = 0, 1

#: Where each state is drawn.
CELLS = ((1, 2), (0, 1), (0, 0), (2, 0), (2, 1), (0, 3), (0, 4), (2, 4), (2, 3))


def loop() -> TabularMDP:
    """The table: state 0, the left loop 1 .. 4, the right loop 5 .. 8."""

    def model(s: int, action: str) -> list[tuple[float, int, float]]:
        if s == 0:
            return [(1.0, 1 if action == "a" else 5, 0.0)]
        if s <= 4:
            return [(1.0, (s + 1) % 5, float(s == 4))]
        if action == "a":
            return [(1.0, 0, 0.0)]
        return [(1.0, s + 1, 0.0)] if s < 8 else [(1.0, 0, 2.0)]

    return TabularMDP.from_function(
        model,
        states=range(9),
        actions=("a", "b"),
        layout=Layout(background=("  #  ", "##S##", "  #  "), cell=np.array(CELLS), arrows=("A", "B")),
    )


def closed_form_start_value(discount: float) -> float:
    """v*(0), the closed form above."""
    return 2.0 * discount**4 / (1.0 - discount**5)


class Loop(TabularEnv):
    """Walk the better loop."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(loop(), **settings)
