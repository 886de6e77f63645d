"""SixArms: six arms behind six doors; the better the arm, the less often its door opens.

                      arm            1     2     3     4     5     6
    state 0           door opens     1     .15   .1    .05   .03   .01      action i, else it stays in 0
    state i + 1       arm pays       50    133   300   800   1660  6000     action i, and it stays there
                      any other action returns to 0 and pays nothing

It goes on for ever.  Trying one door until it opens and then pulling that arm for ever is worth, from state 0,

    discount * p * r / ((1 - discount) * (1 - discount * (1 - p)))

and the best policy does so for the best arm: leaving an arm never pays (derived here; `closed_form_value_of_a`).

Strehl & Littman, J. Comput. Syst. Sci. 74 (2008), Fig. 4.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

#: Chance that each door opens, and what the arm behind it pays.
OPENS = (1.0, 0.15, 0.1, 0.05, 0.03, 0.01)
PAYS = (50.0, 133.0, 300.0, 800.0, 1660.0, 6000.0)

HALL = 0


def six_arms() -> TabularMDP:
    """The table: state 0 is the hall, state i + 1 the room of arm i."""

    def model(s: int, a: int) -> list[tuple[float, int, float]]:
        if s == HALL:
            rows = [(OPENS[a], a + 1, 0.0), (1.0 - OPENS[a], HALL, 0.0)]
            return [row for row in rows if row[0] > 0]
        return [(1.0, s, PAYS[a])] if s == a + 1 else [(1.0, HALL, 0.0)]

    return TabularMDP.from_function(model, states=range(7), actions=range(6))


def closed_form_start_value(arm: int, discount: float) -> float:
    """Value of state 0 for who wants that arm and no other: the closed form above."""
    p, r = OPENS[arm], PAYS[arm]
    return discount * p * r / ((1.0 - discount) * (1.0 - discount * (1.0 - p)))


class SixArms(TabularEnv):
    """Find out which door is worth its waiting."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(six_arms(), **settings)
