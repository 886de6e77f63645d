"""A table as the kernels want it: every outcome where the table has it.

Nothing is copied, but for the chances where an outcome terminates in a live state; so a table of ten million outcomes
costs a few numbers a pair.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...compiled import compiled
from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..algebra.pairs import UNIT
from . import table_kernels as kernels

#: Passes over fewer outcomes than this are not worth a second thread.
WORTH_A_THREAD = 2_000_000

#: Rows are compared where they have at least so many outcomes, first those of so many states here and there; it is
#: worth while where at most this share are different.
WORTH_COMPARING, SAMPLE, SHARED = 48, 32, 0.5

#: Rewards that single precision holds with room for values, squares and residuals.
SINGLE_RANGE = 1e-12, 1e12

#: Outcomes a pair up to which rows count as short.
SHORT_ROWS = 8


@dataclass(frozen=True, eq=False)
class Rows:
    """Pairs j = s * A + a of a table, available or not.

    Attributes:
        num_states: S.
        num_actions: A.
        num_pairs: how many pairs are available.
        live: [S] whether any action is available.
        first: [S*A + 1] where its outcomes begin.
        probability: [N] as in the table, hence not normalised; 0 where an outcome ends.
        next_state: [N] unsigned 32-bit (64-bit past 2**31 states).
        unit: what rewards and values are counted in: 1, or a power of two where single precision could not hold them.
        largest: the greatest mean absolute reward of a pair.
        mean: [S*A] mean reward; minus infinity where the pair is not available.
        size: [S*A] mean absolute reward, unless that is |mean|.
        scale: [S*A] 1 / sum of the table's probabilities, or [1] where that is 1 within 8 units of rounding.
        room: [S] most outcomes of any pair of the state.
        width: outcomes of every pair, where all have as many; otherwise 0.
        least: the least chance to go on; exactly 1 where no outcome ends.
        up: outcomes that go on to a higher state.
        down: outcomes that go on to a lower state.
        twin: [S*A] the first pair with the same outcomes, where many rows are shared; otherwise empty.
        threads: how many threads a pass may use.
    """

    num_states: int
    num_actions: int
    num_pairs: int
    live: BoolArray
    first: IntArray
    probability: FloatArray
    next_state: IntArray
    unit: float
    largest: float
    mean: FloatArray
    size: FloatArray
    scale: FloatArray
    room: IntArray
    width: int
    least: float
    up: int
    down: int
    twin: IntArray
    threads: int

    @classmethod
    def of(cls, mdp: TabularMDP) -> Rows:
        """The rows of a table."""
        first, probability = mdp.first_outcome, mdp.probability
        num_pairs = len(first) - 1
        live = ~mdp.terminal
        next_state: Any = mdp.next_state.view(np.uint32 if mdp.next_state.dtype == np.int32 else np.uint64)
        mean, size = np.full(num_pairs, -np.inf), np.zeros(num_pairs)
        room: Any = np.zeros(mdp.num_states, dtype=np.int32)
        threads = min(2, cpus()) if mdp.num_outcomes >= WORTH_A_THREAD else 1
        found = in_parts(
            threads,
            mdp.num_states,
            lambda begin, end: compiled(kernels.measure)(
                first,
                probability,
                next_state,
                mdp.reward,
                mdp.terminated,
                live,
                begin,
                end,
                mdp.num_actions,
                mean,
                size,
                room,
            ),
        )
        scale = np.ones(1)
        if max(part[5] for part in found) > 8.0 * UNIT:
            scale = np.empty(num_pairs)
            compiled(kernels.scales)(first, probability, scale)
        if any(part[0] for part in found):
            probability = np.where(mdp.terminated, 0.0, probability)
        largest, mixed = max(part[7] for part in found), any(part[6] for part in found)
        unit = _unit(largest)
        if unit != 1.0:  # exact: a power of two
            mean /= unit
            size /= unit
        least = min(part[1] for part in found)  # rounded by as much as a row of that length can be, at most
        longest = int(room.max(initial=0))
        available = sum(part[4] for part in found)
        return cls(
            num_states=mdp.num_states,
            num_actions=mdp.num_actions,
            num_pairs=available,
            live=live,
            first=first,
            probability=probability,
            next_state=next_state,
            unit=unit,
            largest=largest / unit,
            mean=mean,
            size=size if mixed else mean,
            scale=scale,
            room=room,
            width=longest if longest * num_pairs == mdp.num_outcomes else 0,
            least=least if least == 1.0 else max(0.0, least - (2.0 * longest + 8.0) * UNIT),
            up=sum(part[2] for part in found),
            down=sum(part[3] for part in found),
            twin=twins(first, probability, next_state, mdp.num_actions),
            threads=threads,
        )

    @property
    def never_ends(self) -> bool:
        """Whether every row goes on for sure."""
        return self.least == 1.0

    @property
    def short(self) -> bool:
        """Whether rows are so short that passes in place, which spread news over the whole table, cost little."""
        return len(self.probability) <= SHORT_ROWS * self.num_pairs

    @property
    def shared(self) -> bool:
        """Whether many pairs have the same outcomes, as where a decision leads to a state, and then chance strikes."""
        return len(self.twin) > 0

    @property
    def arrays(self) -> tuple[IntArray, FloatArray, IntArray, FloatArray, FloatArray, BoolArray]:
        """What a backup reads, in the kernels' order."""
        return self.first, self.probability, self.next_state, self.mean, self.scale, self.live

    def improve(
        self, values: FloatArray, discount: float, best: FloatArray, choice: IntArray
    ) -> tuple[float, float, int]:
        """One backup: fills best [S] and choice [S] (pairs).

        Returns the greatest and the least change, and how many choices changed.
        """
        settings = (*self.arrays, values, discount)
        if self.shared:
            sums = np.empty(len(self.mean))
            return self._in_parts(
                lambda begin, end: compiled(kernels.improve_shared)(
                    *settings, self.num_actions, begin, end, best, choice, self.twin, sums
                )
            )
        return self._in_parts(
            lambda begin, end: compiled(kernels.improve)(
                *settings, self.width, self.num_actions, begin, end, best, choice
            )
        )

    def rewards(self, best: FloatArray, choice: IntArray) -> tuple[float, float, int]:
        """As `improve`, where all values are 0."""
        found: tuple[float, float, int] = compiled(kernels.greatest_rewards)(
            self.mean, self.live, self.num_actions, best, choice
        )
        return found

    def _in_parts(self, work: Callable[[int, int], tuple[float, float, int]]) -> tuple[float, float, int]:
        parts = in_parts(self.threads, self.num_states, work)
        return max(p[0] for p in parts), min(p[1] for p in parts), sum(p[2] for p in parts)

    @property
    def as_numbered(self) -> IntArray:
        """The order of the states' numbers, for whoever takes another: empty."""
        return np.empty(0, dtype=self.next_state.dtype)

    def gauss_seidel(
        self, values: FloatArray, discount: float, *, backward: bool, sequence: IntArray | None = None
    ) -> float:
        """One backup in place, in the order of the `sequence` of live states, if one is given; the greatest change."""
        sequence = self.as_numbered if sequence is None else sequence
        change: float = compiled(kernels.gauss_seidel)(
            *self.arrays, values, discount, self.num_actions, sequence, backward
        )
        return change


