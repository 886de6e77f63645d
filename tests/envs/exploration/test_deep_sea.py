"""DeepSea: rows by hand, its closed form, and actions swapped by a coin."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import after_backups

from bellglass.envs import table_of
from bellglass.envs.exploration.deep_sea import closed_form_start_value
from bellglass.envs.mdp import TabularMDP


def sea(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/DeepSea-v0", **keywords))


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = sea(N=2, move_cost=0.5)
    assert {s: mdp.P[s] for s in range(4)} == {
        0: {0: [(1.0, 2, 0.0, False)], 1: [(1.0, 3, -0.25, False)]},
        1: {0: [(1.0, 2, 0.0, False)], 1: [(1.0, 3, 0.75, False)]},
        2: {0: [(1.0, 4, 0.0, True)], 1: [(1.0, 4, -0.25, True)]},
        3: {0: [(1.0, 4, 0.0, True)], 1: [(1.0, 4, 0.75, True)]},
    }
    assert np.flatnonzero(mdp.terminal).tolist() == [4]
    assert mdp.state_labels == ((0, 0), (0, 1), (1, 0), (1, 1), "end")


def test_right_may_fail_and_pays_all_the_same() -> None:
    mdp = sea(N=4, stochastic=True, move_cost=0.4)
    assert mdp.P[0][1] == [(0.75, 5, -0.1, False), (0.25, 4, -0.1, False)]
    assert mdp.P[0][0] == [(1.0, 4, 0.0, False)]


@pytest.mark.parametrize("discount", [1.0, 0.9, 0.5])
@pytest.mark.parametrize("N", [2, 5, 12])
@pytest.mark.parametrize("move_cost", [0.0, 0.01, 2.0])
@pytest.mark.parametrize("stochastic", [False, True])
def test_the_closed_form_is_the_optimum(N: int, move_cost: float, discount: float, stochastic: bool) -> None:
    expected = closed_form_start_value(N, stochastic=stochastic, move_cost=move_cost, discount=discount)
    mdp = sea(N=N, stochastic=stochastic, move_cost=move_cost)
    assert after_backups(mdp, discount, N)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("N", "value"), [(10, 0.380907273401), (20, 0.370938461759)])
def test_failures_cost_what_is_known(N: int, value: float) -> None:
    assert after_backups(sea(N=N, stochastic=True), 1.0, N)[0] == pytest.approx(value, abs=1e-10)


def test_swapped_actions_change_names_only() -> None:
    plain, swapped, other = sea(), sea(randomize_actions=True), sea(randomize_actions=True, model_seed=1)
    assert after_backups(swapped, 1.0, 10) == pytest.approx(after_backups(plain, 1.0, 10), abs=1e-15)
    differing = [s for s in range(100) if swapped.P[s] != plain.P[s]]
    assert all(swapped.P[s] == {0: plain.P[s][1], 1: plain.P[s][0]} for s in differing)
    assert 30 < len(differing) < 70
    assert len({mdp.fingerprint for mdp in (plain, swapped, other)}) == 3
    assert sea(randomize_actions=True).fingerprint == swapped.fingerprint


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"N": 1}, "N must be at least 2, got 1"),
        ({"move_cost": -1.0}, "move_cost must be at least 0, got -1.0"),
        ({"model_seed": -1}, "model_seed must be at least 0, got -1"),
    ],
)
def test_settings_out_of_range_are_refused(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        sea(**keywords)
