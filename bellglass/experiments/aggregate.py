"""What many runs say together: point estimates, and intervals that mean what they claim.

A run's score is 0 for the uniform random policy and 1 for the optimum; it is never clipped.  Scores come as one array
[seeds] for each environment (stratum); every estimate weighs environments, not runs, alike.

    mean             average over environments of the average over seeds
    IQM              mean of the middle half of all runs (Agarwal et al. 2021); it hides up to a quarter of failures
    optimality gap   mean of max(0, 1 - score)
    bootstrap        seeds drawn with replacement within each environment; at 5 seeds it covers far less than it says
    betting          interval for the mean of bounded scores whose coverage holds at any number of seeds
                     (Waudby-Smith & Ramdas 2024, grid Kelly bets: a mixture of constant bets, so order is nothing)

Below `FEWEST` seeds there is no interval at all; an interval of zero width is none either.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

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


class Pair(NamedTuple):
    """One agent against another.

    Attributes:
        probability: chance that a run of the first beats one of the second, ties halved, averaged over environments.
        interval: stratified bootstrap, or None.
        p_value: of a stratified permutation test of "no difference", two-sided, as it comes.
        adjusted: the same after Holm's correction over all pairs compared.
    """

    probability: float
    interval: Interval | None
    p_value: float
    adjusted: float


def mean(strata: Sequence[FloatArray]) -> float:
    """Average over environments of the average over seeds.

    >>> mean([np.array([0.0, 1.0]), np.array([1.0])])
    0.75
    """
    return float(np.mean([np.mean(scores) for scores in strata]))


def interquartile_mean(strata: Sequence[FloatArray]) -> float:
    """Mean of the middle half of all runs, a quarter (rounded down) cut at either end.

    >>> interquartile_mean([np.array([0.0, 0.5, 1.0, 1.0])])
    0.75
    """
    scores = np.sort(np.concatenate(list(strata)))
    cut = len(scores) // 4
    return float(scores[cut : len(scores) - cut].mean())


def median(strata: Sequence[FloatArray]) -> float:
    """Median over environments of the average over seeds, as in the literature on Atari."""
    return float(np.median([np.mean(scores) for scores in strata]))


def optimality_gap(strata: Sequence[FloatArray]) -> float:
    """Average over environments of what runs miss to the optimum, never below 0."""
    return float(np.mean([np.maximum(0.0, 1.0 - scores).mean() for scores in strata]))


def clopper_pearson(successes: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Exact binomial interval for a share (Clopper & Pearson 1934).

    Args:
        successes: in 0..trials.
        trials: at least 1.
        confidence: in (0, 1).

    >>> low, high = clopper_pearson(5, 5)
    >>> round(low, 4), high
    (0.4782, 1.0)
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"need 0 <= successes <= trials and trials >= 1, got {successes} of {trials}")
    from scipy.special import betaincinv

    tail = (1 - confidence) / 2
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

    Returns:
        None below 3 scores.

    Raises:
        ValueError: a score outside the range.
    """
    x = np.asarray(scores, dtype=np.float64)
    if len(x) < FEWEST:
        return None
    slack = 1e-9 * max(1.0, abs(low), abs(high))
    if not low < high or x.min() < low - slack or x.max() > high + slack:
        raise ValueError(f"scores from {x.min()} to {x.max()} are not all in the range [{low}, {high}]")
    unit = np.clip((x - low) / (high - low), 0.0, 1.0)
    alpha = 1 - confidence
    bottom, top = _lowest_mean(unit, alpha / 2), 1.0 - _lowest_mean(1.0 - unit, alpha / 2)
    return Interval(low + (high - low) * bottom, low + (high - low) * top)


def _lowest_mean(unit: FloatArray, alpha: float) -> float:
    """The smallest mean in [0, 1] that capital of 1 / alpha does not refute, from below (by bisection)."""
    goal = math.log(len(BETS) / alpha)
    refuted, kept = 0.0, float(unit.mean())
    if kept == 0.0:
        return 0.0
    for _ in range(50):
        middle = (refuted + kept) / 2
        logs = np.log1p(BETS[:, None] * (unit / middle - 1.0)).sum(axis=1)
        if np.logaddexp.reduce(logs) >= goal:
            refuted = middle
        else:
            kept = middle
    return refuted  # the safe side


def resampled(
    strata: Sequence[FloatArray], rng: np.random.Generator, replications: int
) -> list[npt.NDArray[np.float64]]:
    """For each environment, `replications` samples of its seeds with replacement: [replications, seeds]."""
    draws = []
    for scores in strata:
        index = rng.integers(0, len(scores), size=(replications, len(scores)), dtype=np.uint32)
        draws.append(np.take(scores, index))
    return draws


def mean_of(draws: Sequence[FloatArray]) -> FloatArray:
    """[replications] of `mean`."""
    return np.asarray(sum(draw.mean(axis=1) for draw in draws) / len(draws))


def interquartile_mean_of(draws: Sequence[FloatArray]) -> FloatArray:
    """[replications] of `interquartile_mean`."""
    together = np.concatenate(list(draws), axis=1)
    together.sort(axis=1)
    cut = together.shape[1] // 4
    return np.asarray(together[:, cut : together.shape[1] - cut].mean(axis=1))


