"""The stratified bootstrap, against theory, enumeration and itself."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bellglass.experiments.statistics import estimates, resampling
from bellglass.experiments.statistics.resampling import (
    Statistic,
    bootstrap,
    interquartile_mean_of,
    mean_of,
    median_of,
    optimality_gap_of,
    percentile_interval,
    resampled,
)

STATISTICS: list[tuple[Statistic, Callable[..., float]]] = [
    (mean_of, estimates.mean),
    (median_of, estimates.median),
    (interquartile_mean_of, estimates.interquartile_mean),
    (optimality_gap_of, estimates.optimality_gap),
]


def some_strata(seed: int, sizes: tuple[int, ...] = (20, 20, 20)) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [1.1 * rng.beta(4, 1 + k, size) for k, size in enumerate(sizes)]


@pytest.mark.parametrize("sizes", [(3,), (4, 4, 4, 4), (5, 3, 7)])
@pytest.mark.parametrize(("statistic", "estimate"), STATISTICS)
def test_each_replication_is_the_estimate_of_its_own_draws(
    statistic: Statistic, estimate: Callable[..., float], sizes: tuple[int, ...]
) -> None:
    (draws,) = resampled(some_strata(1, sizes), np.random.default_rng(0), 30)
    expected = [estimate([draw[k] for draw in draws]) for k in range(30)]
    np.testing.assert_allclose(statistic(draws), expected, rtol=0, atol=1e-14)


def test_draws_come_from_their_own_environment_and_all_alike() -> None:
    strata = [np.array([0.0, 1.0, 2.0]), np.array([10.0, 11.0])]
    (first, second) = next(iter(resampled(strata, np.random.default_rng(0), 30_000)))
    assert (first.shape, second.shape) == ((30_000, 3), (30_000, 2))
    counts = [np.sum(first == score) for score in strata[0]]
    assert np.abs(np.array(counts) - 30_000).max() < 5 * math.sqrt(90_000 * 2 / 9)
    assert set(np.unique(second)) == {10.0, 11.0}


def test_the_bootstrap_of_three_runs_has_the_quantiles_of_all_27_draws() -> None:
    scores = np.array([0.1, 0.5, 0.7])
    every = np.sort([np.mean(draw) for draw in itertools.product(scores, repeat=3)])
    found = bootstrap([scores], mean_of, seed=0, confidence=0.8)
    # a tenth of 27 draws are the two lightest and a part of the third
    assert found == pytest.approx((every[2], every[24]), abs=1e-12)


def test_the_bootstrap_of_a_mean_has_the_spread_of_theory() -> None:
    scores = some_strata(2, (40,))
    found = bootstrap(scores, mean_of, seed=0)
    assert found is not None
    width = 2 * 1.959964 * scores[0].std() / math.sqrt(40)
    assert found.high - found.low == pytest.approx(width, rel=0.03)


def test_the_same_seed_gives_the_same_bits_and_another_seed_others() -> None:
    strata = some_strata(3)
    first = bootstrap(strata, interquartile_mean_of, seed=7, replications=2_000)
    assert first == bootstrap(strata, interquartile_mean_of, seed=7, replications=2_000)
    assert first != bootstrap(strata, interquartile_mean_of, seed=8, replications=2_000)


def test_another_process_gives_the_same_bits() -> None:
    script = (
        "from bellglass.experiments.statistics.aggregate import bootstrap, interquartile_mean_of as iqm\n"
        "found = bootstrap([[0.1, 0.4, 0.8], [0.3, 0.9, 0.2, 0.7]], iqm, seed=[7, 1], replications=999)\n"
        "print(found.low.hex(), found.high.hex())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    here = bootstrap(
        [[0.1, 0.4, 0.8], [0.3, 0.9, 0.2, 0.7]], interquartile_mean_of, seed=[7, 1], replications=999
    )
    assert here is not None
    assert done.stdout.split() == [here.low.hex(), here.high.hex()]


def test_memory_is_bounded_by_blocks_that_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    strata = some_strata(4, (5, 3))
    monkeypatch.setattr(resampling, "BLOCK", 80)
    blocks = list(resampled(strata, np.random.default_rng(0), 33))
    assert [len(draws[0]) for draws in blocks] == [10, 10, 10, 3]
    assert all([draw.shape[1] for draw in draws] == [5, 3] for draws in blocks)
    assert not np.array_equal(blocks[0][0], blocks[1][0])


@pytest.mark.parametrize(("statistic", "_"), STATISTICS)
def test_no_interval_has_no_width_and_there_is_none_below_three_seeds(statistic: Statistic, _: Any) -> None:
    assert bootstrap([np.ones(5)], statistic, seed=0, replications=100) is None
    assert bootstrap([np.array([0.5, 0.6])], statistic, seed=0, replications=100) is None
    assert bootstrap([np.array([0.5])], statistic, seed=0, replications=100) is None


def test_a_run_that_never_ends_may_be_drawn_or_not() -> None:
    found = bootstrap([np.array([-np.inf, 0.5, 0.6])], mean_of, seed=0, replications=1_000)
    assert found is not None
    assert found.low == -np.inf
    assert 0.5 < found.high <= 0.6


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"strata": []}, "at least one environment"),
        ({"strata": [[0.1, 0.2, np.nan]]}, "nan in place 2"),
        ({"strata": [[0.1, 0.2, 0.3], []]}, "environment 1 has no score"),
        ({"strata": [[[0.1, 0.2, 0.3]]]}, r"shape \[1, 3\]"),
        ({"replications": 0}, "replications must be at least 1, got 0"),
        ({"confidence": 1.0}, r"confidence must be in \(0, 1\), got 1.0"),
        ({"seed": -1}, "non-negative"),
    ],
)
def test_what_cannot_be_resampled_is_refused(changed: dict[str, Any], says: str) -> None:
    given = {"strata": [[0.1, 0.2, 0.3]], "seed": 0, **changed}
    with pytest.raises(ValueError, match=says):
        bootstrap(given.pop("strata"), mean_of, **given)


@pytest.mark.parametrize("values", [[], [0.5, np.nan], [[0.5]]])
def test_what_are_no_replications_is_refused(values: Any) -> None:
    with pytest.raises(ValueError, match="replications"):
        percentile_interval(values)
