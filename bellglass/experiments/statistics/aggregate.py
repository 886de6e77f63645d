"""What many runs say together: point estimates, and intervals that mean what they claim.

A run's score is 0 for the uniform random policy and 1 for the optimum; it is never clipped.  Scores come as one array
[seeds] for each environment (stratum).  This is the door; the rooms are

    estimates     mean, median, IQM, optimality gap, performance profile
    intervals     betting interval for a mean, Clopper-Pearson for a share, order statistics for censored times
    resampling    the stratified bootstrap
    improvement   probability of improvement, with Holm's correction over all pairs

Below `FEWEST` seeds there is no interval at all; an interval of zero width is none either.  docs/statistics.md says
which of them covers what, measured.
"""

from __future__ import annotations

from .estimates import (
    FloatArray,
    interquartile_mean,
    mean,
    median,
    optimality_gap,
    performance_profile,
)
from .improvement import Pair, compare_all, holm, improvement_interval, probability_of_improvement
from .intervals import (
    ADVISED,
    CONFIDENCE,
    FEWEST,
    CensoredMedian,
    Interval,
    betting_interval,
    censored_median,
    clopper_pearson,
)
from .resampling import (
    Statistic,
    bootstrap,
    interquartile_mean_of,
    mean_of,
    median_of,
    optimality_gap_of,
    percentile_interval,
)

__all__ = [
    "ADVISED",
    "CONFIDENCE",
    "CensoredMedian",
    "FEWEST",
    "FloatArray",
    "Interval",
    "Pair",
    "Statistic",
    "betting_interval",
    "bootstrap",
    "censored_median",
    "clopper_pearson",
    "compare_all",
    "holm",
    "improvement_interval",
    "interquartile_mean",
    "interquartile_mean_of",
    "mean",
    "mean_of",
    "median",
    "median_of",
    "optimality_gap",
    "optimality_gap_of",
    "percentile_interval",
    "performance_profile",
    "probability_of_improvement",
]
