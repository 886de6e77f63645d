"""PutermanTwoState: stay where 5 is paid while it lasts, or take 10 now; both end where -1 is paid for ever.

    s1    action 0:  pays 5, stays with 1/2, moves to s2 with 1/2
          action 1:  pays 10, moves to s2
    s2    action 0:  pays -1, stays

Closed form, with discount g (`closed_form_values`):

    v(s2) = -1 / (1 - g)
    v(s1) = the greater of  (5 + g/2 v(s2)) / (1 - g/2)  and  10 + g v(s2)

For g = .95 the first is better: -8.571.  The two are equal for g = 10/11.

Puterman, Markov Decision Processes (1994), section 3.1; QuantEcon, documentation of DiscreteDP.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv


def puterman_two_state() -> TabularMDP:
    """The table: states s1 and s2."""
    return TabularMDP.from_P(
        {
            0: {0: [(0.5, 0, 5.0, False), (0.5, 1, 5.0, False)], 1: [(1.0, 1, 10.0, False)]},
            1: {0: [(1.0, 1, -1.0, False)]},
        },
        initial=(1.0, 0.0),
        state_labels=("s1", "s2"),
        action_labels=("first", "second"),
    )


def closed_form_values(discount: float) -> tuple[float, float]:
    """The values of s1 and s2: the closed form above."""
    second = -1.0 / (1.0 - discount)
    staying = (5.0 + discount / 2 * second) / (1.0 - discount / 2)
    return max(staying, 10.0 + discount * second), second


class PutermanTwoState(TabularEnv):
    """Stay or take the money.

    Args:
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": the second action is played in s2 as the first; "raise": ValueError.
    """

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(puterman_two_state(), **settings)
