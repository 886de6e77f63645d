"""BusEngine: maintenance grows dearer with the mileage; when to put in a new engine?

    mileage   0     1     2    ...   89      bins of 5000 miles
    keep      (0) pays -c * mileage; then on by 0, 1, 2, 3 bins, at most to 89
    replace   (1) pays -RC; then as keep from bin 0

The four chances are Rust's .0937, .4475, .4459, .0127, which miss 1 by rounding and are normalised.

Replacing at mileage T or more is a renewal process.  Between two replacements mileage x < T is visited

    u(x) = (p_x + sum_{j >= 1} p_j u(x - j)) / (1 - p_0)

times on average (p_x: straight after the replacement), and the gain (`closed_form_gain`, derived here) is

    - (RC + c * sum_{x < T} x u(x)) / (1 + sum_{x < T} u(x))

The best T for the defaults is 16, the gain -1.5757.

Rust, Econometrica 55 (1987), 999-1033, Table IX; here without its shocks to the costs.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real
from ..mdp import FloatArray, TabularMDP
from ..mdp.outcomes import sorted_outcomes
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv

BINS = 90
PRINTED = np.array([0.0937, 0.4475, 0.4459, 0.0127])
DRIVEN: FloatArray = PRINTED / PRINTED.sum()

KEEP, REPLACE = 0, 1


def bus_engine(*, RC: float, c: float) -> TabularMDP:
    """The table: mileages 0 .. 89."""
    x, action, j = np.ix_(np.arange(BINS), np.arange(2), np.arange(len(DRIVEN)))
    driven = np.where(action == KEEP, x, 0) + j
    fields = sorted_outcomes(
        2 * BINS,
        pair=2 * x + action,
        probability=DRIVEN[j],
        next_state=np.minimum(driven, BINS - 1),
        reward=np.where(action == KEEP, -c * x, -RC),
        terminated=False,
    )
    return TabularMDP(
        **fields,
        initial=np.eye(1, BINS)[0],
        state_labels=range(BINS),
        action_labels=("keep", "replace"),
        layout=in_rows("S".ljust(BINS), ("K", "R")),
    )


def closed_form_gain(T: int, *, RC: float, c: float) -> float:
    """Reward a step in the long run of replacing at mileage T or more, T <= 89: the formula above."""
    visits = np.zeros(T)
    for x in range(T):
        sizes = np.arange(1, min(x, len(DRIVEN) - 1) + 1)
        straight = DRIVEN[x] if x < len(DRIVEN) else 0.0
        visits[x] = (straight + DRIVEN[sizes] @ visits[x - sizes]) / (1.0 - DRIVEN[0])
    return float(-(RC + c * np.arange(T) @ visits) / (1.0 + visits.sum()))


class BusEngine(TabularEnv):
    """Keep the engine or replace it.

    Args:
        RC: cost of a replacement.
        c: cost of keeping the engine for a step, per bin of mileage.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, RC: float = 10, c: float = 0.1, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(bus_engine(RC=real("RC", RC), c=real("c", c)), **settings)
