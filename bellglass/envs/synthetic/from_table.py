"""FromTable: a table out of a file, as an environment like any other.

    mdp.save("mine.npz")                                        # any TabularMDP
    env = gymnasium.make("bellglass/FromTable-v0", path="mine.npz")

Without a path it is a small game, to be seen at once: three heads in a row.  A state is the number of heads on end;
the fair coin (0) falls heads with probability 1/2 and costs 1 a toss, the bent one (1) with 2/3 and costs 2; tails
start over.

                      heads                heads                heads
    0  ------------->  1  ------------->  2  ------------->  3, the end
    ^------- tails -------------'-------------------'

A coin c_s, p_s (cost, chance of heads) for each s makes  m = (c_0/p_0 + c_1 + p_1 c_2) / (p_1 p_2)  the cost from 0
(derived here).  The best use the fair coin in 0 and the bent one in 2:  (2 + 1 + 1) / (1/3) = 12,  so v*(0) = -12
without a discount; in 1 both are as good.

Files hold no time limit and no discount; `gymnasium.make(..., max_episode_steps=...)` replaces the limit of 1000.

A table of your own.
"""

from __future__ import annotations

from typing import Unpack

from ..mdp import TabularMDP
from ..tabular import EnvSettings, TabularEnv

#: Cost of a toss and chance of heads.
COINS = {"fair coin": (1.0, 1.0 / 2.0), "bent coin": (2.0, 2.0 / 3.0)}

END = 3


def three_heads() -> TabularMDP:
    """The table for who gives no file: heads on end, 0 .. 3."""

    def toss(heads: int, coin: str) -> list[tuple[float, int, float]]:
        if heads == END:
            return []
        cost, p = COINS[coin]
        return [(p, heads + 1, -cost), (1.0 - p, 0, -cost)]

    return TabularMDP.from_function(toss, states=range(END + 1), actions=list(COINS))


class FromTable(TabularEnv):
    """Walk through a saved table.

    Args:
        path: name of an npz file that `TabularMDP.save` wrote; None: a small game, three heads in a row.
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": an unavailable action is played as the lowest available one; "raise": ValueError.
    """

    def __init__(self, path: str | None = None, **settings: Unpack[EnvSettings]) -> None:
        if path is not None and not isinstance(path, str):
            raise TypeError(f"path must be the name of an npz file or None, got {path!r}")
        super().__init__(three_heads() if path is None else TabularMDP.load(path), **settings)
