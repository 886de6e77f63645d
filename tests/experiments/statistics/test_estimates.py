"""Point estimates of many runs, against SciPy and against rliable's definitions, written out here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.stats

from bellglass.experiments.statistics.estimates import (
    interquartile_mean,
    mean,
    median,
    optimality_gap,
    performance_profile,
)

ALL: list[Callable[..., Any]] = [mean, median, interquartile_mean, optimality_gap]


def table_of_scores(seed: int, seeds: int, environments: int) -> np.ndarray:
    """[seeds, environments], some above the optimum and some below random play."""
    return 1.1 * np.random.default_rng(seed).beta(4, 2, (seeds, environments)) - 0.05


@pytest.mark.parametrize(("seeds", "environments"), [(1, 1), (3, 2), (5, 6), (20, 7)])
def test_estimates_are_rliables_on_equal_numbers_of_seeds(seeds: int, environments: int) -> None:
    """For [runs, tasks]: mean and gap over all, median over tasks of means, IQM a trimmed mean over all."""
    scores = table_of_scores(seeds, seeds, environments)
    strata = list(scores.T)
    assert mean(strata) == pytest.approx(np.mean(scores), abs=1e-14)
    assert median(strata) == pytest.approx(np.median(np.mean(scores, axis=0)), abs=1e-14)
    trimmed = scipy.stats.trim_mean(scores, proportiontocut=0.25, axis=None)
    assert interquartile_mean(strata) == pytest.approx(trimmed, abs=1e-14)
    assert optimality_gap(strata) == pytest.approx(1.0 - np.mean(np.minimum(scores, 1.0)), abs=1e-14)
    taus = np.linspace(-0.1, 1.2, 27)
    reached = [np.mean(scores >= tau) for tau in taus]  # rliable: above; a run at the optimum has reached it
    assert performance_profile(strata, taus) == pytest.approx(reached, abs=1e-14)


def test_environments_weigh_alike_however_many_seeds_each_has() -> None:
    strata = [np.zeros(9), np.ones(1)]
    assert mean(strata) == median(strata) == 0.5
    assert optimality_gap(strata) == 0.5
    assert interquartile_mean(strata) == 0.0  # of runs: nine of ten failed


@pytest.mark.parametrize("sizes", [(1,), (3, 3), (5, 4, 7), (20, 20, 20)])
def test_the_interquartile_mean_is_scipys_trimmed_mean(sizes: tuple[int, ...]) -> None:
    strata = [np.random.default_rng(k).random(size) for k, size in enumerate(sizes)]
    expected = scipy.stats.trim_mean(np.concatenate(strata), 0.25)
    assert interquartile_mean(strata) == pytest.approx(expected, abs=1e-14)


def test_a_run_that_never_ends_pulls_the_mean_down_for_good_and_the_iqm_hides_it() -> None:
    strata = [np.array([-np.inf, 1.0, 1.0, 1.0, 1.0])]
    assert mean(strata) == median(strata) == -np.inf
    assert optimality_gap(strata) == np.inf
    assert interquartile_mean(strata) == 1.0
    assert performance_profile(strata, [0.0]) == [0.8]


def test_the_profile_is_the_share_at_or_above_each_threshold() -> None:
    strata = [np.array([0.2, 0.5]), np.array([1.0])]
    assert performance_profile(strata, [0.0, 0.5, 0.6, 1.0]) == [1.0, 2 / 3, 1 / 3, 1 / 3]
    assert performance_profile(strata, [0.0, 1.0], failed=1) == [0.75, 0.25]
    assert performance_profile([np.zeros(0)], [0.0], failed=2) == [0.0]


@pytest.mark.parametrize(
    ("strata", "says"),
    [
        ([], "at least one environment"),
        ([[0.5], []], "environment 1 has no score"),
        ([[0.5, np.nan]], r"environment 0 must be numbers below infinity, got nan in place 1"),
        ([[0.5], [np.inf]], r"environment 1 .* got inf"),
        ([[[0.5]]], r"shape \[1, 1\]"),
        (np.float64(0.5), "iter"),
    ],
)
@pytest.mark.parametrize("estimate", ALL)
def test_what_are_no_scores_is_refused(estimate: Callable[..., Any], strata: Any, says: str) -> None:
    with pytest.raises(TypeError if says == "iter" else ValueError, match=says):
        estimate(strata)


def test_one_run_alone_is_its_own_estimate() -> None:
    assert [estimate([[0.25]]) for estimate in ALL] == [0.25, 0.25, 0.25, 0.75]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([[0.5]], [np.nan]), "thresholds"),
        (([[0.5]], 0.5), "thresholds"),
        (([[np.nan]], [0.5]), "nan in place 0"),
        (([[0.5]], [0.5], -1), "failed must be at least 0, got -1"),
        (([], [0.5]), "no run"),
    ],
)
def test_what_is_no_profile_is_refused(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        performance_profile(*arguments)
