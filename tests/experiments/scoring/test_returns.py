"""How returns spread: by hand, by listing every episode, and by the closed form of a geometric wait."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bellglass.envs.mdp import TabularMDP
from bellglass.experiments.scoring.returns import spread_until_the_end, spread_within


def coin(win: float) -> TabularMDP:
    """One flip pays 1 with chance `win` and ends."""
    return TabularMDP.from_P({0: {0: [(win, 1, 1.0, True), (1 - win, 1, 0.0, True)]}, 1: {}}, initial=[1, 0])


def gamble(rng: np.random.Generator) -> TabularMDP:
    """Three states, two actions; rewards of both signs, ends among the outcomes."""

    def outcomes() -> list[tuple[float, int, float, bool]]:
        chances = rng.dirichlet(np.ones(3))
        ends = (False, False, True)
        return [
            (float(p), int(rng.integers(3)), float(rng.normal()), end)
            for p, end in zip(chances, ends, strict=True)
        ]

    return TabularMDP.from_P(
        {s: {a: outcomes() for a in range(2)} for s in range(3)}, initial=[0.5, 0.3, 0.2], normalise=True
    )


def listed(mdp: TabularMDP, policy: np.ndarray) -> tuple[float, float]:
    """Mean and variance over every episode of len(policy) steps, one by one."""
    episodes = [(float(p), s, 0.0, False) for s, p in enumerate(mdp.initial)]
    for rule in policy:
        longer = []
        for p, s, total, over in episodes:
            if over:
                longer.append((p, s, total, True))
                continue
            for q, target, reward, ends in mdp.P[s][int(rule[s])]:
                longer.append((p * q, target, total + reward, ends))
        episodes = longer
    mean = sum(p * total for p, _, total, _ in episodes)
    return mean, sum(p * (total - mean) ** 2 for p, _, total, _ in episodes)


def test_a_coin_spreads_as_bernoulli_said() -> None:
    rule = np.zeros(2, dtype=np.int64)
    for found in (spread_until_the_end(coin(0.3), rule), spread_within(coin(0.3), rule[None])):
        assert found == pytest.approx((0.3, 0.3 * 0.7), abs=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_within_a_horizon_it_is_the_list_of_all_episodes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mdp = gamble(rng)
    policy = rng.integers(2, size=(5, 3))
    assert spread_within(mdp, policy) == pytest.approx(listed(mdp, policy), rel=1e-12)


def test_until_the_end_it_is_the_limit_of_long_horizons() -> None:
    mdp = gamble(np.random.default_rng(9))
    rule = np.array([0, 1, 0])
    long = spread_within(mdp, np.tile(rule, (400, 1)))
    assert spread_until_the_end(mdp, rule) == pytest.approx(long, rel=1e-10)


@pytest.mark.parametrize("chance", [0.5, 0.01])
def test_the_wait_for_an_end_is_geometric(chance: float) -> None:
    wait = TabularMDP.from_P(
        {0: {0: [(chance, 1, -1.0, True), (1 - chance, 0, -1.0, False)]}, 1: {}}, initial=[1, 0]
    )
    found = spread_until_the_end(wait, np.zeros(2, dtype=np.int64))
    assert found == pytest.approx((-1 / chance, (1 - chance) / chance**2), rel=1e-10)


def test_the_starts_spread_too() -> None:
    """From state s the return is s for sure; s is 0 or 4, equally likely."""
    ends = {s: {0: [(1.0, 2, 4.0 * s, True)]} for s in range(2)}
    mdp = TabularMDP.from_P({**ends, 2: {}}, initial=[0.5, 0.5, 0.0])
    assert spread_until_the_end(mdp, np.zeros(3, dtype=np.int64)) == (2.0, 4.0)


def test_resting_for_nothing_is_no_obstacle_but_being_paid_for_ever_is() -> None:
    def room(reward: float) -> TabularMDP:
        return TabularMDP.from_P(
            {0: {0: [(0.5, 1, 3.0, False), (0.5, 1, 1.0, False)]}, 1: {0: [(1.0, 1, reward, False)]}},
            initial=[1, 0],
        )

    rule = np.zeros(2, dtype=np.int64)
    assert spread_until_the_end(room(0.0), rule) == pytest.approx((2.0, 1.0), abs=1e-12)
    with pytest.raises(ValueError, match="rewards go on for ever from state 0"):
        spread_until_the_end(room(-1.0), rule)


def test_large_returns_that_vary_little_keep_their_variance() -> None:
    """1e8 for sure, then a coin for 1: squares of whole returns would lose the quarter."""
    mdp = TabularMDP.from_P(
        {
            0: {0: [(1.0, 1, 1e8, False)]},
            1: {0: [(0.5, 2, 1.0, True), (0.5, 2, 0.0, True)]},
            2: {},
        },
        initial=[1, 0, 0],
    )
    found = spread_until_the_end(mdp, np.zeros(3, dtype=np.int64))
    assert math.isclose(found.variance, 0.25, rel_tol=1e-6)


def test_two_policies_of_one_mean_may_spread_differently() -> None:
    safe_or_not = TabularMDP.from_P(
        {0: {0: [(1.0, 1, 1.0, True)], 1: [(0.5, 1, 0.0, True), (0.5, 1, 2.0, True)]}, 1: {}}, initial=[1, 0]
    )
    variances = [spread_until_the_end(safe_or_not, np.array([a, 0])).variance for a in range(2)]
    assert variances == [0.0, 1.0]
    assert [spread_within(safe_or_not, np.array([[a, 0]])) for a in range(2)] == [(1.0, 0.0), (1.0, 1.0)]
