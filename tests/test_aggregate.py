"""The statistics of the report, against other formulas, closed forms and simulation."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats

from bellglass.experiments import aggregate
from bellglass.experiments.aggregate import (
    betting_interval,
    bootstrap,
    clopper_pearson,
    compare_all,
    holm,
    interquartile_mean,
    interquartile_mean_of,
    mean_of,
    performance_profile,
    probability_of_improvement,
)


def some_strata(seed: int, sizes: tuple[int, ...] = (20, 20, 20)) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.beta(4, 1 + k, size) for k, size in enumerate(sizes)]


@pytest.mark.parametrize("sizes", [(1,), (3, 3), (5, 4, 7), (20, 20, 20)])
def test_the_interquartile_mean_is_scipys_trimmed_mean(sizes: tuple[int, ...]) -> None:
    strata = some_strata(1, sizes)
    together = np.concatenate(strata)
    assert interquartile_mean(strata) == pytest.approx(scipy.stats.trim_mean(together, 0.25), abs=1e-14)
    drawn = interquartile_mean_of([scores[None, :] for scores in strata])
    assert drawn[0] == pytest.approx(interquartile_mean(strata), abs=1e-14)


@pytest.mark.parametrize(
    ("successes", "trials"), [(k, n) for n in (1, 3, 5, 20) for k in sorted({0, 1, n // 2, n})]
)
def test_clopper_pearson_is_scipys_exact_binomial_interval(successes: int, trials: int) -> None:
    expected = scipy.stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    assert clopper_pearson(successes, trials) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_all_of_five_leaves_room_for_half_to_fail() -> None:
    # low solves low**5 = 0.025
    assert clopper_pearson(5, 5).low == pytest.approx(0.025 ** (1 / 5), abs=1e-12)
    assert clopper_pearson(0, 5).high == pytest.approx(1 - 0.025 ** (1 / 5), abs=1e-12)


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


def test_there_is_no_interval_below_three_seeds_and_never_one_without_width() -> None:
    assert betting_interval([0.5, 0.6], 0.0, 1.0) is None
    assert bootstrap([np.array([0.5, 0.6])], mean_of, seed=0, replications=100) is None
    assert bootstrap([np.ones(5)], mean_of, seed=0, replications=100) is None
    for scores in ([1.0] * 3, [0.0] * 5, [0.3] * 20):
        found = betting_interval(scores, 0.0, 1.0)
        assert found is not None
        assert found.low < found.high


@pytest.mark.parametrize("scores", [[1.0] * 5, [0.0] * 5, [0.2, 0.4, 0.9], [0.99, 1.0, 0.0, 1.0, 0.98]])
def test_the_ends_of_the_betting_interval_are_where_the_capital_reaches_forty(scores: list[float]) -> None:
    found = betting_interval(scores, 0.0, 1.0)
    assert found is not None
    for x, m, at_the_edge in (
        (np.array(scores), found.low, found.low == 0.0),
        (1 - np.array(scores), 1 - found.high, found.high == 1.0),
    ):
        if not at_the_edge:
            capital = np.mean([np.prod(1 + g * (x / m - 1)) for g in aggregate.BETS])
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
    with pytest.raises(ValueError, match="not all in the range"):
        betting_interval(scores, 0.2, 1.0)


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
    assert coverage(draw, seeds, 2_000) >= 0.95


def test_coverage_holds_at_five_seeds() -> None:
    assert coverage("one in ten fails", 5, 300) >= 0.95


def test_the_profile_is_the_share_at_or_above_each_threshold() -> None:
    strata = [np.array([0.2, 0.5]), np.array([1.0])]
    assert performance_profile(strata, [0.0, 0.5, 0.6, 1.0]) == [1.0, 2 / 3, 1 / 3, 1 / 3]
    assert performance_profile(strata, [0.0, 1.0], failed=1) == [0.75, 0.25]


def test_the_probability_of_improvement_is_the_scaled_mann_whitney_statistic() -> None:
    x, y = some_strata(5, (7, 9))
    u = scipy.stats.mannwhitneyu(x, y).statistic
    assert probability_of_improvement([x], [y]) == pytest.approx(u / 63, abs=1e-14)


def test_the_shuffled_p_value_is_near_the_exact_one() -> None:
    x, y = np.array([0.9, 0.8, 0.95, 0.7, 0.99]), np.array([0.5, 0.6, 0.85, 0.3, 0.4])
    pair = compare_all({"x": [x], "y": [y]})["x", "y"]
    both = np.concatenate([x, y])
    observed = abs(probability_of_improvement([x], [y]) - 0.5)
    extreme = 0
    for chosen in itertools.combinations(range(10), 5):
        rest = [k for k in range(10) if k not in chosen]
        chance = probability_of_improvement([both[list(chosen)]], [both[rest]])
        extreme += abs(chance - 0.5) >= observed - 1e-9
    assert pair.p_value == pytest.approx(extreme / 252, abs=0.005)
    assert pair.interval is not None
    assert pair.interval.low <= pair.probability <= pair.interval.high


def test_both_ways_round_of_a_pair_agree_and_equals_are_not_told_apart() -> None:
    table = compare_all({"a": [np.ones(5)], "b": [np.ones(5)], "c": [np.zeros(5)]})
    assert table["a", "b"].probability == 0.5
    assert table["a", "b"].p_value == 1.0
    assert table["a", "c"].probability == 1.0
    assert table["c", "a"].probability == 0.0
    assert table["a", "c"].adjusted == table["c", "a"].adjusted < 0.05


def test_holm_steps_down_and_never_falls() -> None:
    assert holm([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert holm([]) == []
