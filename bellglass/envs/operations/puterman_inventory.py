"""PutermanInventory: how much to order each month, when what is not in stock is not sold.

    stock s, order a with s + a <= M, demand d of 0, 1, 2 with chance 1/4, 1/2, 1/4

    next stock   max(s + a - d, 0)
    reward       price * (expected sales)  -  (K + c a if a > 0)  -  h (s + a)

so that the reward says nothing of the demand.  An order that the store cannot hold is masked.

No closed form: Puterman works three months by hand (v = 67/16, 129/16, 194/16, 227/16 from stock 0, 1, 2, 3);
the gain of 97/44 belongs to ordering 3 in stock 0 and nothing else.

Puterman, Markov Decision Processes (1994), sections 3.2.2 and 4.6.1.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv

#: Chances of a demand of 0, 1, 2.
DEMAND = np.array([0.25, 0.5, 0.25])


def puterman_inventory(M: int, *, K: float, c: float, h: float, price: float) -> TabularMDP:
    """The table: stocks 0 .. M; action a orders a."""
    num_pairs = (M + 1) * (M + 2) // 2
    require_memory_to_make(M + 1, M + 1, len(DEMAND) * num_pairs, {"M": M})
    s, a = np.nonzero(np.add.outer(np.arange(M + 1), np.arange(M + 1)) <= M)
    filled = (s + a)[:, None]
    demand = np.arange(len(DEMAND))[None, :]
    sales = np.minimum(filled, demand) @ DEMAND
    cost_of_order = np.where(a > 0, K + c * a, 0.0)
    reward = price * sales - cost_of_order - h * (s + a)
    fields = sorted_outcomes(
        (M + 1) ** 2,
        pair=(s * (M + 1) + a)[:, None],
        probability=DEMAND,
        next_state=np.maximum(filled - demand, 0),
        reward=reward[:, None],
        terminated=False,
    )
    return TabularMDP(
        **fields,
        initial=np.eye(1, M + 1)[0],
        state_labels=range(M + 1),
        action_labels=[f"order {units}" for units in range(M + 1)],
        layout=in_rows("S".ljust(M + 1), [str(units) for units in range(M + 1)]),
    )


class PutermanInventory(TabularEnv):
    """Order stock for an uncertain demand.

    Args:
        M: what the store holds, at least 1.
        K: fixed cost of an order.
        c: cost of a unit ordered.
        h: cost of holding a unit for a month.
        price: revenue of a unit sold.
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": an order that does not fit into the store orders nothing; "raise":
            ValueError.
    """

    def __init__(
        self,
        M: int = 3,
        K: float = 4,
        c: float = 2,
        h: float = 1,
        price: float = 8,
        **settings: Unpack[EnvSettings],
    ) -> None:
        super().__init__(
            puterman_inventory(
                whole("M", M, 1), K=real("K", K), c=real("c", c), h=real("h", h), price=real("price", price)
            ),
            **settings,
        )
