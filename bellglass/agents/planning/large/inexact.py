"""Large discounted tables: modified policy iteration while it is quick, then inexact policy iteration.

    improve     best(s) = max_a q(s, a),   residual = best - v                       one pass over the table
    evaluate    (I - discount P) x = residual      v <- v + x                        on the rows of the policy alone

Evaluation by sweeps  x <- residual + discount P x  in single precision (x is small where v is large, so v keeps its
digits), stopped early: modified policy iteration (Puterman and Shin 1978).  On tables that never end only the spread of
the changes counts, since a constant error is known and taken out at once (Puterman 1994, section 6.6).  Where the
spread shrinks slowly, one pass in place in either direction and then BiCGSTAB with ILU(0), also stopped early: inexact
policy iteration (Gargiani et al., 2024, arXiv:2211.04299).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ....envs.mdp import BoolArray, FloatArray, IntArray
from ...compiled import compiled
from ..bounds import shift
from ..progress import Report
from . import chain_kernels
from .rows import Rows, Shortlist
from .systems import LEFT_OUT, PolicySystem

#: Bounds count as close enough at this share of what is allowed: the rest is for rounding, and the policy's own bound.
NEAR = 0.7

#: An evaluation by sweeps ends when the changes have shrunk by this factor since the improvement.
SHRINK = 0.2

#: Where fewer choices than this share changed at last, the certificate is asked at once whether sweeps arrived.
SETTLED = 1e-5

#: Single precision holds no more than this: the next improvement takes it up again.
SINGLE = 1e-5

#: Systems are solved until the residual has shrunk by these factors: where rows are short, and where they are long.
LOOSE, CLOSE = 0.1, 0.01

#: Where fewer choices than this share have changed, and outcomes are so many, only close pairs are looked at next.
NARROWED, WORTH_A_LIST = 0.15, 400_000

#: A list of more pairs than this share of all saves nothing.
SHORT = 0.5

#: Where rows are longer than this, and a pass leaves no more than this share of the changes, passes are all it takes.
LONG_ROWS, STEEP = 32, 0.2

#: Sweeps carry news by one step each: where it has reached fewer states than this share, they are slow.
SPREAD = 0.1

#: Values of less than this share of the residual wanted count as 0, where fewer states than that share have more.
LITTLE, ASLEEP = 1e-4, 0.5

#: Sweeps after which their pace is judged, and the most of them that are worth waiting for.
JUDGED, WORTHWHILE = 12, 150


@dataclass(eq=False)
class Search:
    """A search under way.

    Attributes:
        rows: the table.
        discount: in [0, 1).
        width: distance of the bounds asked for, times max(1, max|V|) if `relative`.
        relative: see above.
        values: [S] the guess so far.
        report: told of progress.
        improvements: passes over the table so far.
    """

    rows: Rows
    discount: float
    width: float
    relative: bool
    values: FloatArray
    report: Report | None = None
    improvements: int = 0
    best: FloatArray = field(init=False)
    choice: IntArray = field(init=False)
    high: float = np.inf
    low: float = -np.inf
    changed: int = field(init=False)
    stalled: int = 0
    mark: float = np.inf
    close: Shortlist | None = None
    margin: float = np.inf
    wide: bool = False
    trusting: bool = True
    guessed: bool = False

    def __post_init__(self) -> None:
        self.best = np.zeros(self.rows.num_states)
        self.choice = np.full(self.rows.num_states, -1, dtype=np.int64)
        self.changed = self.rows.num_states

    def improve(self) -> bool:
        """One pass; whether the bounds are now as close as they must be, with room for rounding, or never will be.

        While choices still change, but few of them, the next passes look only at pairs that were close to the best.
        What they take for the answer is held against all pairs by the certificate: where it fails, `look_at_all`.
        """
        rows, settings = self.rows, (self.values, self.discount, self.best, self.choice)
        if self.improvements == 0 and not self.values.any():
            self.high, self.low, self.changed = rows.rewards(self.best, self.choice)
        elif self.close is not None:
            self.high, self.low, self.changed = rows.improve_listed(*settings, self.close)
            if self._margin < 0.25 * self.margin:
                self.margin = self._margin
                self.close.shorten(self.values, self.best, self.margin)
        else:
            few = self.changed < NARROWED * rows.num_states and len(rows.probability) >= WORTH_A_LIST
            few &= not self.wide and not rows.shared
            noted = np.empty(len(rows.mean), dtype=np.float32) if few else None
            self.high, self.low, self.changed = rows.improve(*settings, noted=noted)
            if noted is not None and self._margin < 0.25 * self.margin:
                self.margin = self._margin
                close = rows.shortlist(self.values, self.best, noted, self.margin)
                self.close = close if close.size < SHORT * rows.num_pairs else None
        self.improvements += 1
        apart = self.up - self.down
        if self.report is not None:
            self.report(self.improvements, apart, self.allowed)
        if apart < 0.5 * self.mark:
            self.mark, self.stalled = apart, 0
        self.stalled += self.changed == 0
        return apart <= NEAR * self.allowed or self.stalled > 6

    @property
    def _margin(self) -> float:
        """How far from the best a pair may be, and still become it."""
        return 2.0 * (self.high - min(self.low, 0.0))

    def look_at_all(self) -> bool:
        """Widens all further passes to all pairs, and trusts no guess; False where it was so already."""
        narrow = self.close is not None or self.guessed
        self.close, self.wide, self.mark, self.stalled = None, True, np.inf, 0
        self.trusting = self.guessed = False
        return narrow

    def awake(self, residual: FloatArray, before: BoolArray) -> BoolArray:
        """The states [S] whose values are still worth a thought: those that are not 0, or will not stay so.

        What is left of a goal far away may be less than the answer needs, and most of a large table may never hear of
        it.  Once half of the states `before` [S] can be left alone they are, until one of them wants to change.
        """
        little = LITTLE * self.goal
        awake: BoolArray = (np.abs(self.values) > little) | (np.abs(residual) > little)
        if before is self.rows.live:
            return awake if np.count_nonzero(awake) < ASLEEP * np.count_nonzero(before) else before
        return awake | before if (np.abs(residual) > 1e3 * little)[~before].any() else before

    @property
    def up(self) -> float:
        """What the optimum may lie above the values."""
        return shift(self.high, self.discount, self.rows.least)

    @property
    def down(self) -> float:
        """What the optimum may lie below the values, negative."""
        return -shift(-self.low, self.discount, self.rows.least)

    @property
    def scale(self) -> float:
        """max(1, max|V*|) as far as it is known."""
        if not self.relative:
            return 1.0
        middle = 0.5 * (self.up + self.down) if self.rows.never_ends else 0.0
        return max(1.0, float(np.abs(self.best[self.rows.live] + middle).max(initial=0.0)))

    @property
    def allowed(self) -> float:
        """Distance of the bounds asked for."""
        return self.width * self.scale

    @property
    def goal(self) -> float:
        """A residual (or its spread, where nothing ends) that brings the bounds close enough."""
        return 0.5 * NEAR * self.allowed * (1.0 - self.discount)


def sweep_policies(search: Search, *, patience: int | None = None) -> bool:
    """Modified policy iteration; whether it arrived, or False where it is slow (after `patience` sweeps at most)."""
    rows, discount, size = search.rows, search.discount, search.rows.num_states
    place = np.concatenate([[0], np.cumsum(np.maximum(-(-rows.room // 4), 1) * 4)])
    ends = place[:-1].copy()
    row_probability = np.zeros(int(place[-1]), dtype=np.float32)
    row_next = np.zeros(int(place[-1]), dtype=rows.next_state.dtype)
    copied = np.full(size, -1, dtype=np.int64)
    dead = np.flatnonzero(~rows.live)
    missing = np.empty(size)
    residual, now, then = (np.empty(size, dtype=np.float32) for _ in range(3))
    spans = np.empty(JUDGED if patience is not None else 200, dtype=np.float32)
    never = rows.never_ends
    steep = len(rows.probability) >= LONG_ROWS * rows.num_pairs
    before = np.inf
    while not search.improve():
        first = search.high - search.low if never else max(abs(search.high), abs(search.low))
        steep &= first <= STEEP * before
        if steep:
            before = first
            search.values[:] = search.best
            continue
        compiled(chain_kernels.copy_rows)(
            *rows.arrays[:3],
            rows.scale,
            rows.live,
            search.choice,
            LEFT_OUT * (1.0 - discount),
            copied,
            place,
            ends,
            row_probability,
            row_next,
        )
        middle = 0.5 * (search.high + search.low) if never else 0.0
        np.subtract(search.best, search.values, out=missing)
        missing -= middle
        missing[dead] = 0.0
        residual[:] = missing
        few = search.changed < 1e-4 * size
        stop = max(search.goal, (SINGLE if few else SHRINK) * first)
        now[:] = residual
        high = low = 0.0
        quick = True
        done = 0
        while True:
            count, high, low = compiled(chain_kernels.sweep)(
                place,
                ends,
                row_probability,
                row_next,
                residual,
                rows.live,
                np.float32(discount),
                now,
                then,
                len(spans),
                np.float32(stop),
                never,
                spans,
            )
            done += count
            if count % 2:
                now, then = then, now
            width = float(spans[count - 1])
            if width <= stop or not width > 0.0:
                break
            spread = np.count_nonzero(now) >= SPREAD * size
            if patience is not None and not (spread and _quick(spans, search.goal)):
                quick = False
                break
            if done > 20_000:
                break
        search.values += now
        if never:
            search.values += middle / (1.0 - discount) + discount / (1.0 - discount) * 0.5 * (high + low)
        search.values[dead] = 0.0
        if not quick:
            return False
        if search.trusting and search.changed < SETTLED * size and width <= search.goal:
            search.guessed = True
            break
    return True


def _quick(spans: npt.NDArray[np.float32], goal: float) -> bool:
    """Whether sweeps that go on at this pace arrive within `WORTHWHILE` more."""
    early, late = float(spans[len(spans) // 3]), float(spans[-1])
    if not 0.0 < late < early:
        return False
    pace = math.log(early / late) / (len(spans) - 1 - len(spans) // 3)
    return math.log(late / goal) <= pace * WORTHWHILE if late > goal else True


def solve_systems(search: Search, *, exact: bool = False) -> int:
    """Inexact policy iteration until the bounds are close enough; the iterations of BiCGSTAB.

    Where rows are short, every state is first backed up in place, in both directions.

    Args:
        search: where to start from.
        exact: policy iteration proper: no passes in place, every system solved as far as the answer needs it.
    """
    rows, size = search.rows, search.rows.num_states
    system = PolicySystem(rows, search.discount)
    awake = rows.live
    iterations, rounds = 0, 0
    while True:
        if rows.short and not exact and (rounds < 3 or search.changed > 1e-3 * size):
            for backward in (True, False):
                rows.gauss_seidel(search.values, search.discount, backward=backward)
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
