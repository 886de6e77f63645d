"""Best play with memory as a table of (belief, hidden state)."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.pomdp import TabularPOMDP
from bellglass.experiments.scoring.belief_play import belief_play
from bellglass.experiments.scoring.returns import spread_until_the_end, spread_within


def hidden_coin() -> TabularPOMDP:
    """Heads or tails lie hidden; whoever bets on heads wins 1 or loses 1."""
    P = {s: {0: [(1.0, 2, paid, True)]} for s, paid in ((0, 1.0), (1, -1.0))}
    mdp = TabularMDP.from_P({**P, 2: {}}, initial=[0.5, 0.5, 0.0])
    return TabularPOMDP(mdp, np.full((3, 2), 0.5), np.full((3, 2), 0.5))


def test_returns_spread_over_what_is_hidden_not_over_beliefs() -> None:
    """Each bet returns 1 or -1: variance 1.  The table of beliefs pays the mean, 0, for sure.

    Both symbols seen at the start leave the same belief, and their chances add up.
    """
    pomdp = hidden_coin()
    best = bellglass.solve(pomdp, criterion="total")
    table, policy = belief_play(pomdp, best)
    assert table.initial.sum() == pytest.approx(1.0, abs=1e-15)
    assert spread_until_the_end(table, policy) == pytest.approx((0.0, 1.0), abs=1e-12)
    assert spread_until_the_end(best.mdp, best.policy).variance == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", ["TMaze", "LightMaze", "MemoryChain"])
def test_its_mean_is_the_optimum(name: str) -> None:
    pomdp = bellglass.pomdp_of(gym.make(f"bellglass/{name}-v0"))
    best = bellglass.solve(pomdp, criterion="total")
    assert spread_until_the_end(*belief_play(pomdp, best)).mean == pytest.approx(best.start_value, abs=1e-7)


def test_within_a_horizon_the_policy_has_a_row_a_step() -> None:
    pomdp = bellglass.pomdp_of(gym.make("bellglass/Tiger-v0"))
    best = bellglass.solve(pomdp, criterion="finite_horizon", horizon=6)
    table, policy = belief_play(pomdp, best)
    assert policy.shape == (6, table.num_states)
    assert spread_within(table, policy).mean == pytest.approx(best.start_value, abs=1e-9)


def test_a_solution_known_by_its_value_only_is_refused() -> None:
    pomdp = bellglass.pomdp_of(gym.make("bellglass/CryingBaby-v0"))
    best = bellglass.solve(pomdp, 0.995)
    assert best.alpha_vectors is not None
    with pytest.raises(ValueError, match="by its value only"):
        belief_play(pomdp, best)
