"""RussellNorvig: the 4x3 world, a good exit beside a bad one, and legs that do not obey.

    .  .  .  +1      a move goes as meant with probability 1 - noise, to each side with noise / 2
    .  #  .  -1      a move into the wall # or off the grid stays
    S  .  .  .       actions: 0 up, 1 right, 2 down, 3 left

A transition pays `living_reward`, or +1 / -1 on entering an exit (4th edition).  The 3rd edition pays the
living reward in the exit's neighbours too, which amounts to  living_reward +- 1  on entering it.

No closed form: the solver's certificate stands behind the 3rd edition's .705 at the start (.745 in the 4th).

Russell & Norvig, Artificial Intelligence: A Modern Approach, 4th ed. (2020) and 3rd ed. (2010), Figures
17.1-17.3.
"""

from __future__ import annotations

from typing import Unpack

from ..keywords import flag, real
from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv
from .moves import ARROWS, MOVES, NAMES, cells_of, neighbour, placed

ROWS, COLUMNS = 3, 4
WALL = (1, 1)
START = (2, 0)
EXITS = {(0, 3): 1.0, (1, 3): -1.0}


def russell_norvig(*, living_reward: float, noise: float, reward_on_entry_too: bool) -> TabularMDP:
    """The table: the 11 free cells row by row."""
    cells = tuple(cell for cell in cells_of(ROWS, COLUMNS) if cell != WALL)
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s, cell in enumerate(cells):
        P[s] = {}
        for a in range(4):
            if cell in EXITS:
                P[s][a] = [(1.0, s, 0.0, True)]
                continue
            P[s][a] = []
            for b, p in ((a, 1.0 - noise), ((a - 1) % 4, noise / 2), ((a + 1) % 4, noise / 2)):
                entered = neighbour(cell, MOVES[b], ROWS, COLUMNS, {WALL})
                ends = entered in EXITS
                reward = living_reward if not ends or reward_on_entry_too else 0.0
                P[s][a].append((p, cells.index(entered), reward + EXITS.get(entered, 0.0), ends))
    return TabularMDP.from_P(
        P,
        initial=[float(cell == START) for cell in cells],
        state_labels=cells,
        action_labels=NAMES,
        layout=Layout(background=("   G", " # H", "S   "), cell=placed(cells), arrows=ARROWS),
    )


class RussellNorvig(TabularEnv):
    """Find the good exit of the 4x3 world.

    Args:
        living_reward: reward of a transition that enters no exit.
        noise: chance in [0, 1] of slipping to a side.
        reward_on_entry_too: whether entering an exit pays the living reward as well (3rd edition).
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        living_reward: float = -0.04,
        noise: float = 0.2,
        reward_on_entry_too: bool = False,
        **settings: Unpack[EnvSettings],
    ) -> None:
        super().__init__(
            russell_norvig(
                living_reward=real("living_reward", living_reward),
                noise=real("noise", noise, 0.0, 1.0),
                reward_on_entry_too=flag("reward_on_entry_too", reward_on_entry_too),
            ),
            **settings,
        )
