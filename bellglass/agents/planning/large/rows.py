"""A table as the kernels want it: every outcome where the table has it, or a copy without those that end.

Nothing is copied unless an outcome of positive chance terminates in a live state; so a table of ten million outcomes
costs a few numbers a pair.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ....envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ...compiled import compiled
from ..pairs import UNIT
from . import kernels

#: Passes over fewer outcomes than this are not worth a second thread.
WORTH_A_THREAD = 2_000_000

#: Outcomes a pair up to which rows count as short.
SHORT_ROWS = 8


@dataclass(frozen=True, eq=False)
class Rows:
    """Pairs j = s * A + a of a table, available or not.

    Attributes:
        num_states: S.
        num_actions: A.
        live: [S] whether any action is available.
        available: [S*A] whether the pair is.
        first: [S*A + 1] where its outcomes begin.
        probability: [N] as in the table, hence not normalised.
        next_state: [N] unsigned 32-bit (64-bit past 2**31 states).
        mean: [S*A] mean reward.
        size: [S*A] mean absolute reward.
        scale: [S*A] 1 / sum of the table's probabilities.
        lengths: [S*A] outcomes in the table, which rounding is proportional to.
        room: [S] most outcomes of any pair of the state.
        least: the least chance to go on; exactly 1 where no outcome ends.
        up: outcomes that go on to a higher state.
        down: outcomes that go on to a lower state.
        threads: how many threads a pass may use.
    """

    num_states: int
    num_actions: int
    live: BoolArray
    available: BoolArray
    first: IntArray
    probability: FloatArray
    next_state: IntArray
    mean: FloatArray
    size: FloatArray
    scale: FloatArray
    lengths: IntArray
    room: IntArray
    least: float
    up: int
    down: int
    threads: int

    @classmethod
    def of(cls, mdp: TabularMDP) -> Rows:
        """The rows of a table."""
        num_pairs = len(mdp.first_outcome) - 1
        live = ~mdp.terminal
        next_state: Any = mdp.next_state.view(np.uint32 if mdp.next_state.dtype == np.int32 else np.uint64)
        mean, size, scale = np.zeros(num_pairs), np.zeros(num_pairs), np.zeros(num_pairs)
        lengths = np.diff(mdp.first_outcome)
        room = np.zeros(mdp.num_states, dtype=np.int64)
        threads = min(2, cpus()) if mdp.num_outcomes >= WORTH_A_THREAD else 1
        found = in_parts(
            threads,
            mdp.num_states,
            lambda begin, end: compiled(kernels.measure)(
                mdp.first_outcome,
                mdp.probability,
                next_state,
                mdp.reward,
                mdp.terminated,
                live,
                begin,
                end,
                mdp.num_actions,
                mean,
                size,
                scale,
                room,
            ),
        )
        least = min(part[1] for part in found)  # rounded by as much as a row of that length can be, at most
        first, probability = mdp.first_outcome, mdp.probability
        if any(part[0] for part in found):
            first = np.empty(num_pairs + 1, dtype=np.int64)
            probability, copied_next = np.empty(mdp.num_outcomes), np.empty_like(next_state)
            kept = compiled(kernels.without_ends)(
                mdp.first_outcome,
                mdp.probability,
                next_state,
                mdp.terminated,
                live,
                first,
                probability,
                copied_next,
            )
            probability, next_state = probability[:kept], copied_next[:kept]
        return cls(
            num_states=mdp.num_states,
            num_actions=mdp.num_actions,
            live=live,
            available=lengths > 0,
            first=first,
            probability=probability,
            next_state=next_state,
            mean=mean,
            size=size,
            scale=scale,
            lengths=lengths,
            room=room,
            least=least if least == 1.0 else max(0.0, least - (2.0 * int(room.max(initial=0)) + 8.0) * UNIT),
            up=sum(part[2] for part in found),
            down=sum(part[3] for part in found),
            threads=threads,
        )

    @property
    def never_ends(self) -> bool:
        """Whether every row goes on for sure."""
        return self.least == 1.0

    @property
    def short(self) -> bool:
        """Whether rows are so short that passes in place, which spread news over the whole table, cost little."""
        return len(self.probability) <= SHORT_ROWS * int(np.count_nonzero(self.available))

    @property
    def arrays(
        self,
    ) -> tuple[BoolArray, IntArray, FloatArray, IntArray, FloatArray, FloatArray, BoolArray]:
        """What a backup reads, in the kernels' order."""
        return (
            self.available,
            self.first,
            self.probability,
            self.next_state,
            self.mean,
            self.scale,
            self.live,
        )

    def improve(
        self,
        values: FloatArray,
        discount: float,
        best: FloatArray,
        choice: IntArray,
        *,
        noted: npt.NDArray[np.float32] | None = None,
        among: tuple[IntArray, IntArray] | None = None,
    ) -> tuple[float, float, int]:
        """One backup: fills best [S], choice [S] (pairs) and, where asked for, `noted` [S*A]: q less the values.

        Looks at all pairs, or at those of a `shortlist`.  Returns the greatest and the least change, and how many
        choices changed.
        """
        q_values = np.empty(0, dtype=np.float32) if noted is None else noted
        none = np.empty(0, dtype=np.int64)
        parts = in_parts(
            self.threads,
            self.num_states,
            lambda begin, end: compiled(kernels.improve)(
                *self.arrays,
                values,
                discount,
                self.num_actions,
                begin,
                end,
                best,
                choice,
                q_values,
                *((none, none) if among is None else among),
            ),
        )
        return max(p[0] for p in parts), min(p[1] for p in parts), sum(p[2] for p in parts)

    def shortlist(
        self,
        values: FloatArray,
        best: FloatArray,
        q_values: npt.NDArray[np.float32],
        margin: float,
    ) -> tuple[IntArray, IntArray]:
        """The pairs whose q is within `margin` of the best: where each state's begin [S + 1], and the pairs."""
        begins, listed = (np.empty(n, dtype=np.int64) for n in (self.num_states + 1, len(q_values) + 1))
        compiled(kernels.shortlist)(
            self.available, self.live, values, best, q_values, margin, self.num_actions, begins, listed
        )
        return begins, listed

    def gauss_seidel(self, values: FloatArray, discount: float, *, backward: bool) -> float:
        """One backup in place; the greatest change."""
        change: float = compiled(kernels.gauss_seidel)(
            *self.arrays, values, discount, self.num_actions, backward
        )
        return change


def cpus() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_parts(threads: int, num_states: int, work: Callable[[int, int], Any]) -> list[Any]:
    """work(begin, end) over the states, in as many parts as threads; states do not touch each other's results."""
    if threads == 1:
        return [work(0, num_states)]
    cuts = [num_states * n // threads for n in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, cuts[:-1], cuts[1:]))
