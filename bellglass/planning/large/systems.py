"""The linear system of a policy:  (I - discount P) x = residual,  then  v <- v + x.

BiCGSTAB with DILU, on a matrix in single precision (double very near discount 1): x only corrects the values, and the
next residual, taken in double precision, shows what is still missing.  Where rows are short, the states are put in the
order of their levels, so that the substitutions need not wait for one another, and rows are filled up to one length, so
that loops are foreseen.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...compiled import compiled
from ...envs.mdp import BoolArray, FloatArray, IntArray
from . import system_kernels
from .system_kernels import Reals
from .table_rows import Rows

#: What is left out of a row changes x by at most this share.
LEFT_OUT = 1e-4

#: States a level from which on their order is worth it.
WIDE_LEVELS = 4

#: Rows of one length may be this many times longer, all together, than as they are.
FILLED_UP = 2.5

#: Where less than this chance ends a step, single precision would lose the system's smallest eigenvalues.
SINGLE = 1e-6

#: The pair of a row that is none yet.
NOT_YET = -2

#: Iterations before the residual is taken anew.
MOST_ITERATIONS = 500


class PolicySystem:
    """The system of the policy that it last followed, over the states that it was last told to look at."""

    def __init__(self, rows: Rows, discount: float, sequence: IntArray) -> None:
        self.rows = rows
        self.discount = discount
        self._real: type[np.floating[Any]] = np.float32 if 1.0 - discount >= SINGLE else np.float64
        self.sequence = sequence
        self._awake = np.empty(0, dtype=np.bool_)
        # For all live states at once, though only some may be awake: pages that nobody touches cost nothing, and
        # arrays that are let go and taken anew leave holes.
        size = int(np.count_nonzero(rows.live))
        self._places = np.empty((2, size), dtype=np.int64)
        self._pivots = np.empty((2, size), dtype=self._real)
        self._vectors = np.empty(8 * size)
        self._take_entries(0)

    def follow(self, choice: IntArray, awake: BoolArray) -> None:
        """Takes up the policy: choice [S] of pairs, and leaves the values of states that are not `awake` [S] alone."""
        if awake is not self._awake:
            self._awake = awake
            self._order_states(choice)
        elif self._write(choice):
            return
        self._lay_out(choice)
        self._write(choice)

    def _order_states(self, choice: IntArray) -> None:
        """Numbers the states: by levels, where rows are short and levels wide; else in the order of the sequence."""
        rows, index = self.rows, self.rows.next_state.dtype
        size = int(np.count_nonzero(self._awake))
        self._order = np.empty(size, dtype=index)
        levels = size
        if rows.short:
            level, place = np.empty(rows.num_states, dtype=np.int64), np.empty(0, dtype=index)
            if len(self.sequence):
                place = np.zeros(rows.num_states, dtype=index)
                place[self.sequence] = np.arange(len(self.sequence), dtype=index)
            levels = compiled(system_kernels.levels)(
                rows.first, rows.next_state, self._awake, choice, self.sequence, place, self._order, level
            )
        if size < WIDE_LEVELS * levels:
            inside = self.sequence if len(self.sequence) else np.arange(rows.num_states, dtype=index)
            self._order[:] = inside[self._awake[inside]]
        self._spot = np.empty(rows.num_states, dtype=index)
        self._spot[self._order] = np.arange(size, dtype=index)
        self._below, self._above = self._places[:, :size]
        self._pivot, self._excess = self._pivots[:, :size]
        self._x, self._work = self._vectors[:size], self._vectors[size : 8 * size].reshape(7, size)

    def _lay_out(self, choice: IntArray) -> None:
        """Gives each row its place: as much as any of its pairs may need, or all the same."""
        rows, size = self.rows, len(self._order)
        self._low_width = -1
        if rows.short:
            low, up, total = compiled(system_kernels.beside)(
                rows.first,
                rows.probability,
                rows.next_state,
                self._awake,
                choice,
                LEFT_OUT * (1.0 - self.discount),
                self._spot,
            )
            if (low + up) * size <= FILLED_UP * total:
                self._low_width = low
        if self._low_width >= 0:
            self._begins = np.arange(size + 1) * (low + up)
        else:
            self._begins = np.concatenate([[0], np.cumsum(rows.room[self._order])])
        room = int(self._begins[-1])
        if room > len(self._column):
            self._take_entries(0)  # let go before more is taken
            self._take_entries(2 * room)
        self._built = np.full(size, NOT_YET, dtype=np.int64)

    def _take_entries(self, room: int) -> None:
        self._column: IntArray = np.empty(room, dtype=self.rows.next_state.dtype)
        self._entry: Reals = np.empty(room, dtype=self._real)

    def _write(self, choice: IntArray) -> bool:
        rows = self.rows
        fits: bool = compiled(system_kernels.system)(
            rows.first,
            rows.probability,
            rows.next_state,
            rows.scale,
            self._awake,
            choice,
            self.discount,
            LEFT_OUT * (1.0 - self.discount),
            self._spot,
            self._low_width,
            self._built,
            self._begins,
            self._below,
            self._above,
            self._column,
            self._entry,
            self._pivot,
            self._excess,
        )
        return fits

    def correct(self, values: FloatArray, residual: FloatArray, worst: float, goal: float) -> int:
        """Adds x to the values [S]; the iterations that took.

        Args:
            values: changed in place.
            residual: [S] what one backup adds.
            worst: its greatest entry, up to the sign.
            goal: how great an entry may be left.
        """
        iterations = 0
        for jitter in (0.0, 0.5, 1.0):
            count, left = compiled(system_kernels.bicgstab)(
                self._begins,
                self._below,
                self._above,
                self._column,
                self._entry,
                self._pivot,
                self._excess,
                self._order,
                residual,
                goal,
                MOST_ITERATIONS,
                jitter,
                self._x,
                self._work,
            )
            iterations += count
            if left <= 0.5 * worst:
                break
        values[self._order] += self._x
        return iterations
