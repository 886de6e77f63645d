"""RecyclingRobot: a can-collecting robot and its battery.

               search (0)                                  wait (1)        recharge (2)
    0 high     alpha: high, else low;      r_search        high; r_wait
    1 low      beta: low;                  r_search        low;  r_wait    high; 0
               else rescued to high;             -3

Searching while high and recharging while low is worth, with discount g (`closed_form_values`, derived here),

    v(high) = r_search / (1 - g alpha - g**2 (1 - alpha)),   v(low) = g v(high)

which is the optimum wherever neither waiting nor searching while low is better.

Sutton & Barto, 2nd ed. (2018), Example 3.3 and Exercise 3.22.
"""

from __future__ import annotations

from typing import Unpack

from ..keywords import real
from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

HIGH, LOW = 0, 1
SEARCH, WAIT, RECHARGE = 0, 1, 2
RESCUE = -3.0


def recycling_robot(*, alpha: float, beta: float, r_search: float, r_wait: float) -> TabularMDP:
    """The table: states high and low."""
    return TabularMDP.from_P(
        {
            HIGH: {
                SEARCH: [(alpha, HIGH, r_search, False), (1.0 - alpha, LOW, r_search, False)],
                WAIT: [(1.0, HIGH, r_wait, False)],
            },
            LOW: {
                SEARCH: [(beta, LOW, r_search, False), (1.0 - beta, HIGH, RESCUE, False)],
                WAIT: [(1.0, LOW, r_wait, False)],
                RECHARGE: [(1.0, HIGH, 0.0, False)],
            },
        },
        initial=(1.0, 0.0),
        state_labels=("high", "low"),
        action_labels=("search", "wait", "recharge"),
    )


def closed_form_values(*, alpha: float, r_search: float, discount: float) -> tuple[float, float]:
    """Values of high and low for searching in high and recharging in low: the closed form above."""
    high = r_search / (1.0 - discount * alpha - discount**2 * (1.0 - alpha))
    return high, discount * high


class RecyclingRobot(TabularEnv):
    """Collect cans without running flat.

    Args:
        alpha: chance in [0, 1] that the battery stays high in a search.
        beta: chance in [0, 1] that a low battery lasts for a search.
        r_search: reward of a search that does not end in a rescue.
        r_wait: reward of waiting.
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": recharging a high battery is played as a search; "raise": ValueError.
    """

    def __init__(
        self,
        alpha: float = 0.9,
        beta: float = 0.4,
        r_search: float = 2,
        r_wait: float = 1,
        **settings: Unpack[EnvSettings],
    ) -> None:
        super().__init__(
            recycling_robot(
                alpha=real("alpha", alpha, 0.0, 1.0),
                beta=real("beta", beta, 0.0, 1.0),
                r_search=real("r_search", r_search),
                r_wait=real("r_wait", r_wait),
            ),
            **settings,
        )
