"""One agent against another, against SciPy, enumeration and simulation."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import scipy.stats

from bellglass.experiments.statistics import improvement
from bellglass.experiments.statistics.improvement import (
    compare_all,
    holm,
    improvement_interval,
    probability_of_improvement,
)
from bellglass.experiments.statistics.intervals import BETS


def test_the_probability_of_improvement_is_the_scaled_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(5)
    x, y = rng.integers(0, 6, 7) / 5, rng.integers(0, 6, 9) / 5  # with ties
    u = scipy.stats.mannwhitneyu(x, y).statistic
    assert probability_of_improvement([x], [y]) == pytest.approx(u / 63, abs=1e-14)
    both = probability_of_improvement([x, [1.0]], [y, [0.0]])
    assert both == pytest.approx((u / 63 + 1.0) / 2, abs=1e-14)


def shuffled_exactly(x: np.ndarray, y: np.ndarray) -> float:
    """The p-value over all ways to name the runs."""
    together, size = np.concatenate([x, y]), len(x)
    observed = abs(probability_of_improvement([x], [y]) - 0.5)
    chosen = list(itertools.combinations(range(len(together)), size))
    extreme = 0
    for mine in chosen:
        rest = np.delete(together, mine)
        extreme += abs(probability_of_improvement([together[list(mine)]], [rest]) - 0.5) >= observed - 1e-9
    return extreme / len(chosen)


def test_the_shuffled_p_value_is_near_the_exact_one() -> None:
    x, y = np.array([0.9, 0.8, 0.95, 0.7, 0.99]), np.array([0.5, 0.6, 0.85, 0.3, 0.4])
    pair = compare_all({"x": [x], "y": [y]})["x", "y"]
    exact = shuffled_exactly(x, y)
    assert pair.p_value == pytest.approx(exact, abs=5 * math.sqrt(exact / 5_000))
    assert pair.interval is not None
    assert pair.interval.low <= pair.probability <= pair.interval.high


def test_unlike_sizes_are_shuffled_within_their_environment() -> None:
    x, y = np.array([0.9, 0.8, 0.95]), np.array([0.5, 0.6, 0.85, 0.3])
    pair = compare_all({"x": [x], "y": [y]})["x", "y"]
    exact = shuffled_exactly(x, y)
    assert pair.p_value == pytest.approx(exact, abs=5 * math.sqrt(exact / 5_000))


def test_blocks_of_shuffles_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    agents = {name: [rng.random(6), rng.random(6)] for name in "abc"}
    whole = compare_all(agents)
    monkeypatch.setattr(improvement, "BLOCK", 100)
    parts = compare_all(agents)
    for key, pair in whole.items():
        assert parts[key].p_value == pytest.approx(pair.p_value, abs=5 * math.sqrt(pair.p_value / 5_000))


def test_both_ways_round_of_a_pair_agree_and_equals_are_not_told_apart() -> None:
    table = compare_all({"a": [np.ones(5)], "b": [np.ones(5)], "c": [np.zeros(5)]})
    assert table["a", "b"].probability == 0.5
    assert table["a", "b"].p_value == 1.0
    assert table["a", "c"].probability == 1.0
    assert table["c", "a"].probability == 0.0
    assert table["a", "c"].adjusted == table["c", "a"].adjusted < 0.05
    forth, back = table["a", "c"].interval, table["c", "a"].interval
    assert forth is not None
    assert back == (1 - forth.high, 1 - forth.low)


def test_the_same_seed_gives_the_same_bits() -> None:
    rng = np.random.default_rng(1)
    agents = {name: [rng.random(8)] for name in "abc"}
    assert compare_all(agents, seed=3) == compare_all(agents, seed=3)
    assert compare_all(agents, seed=3) != compare_all(agents, seed=4)


def test_one_agent_or_none_is_compared_with_nobody() -> None:
    assert compare_all({}) == compare_all({"a": [np.ones(3)]}) == {}


def test_one_seed_gives_a_chance_and_no_interval() -> None:
    pair = compare_all({"a": [[1.0]], "b": [[0.0]]})["a", "b"]
    assert (pair.probability, pair.interval, pair.p_value) == (1.0, None, 1.0)


def test_all_rotations_of_the_pairs_bet_side_by_side() -> None:
    x, y = np.array([0.9, 0.3, 0.8, 0.7]), np.array([0.5, 0.6, 0.7, 0.2])
    found = improvement_interval([x], [y])
    assert found is not None
    wins = (x[:, None] > y) + 0.5 * (x[:, None] == y)
    for seen, m in ((wins, found.low), (1 - wins, 1 - found.high)):
        capitals = [
            np.prod([1 + g * (seen[i, (i + turn) % 4] / m - 1) for i in range(4)])
            for turn in range(4)
            for g in BETS
        ]
        assert np.mean(capitals) == pytest.approx(40, rel=1e-6)


def test_pairs_of_two_environments_are_averaged_and_unlike_numbers_of_runs_do() -> None:
    lone = improvement_interval([[1.0] * 5], [[0.0] * 5])
    alike = improvement_interval([[1.0] * 5] * 2, [[0.0] * 5] * 2)
    mixed = improvement_interval([[1.0] * 5, [0.0] * 5], [[0.0] * 5, [1.0] * 5])
    more = improvement_interval([[1.0] * 5], [[0.0] * 9])
    assert lone is not None
    assert mixed is not None
    assert alike == pytest.approx(lone, abs=1e-12)
    assert more == pytest.approx(lone, abs=1e-12)
    assert mixed.low == pytest.approx(1 - mixed.high, abs=1e-12)  # every pair is worth 1/2
    rng = np.random.default_rng(2)
    x, y = rng.random(4), rng.random(7)
    one, other = improvement_interval([x], [y]), improvement_interval([y], [x])
    assert one is not None
    assert other == pytest.approx((1 - one.high, 1 - one.low), abs=1e-9)


@pytest.mark.parametrize("wins", [[1.0] * 3, [1.0] * 50])
def test_winning_always_leaves_a_width(wins: list[float]) -> None:
    found = improvement_interval([wins], [[0.0] * len(wins)])
    assert found is not None
    assert found.low < found.high == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [3, 5, 10, 20])
@pytest.mark.parametrize("chance", [0.5, 0.8, 0.95])
def test_the_interval_of_the_chance_covers_at_any_number_of_seeds(seeds: int, chance: float) -> None:
    rng, held, trials = np.random.default_rng(seeds), 0, 2_000
    ahead = math.sqrt(2) * float(scipy.stats.norm.ppf(chance))
    for _ in range(trials):
        found = improvement_interval([ahead + rng.normal(size=seeds)], [rng.normal(size=seeds)])
        assert found is not None
        held += found.low <= chance <= found.high
    assert held / trials >= 0.95


@pytest.mark.slow
def test_of_agents_that_are_all_alike_few_families_show_a_difference() -> None:
    """Six pairs at 5 % each would err in a fifth of all families or more; Holm's stay at 5 %."""
    rng, erred, trials = np.random.default_rng(0), 0, 400
    for _ in range(trials):
        table = compare_all({name: [rng.random(5), rng.random(5)] for name in "abcd"})
        erred += any(pair.adjusted < 0.05 for pair in table.values())
    assert erred / trials <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials)


def test_holm_steps_down_and_never_falls() -> None:
    assert holm([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert holm([]) == []
    p_values = np.random.default_rng(0).random(12) ** 3
    by_hand, highest = {}, 0.0
    for rank, p in enumerate(sorted(p_values)):
        highest = max(highest, min(1.0, (12 - rank) * p))
        by_hand[p] = highest
    assert holm(list(p_values)) == [by_hand[p] for p in p_values]


@pytest.mark.parametrize("p", [-0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=f"got {p}"):
        holm([0.5, p])


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ([], [], "at least one environment"),
        ([[0.5]], [[0.5], [0.5]], "same environments, got 1 and 2"),
        ([[0.5]], [[]], "environment 0 has no score"),
        ([[math.nan]], [[0.5]], "nan in place 0"),
        ([[[0.5]]], [[0.5]], r"shape \[1, 1\]"),
    ],
)
def test_what_cannot_be_compared_is_refused(first: Any, second: Any, says: str) -> None:
    for compare in (
        probability_of_improvement,
        improvement_interval,
        lambda a, b: compare_all({"a": a, "b": b}),
    ):
        with pytest.raises(ValueError, match=says):
            compare(first, second)
