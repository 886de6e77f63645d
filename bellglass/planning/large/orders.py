"""The order in which passes in place, and the substitutions of a preconditioner, go through the states.

Where outcomes lead to neighbours, the numbers of the states are as good an order as any.  Where they lead far away, as
in a table whose states were numbered as they were met, another one may let news travel the whole table in a pass:
strongly connected components, downstream ones first, and within each by distance from its edge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...compiled import compiled
from ...envs.mdp import FloatArray, IntArray
from . import order_kernels
from .table_rows import Rows

#: Walks that look for a cycle before components are asked for.
WALKS = 16

#: Outcomes looked at to tell how far they lead; far is this share of the states, and an order is better that shortens
#: the way by this factor.
LOOKS, FAR, SHORTER = 4_096, 1 / 16, 0.5


@dataclass(frozen=True, eq=False)
class Components:
    """Strongly connected components of the live states.

    Attributes:
        count: how many.
        part: [S] of each state, downstream ones first; S where it is not live.
        sequence: [live states] component by component.
    """

    count: int
    part: IntArray
    sequence: IntArray

    @classmethod
    def of(cls, rows: Rows) -> Components:
        """By a depth-first search over every outcome that goes on."""
        part = np.empty(rows.num_states, dtype=rows.next_state.dtype)
        sequence = np.empty(int(np.count_nonzero(rows.live)), dtype=rows.next_state.dtype)
        count = compiled(order_kernels.components)(
            rows.first, rows.probability, rows.next_state, rows.live, rows.num_actions, part, sequence
        )
        return cls(count, part, sequence)


def seems_to_end(rows: Rows) -> bool:
    """Whether some walks, here and there, met no cycle: a table without any is worth a look at its components."""
    starts = np.flatnonzero(rows.live)
    return not any(
        compiled(order_kernels.on_a_cycle)(
            rows.first, rows.probability, rows.next_state, rows.live, rows.num_actions, start
        )
        for start in starts[:: max(1, len(starts) // WALKS)].tolist()
    )


def near_order(rows: Rows, found: Components | None = None) -> IntArray:
    """[live states] an order in which outcomes lead less far than by the states' numbers; empty where none is known.

    Args:
        rows: the table.
        found: its components, where they are known already.
    """
    if not rows.short:  # passes in place and levels are for short rows
        return rows.as_numbered
    look = slice(None, None, max(1, len(rows.next_state) // LOOKS))
    target = rows.next_state[look].astype(np.int64)
    pair = np.searchsorted(rows.first, np.arange(len(rows.next_state))[look], side="right") - 1
    source = pair // rows.num_actions
    weight = np.where(rows.live[target] & (target != source), rows.probability[look], 0.0)
    if not weight.any() or _reach(source, target, weight) < FAR * rows.num_states:
        return rows.as_numbered
    found = Components.of(rows) if found is None else found
    sequence = found.sequence.copy()
    compiled(order_kernels.breadth_first)(
        rows.first, rows.probability, rows.next_state, rows.num_actions, found.part, sequence
    )
    place = np.zeros(rows.num_states)
    place[sequence] = np.arange(len(sequence))
    shorter = _reach(place[source], place[target], weight) < SHORTER * _reach(source, target, weight)
    return sequence if shorter else rows.as_numbered


def _reach(source: FloatArray | IntArray, target: FloatArray | IntArray, weight: FloatArray) -> float:
    """How far outcomes lead, on average."""
    return float(np.average(np.abs(target - source), weights=weight))
