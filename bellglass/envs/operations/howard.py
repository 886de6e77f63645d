"""HowardTaxicab and HowardToymaker: the two tables on which policy iteration was shown first.

The taxi driver serves the towns A, B and C.  In each he may cruise (0), drive to a stand (1) or wait for a radio
call (2; B has no radio).  The next trip leads to A, B or C with the chances, and for the fares, below.

The toymaker's toy is successful or not.  He may spend (1) or not (0): on advertising a success, on research
after a failure.

No closed form is needed: both have one recurrent class under every policy.  The toymaker does best to spend
always, which earns 2 a week; the taxi driver at the stand in every town, which earns 1588/119 = 13.34 a trip.

Howard, Dynamic Programming and Markov Processes (1960), ch. 3, 4 and 7.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

#: For each state and action: the chances of the next states, and the rewards on the way there.
Alternatives = tuple[tuple[tuple[tuple[float, ...], tuple[float, ...]], ...], ...]

TAXICAB: Alternatives = (
    (
        ((1 / 2, 1 / 4, 1 / 4), (10, 4, 8)),
        ((1 / 16, 3 / 4, 3 / 16), (8, 2, 4)),
        ((1 / 4, 1 / 8, 5 / 8), (4, 6, 4)),
    ),
    (
        ((1 / 2, 0, 1 / 2), (14, 0, 18)),
        ((1 / 16, 7 / 8, 1 / 16), (8, 16, 8)),
    ),
    (
        ((1 / 4, 1 / 4, 1 / 2), (10, 2, 8)),
        ((1 / 8, 3 / 4, 1 / 8), (6, 4, 2)),
        ((3 / 4, 1 / 16, 3 / 16), (4, 0, 8)),
    ),
)

TOYMAKER: Alternatives = (
    (((0.5, 0.5), (9, 3)), ((0.8, 0.2), (4, 4))),
    (((0.4, 0.6), (3, -7)), ((0.7, 0.3), (1, -19))),
)


def howard(alternatives: Alternatives, states: tuple[str, ...], actions: tuple[str, ...]) -> TabularMDP:
    """The table of the alternatives; it starts in the first state."""
    P = {
        s: {
            a: [
                (p, next_s, float(r), False)
                for next_s, (p, r) in enumerate(zip(chances, rewards, strict=True))
                if p > 0
            ]
            for a, (chances, rewards) in enumerate(choices)
        }
        for s, choices in enumerate(alternatives)
    }
    return TabularMDP.from_P(
        P,
        initial=[float(s == 0) for s in range(len(alternatives))],
        state_labels=states,
        action_labels=actions,
    )


class HowardTaxicab(TabularEnv):
    """Find the next passenger.

    Args:
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": waiting for a call in B, where there is no radio, is cruising; "raise":
            ValueError.
    """

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(howard(TAXICAB, ("A", "B", "C"), ("cruise", "stand", "radio")), **settings)


class HowardToymaker(TabularEnv):
    """Spend on the toy, or do not."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(howard(TOYMAKER, ("success", "failure"), ("save", "spend")), **settings)
