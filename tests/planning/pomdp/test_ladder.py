"""What information is worth: the rungs, against brute force, closed forms and the literature's example."""

from __future__ import annotations

from itertools import product

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.pomdp import TabularPOMDP
from bellglass.planning.pomdp.ladder import ObservationNodes, _Search, information_ladder


def aliased_pair(initial: tuple[float, float] = (1.0, 0.0)) -> TabularPOMDP:
    """Singh, Jaakkola and Jordan (1994), figure 1: two states look alike; changing earns 1, staying -1."""
    P = {
        0: {0: [(1.0, 1, 1.0, False)], 1: [(1.0, 0, -1.0, False)]},
        1: {0: [(1.0, 1, -1.0, False)], 1: [(1.0, 0, 1.0, False)]},
    }
    return TabularPOMDP(TabularMDP.from_P(P, initial=initial), np.ones((2, 1)), np.ones((2, 1)))


def random_pomdp(seed: int, *, by_action: bool) -> TabularPOMDP:
    """Four states that end with some chance, two observations that tell little, another look at reset."""
    rng = np.random.default_rng(seed)
    transition = np.zeros((5, 2, 5))
    transition[:4] = rng.dirichlet(np.full(5, 0.5), size=(4, 2))
    mdp = TabularMDP.from_arrays(
        transition, rng.normal(size=(5, 2)), terminal=[4], initial=[0.5, 0.5, 0, 0, 0]
    )
    seen = rng.dirichlet(np.ones(2), size=(2, 5) if by_action else 5)
    return TabularPOMDP(mdp, seen, rng.dirichlet(np.ones(2), size=5))


def test_chance_and_memory_help_where_states_look_alike() -> None:
    rungs = information_ladder(aliased_pair(), 0.9)
    assert rungs.reactive == pytest.approx(-8.0, abs=1e-9)
    # A fair coin is worth 0 from both states.  From the first one, a coin of bias x is worth x (.1 - .9 x) / .1
    # (both states go on alike, so their values differ by 2 x): at best 1/36, for x = 1/18.
    assert rungs.reactive_stochastic[0] == pytest.approx(1 / 36, abs=1e-9)
    assert rungs.memory == pytest.approx(10.0, abs=1e-6)
    assert rungs.observed == pytest.approx(10.0, abs=1e-6)


def test_the_fair_coin_is_the_best_where_both_states_are_as_likely() -> None:
    """A coin of bias x earns 1 - 2 x less in one state than in the other: (V1 + V2) / 2 = -.9 (1 - 2 x)**2 / .1."""
    rungs = information_ladder(aliased_pair((0.5, 0.5)), 0.9)
    assert rungs.reactive_stochastic[0] == pytest.approx(0.0, abs=1e-12)
    assert rungs.reactive == pytest.approx(-9.0, abs=1e-9)
    assert rungs.memory == pytest.approx(9.0, abs=1e-6)  # after the first step it is known where one is


@pytest.mark.parametrize("length", [2, 10])
def test_the_t_maze_without_memory_can_only_guess(length: int) -> None:
    rungs = information_ladder(bellglass.pomdp_of(gym.make("bellglass/TMaze-v0", N=length)), 0.98)
    assert rungs.reactive == pytest.approx(1.95 * 0.98**length, abs=1e-7)
    assert rungs.memory == pytest.approx(4 * 0.98**length, abs=1e-7)
    assert rungs.observed == pytest.approx(4 * 0.98**length, abs=1e-7)
    lower, upper = rungs.reactive_stochastic
    assert rungs.reactive <= lower <= upper <= rungs.memory + 1e-7


