"""DiscountingChain: one choice at the start, between rewards that come sooner and later.

                     after steps     1        3          10              30                          100
    start --chain 0--> . ========= +1 ==============================================================> end
          --chain 1--> . ==================== +1 ===================================================> end
          --chain 2--> . =============================== +1 ========================================> end
          ...

The first action picks chain 0 .. 4, whose reward comes with step 1, 3, 10, 30 or 100; that of step 1 comes with the
first action, undiscounted.  Later actions do nothing.  A reward is 1, or 1.1 on the chain numbered `bonus`.  After
100 steps the episode is over.

    v*(start)  =  the largest of  reward(chain) * discount**(step - 1)

States are the start and then (chain, steps done 1 .. 100), chain by chain; those after 100 steps are terminal.

Osband et al., Behaviour Suite for Reinforcement Learning, ICLR 2020 (bsuite, discounting_chain).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import Layout, TabularMDP
from ..tabular import EnvSettings, TabularEnv

#: The step with which each chain's reward comes, and the length of an episode.
REWARD_STEPS = (1, 3, 10, 30, 100)
LENGTH = 100

CHAINS = range(len(REWARD_STEPS))

#: Steps in one row of the picture: a chain takes four rows.
PER_ROW = 25


def reward_of(chain: int, bonus: int) -> float:
    """What the chain pays, once."""
    return 1.1 if chain == bonus else 1.0


def discounting_chain(bonus: int) -> TabularMDP:
    """The table: the start, then (chain, steps done)."""

    def model(state: tuple[int, int] | str, action: str) -> list[tuple[float, Hashable, float]]:
        if isinstance(state, str):
            chain, done = int(action.removeprefix("chain ")), 0
        else:
            chain, done = state
        if done == LENGTH:
            return []
        paid = reward_of(chain, bonus) if done + 1 == REWARD_STEPS[chain] else 0.0
        return [(1.0, (chain, done + 1), paid)]

    states: list[Hashable] = [(chain, done) for chain in CHAINS for done in range(1, LENGTH + 1)]
    return TabularMDP.from_function(
        model,
        states=["start", *states],
        actions=[f"chain {chain}" for chain in CHAINS],
        layout=_layout(bonus),
    )


def _layout(bonus: int) -> Layout:
    """Each chain in four rows of 25 steps, its reward a G, a gap between two chains, the start on the left."""
    rows_each = LENGTH // PER_ROW
    rows = (rows_each + 1) * len(CHAINS) - 1
    drawing = [["#"] * (PER_ROW + 1) for _ in range(rows)]
    cells = [(rows // 2, 0)]
    drawing[rows // 2][0] = "S"
    for chain in CHAINS:
        for step in range(1, LENGTH + 1):
            row, column = divmod(step - 1, PER_ROW)
            cells.append((chain * (rows_each + 1) + row, column + 1))
            drawing[cells[-1][0]][cells[-1][1]] = "G" if step == REWARD_STEPS[chain] else " "
    captions = [""] * rows
    for chain in CHAINS:
        captions[chain * (rows_each + 1)] = f"chain {chain}, pays {reward_of(chain, bonus):g}"
    return Layout(
        background=tuple("".join(row) for row in drawing),
        cell=np.array(cells),
        arrows=tuple(str(chain) for chain in CHAINS),
        row_labels=tuple(captions),
    )


def closed_form_start_value(bonus: int, discount: float) -> float:
    """v*(start), the closed form above."""
    return max(reward_of(chain, bonus) * discount ** (REWARD_STEPS[chain] - 1) for chain in CHAINS)


class DiscountingChain(TabularEnv):
    """Choose between sooner and later.

    Args:
        bonus: the chain in [0, 4] whose reward is 1.1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, bonus: int = 0, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(discounting_chain(whole("bonus", bonus, 0, len(CHAINS) - 1)), **settings)