def bootstrap(
    strata: Sequence[FloatArray],
    statistic: Callable[[Sequence[FloatArray]], FloatArray],
    *,
    seed: int | Sequence[int],
    replications: int = 50_000,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Percentile interval of a statistic under stratified resampling; the same seed gives the same bits.

    Returns:
        None if an environment has fewer than 3 seeds, or if all replications agree (that is no certainty: it only
        means that no run differed).
    """
    if min(len(scores) for scores in strata) < FEWEST:
        return None
    values = statistic(resampled(strata, np.random.default_rng(seed), replications))
    return percentile_interval(values, confidence)


def percentile_interval(values: FloatArray, confidence: float = CONFIDENCE) -> Interval | None:
    """The middle `confidence` of the replications, or None where that has no width."""
    tail = 50 * (1 - confidence)
    low, high = (float(end) for end in np.percentile(values, [tail, 100 - tail]))
    return Interval(low, high) if high - low > 1e-12 * max(1.0, abs(low), abs(high)) else None


def performance_profile(
    strata: Sequence[FloatArray], thresholds: npt.ArrayLike, failed: int = 0
) -> list[float]:
    """Share of runs that reach each threshold; `failed` runs reach none."""
    scores = np.sort(np.concatenate(list(strata))) if strata else np.zeros(0)
    missed = np.searchsorted(scores, np.asarray(thresholds, dtype=np.float64) - 1e-12, side="left")
    return [float(share) for share in (len(scores) - missed) / max(1, len(scores) + failed)]


def probability_of_improvement(first: Sequence[FloatArray], second: Sequence[FloatArray]) -> float:
    """Chance that a run of `first` beats one of `second` in the same environment; ties count half.

    >>> probability_of_improvement([np.array([1.0, 2.0])], [np.array([1.0, 0.0])])
    0.875
    """
    chances = [
        np.mean((x[:, None] > y).astype(float) + 0.5 * (x[:, None] == y))
        for x, y in zip(first, second, strict=True)
    ]
    return float(np.mean(chances))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values: all those below .05 hold together with 95 % confidence.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = highest
    return adjusted


def compare_all(
    agents: Mapping[str, Sequence[FloatArray]], *, seed: int = 0, replications: int = 2_000
) -> dict[tuple[str, str], Pair]:
    """Every agent against every other on the same environments, both ways round.

    The p-value comes from shuffling agents' names within each environment, statistic |probability - 1/2|,
    p = (1 + as extreme) / (1 + shuffles): valid at any number of seeds.
    """
    names = list(agents)
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    shuffles = max(4_999, 200 * len(pairs))
    raw: list[float] = []
    chances: list[float] = []
    intervals: list[Interval | None] = []
    labels = _Labels(shuffles, seed)
    for k, (a, b) in enumerate(pairs):
        chance = probability_of_improvement(agents[a], agents[b])
        shuffled = np.zeros(shuffles)
        for where, (x, y) in enumerate(zip(agents[a], agents[b], strict=True)):
            wins = labels.of(where, len(x), len(y)) @ _midranks(np.concatenate([x, y]))
            shuffled += (wins - len(x) * (len(x) + 1) / 2) / (len(x) * len(y)) / len(agents[a])
        extreme = np.abs(shuffled - 0.5) >= abs(chance - 0.5) - 1e-9
        chances.append(chance)
        raw.append((1 + int(extreme.sum())) / (1 + shuffles))
        intervals.append(_chance_interval(agents[a], agents[b], (seed, 1, k), replications))
    table: dict[tuple[str, str], Pair] = {}
    for (a, b), chance, interval, p, adjusted in zip(pairs, chances, intervals, raw, holm(raw), strict=True):
        table[a, b] = Pair(chance, interval, p, adjusted)
        turned = None if interval is None else Interval(1 - interval.high, 1 - interval.low)
        table[b, a] = Pair(1 - chance, turned, p, adjusted)
    return table


class _Labels:
    """Shuffled names of two groups in one environment, drawn once for each pair of group sizes."""

    def __init__(self, shuffles: int, seed: int) -> None:
        self.shuffles, self.seed = shuffles, seed
        self.drawn: dict[tuple[int, int, int], FloatArray] = {}

    def of(self, where: int, n: int, m: int) -> FloatArray:
        """[shuffles, n + m] 1.0 where a run is said to be of the first group, n to a row."""
        key = (where, n, m)
        if key not in self.drawn:
            rng = np.random.default_rng((self.seed, 0, *key))
            row = np.concatenate([np.ones(n), np.zeros(m)])
            self.drawn[key] = rng.permuted(np.tile(row, (self.shuffles, 1)), axis=1)
        return self.drawn[key]


def _midranks(scores: FloatArray) -> FloatArray:
    """Ranks from 1, ties sharing the middle."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])


def _chance_interval(
    first: Sequence[FloatArray], second: Sequence[FloatArray], seed: Sequence[int], replications: int
) -> Interval | None:
    """Bootstrap of the probability of improvement: resampled runs, looked up in the table of who beats whom."""
    if min(len(scores) for scores in (*first, *second)) < FEWEST:
        return None
    rng = np.random.default_rng(seed)
    total = np.zeros(replications)
    for x, y in zip(first, second, strict=True):
        beats = (x[:, None] > y) + 0.5 * (x[:, None] == y)  # [n, m]
        rows = rng.multinomial(len(x), np.full(len(x), 1 / len(x)), size=replications)
        columns = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=replications)
        total += ((rows @ beats) * columns).sum(axis=1) / (len(x) * len(y) * len(first))
    return percentile_interval(total)
