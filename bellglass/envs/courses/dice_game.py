"""DiceGame: stay for 4 and risk that the die ends the game, or quit with 10.

    stay   (0) pays 4; the game goes on with 2/3 and ends with 1/3
    quit   (1) pays 10 and ends the game

Closed form, with discount g (`closed_form_value_of_a`): staying for ever is worth  4 / (1 - 2/3 g), so

    v = max(10, 4 / (1 - 2/3 g))

which is 12 without a discount; quitting is best for g <= .9.

Stanford CS221, lecture on Markov decision processes.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

IN, END = 0, 1
STAY, QUIT = 0, 1


def dice_game() -> TabularMDP:
    """The table: in the game, and the end."""
    return TabularMDP.from_P(
        {
            IN: {STAY: [(2 / 3, IN, 4.0, False), (1 / 3, END, 4.0, True)], QUIT: [(1.0, END, 10.0, True)]},
            END: {a: [(1.0, END, 0.0, True)] for a in (STAY, QUIT)},
        },
        initial=(1.0, 0.0),
        state_labels=("in", "end"),
        action_labels=("stay", "quit"),
    )


def closed_form_start_value(discount: float) -> float:
    """Value of being in the game: the closed form above."""
    return max(10.0, 4.0 / (1.0 - 2 / 3 * discount))


class DiceGame(TabularEnv):
    """Stay or quit."""

    def __init__(self, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(dice_game(), **settings)
