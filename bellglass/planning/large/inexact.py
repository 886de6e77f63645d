"""Inexact policy iteration: policies evaluated by linear systems, solved to a digit or two.

    evaluate    (I - discount P) x = residual,   then  v <- v + x                    on the rows of the policy alone

Where rows are short, one pass in place in either direction comes before each improvement: it spreads news over the
whole table, and makes policy iteration short (Gargiani et al., 2024, arXiv:2211.04299, without such passes).
"""

from __future__ import annotations

from .orders import near_order
from .search import Search
from .systems import PolicySystem

#: Systems are solved until the residual has shrunk by these factors: where rows are short, and where they are long.
LOOSE, CLOSE = 0.1, 0.01


def solve_systems(search: Search, *, exact: bool = False) -> int:
    """Inexact policy iteration until the bounds are close enough; the iterations of BiCGSTAB.

    Where rows are short, every state is first backed up in place, in both directions.

    Args:
        search: where to start from.
        exact: policy iteration proper: no passes in place, every system solved as far as the answer needs it.
    """
    rows, size = search.rows, search.rows.num_states
    sequence = near_order(rows, search.components)
    system = PolicySystem(rows, search.discount, sequence)
    awake = rows.live
    iterations, rounds = 0, 0
    while True:
        if rows.short and not exact and (rounds < 3 or search.changed > 1e-3 * size):
            for backward in (True, False):
                rows.gauss_seidel(search.values, search.discount, backward=backward, sequence=sequence)
        if search.improve():
            return iterations
        residual = search.best - search.values
        residual[~rows.live] = 0.0
        if rounds:
            awake = search.awake(residual, awake)
        rounds += 1
        system.follow(search.choice, awake)
        worst = max(abs(search.high), abs(search.low))
        settled = search.changed < 1e-4 * size
        goal = search.goal if exact or settled else max(search.goal, (LOOSE if rows.short else CLOSE) * worst)
        iterations += system.correct(search.values, residual, worst, max(goal, 1e-14 * worst))