@pytest.mark.parametrize("by_action", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_branch_and_bound_finds_what_trying_everything_finds(seed: int, by_action: bool) -> None:
    pomdp = random_pomdp(seed, by_action=by_action)
    search = _Search(ObservationNodes(pomdp), 0.9)
    everything = max(search.start_value(np.eye(2)[list(policy)]) for policy in product(range(2), repeat=2))
    best, policy = search.best_deterministic(1_000, enough=np.inf)
    assert best == pytest.approx(everything, abs=1e-12)
    assert search.start_value(np.eye(2)[policy]) == best


@pytest.mark.slow
@pytest.mark.parametrize("by_action", [False, True])
def test_the_value_of_a_memoryless_policy_is_its_sampled_return(by_action: bool) -> None:
    """An independent road: walk the hidden table, draw what is seen, and average."""
    pomdp = random_pomdp(7, by_action=by_action)
    mdp, seen = pomdp.mdp, pomdp.by_action
    policy = np.array([[0.9, 0.1], [0.2, 0.8]])
    exact = _Search(ObservationNodes(pomdp), 0.8).start_value(policy)
    rng = np.random.default_rng(1)
    returns = []
    for _ in range(4_000):
        s, weight, total = int(rng.choice(5, p=mdp.initial)), 1.0, 0.0
        o = int(rng.choice(2, p=pomdp.initial_observation[s]))
        for _ in range(60):
            a = int(rng.choice(2, p=policy[o]))
            rows = mdp.P[s][a]
            _, s, r, ended = rows[rng.choice(len(rows), p=[row[0] for row in rows])]
            total, weight = total + weight * r, weight * 0.8
            if ended:
                break
            o = int(rng.choice(2, p=seen[a, s]))
        returns.append(total)
    error = float(np.std(returns)) / np.sqrt(len(returns))
    assert abs(float(np.mean(returns)) - exact) < 4 * error


def test_the_rungs_never_go_down() -> None:
    rungs = information_ladder(bellglass.pomdp_of(gym.make("bellglass/TMaze-v0", N=4)), 0.9)
    lower, upper = rungs.reactive_stochastic
    assert rungs.reactive <= lower <= upper
    assert lower <= rungs.memory + 1e-9 <= rungs.observed + 1e-8


def test_a_search_that_outgrows_its_limit_says_what_it_has() -> None:
    with pytest.raises(ValueError, match=r"more than 2 partial policies .* the best of them so far"):
        information_ladder(bellglass.pomdp_of(gym.make("bellglass/TMaze-v0")), 0.98, max_policies=2)


def test_a_discount_of_one_is_for_tables_that_end() -> None:
    with pytest.raises(ValueError, match=r"from state 0 \(0\) some policy goes on for ever"):
        information_ladder(aliased_pair(), 1.0)
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\], got 1.5"):
        information_ladder(aliased_pair(), 1.5)
    dice = bellglass.pomdp_of(gym.make("bellglass/MemoryChain-v0", N=2, bits=2))
    rungs = information_ladder(dice, 1.0)
    assert (rungs.reactive, rungs.memory, rungs.observed) == pytest.approx((0.0, 1.0, 1.0))


@pytest.mark.parametrize("seed", range(4))
def test_actions_that_change_nothing_but_rewards_need_no_search(seed: int) -> None:
    """Each observation has its own best action; branch and bound, which does not know, finds the same."""
    rng = np.random.default_rng(seed)
    transition = np.repeat(rng.dirichlet(np.ones(4), size=(4, 1)), 3, axis=1)
    mdp = TabularMDP.from_arrays(transition, rng.normal(size=(4, 3)), initial=[1, 0, 0, 0])
    pomdp = TabularPOMDP(mdp, rng.dirichlet(np.ones(3), size=4), rng.dirichlet(np.ones(3), size=4))
    search = _Search(ObservationNodes(pomdp), 0.8)
    assert search.is_uncontrolled()
    value, policy = search.best_of_each_observation()
    assert value == pytest.approx(search.best_deterministic(1_000, enough=np.inf)[0], abs=1e-10)
    assert search.start_value(np.eye(3)[policy]) == pytest.approx(value, abs=1e-10)
