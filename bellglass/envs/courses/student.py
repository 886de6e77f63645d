"""Student: three classes to sit through, a phone and a pub to keep one from it.

               action 0                  action 1
    class 1    facebook -> facebook -1   study -> class 2  -2
    class 2    sleep -> the end      0   study -> class 3  -2
    class 3    study -> the end     10   pub              1, then class 1, 2, 3 with .2, .4, .4
    facebook   facebook -> facebook -1   quit -> class 1    0

Without a discount studying through is best:  v = 10 in class 3, 8 in class 2, 6 in class 1 and at facebook.
The pub is worth  1 + .2 * 6 + .4 * 8 + .4 * 10 = 9.4  (the lecture's slide prints 8.4 on this arc).

D. Silver, UCL course on reinforcement learning (2015), lecture 2.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

CLASS_1, CLASS_2, CLASS_3, FACEBOOK, ASLEEP = range(5)

STATES = ("class 1", "class 2", "class 3", "facebook", "asleep")

P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
    CLASS_1: {0: [(1.0, FACEBOOK, -1.0, False)], 1: [(1.0, CLASS_2, -2.0, False)]},
    CLASS_2: {0: [(1.0, ASLEEP, 0.0, True)], 1: [(1.0, CLASS_3, -2.0, False)]},
    CLASS_3: {
        0: [(1.0, ASLEEP, 10.0, True)],
        1: [(0.2, CLASS_1, 1.0, False), (0.4, CLASS_2, 1.0, False), (0.4, CLASS_3, 1.0, False)],
    },
    FACEBOOK: {0: [(1.0, FACEBOOK, -1.0, False)], 1: [(1.0, CLASS_1, 0.0, False)]},
    ASLEEP: {0: [(1.0, ASLEEP, 0.0, True)], 1: [(1.0, ASLEEP, 0.0, True)]},
}


def student() -> TabularMDP:
    """The table: class 1, 2, 3, facebook and, the end, asleep."""
    return TabularMDP.from_P(
        P,
        initial=(1.0, 0.0, 0.0, 0.0, 0.0),
        state_labels=STATES,
        action_labels=("facebook, sleep or study", "study, pub or quit"),
    )


class Student(TabularEnv):
    """Pass the exam."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(student(), **settings)
