"""Intervals that hold at any number of seeds, against SciPy, closed forms and simulation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from bellglass.experiments.statistics.intervals import (
    BETS,
    betting_interval,
    censored_median,
    clopper_pearson,
)

# -- shares ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "trials"), [(k, n) for n in (1, 3, 5, 20) for k in sorted({0, 1, n // 2, n})]
)
@pytest.mark.parametrize("confidence", [0.95, 0.5])
def test_clopper_pearson_is_scipys_exact_binomial_interval(
    successes: int, trials: int, confidence: float
) -> None:
    expected = scipy.stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    found = clopper_pearson(successes, trials, confidence)
    assert found == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert found.low < found.high


def test_all_of_five_leaves_room_for_half_to_fail() -> None:
    # low solves low**5 = 0.025
    assert clopper_pearson(5, 5).low == pytest.approx(0.025 ** (1 / 5), abs=1e-12)
    assert clopper_pearson(0, 5).high == pytest.approx(1 - 0.025 ** (1 / 5), abs=1e-12)


@pytest.mark.parametrize("given", [(1, 0), (-1, 3), (4, 3), (0.5, 3), (math.nan, 3), (1, math.nan)])
def test_what_is_no_share_is_refused(given: tuple[Any, Any]) -> None:
    with pytest.raises(ValueError, match=f"got {given[0]}"):
        clopper_pearson(*given)


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0, 95, math.nan])
def test_a_confidence_is_a_chance_short_of_certainty(confidence: float) -> None:
    with pytest.raises(ValueError, match=rf"confidence must be in \(0, 1\), got {confidence}"):
        clopper_pearson(1, 2, confidence)
    with pytest.raises(ValueError, match="confidence"):
        betting_interval([0.1, 0.2, 0.3], 0.0, 1.0, confidence)
    with pytest.raises(ValueError, match="confidence"):
        censored_median([0.0], [1.0], confidence)


# -- means -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scores", [[1.0] * 5, [0.0] * 5, [0.2, 0.4, 0.9], [0.99, 1.0, 0.0, 1.0, 0.98]])
def test_the_ends_of_the_betting_interval_are_where_the_capital_reaches_forty(scores: list[float]) -> None:
    found = betting_interval(scores, 0.0, 1.0)
    assert found is not None
    for x, m, at_the_edge in (
        (np.array(scores), found.low, found.low == 0.0),
        (1 - np.array(scores), 1 - found.high, found.high == 1.0),
    ):
        if not at_the_edge:
            capital = np.mean([np.prod(1 + g * (x / m - 1)) for g in BETS])
            assert capital == pytest.approx(40, rel=1e-6)


def test_the_betting_interval_knows_no_order_and_moves_with_its_range() -> None:
    scores = np.array([0.1, 0.9, 1.0, 0.7, 0.4])
    found = betting_interval(scores, 0.0, 1.0)
    turned = betting_interval(scores[::-1], 0.0, 1.0)
    wider = betting_interval(4 * scores - 3, -3.0, 1.0)
    assert found is not None
    assert turned is not None
    assert wider is not None
    assert turned == pytest.approx(found, abs=1e-12)
    assert wider == pytest.approx((4 * found.low - 3, 4 * found.high - 3), abs=1e-9)


def test_more_confidence_and_fewer_runs_are_wider() -> None:
    scores = [0.5, 0.7, 0.9, 0.8, 0.6]
    widths = []
    for runs, confidence in ((scores * 4, 0.95), (scores, 0.95), (scores, 0.99)):
        found = betting_interval(runs, 0.0, 1.0, confidence)
        assert found is not None
        widths.append(found.high - found.low)
    assert widths == sorted(widths)
    assert len(set(widths)) == 3


@pytest.mark.parametrize("scores", [[1.0] * 3, [0.0] * 5, [0.3] * 20, [1.0] * 10_000])
def test_runs_that_agree_leave_a_width(scores: list[float]) -> None:
    found = betting_interval(scores, 0.0, 1.0)
    assert found is not None
    assert 0.0 <= found.low < found.high <= 1.0
    assert found.low <= scores[0] <= found.high


def test_without_a_worst_score_there_is_no_lower_end() -> None:
    scores = np.array([0.9, 1.0, 0.8, -5.0])
    found = betting_interval(scores, -math.inf, 1.0)
    assert found is not None
    assert found.low == -math.inf
    known = betting_interval(scores, -5.0, 1.0)
    assert known is not None
    assert found.high == pytest.approx(known.high, abs=1e-9)  # what is missed to 1 has no other bound to use


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, 0.6], [0.5, 0.6, 0.7, -math.inf]])
def test_there_is_no_interval_below_three_seeds_or_of_a_mean_that_is_bottomless(scores: list[float]) -> None:
    assert betting_interval(scores, -math.inf, 1.0) is None


@pytest.mark.parametrize(
    ("scores", "low", "high", "says"),
    [
        ([0.1, 0.9, 1.0], 0.2, 1.0, r"from 0\.1 to 1\.0 are not all in the range \[0\.2, 1\.0\]"),
        ([0.1, 0.9, 1.0], 0.0, 0.5, "not all in the range"),
        ([0.1, 0.9, 1.0], 1.0, 0.0, "range must be low < high"),
        ([0.1, 0.9, 1.0], 0.0, math.inf, "range must be"),
        ([0.1, 0.9, 1.0], math.nan, 1.0, "range must be"),
        ([0.1, math.nan, 1.0], 0.0, 1.0, "got nan in place 1"),
        ([0.1, 0.9, math.inf], 0.0, 1.0, "got inf in place 2"),
        ([[0.1, 0.9, 1.0]], 0.0, 1.0, r"shape \[1, 3\]"),
    ],
)
def test_what_bets_cannot_be_placed_on_is_refused(scores: Any, low: float, high: float, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        betting_interval(scores, low, high)


def coverage(draw: str, seeds: int, trials: int) -> float:
    """Share of simulated sweeps whose betting interval holds the true mean."""
    rng = np.random.default_rng(seeds)
    held = 0
    for _ in range(trials):
        if draw == "one in ten fails":
            scores, truth = np.where(rng.random(seeds) < 0.1, 0.0, 0.99), 0.891
        else:
            scores, truth = rng.beta(8, 1, seeds), 8 / 9
        found = betting_interval(scores, 0.0, 1.0)
        assert found is not None
        held += found.low <= truth <= found.high
    return held / trials


@pytest.mark.slow
@pytest.mark.parametrize("draw", ["one in ten fails", "skewed"])
@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
def test_the_betting_interval_covers_at_any_number_of_seeds(draw: str, seeds: int) -> None:
    assert coverage(draw, seeds, 4_000) >= 0.95


@pytest.mark.parametrize("seeds", [3, 5, 10, 20, 50])
@pytest.mark.parametrize(("chance", "low", "high"), [(0.1, 0.0, 0.99), (0.5, 0.0, 1.0), (0.02, 0.3, 1.0)])
def test_where_runs_have_two_values_the_coverage_is_a_sum_of_binomial_chances(
    seeds: int, chance: float, low: float, high: float
) -> None:
    """Exact, no simulation: the number of failures is Binomial(n, chance), and the interval depends on nothing else."""
    truth, covered = chance * low + (1 - chance) * high, 0.0
    for failures in range(seeds + 1):
        found = betting_interval([low] * failures + [high] * (seeds - failures), 0.0, 1.0)
        assert found is not None
        if found.low <= truth <= found.high:
            covered += float(scipy.stats.binom.pmf(failures, seeds, chance))
    assert covered >= 0.95


# -- times -----------------------------------------------------------------------------------------------------


def test_times_that_came_have_the_median_of_numpy() -> None:
    times = np.array([300.0, 100.0, 500.0, 200.0])
    found = censored_median(times - 50, times)
    assert found.median == np.median(times)
    assert str(found) == "250"


@pytest.mark.parametrize(
    ("until", "median", "text"),
    [
        ([1000, 2000, np.inf], 2000.0, "2,000 (not reached by 1 of 3)"),
        ([1000, np.inf], None, "not reached by 1 of 2"),
        ([1000, np.inf, np.inf], None, "not reached by 2 of 3"),
        ([np.inf], None, "not reached by 1 of 1"),
    ],
)
def test_who_never_gets_there_is_later_than_everybody(until: list[float], median: Any, text: str) -> None:
    found = censored_median([0] * len(until), until)
    assert (found.median, found.total) == (median, len(until))
    assert found.missed == sum(time == np.inf for time in until)
    assert str(found) == text


@pytest.mark.parametrize("n", [5, 6, 10, 20, 35])
def test_the_interval_of_a_median_takes_the_binomial_quantile(n: int) -> None:
    until = np.arange(1.0, n + 1)
    found = censored_median(until - 1, until)
    k = int(scipy.stats.binom.ppf(0.025, n, 0.5))  # P(X < k) <= .025 < P(X <= k)
    if k == 0:
        assert found.interval is None
    else:
        assert found.interval == (k - 1, n - k + 1)


def test_times_that_agree_leave_the_width_of_the_grid_and_too_few_arrivals_no_upper_end() -> None:
    assert censored_median([90] * 10, [100] * 10).interval == (90, 100)
    assert censored_median([90] * 6 + [100] * 4, [100] * 6 + [np.inf] * 4).interval == (90, np.inf)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [6, 10, 20])
def test_the_interval_of_a_median_covers_though_a_third_never_arrives(seeds: int) -> None:
    rng, held, trials = np.random.default_rng(seeds), 0, 4_000
    for _ in range(trials):
        exact = np.where(rng.random(seeds) < 1 / 3, np.inf, rng.exponential(100.0, seeds))
        until = np.where(
            exact < 200.0, np.ceil(exact / 10.0) * 10.0, np.inf
        )  # looked for every 10 steps, up to 200
        found = censored_median(np.where(np.isinf(until), 200.0, until - 10.0), until).interval
        assert found is not None
        held += found.low <= 100.0 * math.log(4.0) <= found.high  # 2/3 (1 - exp(-t / 100)) = 1/2
    assert held / trials >= 0.95


@pytest.mark.parametrize(
    ("after", "until", "says"),
    [
        ([], [], "n >= 1"),
        ([0.0], [1.0, 2.0], r"shapes \[1\] and \[2\]"),
        ([[0.0]], [[1.0]], "shapes"),
        ([0.0, 5.0], [1.0, 5.0], "got 5.0 and 5.0 in place 1"),
        ([-1.0], [1.0], "got -1.0"),
        ([0.0], [np.nan], "got 0.0 and nan"),
    ],
)
def test_what_are_no_times_is_refused(after: Any, until: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        censored_median(after, until)
