"""Point estimates of many runs: what the mean, the middle half and the misses are.

    mean             average over environments of the average over seeds
    median           median over environments of the average over seeds
    IQM              mean of the middle half of all runs; it hides up to a quarter of failures
    optimality gap   average over environments of the average of max(0, 1 - score)
    profile          share of runs at or above each threshold

Agarwal et al., "Deep reinforcement learning at the edge of the statistical precipice", NeurIPS 2021, sections 4.2 and
4.3.  All but IQM and profile weigh environments alike, however many seeds each has; with equally many in each, that is
their definition too.

Scores come in strata: one array [seeds] for each environment.  A score may be -inf (a policy that never ends, by its
total reward); nan and +inf are no scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def checked_scores(scores: npt.ArrayLike, what: str = "scores") -> FloatArray:
    """The scores as an array [n] of float64; it may be empty.

    Raises:
        ValueError: not one-dimensional, or one of them is nan or +inf.
    """
    array = np.asarray(scores, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{what} must be one array [seeds], got shape {list(array.shape)}")
    wrong = np.isnan(array) | (array == np.inf)
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(f"{what} must be numbers below infinity, got {array[at]} in place {at}")
    return array


def checked_strata(strata: Sequence[npt.ArrayLike]) -> list[FloatArray]:
    """Each environment's scores as an array [seeds] of float64.

    Raises:
        ValueError: no environment, one without a score, or scores that are none.
    """
    found = [checked_scores(scores, f"scores of environment {k}") for k, scores in enumerate(strata)]
    if not found:
        raise ValueError("scores of at least one environment are needed, got none")
    for k, scores in enumerate(found):
        if not len(scores):
            raise ValueError(f"environment {k} has no score: leave it out, or wait for its runs")
    return found


def mean(strata: Sequence[npt.ArrayLike]) -> float:
    """Average over environments of the average over seeds.

    >>> mean([np.array([0.0, 1.0]), np.array([1.0])])
    0.75
    """
    return float(np.mean([scores.mean() for scores in checked_strata(strata)]))


def median(strata: Sequence[npt.ArrayLike]) -> float:
    """Median over environments of the average over seeds, as in the literature on Atari.

    >>> median([[0.0, 1.0], [1.0, 1.0], [0.25, 0.25]])
    0.5
    """
    return float(np.median([scores.mean() for scores in checked_strata(strata)]))


def interquartile_mean(strata: Sequence[npt.ArrayLike]) -> float:
    """Mean of the middle half of all runs, a quarter (rounded down) cut at either end.

    >>> interquartile_mean([np.array([0.0, 0.5, 1.0, 1.0])])
    0.75
    """
    scores = np.sort(np.concatenate(checked_strata(strata)))
    cut = len(scores) // 4
    return float(scores[cut : len(scores) - cut].mean())


def optimality_gap(strata: Sequence[npt.ArrayLike]) -> float:
    """Average over environments of what runs miss to the optimum; what lies above it makes up for nothing.

    >>> optimality_gap([[1.0, 1.5], [0.5, 0.0]])
    0.375
    """
    return float(np.mean([np.maximum(0.0, 1.0 - scores).mean() for scores in checked_strata(strata)]))


def performance_profile(
    strata: Sequence[npt.ArrayLike], thresholds: npt.ArrayLike, failed: int = 0
) -> list[float]:
    """Share of runs that reach each threshold; `clopper_pearson` tells how sure each share is.

    Args:
        strata: as everywhere; here an environment may be without a score, if all its runs failed.
        thresholds: [T].
        failed: runs besides, which reach none.

    >>> performance_profile([[0.5, 1.0]], [0.5, 0.9], failed=2)
    [0.5, 0.25]
    """
    asked = np.asarray(thresholds, dtype=np.float64)
    if asked.ndim != 1 or np.isnan(asked).any():
        raise ValueError(f"thresholds must be one array of numbers, got {asked.tolist()}")
    if failed < 0:
        raise ValueError(f"failed must be at least 0, got {failed}")
    scores = np.sort(
        np.concatenate([np.zeros(0), *(checked_scores(each, "scores of an environment") for each in strata)])
    )
    runs = len(scores) + failed
    if not runs:
        raise ValueError("a profile of no run at all is none")
    missed = np.searchsorted(scores, asked - 1e-12, side="left")
    return [float(share) for share in (len(scores) - missed) / runs]
