"""Value iteration in place: Gauss-Seidel, and the most urgent state first.

    v(s)  <-  max_a  (r(s, a) + discount * sum_{s' != s} P(s' | s, a) v(s'))  /  (1 - discount * P(s | s, a))

Gauss-Seidel backs every state up in turn, forwards and backwards by turns (Puterman 1994, section 6.3.3); prioritised
value iteration keeps a queue of Bellman errors (Moore and Atkeson 1993; Wingate and Seppi 2005).  Errors that are met
in place are not those of a whole backup, so a pass of `Search.improve` decides when it is enough.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from ...compiled import compiled
from . import table_kernels as kernels
from .search import Search

#: Backups of each state, on average, before a pass over the table says how far it is.
PATIENCE = 5


def gauss_seidel(search: Search) -> int:
    """Sweeps in place until the bounds are close enough; the number of sweeps."""
    sweeps = 0
    while not search.improve():
        change = np.inf
        while change > search.goal:
            change = search.rows.gauss_seidel(search.values, search.discount, backward=sweeps % 2 == 0)
            sweeps += 1
            if sweeps % 50 == 0:
                break
    return sweeps


def prioritised(search: Search) -> int:
    """Backs up whatever is most out of date until the bounds are close enough; the number of single backups."""
    rows = search.rows
    states = np.repeat(np.arange(len(rows.mean)) // rows.num_actions, np.diff(rows.first))
    came = scipy.sparse.csr_array(
        (np.ones(len(states)), (rows.next_state.astype(np.int64), states)),
        shape=(rows.num_states, rows.num_states),
    )
    came.sum_duplicates()
    came_first, came_from = came.indptr.astype(np.int64), came.indices.astype(np.int64)
    backups, goal = 0, np.inf
    while not search.improve():
        goal = min(0.5 * goal, max(search.goal, 0.01 * max(abs(search.high), abs(search.low))))
        goal = max(goal, 1e-3 * search.goal)
        count, settled = compiled(kernels.prioritised)(
            *rows.arrays,
            search.values,
            search.discount,
            rows.num_actions,
            came_first,
            came_from,
            goal,
            PATIENCE * rows.num_states,
        )
        backups += count
        if not settled:
            search.stalled = 0
    return backups
