"""Belief tables, against the belief update, closed forms, and a tiger."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.pomdp import TabularPOMDP
from bellglass.planning import ToleranceError
from bellglass.planning.pomdp.beliefs import belief_table
from bellglass.planning.pomdp.pomdp_solver import solve_pomdp, widened_by_merging


def tiger() -> TabularPOMDP:
    """Kaelbling, Littman and Cassandra (1998), 5.1: listen, open left, open right; opening starts anew."""
    transition = np.full((2, 3, 2), 0.5)
    transition[:, 0] = np.eye(2)
    reward = np.array([[-1.0, -100.0, 10.0], [-1.0, 10.0, -100.0]])
    mdp = TabularMDP.from_arrays(transition, reward, initial=[0.5, 0.5])
    heard = np.full((3, 2, 2), 0.5)
    heard[0] = [[0.85, 0.15], [0.15, 0.85]]
    return TabularPOMDP(mdp, heard, np.full((2, 2), 0.5))


@pytest.mark.parametrize("length", [1, 3, 10])
def test_the_t_maze_has_one_value_in_closed_form(length: int) -> None:
    pomdp = bellglass.pomdp_of(gym.make("bellglass/TMaze-v0", N=length))
    best = solve_pomdp(pomdp, 0.98)
    assert best.start_value == pytest.approx(4 * 0.98**length, abs=1e-7)
    assert len(belief_table(pomdp).beliefs) == 2 * (length + 1)


def test_every_row_of_the_table_is_the_belief_update() -> None:
    pomdp = bellglass.pomdp_of(gym.make("bellglass/TMaze-v0", N=3))
    table = belief_table(pomdp)
    for b, belief in enumerate(table.beliefs):
        for a in range(pomdp.num_actions):
            chances = pomdp.observation_chances(belief, a)
            found = sorted(
                (round(p, 12), tuple(np.round(table.beliefs[target], 12)))
                for p, target, _, ended in table.mdp.P[b][a]
                if not ended
            )
            expected = sorted(
                (round(float(chances[o]), 12), tuple(np.round(pomdp.update_belief(belief, a, int(o)), 12)))
                for o in np.flatnonzero(chances > 0)
            )
            assert found == expected


def test_the_tiger_listens_once_and_then_twice() -> None:
    """By hand: one step is worth -1 (listen); two steps are worth -2; listening never pays within two."""
    assert solve_pomdp(tiger(), None, criterion="finite_horizon", horizon=1).start_value == pytest.approx(
        -1.0
    )
    assert solve_pomdp(tiger(), None, criterion="finite_horizon", horizon=2).start_value == pytest.approx(
        -2.0
    )
    # Twice the same ear: .85^2 / (.85^2 + .15^2) = .9698; opening is worth 10 - 110 * .0302 = 6.68, so three
    # steps are worth -2 + .745 * 6.68 + .255 * (-1).
    right = 0.85**2 / (0.85**2 + 0.15**2)
    same = 0.85**2 + 0.15**2
    by_hand = -2 + same * (10 * right - 100 * (1 - right)) + (1 - same) * -1
    found = solve_pomdp(tiger(), None, criterion="finite_horizon", horizon=3).start_value
    assert found == pytest.approx(by_hand, abs=1e-9)


def test_a_belief_remembers_how_far_apart_merged_histories_were() -> None:
    table = belief_table(tiger(), horizon=6)
    assert 0.0 <= table.merged < 1e-11
    assert np.allclose(table.beliefs.sum(axis=1), 1.0)


def test_bounds_hold_for_the_belief_that_was_merged_into_another() -> None:
    """At (.5, .5) gains and losses of 1000 cancel: the values of beliefs say nothing of what a distance may cost."""
    mdp = TabularMDP.from_arrays(np.eye(2)[:, None], np.array([[1000.0], [-1000.0]]), initial=[0.5, 0.5])
    pomdp = TabularPOMDP(mdp, np.ones((2, 1)), np.ones((2, 1)))
    table = belief_table(pomdp)
    best = widened_by_merging(
        bellglass.solve(table.mdp, discount=0.5), replace(table, merged=2e-9), pomdp, 1e-4, True
    )
    other = 2.0 * 1000.0 * 2e-9  # of (.5 + 1e-9, .5 - 1e-9), for ever
    assert best.values is not None
    assert best.values[0] == pytest.approx(0.0, abs=1e-12)
    assert best.lower[0] <= -other < other <= best.upper[0] <= 2.1 * other


def test_too_many_beliefs_are_an_error_that_says_how_far_it_got() -> None:
    rng = np.random.default_rng(0)
    transition = rng.dirichlet(np.ones(3), size=(3, 2))
    mdp = TabularMDP.from_arrays(transition, rng.normal(size=(3, 2)), initial=[1, 0, 0])
    noisy = TabularPOMDP(mdp, rng.dirichlet(np.ones(2), size=3), rng.dirichlet(np.ones(2), size=3))
    with pytest.raises(ValueError, match=r"more than 50 beliefs .* within \d+ steps"):
        belief_table(noisy, max_beliefs=50)


def test_what_is_seen_after_an_unavailable_action_is_what_the_played_one_shows() -> None:
    """State 0 has action 0 only, whose observation tells the state; action 1's tells nothing."""
    P = {0: {0: [(0.5, 0, 0.0, False), (0.5, 1, 0.0, False)], 1: []}, 1: {0: [(1.0, 0, 0.0, False)]}}
    P[1][1] = [(0.5, 0, 1.0, False), (0.5, 1, 1.0, False)]
    mdp = TabularMDP.from_P(P, initial=[0.5, 0.5])
    seen = np.array([np.eye(2), np.full((2, 2), 0.5)])
    pomdp = TabularPOMDP(mdp, seen, np.full((2, 2), 0.5))
    table = belief_table(pomdp, horizon=1)
    (start,) = np.flatnonzero(table.mdp.initial)
    rows = {target: p for p, target, _, _ in table.mdp.P[int(start)][1]}
    for o in range(2):
        after = pomdp.update_belief([0.5, 0.5], 1, o)
        (target,) = np.flatnonzero((np.abs(table.beliefs - after) < 1e-12).all(axis=1))
        assert rows[int(target)] == pytest.approx(pomdp.observation_chances([0.5, 0.5], 1)[o])


