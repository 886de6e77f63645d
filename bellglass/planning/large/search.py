"""A search for the optimum of a large discounted table: a guess, and passes over the table that judge and improve it.

    improve     best(s) = max_a q(s, a),   residual = best - v                       one pass over the table

Its greatest and its least entry bound the optimum (`bounds`), so every way to evaluate a policy, by sweeps or by
systems, ends when a pass says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ..algebra.pairs import UNIT
from ..bounds import shift
from ..progress_bar import Report
from .orders import Components
from .table_rows import Rows

#: Bounds count as close enough at this share of what is allowed: the rest is for rounding, and the policy's own bound.
#: Where that leaves too little, which is near discount 1, at the other.
NEAR, NEARER = 0.7, 0.1

#: A residual of this share of the values is hardly more than their rounding.
GRAIN = 16.0 * UNIT

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
        values: [S] the guess so far, in units of the rows.
        report: told of progress.
        improvements: passes over the table so far.
        best: [S] what the last pass found.
        choice: [S] the pair that reaches it.
        high: its greatest gain over the values.
        low: its least.
        changed: how many choices changed in it.
        trusting: whether sweeps that seem to have arrived may be taken at their word.
        guessed: whether the answer is such a guess.
        mark: how far apart the bounds were when they last had halved.
        stalled: passes since then that changed no choice, or that rounding alone may have changed.
        near: `NEAR` or `NEARER`.
        components: those of the table, where they are known.
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
    trusting: bool = True
    guessed: bool = False
    near: float = NEAR
    components: Components | None = None

    def __post_init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self.best = np.zeros(self.rows.num_states)
        self.choice = np.full(self.rows.num_states, -1, dtype=np.int64)
        self.changed = self.rows.num_states

    def improve(self) -> bool:
        """One pass; whether the bounds are now as close as they must be, with room for rounding, or never will be."""
        rows = self.rows
        if self.improvements == 0 and not self.values.any():
            self.high, self.low, self.changed = rows.rewards(self.best, self.choice)
        else:
            self.high, self.low, self.changed = rows.improve(
                self.values, self.discount, self.best, self.choice
            )
        self.improvements += 1
        apart = self.up - self.down
        if self.report is not None:
            self.report(self.improvements, apart, self.allowed)
        if apart < 0.5 * self.mark:
            self.mark, self.stalled = apart, 0
        # Rounding alone may make choices take turns for ever.
        tiny = max(abs(self.high), abs(self.low)) <= GRAIN * float(
            np.abs(self.best[rows.live]).max(initial=0.0)
        )
        self.stalled += self.changed == 0 or tiny
        return apart <= self.near * self.allowed or self.stalled > 6

    def rest(self) -> None:
        """Lets go of all but the values: the certificate needs room."""
        self.best, self.choice = np.empty(0), np.empty(0, dtype=np.int64)

    def doubt(self) -> bool:
        """Searches more closely from now on: trusts no guess, then leaves more room; whether that may help."""
        again = self.guessed or self.near > NEARER
        self.near = self.near if self.guessed else NEARER
        self.trusting = self.guessed = False
        self.mark, self.stalled = np.inf, 0
        self._begin()
        return again

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
        """max(1, max|V*|) as far as it is known, in units of the rows."""
        one = 1.0 / self.rows.unit
        if not self.relative:
            return one
        middle = 0.5 * (self.up + self.down) if self.rows.never_ends else 0.0
        return max(one, float(np.abs(self.best[self.rows.live] + middle).max(initial=0.0)))

    @property
    def allowed(self) -> float:
        """Distance of the bounds asked for."""
        return self.width * self.scale

    @property
    def goal(self) -> float:
        """A residual (or its spread, where nothing ends) that brings the bounds close enough."""
        return 0.5 * self.near * self.allowed * (1.0 - self.discount)
