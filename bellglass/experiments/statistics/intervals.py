"""Confidence intervals whose coverage holds at any number of seeds, by arithmetic and not by "n is large".

    betting           for the mean of bounded scores (Waudby-Smith & Ramdas 2023, "Estimating means of bounded random
                      variables by betting", JRSS B 86; grid Kelly bets: a mixture of constant bets, so order is
                      nothing)
    Clopper-Pearson   for a share (1934)
    order statistics  for the median of times that may not have come yet

None of them has a width of zero: five runs that agree do not prove that the sixth will.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .estimates import FloatArray, checked_scores

#: Fewer seeds than this: no interval.
FEWEST = 3
#: Fewer seeds than this: a warning beside every interval.
ADVISED = 10
CONFIDENCE = 0.95
#: Fractions of the largest safe bet; their mixture is what the betting interval stakes.
BETS = (np.arange(64) + 0.5) / 64


class Interval(NamedTuple):
    """Two ends of a confidence interval, low < high."""

    low: float
    high: float


class CensoredMedian(NamedTuple):
    """The median of times, of which some have not come.

    Attributes:
        median: None where half of the runs or more never got there.
        interval: for the median of all runs like these; its high end is inf where too few got there to tell.  None
            below 6 runs at 95 %.
        missed: runs that did not get there.
        total: all runs.
    """

    median: float | None
    interval: Interval | None
    missed: int
    total: int

    def __str__(self) -> str:
        if not self.missed:
            return f"{self.median:,.0f}"
        late = f"not reached by {self.missed} of {self.total}"
        return late if self.median is None else f"{self.median:,.0f} ({late})"


def checked_confidence(confidence: float) -> float:
    """The confidence itself.

    Raises:
        ValueError: not in (0, 1).
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be in (0, 1), got {confidence}")
    return float(confidence)


