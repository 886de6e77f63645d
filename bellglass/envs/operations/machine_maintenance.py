"""MachineMaintenance: a machine wears out; leave it, overhaul it, or replace it.

                      leave (0)                              overhaul (1)     replace (2)
    0 good            7/8 -> 1, 1/16 -> 2, 1/16 -> 3    0
    1 minor           3/4 -> 1, 1/8 -> 2,  1/8 -> 3  1000                     -> 0   6000
    2 major           1/2 -> 2, 1/2 -> 3             3000    -> 1   4000      -> 0   6000
    3 inoperable                                                              -> 0   6000

The numbers on the right are costs, and the reward is minus the cost; what is blank is not available.

The book weighs four policies by their stationary distributions.  Best is to overhaul in 2 and replace in 3:
from 0 a cycle visits  2/21, 5/7, 2/21, 2/21  of the time, which costs  5/7*1000 + 2/21*(4000 + 6000) = 5000/3
a step.  The others cost 25000/13 (only replace in 3), 19000/11 (replace in 2 and 3) and 3000 (in 1, 2 and 3).

Hillier & Lieberman, Introduction to Operations Research, 9th ed. (2010), ch. 19, prototype example.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

LEAVE, OVERHAUL, REPLACE = 0, 1, 2

STATES = ("good", "minor", "major", "inoperable")

#: P[s][a]; an action that is missing is not available.
P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
    0: {LEAVE: [(7 / 8, 1, 0.0, False), (1 / 16, 2, 0.0, False), (1 / 16, 3, 0.0, False)]},
    1: {
        LEAVE: [(3 / 4, 1, -1000.0, False), (1 / 8, 2, -1000.0, False), (1 / 8, 3, -1000.0, False)],
        REPLACE: [(1.0, 0, -6000.0, False)],
    },
    2: {
        LEAVE: [(1 / 2, 2, -3000.0, False), (1 / 2, 3, -3000.0, False)],
        OVERHAUL: [(1.0, 1, -4000.0, False)],
        REPLACE: [(1.0, 0, -6000.0, False)],
    },
    3: {REPLACE: [(1.0, 0, -6000.0, False)]},
}


def machine_maintenance() -> TabularMDP:
    """The table: states good, minor, major, inoperable."""
    return TabularMDP.from_P(
        P,
        initial=(1.0, 0.0, 0.0, 0.0),
        state_labels=STATES,
        action_labels=("leave", "overhaul", "replace"),
    )


class MachineMaintenance(TabularEnv):
    """Keep the machine running at the least cost.

    Args:
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": an unavailable action does what the lowest available one does (leave, or
            replace where the machine is inoperable); "raise": ValueError.
    """

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(machine_maintenance(), **settings)