def _unit(largest: float) -> float:
    """The power of two below the largest reward where that is beyond `SINGLE_RANGE`, else 1."""
    if largest == 0.0 or SINGLE_RANGE[0] <= largest <= SINGLE_RANGE[1]:
        return 1.0
    return float(2.0 ** np.floor(np.log2(largest)))


def twins(first: IntArray, probability: FloatArray, next_state: IntArray, num_actions: int) -> Any:
    """[S*A] the first pair with the same outcomes; empty where a look at some pairs promises too little."""
    num_pairs = len(first) - 1
    nothing = np.empty(0, dtype=np.uint32)
    if len(probability) < WORTH_COMPARING * num_pairs:
        return nothing
    bits: Any = probability.view(np.uint64)
    hashes: Any = np.empty(num_pairs, dtype=np.uint64)
    twin: Any = np.empty(num_pairs, dtype=index_type(num_pairs))

    def different(begin: int, end: int) -> int:
        slots = np.full(1 << int(2 * (end - begin)).bit_length(), -1, dtype=np.int64)
        found: int = compiled(kernels.twins)(first, bits, next_state, begin, end, slots, hashes, twin)
        return found

    block = SAMPLE * num_actions
    if num_pairs > 8 * block:
        starts = [n * (num_pairs // 8) for n in range(8)]
        if sum(different(start, start + block) for start in starts) > SHARED * 8 * block:
            return nothing
    return twin if different(0, num_pairs) <= SHARED * num_pairs else nothing


def index_type(size: int) -> type[np.unsignedinteger[Any]]:
    """The smallest type that numbers so many things: unsigned, or numba would ask whether an index is negative."""
    return np.uint32 if size < 2**32 else np.uint64


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
