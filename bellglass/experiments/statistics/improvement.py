"""One agent against another: the chance that a run of the first beats one of the second.

    chance    =  average over environments of  P(X > Y) + P(X = Y) / 2         over all pairs of runs
    interval  =  betting on n disjoint pairs of runs, capitals averaged over the ways to pair them
    p-value   =  share of shuffled names whose chance is as far from 1/2       (1 + as extreme) / (1 + shuffles)

The chance is Agarwal et al.'s (2021) "probability of improvement", the Mann-Whitney statistic over n * m.  Runs paired
off one to one are independent, so `intervals.lowest_mean` bets on them, whatever the number of seeds; which run is
paired with which does not matter, so all rotations bet side by side.  A bootstrap would give [1, 1] where one agent
won always, and where the true chance is .9 it covers it 4 times in 10 at five seeds (docs/statistics.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .estimates import FloatArray, checked_strata
from .intervals import CONFIDENCE, FEWEST, Interval, checked_confidence, lowest_mean

#: Shuffles whose statistics are held at once.
BLOCK = 2_048


class Pair(NamedTuple):
    """One agent against another.

    Attributes:
        probability: chance that a run of the first beats one of the second, ties halved, averaged over environments.
        interval: holds the true chance at any number of seeds; None below 3.
        p_value: of a stratified permutation test of "no difference", two-sided, as it comes.
        adjusted: the same after Holm's correction over all pairs compared.
    """

    probability: float
    interval: Interval | None
    p_value: float
    adjusted: float


def probability_of_improvement(first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike]) -> float:
    """Chance that a run of `first` beats one of `second` in the same environment; ties count half.

    >>> probability_of_improvement([np.array([1.0, 2.0])], [np.array([1.0, 0.0])])
    0.875
    """
    return float(np.mean([wins.mean() for wins in _wins(first, second)]))


def improvement_interval(
    first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike], confidence: float = CONFIDENCE
) -> Interval | None:
    """Interval for `probability_of_improvement` that holds at every number of seeds.

    Returns:
        None where an environment has fewer than 3 seeds of either.

    >>> low, high = improvement_interval([[1.0] * 20], [[0.0] * 20])
    >>> round(low, 2), high
    (0.77, 1.0)
    """
    alpha = 1.0 - checked_confidence(confidence)
    tables = _wins(first, second)
    pairs = min(min(wins.shape) for wins in tables)
    if pairs < FEWEST:
        return None
    mine = np.arange(pairs)
    matches = np.zeros((max(max(wins.shape) for wins in tables), pairs))  # [rotations, pairs]
    turned = (mine + np.arange(len(matches))[:, None]).T
    for wins in tables:
        n, m = wins.shape
        matches += (wins[mine, turned.T % m] if n <= m else wins[turned.T % n, mine]) / len(tables)
    values, place = np.unique(np.asarray(matches.round(12), dtype=np.float64), return_inverse=True)
    counts = (place.reshape(matches.shape)[:, :, None] == np.arange(len(values))).sum(
        axis=1, dtype=np.float64
    )
    return Interval(
        lowest_mean(values, counts, alpha / 2), 1.0 - lowest_mean(1.0 - values, counts, alpha / 2)
    )


def _wins(first: Sequence[npt.ArrayLike], second: Sequence[npt.ArrayLike]) -> list[FloatArray]:
    """For each environment [n, m] 1 where the run of the first beats that of the second, 1/2 where they tie."""
    ours, theirs = checked_strata(first), checked_strata(second)
    if len(ours) != len(theirs):
        raise ValueError(f"both need scores of the same environments, got {len(ours)} and {len(theirs)}")
    return [
        (x[:, None] > y).astype(np.float64) + 0.5 * (x[:, None] == y)
        for x, y in zip(ours, theirs, strict=True)
    ]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's (1979) adjusted p-values: all those below .05 hold together with 95 % confidence.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    for p in p_values:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"p-values must be in [0, 1], got {p}")
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, k in enumerate(sorted(range(len(p_values)), key=lambda k: p_values[k])):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[k]))
        adjusted[k] = highest
    return adjusted


def compare_all(
    agents: Mapping[str, Sequence[npt.ArrayLike]], *, seed: int = 0
) -> dict[tuple[str, str], Pair]:
    """Every agent against every other on the same environments, both ways round; the same seed gives the same bits.

    The p-value comes from shuffling agents' names within each environment, statistic |probability - 1/2|,
    p = (1 + as extreme) / (1 + shuffles): valid at any number of seeds.

    Raises:
        ValueError: agents with unlike numbers of environments, an environment without a score, or scores that are none.
    """
    strata = {name: checked_strata(scores) for name, scores in agents.items()}
    names = list(strata)
    pairs = [(strata[a], strata[b]) for i, a in enumerate(names) for b in names[i + 1 :]]
    chances = [probability_of_improvement(*pair) for pair in pairs]
    intervals = [improvement_interval(*pair) for pair in pairs]
    raw = _p_values(pairs, np.array(chances), seed)
    keys = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    table: dict[tuple[str, str], Pair] = {}
    for (a, b), chance, interval, p, adjusted in zip(keys, chances, intervals, raw, holm(raw), strict=True):
        table[a, b] = Pair(chance, interval, p, adjusted)
        turned = None if interval is None else Interval(1 - interval.high, 1 - interval.low)
        table[b, a] = Pair(1 - chance, turned, p, adjusted)
    return table


def _p_values(
    pairs: Sequence[tuple[list[FloatArray], list[FloatArray]]], chances: FloatArray, seed: int
) -> list[float]:
    """[pairs], with enough shuffles that Holm's correction leaves room below .05."""
    shuffles = max(4_999, 200 * len(pairs))
    extreme = np.zeros(len(pairs), dtype=np.int64)
    rng = np.random.default_rng((seed, 0))
    for begun in range(0, shuffles if pairs else 0, BLOCK):
        rows = min(BLOCK, shuffles - begun)
        shuffled = np.zeros((rows, len(pairs)))
        for where in range(len(pairs[0][0])):
            shuffled += _shuffled(pairs, where, rows, rng)
        far = np.abs(shuffled / len(pairs[0][0]) - 0.5) >= np.abs(chances - 0.5) - 1e-9
        extreme += far.sum(axis=0)
    return [(1 + int(count)) / (1 + shuffles) for count in extreme]


def _shuffled(
    pairs: Sequence[tuple[list[FloatArray], list[FloatArray]]],
    where: int,
    rows: int,
    rng: np.random.Generator,
) -> FloatArray:
    """[rows, pairs] chance in one environment when runs draw their agents' names; pairs of one size draw together."""
    sizes = [(len(x[where]), len(y[where])) for x, y in pairs]
    chances = np.empty((rows, len(pairs)))
    for n, m in dict.fromkeys(sizes):
        here = [k for k, size in enumerate(sizes) if size == (n, m)]
        ranks = np.stack([_midranks(np.concatenate([pairs[k][0][where], pairs[k][1][where]])) for k in here])
        named = rng.permuted(np.tile(np.repeat([1.0, 0.0], [n, m]), (rows, 1)), axis=1)  # 1: of the first
        chances[:, here] = (named @ ranks.T - n * (n + 1) / 2) / (n * m)
    return chances


def _midranks(scores: FloatArray) -> FloatArray:
    """Ranks from 1, ties sharing the middle."""
    _, place, count = np.unique(scores, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place])
