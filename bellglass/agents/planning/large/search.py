"""A search for the optimum of a large discounted table: a guess, and passes over the table that judge and improve it.

    improve     best(s) = max_a q(s, a),   residual = best - v                       one pass over the table

Its greatest and its least entry bound the optimum (`bounds`), so every way to evaluate a policy, by sweeps or by
systems, ends when a pass says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ....envs.mdp import BoolArray, FloatArray, IntArray
from ..bounds import shift
from ..progress import Report
from .rows import Rows, Shortlist

#: Bounds count as close enough at this share of what is allowed: the rest is for rounding, and the policy's own bound.
NEAR = 0.7

#: Where fewer choices than this share have changed, and outcomes are so many, only close pairs are looked at next.
NARROWED, WORTH_A_LIST = 0.15, 400_000

#: A list of more pairs than this share of all saves nothing.
SHORT = 0.5

#: Values of less than this share of the residual wanted count as 0, where fewer states than that share have more.
LITTLE, ASLEEP = 1e-4, 0.5


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
