"""Garnet: what is drawn is as the definition says, and by its seed."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import scipy.stats

from bellglass.envs import table_of
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.synthetic.garnet import different_numbers


def garnet(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/Garnet-v0", **keywords))


@pytest.mark.parametrize("branching", [1, 2, 7, 30])
def test_each_action_leads_to_that_many_different_states(branching: int) -> None:
    mdp = garnet(num_states=30, num_actions=5, branching=branching)
    assert np.diff(mdp.first_outcome).tolist() == [branching] * 150
    targets = mdp.next_state.reshape(150, branching)
    assert (np.diff(targets, axis=1) > 0).all()
    assert not mdp.terminated.any()
    assert mdp.initial.tolist() == [1 / 30] * 30
    rewards = mdp.reward.reshape(150, branching)
    assert (rewards == rewards[:, :1]).all()


def test_every_set_of_next_states_is_equally_likely() -> None:
    drawn = different_numbers(np.random.default_rng(1), 20_000, 3, below=5)
    seen = Counter(map(tuple, drawn.tolist()))
    assert set(seen) == set(combinations(range(5), 3))
    assert scipy.stats.chisquare(list(seen.values())).pvalue > 1e-3


def test_chances_are_the_parts_of_a_broken_stick_and_rewards_are_normal() -> None:
    mdp = garnet(num_states=500, branching=3)
    first = mdp.probability.reshape(-1, 3)
    for part in range(3):  # each part of a stick that two cuts break has the distribution 1 - (1 - x)**2
        assert scipy.stats.kstest(first[:, part], lambda x: 1 - (1 - x) ** 2).pvalue > 1e-3
    assert scipy.stats.kstest(mdp.reward[::3], "norm").pvalue > 1e-3


def test_sparsity_counts_the_pairs_that_pay_nothing() -> None:
    for sparsity, unpaid in ((0.0, 0), (0.9, 72), (1.0, 80)):
        mdp = garnet(sparsity=sparsity, branching=1)
        assert int((mdp.reward == 0.0).sum()) == unpaid


def test_the_seed_makes_the_table() -> None:
    assert garnet(model_seed=3).fingerprint == garnet(model_seed=3).fingerprint
    assert garnet(model_seed=3).fingerprint != garnet(model_seed=4).fingerprint


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"num_states": 0}, ValueError, "num_states must be at least 1, got 0"),
        ({"num_actions": 1.5}, TypeError, "num_actions must be a whole number at least 1, got 1.5"),
        ({"branching": 21}, ValueError, r"branching must be in \[1, 20\], got 21"),
        ({"sparsity": -0.1}, ValueError, r"sparsity must be in \[0, 1\], got -0.1"),
        ({"model_seed": -1}, ValueError, "model_seed must be at least 0, got -1"),
        ({"num_states": 10**9, "branching": 1000}, ValueError, "GiB of memory"),
    ],
)
def test_settings_out_of_range_are_refused(
    keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        garnet(**keywords)
