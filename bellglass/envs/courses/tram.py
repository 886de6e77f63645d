"""Tram: from block 1 to block N, on foot or by a magic tram that doubles the block, when it runs.

    block   1    2    3    4   ...   s   s+1   ...   2s   ...   N
            walk (0):  s -> s + 1, pays -1
            tram (1):  s -> 2s, pays -2; fails with chance `fail`: stays, and pays -2 all the same
                       available while 2s <= N

Without a discount a ride that is tried until it succeeds costs  2 / (1 - fail),  and so from the end backwards
(`closed_form_values`)

    v(N) = 0,   v(s) = max(v(s + 1) - 1,  v(2s) - 2 / (1 - fail))

For the defaults v(1) = -8: four on foot, one ride, -4, from 5 to 10.

Stanford CS221, lectures on search and on Markov decision processes.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv

WALK, TRAM = 0, 1


def tram(N: int, *, fail: float) -> TabularMDP:
    """The table: state s is block s + 1."""
    require_memory_to_make(N, 2, 2 * N, {"N": N})
    walking, riding = np.arange(N - 1), np.arange(N // 2)  # block 2s is state 2s - 1
    next_state = np.concatenate([walking + 1, 2 * riding + 1, riding])
    fields = sorted_outcomes(
        2 * N,
        pair=np.concatenate([2 * walking + WALK, 2 * riding + TRAM, 2 * riding + TRAM]),
        probability=np.repeat([1.0, 1.0 - fail, fail], [N - 1, N // 2, N // 2]),
        next_state=next_state,
        reward=np.repeat([-1.0, -2.0, -2.0], [N - 1, N // 2, N // 2]),
        terminated=next_state == N - 1,
    )
    return TabularMDP(
        **fields,
        initial=np.eye(1, N)[0],
        state_labels=range(1, N + 1),
        action_labels=("walk", "tram"),
        layout=in_rows("S".ljust(N - 1) + "G", ("W", "T"), first=1),
    )


def closed_form_values(N: int, *, fail: float) -> FloatArray:
    """[N] the optimum without a discount: the recursion above."""
    ride = np.inf if fail == 1.0 else 2.0 / (1.0 - fail)
    values = np.zeros(N)
    for block in range(N - 1, 0, -1):
        values[block - 1] = values[block] - 1.0
        if 2 * block <= N:
            values[block - 1] = max(values[block - 1], values[2 * block - 1] - ride)
    return values


class Tram(TabularEnv):
    """Travel to the last block.

    Args:
        N: number of blocks, at least 2.
        fail: chance in [0, 1] that the tram does not run.
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": where the tram would lead beyond N it is played as a walk; "raise": ValueError.
    """

    def __init__(self, N: int = 10, fail: float = 0.5, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(tram(whole("N", N, 2), fail=real("fail", fail, 0.0, 1.0)), **settings)