def clopper_pearson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Exact binomial interval for a share; conservative too where trials succeed with unlike chances (Hoeffding 1956).

    Args:
        successes: in 0..trials.
        trials: at least 1.
        confidence: in (0, 1).

    >>> low, high = clopper_pearson(5, 5)
    >>> round(low, 4), high
    (0.4782, 1.0)
    """
    tail = (1.0 - checked_confidence(confidence)) / 2
    if not (trials >= 1 and 0 <= successes <= trials) or successes != int(successes) or trials != int(trials):
        raise ValueError(
            f"successes and trials must be whole numbers, 0 <= successes <= trials and trials >= 1, got {successes} "
            f"of {trials}"
        )
    from scipy.special import betaincinv

    low = 0.0 if successes == 0 else float(betaincinv(successes, trials - successes + 1, tail))
    high = 1.0 if successes == trials else float(betaincinv(successes + 1, trials - successes, 1 - tail))
    return Interval(low, high)


def betting_interval(
    scores: npt.ArrayLike, low: float, high: float, confidence: float = CONFIDENCE
) -> Interval | None:
    """Interval for the mean of independent scores known to lie in [low, high]; valid at every sample size.

    With x scaled to [0, 1], and a fraction g of the largest safe bet, the capital

        K+(m) = average over g of  product over runs of  1 + g * (x / m - 1)

    is non-negative with mean 1 if the mean is m, so P(K+(m) >= 2 / alpha) <= alpha / 2 (Markov).  K+ falls in m: the
    lower end is where it crosses; the upper end likewise with 1 - x.  Two one-sided tests, no asymptotics.

    Args:
        scores: [n].
        low: no score can be below; -inf where nothing is known, and then the interval has no lower end either.
        high: no score can be above, finite.
        confidence: in (0, 1).

    Returns:
        None below 3 scores, and where a score is -inf.

    Raises:
        ValueError: a score outside the range, or no number; low not below high.
    """
    alpha = 1.0 - checked_confidence(confidence)
    x = checked_scores(scores)
    if not low < high or not math.isfinite(high):
        raise ValueError(f"the range must be low < high < inf, got [{low}, {high}]")
    if len(x) < FEWEST:
        return None
    slack = 1e-9 * max(1.0, abs(low) if math.isfinite(low) else 0.0, abs(high))
    if x.min() < low - slack or x.max() > high + slack:
        raise ValueError(f"scores from {x.min()} to {x.max()} are not all in the range [{low}, {high}]")
    if np.isneginf(x).any():
        return None
    once = np.ones((1, len(x)))
    if not math.isfinite(low):
        missing = np.maximum(high - x, 0.0)
        return Interval(-math.inf, high - lowest_mean(missing, once, alpha / 2))
    unit = np.clip((x - low) / (high - low), 0.0, 1.0)
    bottom, top = lowest_mean(unit, once, alpha / 2), 1.0 - lowest_mean(1.0 - unit, once, alpha / 2)
    return Interval(low + (high - low) * bottom, low + (high - low) * top)


def lowest_mean(values: FloatArray, counts: FloatArray, alpha: float) -> float:
    """The smallest mean that capital of 1 / alpha does not refute, by bisection, on the safe side.

    Args:
        values: [V] what was seen, at least 0.
        counts: [K, V] how often, in each of K samples of one kind; their capitals are averaged, however they hang
            together: an average of bets is a bet.
        alpha: chance of a mean below, in (0, 1).
    """
    goal = math.log(len(counts) * len(BETS) / alpha)
    refuted, kept = 0.0, float((counts @ values / counts.sum(axis=1)).max())
    if kept == 0.0:
        return 0.0
    for _ in range(40):
        middle = (refuted + kept) / 2
        logs = counts @ np.log1p((values / middle - 1.0)[:, None] * BETS)  # [K, bets]
        if np.logaddexp.reduce(logs, axis=None) >= goal:
            refuted = middle
        else:
            kept = middle
    return refuted


def censored_median(
    after: npt.ArrayLike, until: npt.ArrayLike, confidence: float = CONFIDENCE
) -> CensoredMedian:
    """Median of times that were looked for on a grid, and the interval of order statistics around it.

    The k-th smallest time lies below the true median if k or more of n runs do, whose number is Binomial(n, 1/2); so

        [k-th smallest of after, (n + 1 - k)-th smallest of until]   with the largest k for which
        P(Binomial(n, 1/2) < k)  <=  (1 - confidence) / 2

    holds the median, whatever the times are distributed like, censored ones included (they are later than all others).

    Args:
        after: [n] when it was last seen not to have come, at least 0.
        until: [n] when it was first seen to have come; inf: not yet.  Every `until` is above its `after`.
        confidence: in (0, 1).

    >>> print(censored_median([0, 50, 100, 100], [50, 100, 150, np.inf]))
    125 (not reached by 1 of 4)
    """
    tail = (1.0 - checked_confidence(confidence)) / 2
    before, times = np.asarray(after, dtype=np.float64), np.asarray(until, dtype=np.float64)
    if times.ndim != 1 or before.shape != times.shape or not len(times):
        raise ValueError(
            f"after and until must be arrays [n] of equal length, n >= 1, got shapes {list(before.shape)} and "
            f"{list(times.shape)}"
        )
    wrong = ~((before >= 0.0) & (before < times))
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(f"need 0 <= after < until, got {before[at]} and {times[at]} in place {at}")
    before, times = np.sort(before), np.sort(times)
    n = len(times)
    halves = times[(n - 1) // 2 : n // 2 + 1]
    below = np.cumsum([math.comb(n, k) * 0.5**n for k in range(n // 2 + 1)])  # P(Binomial <= k)
    k = int((below <= tail).sum())
    interval = Interval(float(before[k - 1]), float(times[n - k])) if k else None
    return CensoredMedian(
        median=float(halves.mean()) if np.isfinite(halves).all() else None,
        interval=interval,
        missed=int(np.isinf(times).sum()),
        total=n,
    )