def test_the_face_solves_what_hides_its_state() -> None:
    env = gym.make("bellglass/TMaze-v0", N=2)
    best = bellglass.solve(env, discount=0.9)
    assert best.start_value == pytest.approx(4 * 0.81, abs=1e-7)
    assert best.beliefs is not None
    assert best.beliefs.shape == (6, bellglass.table_of(env).num_states)


def test_bounds_that_merging_widens_beyond_the_tolerance_are_refused() -> None:
    """Long listening makes beliefs of the tiger agree to thirteen decimals; what that may change is in the bounds."""
    tiger = bellglass.pomdp_of(gym.make("bellglass/Tiger-v0"))
    best = bellglass.solve(tiger, 0.999)
    assert 0 < float((best.upper - best.lower).max()) <= 1e-8 * float(np.abs(best.lower).max())
    with pytest.raises(ToleranceError, match="a tolerance of 1e-12") as caught:
        bellglass.solve(tiger, 0.95, tolerance=1e-12)
    assert (caught.value.lower < caught.value.upper).all()


@pytest.mark.parametrize("nothing", ["FrozenLake", 3, None])
def test_what_is_no_environment_lays_no_table_open(nothing: Any) -> None:
    with pytest.raises(
        TypeError, match=f"table_of needs a Gymnasium environment, got {type(nothing).__name__}"
    ):
        bellglass.table_of(nothing)
    with pytest.raises(
        TypeError, match=f"pomdp_of needs a Gymnasium environment, got {type(nothing).__name__}"
    ):
        bellglass.pomdp_of(nothing)
