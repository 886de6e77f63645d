"""Inventory: order up to a level, at a fixed cost an order; the (s, S) policy is best.

    stock x in lo .. hi (below 0 is owed), order up to y >= x, demand d ~ Poisson(lam)

    next stock   max(y - d, lo)
    reward       -K (if y > x)  -  h * max(y - d, 0)  -  b * max(d - y, 0)

Action a is the level y = lo + a; y = x is no order, and levels below the stock are masked.

Without the bounds an (s, S) policy is best: at or below s order up to S.  Between two orders the stock visits
S - j on average m(j) times, where m is the renewal function of the demand, and so with G(y) the expected
holding and penalty cost after ordering to y the cost a step is (`cost_of_levels`)

    c(s, S) = (K + sum_j m(j) G(S - j)) / sum_j m(j),   j = 0 .. S - s - 1
    m(0) = 1 / (1 - p_0),   m(j) = (sum_{i=1..j} p_i m(j - i)) / (1 - p_0)

For the defaults s = 6, S = 40 and 35.0216 a step, which the book prints too.

Zheng & Federgruen, Operations Research 39 (1991), 654-665, equation (3) and Table 1.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv
from .poisson import poisson

#: The longest tables of demands that are made, and the deepest debts that are written down.
MOST_DEMAND, MOST_OWED = 1e6, 1_000_000


def inventory(*, lam: float, K: float, h: float, b: float, lo: int, hi: int) -> TabularMDP:
    """The table: stocks lo .. hi; action a orders up to lo + a."""
    demand = poisson(lam)
    num_levels, num_demands = hi - lo + 1, len(demand)
    num_pairs = num_levels * (num_levels + 1) // 2
    require_memory_to_make(num_levels, num_levels, num_pairs * num_demands, {"lam": lam, "lo": lo, "hi": hi})
    stock, level = np.triu_indices(num_levels)  # every pair of a stock and a level that is not below it

    left = np.arange(lo, hi + 1)[:, None] - np.arange(num_demands)[None, :]  # [levels, demands]
    cost = h * np.maximum(left, 0) + b * np.maximum(-left, 0)
    ordering = np.where(level > stock, K, 0.0)
    letters = (" " * -lo + "S").ljust(num_levels)
    outcomes = np.zeros((num_levels, num_levels), dtype=np.int64)
    outcomes[stock, level] = num_demands
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(outcomes)]),
        probability=np.tile(demand, num_pairs),
        next_state=(np.maximum(left, lo) - lo)[level].ravel(),
        reward=(-cost[level] - ordering[:, None]).ravel(),
        terminated=np.zeros(num_pairs * num_demands, dtype=np.bool_),
        initial=np.eye(1, num_levels, -lo)[0],
        state_labels=range(lo, hi + 1),
        action_labels=[f"up to {y}" for y in range(lo, hi + 1)],
        layout=in_rows(letters, [str(y) for y in range(lo, hi + 1)], first=lo),
    )


def cost_of_levels(s: int, S: int, *, lam: float, K: float, h: float, b: float) -> float:
    """Cost a step in the long run of ordering up to S whenever the stock is s or less: the formula above."""
    demand = poisson(lam)
    after = np.arange(S, s, -1)[:, None] - np.arange(len(demand))[None, :]
    G = (h * np.maximum(after, 0) + b * np.maximum(-after, 0)) @ demand
    visits = renewals(demand, S - s)
    return float((K + visits @ G) / visits.sum())


def renewals(demand: FloatArray, n: int) -> FloatArray:
    """[n] how often the summed demand is 0, 1, .. n - 1, from an order on: m above."""
    visits = np.zeros(n)
    for j in range(n):
        sizes = np.arange(1, min(j, len(demand) - 1) + 1)
        arrived = demand[sizes] @ visits[j - sizes] + float(j == 0)
        visits[j] = arrived / (1.0 - demand[0])
    return visits


class Inventory(TabularEnv):
    """Keep a store that may owe its customers.

    Args:
        lam: mean demand of a step, in [0, 1e6].
        K: fixed cost of an order.
        h: cost of a unit left over after the demand.
        b: cost of a unit owed after the demand.
        lo: lowest stock, at most 0; what is owed beyond is forgotten.
        hi: highest level to order up to, at least 0.
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": a level below the stock orders nothing; "raise": ValueError.
    """

    def __init__(
        self,
        lam: float = 10,
        K: float = 64,
        h: float = 1,
        b: float = 9,
        lo: int = -60,
        hi: int = 120,
        **settings: Unpack[EnvSettings],
    ) -> None:
        super().__init__(
            inventory(
                lam=real("lam", lam, 0.0, MOST_DEMAND),
                K=real("K", K),
                h=real("h", h),
                b=real("b", b),
                lo=whole("lo", lo, -MOST_OWED, 0),
                hi=whole("hi", hi, 0),
            ),
            **settings,
        )
