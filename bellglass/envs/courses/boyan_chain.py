"""BoyanChain: down a chain by one or two states at a time; a process to predict, with nothing to choose.

    12 --> 11 --> 10 --> ... --> 2 --> 1 --> 0      from s >= 2 to s - 1 or s - 2, 1/2 each, pays -3
     '---------->  '---------->   '-------->        from 1 to 0, pays -2; 0 is the end

There is one action.  Without a discount  v(s) = -2 s:  it holds for 0 and 1, and from there on
-3 + (-2 (s - 1) - 2 (s - 2)) / 2 = -2 s.

Boyan, Technical update: least-squares temporal difference learning, Machine Learning 49 (2002).
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..mdp import FloatArray, Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv

START = 12


def boyan_chain() -> TabularMDP:
    """The table: states 0 .. 12; 0 is terminal."""

    def model(s: int, action: str) -> list[tuple[float, int, float]]:
        if s == 0:
            return []
        return [(1.0, 0, -2.0)] if s == 1 else [(0.5, s - 1, -3.0), (0.5, s - 2, -3.0)]

    s = np.arange(START + 1)
    return TabularMDP.from_function(
        model,
        states=range(START + 1),
        actions=("on",),
        initial={START: 1.0},
        layout=Layout(
            background=("S".ljust(START) + "G",),
            cell=np.stack([np.zeros_like(s), START - s], axis=1),
            arrows=("→",),
        ),
    )


def closed_form_values() -> FloatArray:
    """[13] the closed form above."""
    values: FloatArray = -2.0 * np.arange(START + 1, dtype=np.float64)
    return values


class BoyanChain(TabularEnv):
    """Predict the cost of the way down."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(boyan_chain(), **settings)
