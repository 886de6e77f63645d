"""RandomWalk: a coin says left or right; a process to predict, with nothing to choose.

    end <-- 1 <--> 2 <--> ... <--> n --> end      from the middle; left or right with probability 1/2 each

Leaving at the right end pays 1, at the left end `left_reward`; every other step pays nothing.  There is one action.
A chance of s / (n + 1) to leave at the right end (the gambler's ruin) makes, without a discount,

    v(s)  =  s / (n + 1)  +  (1 - s / (n + 1)) * left_reward

so s / 6 for n = 5, and  (s - 10) / 10  for n = 19 with its left_reward of -1.

Sutton & Barto, Reinforcement Learning: An Introduction, 2nd ed. (2018), Examples 6.2 and 7.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, Layout, TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv


def default_left_reward(n: int) -> float:
    """0, but -1 for the walk of 19 states."""
    return -1.0 if n == 19 else 0.0


def random_walk(n: int, *, left_reward: float) -> TabularMDP:
    """The table: states 1 .. n (indices 0 .. n - 1), then the end."""
    require_memory_to_make(n + 1, 1, 2 * n, {"n": n})
    s = np.arange(n)
    leaves = np.stack([s == 0, s == n - 1])
    fields = sorted_outcomes(
        n + 1,
        pair=np.stack([s, s]),
        probability=0.5,
        next_state=np.where(leaves, n, np.stack([s - 1, s + 1])),
        reward=np.where(leaves, [[left_reward], [1.0]], 0.0),
        terminated=leaves,
    )
    return TabularMDP(
        **fields,
        initial=np.arange(n + 1) == n // 2,
        state_labels=[*range(1, n + 1), "end"],
        action_labels=("on",),
        layout=_layout(n),
    )


def _layout(n: int) -> Layout:
    """The states between the two ends, in rows."""
    layout = in_rows("H" + "S".rjust(n // 2 + 1).ljust(n) + "G", ("-",))
    return replace(layout, cell=np.concatenate([layout.cell[1:-1], [(-1, -1)]]))


def closed_form_values(n: int, *, left_reward: float) -> FloatArray:
    """[n] v of the states 1 .. n: the closed form above."""
    right: FloatArray = np.arange(1, n + 1) / (n + 1)
    return right + (1.0 - right) * left_reward


class RandomWalk(TabularEnv):
    """Predict where the walk will end.

    Args:
        n: number of states, odd, at least 1.
        left_reward: reward of leaving at the left end; None: 0, but -1 for n = 19.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, n: int = 5, left_reward: float | None = None, **settings: Unpack[EnvSettings]) -> None:
        n = whole("n", n, 1)
        if n % 2 == 0:
            raise ValueError(f"n must be odd and at least 1, got {n}")
        left = default_left_reward(n) if left_reward is None else real("left_reward", left_reward)
        super().__init__(random_walk(n, left_reward=left), **settings)
