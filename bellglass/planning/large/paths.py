"""Deterministic tables that end: best paths, by label correcting from the ends outwards.

    v(s)  <-  max(v(s),  r(s, a) + discount * v(s'))        for all pairs that lead to a state s' that has improved

Bellman and Ford's method with a queue (Bertsekas, Network Optimization, 1998, section 2.4), where a step is discounted.
It settles every state whose best path ends; cycles that pay better are left to the caller.
"""

from __future__ import annotations

import numpy as np

from ...compiled import compiled
from . import path_kernels
from .search import Search
from .table_rows import index_type

#: Looks at each pair, on average, before cycles must pay better than ends.
PATIENCE = 30


def from_the_ends(search: Search) -> bool:
    """Whether the table is deterministic, ends, and is solved by paths; if it only ends, values are those of paths."""
    rows = search.rows
    if int(rows.room.max(initial=0)) != 1 or rows.never_ends or search.values.any():
        return False
    came_first = np.empty(rows.num_states + 1, dtype=np.int64)
    came_pair = np.empty(len(rows.next_state), dtype=index_type(len(rows.mean)))
    outcomes = (rows.first, rows.probability, rows.next_state)
    compiled(path_kernels.predecessors)(*outcomes, rows.live, came_first, came_pair)
    lowest = float(rows.mean[rows.mean > -np.inf].min())
    compiled(path_kernels.outwards)(
        *outcomes,
        rows.mean,
        rows.live,
        search.values,
        search.discount,
        rows.num_actions,
        came_first,
        came_pair,
        min(lowest, 0.0) / (1.0 - search.discount),
        PATIENCE * rows.num_pairs,
    )
    return search.improve()
