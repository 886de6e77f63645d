"""The stratified bootstrap: seeds drawn with replacement within each environment, by our own generator.

    values    =  statistic of each of R resamplings                    R = 50,000
    interval  =  the (1 - confidence) / 2 and (1 + confidence) / 2 quantiles of the values     (Efron 1979)

The same seed gives the same bits.  What people get wrong is to believe it at few seeds: where one seed in ten fails,
the 95 % interval of a mean covers less than half of the time at five seeds (docs/statistics.md has the table).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from .estimates import FloatArray, checked_strata
from .intervals import CONFIDENCE, FEWEST, Interval, checked_confidence

#: From resampled strata, each [replications, seeds], to one value a replication.
Statistic = Callable[[Sequence[FloatArray]], FloatArray]

#: Numbers held at once, per copy: what is resampled comes in blocks of as many replications as make these.
BLOCK = 2**21


def bootstrap(
    strata: Sequence[npt.ArrayLike],
    statistic: Statistic,
    *,
    seed: int | Sequence[int],
    replications: int = 50_000,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Percentile interval of a statistic under stratified resampling; the same seed gives the same bits.

    Args:
        strata: one array [seeds] for each environment.
        statistic: `mean_of`, `median_of`, `interquartile_mean_of`, `optimality_gap_of`, or one like them.
        seed: of the generator, at least 0.
        replications: at least 1; memory does not grow with it.
        confidence: in (0, 1).

    Returns:
        None if an environment has fewer than 3 seeds, or if all replications agree (that is no certainty: it only
        means that no run differed).
    """
    checked_confidence(confidence)
    scores = checked_strata(strata)
    if replications < 1:
        raise ValueError(f"replications must be at least 1, got {replications}")
    if min(len(each) for each in scores) < FEWEST:
        return None
    blocks = [statistic(draws) for draws in resampled(scores, np.random.default_rng(seed), replications)]
    return percentile_interval(np.concatenate(blocks), confidence)


def resampled(
    strata: Sequence[FloatArray], rng: np.random.Generator, replications: int
) -> Iterator[list[FloatArray]]:
    """Blocks of samples with replacement: for each environment [block, seeds], `replications` rows in all."""
    block = max(1, BLOCK // sum(len(scores) for scores in strata))
    for begun in range(0, replications, block):
        rows = min(block, replications - begun)
        yield [
            scores.take(rng.integers(0, len(scores), size=(rows, len(scores)), dtype=np.uint32))
            for scores in strata
        ]


def mean_of(draws: Sequence[FloatArray]) -> FloatArray:
    """[replications] of `mean`."""
    return np.asarray(sum(draw.mean(axis=1) for draw in draws) / len(draws))


def median_of(draws: Sequence[FloatArray]) -> FloatArray:
    """[replications] of `median`."""
    return np.asarray(np.median([draw.mean(axis=1) for draw in draws], axis=0))


def interquartile_mean_of(draws: Sequence[FloatArray]) -> FloatArray:
    """[replications] of `interquartile_mean`."""
    together = np.concatenate(list(draws), axis=1)
    together.sort(axis=1)
    cut = together.shape[1] // 4
    return np.asarray(together[:, cut : together.shape[1] - cut].mean(axis=1))


def optimality_gap_of(draws: Sequence[FloatArray]) -> FloatArray:
    """[replications] of `optimality_gap`."""
    return mean_of([np.maximum(0.0, 1.0 - draw) for draw in draws])


def percentile_interval(values: npt.ArrayLike, confidence: float = CONFIDENCE) -> Interval | None:
    """The middle `confidence` of the replications [R], or None where that has no width.

    Its ends are replications themselves, the next ones outwards, so -inf among them does no harm.
    """
    tail = (1.0 - checked_confidence(confidence)) / 2
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1 or not len(array) or np.isnan(array).any():
        raise ValueError(f"replications must be an array [R] of numbers, got {array}")
    first = int(np.floor(tail * (len(array) - 1)))
    last = len(array) - 1 - first
    ends = np.partition(array, [first, last])
    low, high = float(ends[first]), float(ends[last])
    narrow = 1e-12 * max(1.0, abs(high), abs(low) if np.isfinite(low) else 0.0)
    return Interval(low, high) if np.isfinite(high) and high - low > narrow else None
