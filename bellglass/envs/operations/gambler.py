"""Gambler: stake some of your capital on a coin, again and again, until you are rich or ruined.

    0  1  2  ...  s  ...  goal      win the stake with p_h, else lose it; reaching the goal pays 1
                                    action a stakes a + 1, from 1 to min(s, goal - s): other actions are
                                    masked

Without a discount, bold play (stake all you can use) is best for p_h <= 1/2, and its values obey

    v(s) = p_h * v(2s)                               s <= goal / 2
    v(s) = p_h + (1 - p_h) * v(2s - goal)            s >  goal / 2

so that v(goal/2) = p_h and v(goal/4) = p_h**2.  For p_h >= 1/2 staking 1 is best, the gambler's ruin:

    v(s) = (1 - x**s) / (1 - x**goal),   x = (1 - p_h) / p_h     (s / goal for p_h = 1/2)

Dubins & Savage, How to Gamble If You Must (1965); Sutton & Barto, 2nd ed. (2018), Example 4.3.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv


def gambler(*, p_h: float, goal: int) -> TabularMDP:
    """The table: capital 0 .. goal; action a stakes a + 1."""
    num_actions = goal // 2
    require_memory(220 * goal**2, f"a table of {brief(goal + 1)} states", {"goal": goal})
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        s: {a: [(1.0, s, 0.0, True)] for a in range(num_actions)} for s in (0, goal)
    }
    for s in range(1, goal):
        P[s] = {a: [] for a in range(num_actions)}
        for stake in range(1, min(s, goal - s) + 1):
            won, lost = s + stake, s - stake
            P[s][stake - 1] = [(p_h, won, float(won == goal), won == goal), (1.0 - p_h, lost, 0.0, lost == 0)]
    starts = np.full(goal + 1, 1.0 / (goal - 1))
    starts[[0, goal]] = 0.0
    return TabularMDP.from_P(
        P,
        initial=starts,
        state_labels=range(goal + 1),
        action_labels=[f"stake {stake}" for stake in range(1, num_actions + 1)],
        layout=in_rows("H" + " " * (goal - 1) + "G", [str(stake) for stake in range(1, num_actions + 1)]),
    )


def closed_form_values(*, p_h: float, goal: int) -> FloatArray:
    """[goal + 1] chance of reaching the goal, without a discount: the closed forms above."""
    s: FloatArray = np.arange(goal + 1, dtype=np.float64)
    if p_h == 0.5:
        return s / goal
    if p_h > 0.5:
        x = (1.0 - p_h) / p_h
        ruin: FloatArray = (1.0 - x**s) / (1.0 - x**goal)
        return ruin
    k = np.arange(goal + 1)
    values = np.append(np.zeros(goal), 1.0)
    for _ in range(60 * goal.bit_length()):  # poor once in so many steps: errors shrink by p_h < 1/2
        poor = p_h * values[np.minimum(2 * k, goal)]
        rich = p_h + (1.0 - p_h) * values[np.maximum(2 * k - goal, 0)]
        values = np.where(2 * k <= goal, poor, rich)
    return values


class Gambler(TabularEnv):
    """Reach the goal before ruin.

    Args:
        p_h: chance of winning a stake, in [0, 1].
        goal: capital to reach, at least 2.
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": an unavailable stake is played as a stake of 1; "raise": ValueError.
    """

    def __init__(self, p_h: float = 0.4, goal: int = 100, **settings: Unpack[EnvSettings]) -> None:
        mdp = gambler(p_h=real("p_h", p_h, 0.0, 1.0), goal=whole("goal", goal, 2))
        super().__init__(mdp, **settings)
