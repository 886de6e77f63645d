"""Bounds over beliefs without end: against trees of histories, incremental pruning, and themselves."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.mdp import FloatArray, TabularMDP
from bellglass.envs.pomdp import TabularPOMDP
from bellglass.planning import ToleranceError
from bellglass.planning.pomdp.belief_search import with_clock
from bellglass.planning.pomdp.beliefs import belief_table
from bellglass.planning.pomdp.dense_pomdp import DenseHidden
from bellglass.planning.pomdp.heuristic_search import HeuristicSearch
from bellglass.planning.pomdp.incremental_pruning import Pruner, solve_within_horizon
from bellglass.planning.pomdp.point_based import point_based_bound
from bellglass.planning.pomdp.pomdp_solver import solve_pomdp


def random_pomdp(seed: int, *, ends: bool = False) -> TabularPOMDP:
    """Three states that are seldom sure, two actions of which one may be missing, two observations."""
    rng = np.random.default_rng(seed)
    transition = rng.dirichlet(np.ones(3), size=(3, 2))
    if ends:
        transition[:2, 1] = [0.2, 0.3, 0.5]
    mask = np.ones((3, 2), dtype=np.bool_)
    mask[0, 1] = ends or seed % 2 == 0
    mdp = TabularMDP.from_arrays(
        transition,
        rng.normal(size=(3, 2)),
        initial=[0.6, 0.4, 0],
        action_mask=mask,
        terminal=[2] if ends else None,
    )
    seen = rng.dirichlet(np.ones(2), size=(2, 3))
    return TabularPOMDP(mdp, seen, rng.dirichlet(np.ones(2), size=3))


def tree_value(pomdp: TabularPOMDP, belief: FloatArray, discount: float, steps: int) -> float:
    """The optimum within some steps by trying every history: the definition, in plain recursion."""
    if steps == 0:
        return 0.0
    mdp, best = pomdp.mdp, -np.inf
    possible = (belief > 0) @ mdp.action_mask
    for action in range(pomdp.num_actions):
        if not possible[action]:
            continue
        played = np.where(mdp.action_mask[:, action], action, mdp.lowest_action)
        worth = float(belief @ mdp.expected_reward[np.arange(pomdp.num_states), played])
        chances = pomdp.observation_chances(belief, action)
        for o in np.flatnonzero(chances > 0):
            after = pomdp.update_belief(belief, action, int(o))
            worth += discount * float(chances[o]) * tree_value(pomdp, after, discount, steps - 1)
        best = max(best, worth)
    return best


def start_tree(pomdp: TabularPOMDP, discount: float, steps: int) -> float:
    chances = pomdp.mdp.initial @ pomdp.initial_observation
    return sum(
        float(chances[o]) * tree_value(pomdp, pomdp.initial_belief(int(o)), discount, steps)
        for o in np.flatnonzero(chances > 0)
    )


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3))])
def test_the_search_brackets_what_trying_every_history_finds(seed: int, ends: bool) -> None:
    pomdp, discount, steps = random_pomdp(seed, ends=ends), 0.4, 6
    tail = discount**steps / (1 - discount) * float(np.abs(pomdp.mdp.expected_reward).max())
    by_trying = start_tree(pomdp, discount, steps)
    best = solve_pomdp(pomdp, discount, max_beliefs=40)
    assert best.start_value == pytest.approx(by_trying, abs=tail)
    assert best.bound <= 1e-7


def with_missing_actions(seed: int) -> TabularPOMDP:
    """Four states, three actions of which each of the last three states lacks one, three observations by action."""
    rng = np.random.default_rng(seed)
    mask = np.ones((4, 3), dtype=np.bool_)
    mask[[1, 2, 3], rng.integers(3, size=3)] = False
    transition = rng.dirichlet(np.full(4, 0.5), size=(4, 3))
    mdp = TabularMDP.from_arrays(
        transition, rng.normal(size=(4, 3)), initial=rng.dirichlet(np.ones(4)), action_mask=mask
    )
    return TabularPOMDP(mdp, rng.dirichlet(np.ones(3), size=(3, 4)), rng.dirichlet(np.ones(3), size=4))


@pytest.mark.parametrize("seed", range(8))
def test_where_actions_are_missing_search_and_pruning_find_what_trying_every_history_finds(seed: int) -> None:
    pomdp, steps = with_missing_actions(seed), 3
    expected = start_tree(pomdp, 0.9, steps)
    searched = solve_pomdp(pomdp, 0.9, criterion="finite_horizon", horizon=steps, max_beliefs=1)
    assert "in play" in searched.method
    assert searched.start_value == pytest.approx(expected, abs=1e-9)
    pruned = solve_within_horizon(pomdp, 0.9, steps, 1e-8, True, False)
    assert pruned.start_value == pytest.approx(expected, abs=1e-8)
    finding = HeuristicSearch(with_clock(pomdp, steps), 0.9, steps)
    low, high = (float(finding.model.chances @ bound) for bound in finding.start_bounds())
    assert low <= expected <= high


@pytest.mark.parametrize("seed", range(3))
def test_pruning_and_the_clock_find_what_trying_every_history_finds(seed: int) -> None:
    pomdp = random_pomdp(seed)
    for steps, discount in ((1, 1.0), (4, 1.0), (5, 0.7)):
        expected = start_tree(pomdp, discount, steps)
        pruned = solve_within_horizon(pomdp, discount, steps, 1e-8, True, False)
        assert pruned.start_value == pytest.approx(expected, abs=1e-8)
        assert pruned.alpha_vectors is not None
        middle = pruned.alpha_vectors @ np.array([1 / 3, 1 / 3, 1 / 3])
        assert middle.max() == pytest.approx(tree_value(pomdp, np.full(3, 1 / 3), discount, steps), abs=1e-8)
        timed = with_clock(pomdp, steps)
        assert start_tree(timed, discount, steps + 2) == pytest.approx(expected, abs=1e-12)
        few = solve_pomdp(pomdp, discount, criterion="finite_horizon", horizon=steps, max_beliefs=3)
        assert few.start_value == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("seed", range(4))
def test_the_bounds_hold_at_every_belief_and_only_come_nearer(seed: int) -> None:
    pomdp, discount, steps = random_pomdp(seed), 0.3, 5
    finding = HeuristicSearch(pomdp, discount)
    rng = np.random.default_rng(seed)
    beliefs = np.concatenate([np.eye(3), rng.dirichlet(np.ones(3), size=5)])
    exact = np.array([tree_value(pomdp, b, discount, steps) for b in beliefs])
    tail = discount**steps / (1 - discount) * float(np.abs(pomdp.mdp.expected_reward).max())
    low, high = finding.lower.at(beliefs), finding.upper.at(beliefs)
    for _ in range(6):
        assert (low <= exact + tail).all()
        assert (high >= exact - tail).all()
        finding.trial(1e-6)
        nearer = finding.lower.at(beliefs), finding.upper.at(beliefs)
        assert (nearer[0] >= low - 1e-12).all()
        assert (nearer[1] <= high + 1e-12).all()
        low, high = nearer


def test_beliefs_in_play_are_few_where_all_are_many() -> None:
    """The baby's table closes: feeding begins anew."""
    pomdp = bellglass.pomdp_of(gym.make("bellglass/CryingBaby-v0"))
    best = bellglass.solve(pomdp, 0.9)
    assert "beliefs in play" in best.method
    assert "over 42 beliefs" in best.method
    assert best.bound <= 1e-7
    # Feeding at once is not the best, and priced all the same: it leads back to the start.
    assert best.policy[0] == 1
    assert best.q_values[0, 0] == pytest.approx(-5.0 + 0.9 * best.start_value, abs=1e-7)
    wide = HeuristicSearch(pomdp, 0.9)
    for _ in range(40):
        wide.trial(1e-9)
    low, high = wide.start_bounds()
    assert low.max() - 1e-9 <= best.start_value <= high.min() + 1e-9


def test_what_a_wrong_action_costs_is_the_same_by_search_and_by_enumeration() -> None:
    pomdp = bellglass.pomdp_of(gym.make("bellglass/Tiger-v0"))
    everything = solve_pomdp(pomdp, 0.9)
    few = solve_pomdp(pomdp, 0.9, max_beliefs=20)
    assert everything.beliefs is not None
    assert few.beliefs is not None
    assert "beliefs in play" in few.method
    at = {tuple(np.round(b, 9)): q for b, q in zip(everything.beliefs, everything.q_values, strict=False)}
    for belief, q in zip(few.beliefs, few.q_values, strict=False):
        known = np.isfinite(q)
        assert q[known] == pytest.approx(at[tuple(np.round(belief, 9))][known], abs=1e-5)
    assert np.isfinite(few.q_values[0]).all()


def test_the_tiger_is_worth_the_same_by_search_and_by_enumeration() -> None:
    pomdp = bellglass.pomdp_of(gym.make("bellglass/Tiger-v0"))
    assert solve_pomdp(pomdp, 0.95, max_beliefs=12).start_value == pytest.approx(
        solve_pomdp(pomdp, 0.95).start_value, abs=1e-6
    )


def test_a_search_that_does_not_end_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellglass.planning.pomdp.belief_search.ROUNDS", ((3, 5),))
    pomdp = bellglass.pomdp_of(gym.make("bellglass/Tiger-v0"))
    with pytest.raises(ToleranceError, match="3 trials of heuristic search left") as caught:
        solve_pomdp(pomdp, 0.95, max_beliefs=5)
    best = solve_pomdp(pomdp, 0.95).start_value
    assert caught.value.lower[0] < best < caught.value.upper[0]


def test_few_vectors_are_certified_at_every_belief() -> None:
    pomdp, discount = random_pomdp(3), 0.3
    finding = HeuristicSearch(pomdp, discount)
    first = np.eye(3)
    lower = finding.lower
    found = point_based_bound(
        finding.model, discount, lower.vectors, lower.actions, first, allowed=1e-7, slack=finding.slack
    )
    assert found is not None
    assert 0.0 <= found.excess <= 1e-7
    tail = discount**6 / (1 - discount) * float(np.abs(pomdp.mdp.expected_reward).max())
    for belief in np.random.default_rng(0).dirichlet(np.ones(3), size=5):
        exact = tree_value(pomdp, belief, discount, 6)
        assert (found.vectors @ belief).max() == pytest.approx(exact, abs=tail + 1e-7)


def test_a_long_horizon_is_easy_where_few_vectors_carry_every_step() -> None:
    """The baby's value is the maximum of two lines at each step, found here among all sums of lines on a fine grid."""
    pomdp, horizon = bellglass.pomdp_of(gym.make("bellglass/CryingBaby-v0")), 100
    transition = pomdp.mdp.transition_matrix.toarray().reshape(2, 2, 2).transpose(1, 0, 2)  # [A, S, S]
    hungry = np.linspace(0.0, 1.0, 1_001)
    grid = np.stack([1.0 - hungry, hungry])
    lines = np.zeros((1, 2))
    for _ in range(horizon):
        parts = []
        for a in range(2):
            quiet, cry = ((lines * seen) @ transition[a].T for seen in pomdp.observation_probability.T)
            sums = (quiet[:, None] + cry[None]).reshape(-1, 2)
            parts.append(pomdp.mdp.expected_reward[:, a] + sums)
        lines = np.concatenate(parts)
        lines = lines[np.unique((lines @ grid).argmax(axis=0))]
    starts = (pomdp.mdp.initial[:, None] * pomdp.initial_observation).T  # [O, S]
    best = bellglass.solve(pomdp, criterion="finite_horizon", horizon=horizon)
    assert best.start_value == pytest.approx((starts @ lines.T).max(axis=1).sum(), abs=1e-9)
    assert best.method == "incremental pruning"
    assert best.bound <= 1e-7
    assert best.alpha_vectors is not None
    assert best.alpha_vectors == pytest.approx(lines[np.argsort(lines[:, 0])], abs=1e-9)


def test_a_horizon_too_long_for_every_road_says_how_far_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellglass.planning.pomdp.belief_search.ROUNDS", ((1, 2), (1, 2)))
    monkeypatch.setattr("bellglass.planning.pomdp.incremental_pruning.MOST_PLANS", 2)
    pomdp = bellglass.pomdp_of(gym.make("bellglass/Tiger-v0"))
    with pytest.raises(ToleranceError, match="incremental pruning gave up") as caught:
        solve_pomdp(pomdp, None, criterion="finite_horizon", horizon=6, max_beliefs=3)
    best = solve_pomdp(pomdp, None, criterion="finite_horizon", horizon=6).start_value
    assert caught.value.lower[0] <= best <= caught.value.upper[0]


def test_a_prune_keeps_the_surface_and_counts_its_losses() -> None:
    vectors = np.array([[1.0, 0.0], [0.0, 1.0], [0.4, 0.4], [0.6, 0.6], [0.5, 0.5 - 1e-12], [0.9, -1.0]])
    pruner = Pruner(1e-9)
    assert pruner.prune(vectors).tolist() == [0, 1, 3]
    assert pruner.lost <= 1e-9
    rng = np.random.default_rng(5)
    many = rng.normal(size=(60, 4))
    kept = pruner.prune(many)
    beliefs = rng.dirichlet(np.ones(4), size=2_000)
    assert (many @ beliefs.T).max(axis=0) == pytest.approx((many[kept] @ beliefs.T).max(axis=0), abs=1e-9)
    used = set((many @ rng.dirichlet(np.full(4, 0.5), size=50_000).T).argmax(axis=0).tolist())
    assert used <= set(kept.tolist())


def test_a_vector_that_only_a_dropped_one_covered_costs_both_losses() -> None:
    """The last is covered by the one before, up to .095; that one rises .09 above the first two."""
    vectors = np.array([[9.0, 0.0], [0.0, 1.6], [1.4485, 1.4485], [1.3485, 1.5435]])
    pruner = Pruner(0.2)
    assert pruner.prune(vectors).tolist() == [0, 1]
    p = np.linspace(0.0, 1.0, 10_001)
    beliefs = np.stack([p, 1.0 - p])
    missing = float(((vectors @ beliefs).max(axis=0) - (vectors[:2] @ beliefs).max(axis=0)).max())
    assert 0.15 < missing <= pruner.lost <= pruner.hair


def test_total_and_average_reward_ask_for_few_beliefs() -> None:
    criteria: tuple[Any, ...] = ("total", "average")
    for criterion in criteria:
        with pytest.raises(ValueError, match="more than 10 beliefs can be reached"):
            solve_pomdp(random_pomdp(1), None, criterion=criterion, max_beliefs=10)


def test_dense_arrays_are_those_of_the_belief_update() -> None:
    pomdp = random_pomdp(1)
    model = DenseHidden.of(pomdp)
    belief = np.array([0.2, 0.5, 0.3])
    joint = model.joint(belief[None])[0]
    for action in range(2):
        assert joint[action].sum(axis=1) == pytest.approx(pomdp.observation_chances(belief, action))
        for o in range(2):
            after = joint[action, o] / joint[action, o].sum()
            assert after == pytest.approx(pomdp.update_belief(belief, action, o))
    assert len(belief_table(pomdp, horizon=2).beliefs) > 2


@pytest.mark.slow
def test_pruning_keeps_the_default_tolerance_where_plans_tie_at_every_step() -> None:
    """HiGHS's own tolerance of 1e-7 lost 2e-6 here; all beliefs of 10 steps, enumerated, are the judge."""
    rng = np.random.default_rng(1)
    mdp = TabularMDP.from_arrays(
        rng.dirichlet(np.ones(3), size=(3, 2)), rng.normal(size=(3, 2)), initial=[1, 0, 0]
    )
    pomdp = TabularPOMDP(mdp, rng.dirichlet(np.ones(2), size=3), np.full((3, 2), 0.5))
    pruned = solve_within_horizon(pomdp, 1.0, 10, 1e-8, True, False)
    judge = bellglass.solve(pomdp, criterion="finite_horizon", horizon=10)
    assert judge.method.startswith("backward_induction")
    assert float((pruned.upper - pruned.lower).max()) <= 1e-8 * max(1.0, pruned.start_value)
    assert pruned.start_value == pytest.approx(judge.start_value, abs=1e-7)


def test_how_many_beliefs_may_be_enumerated_can_be_said() -> None:
    tiger = bellglass.pomdp_of(gym.make("bellglass/Tiger-v0"))
    with pytest.raises(ValueError, match="more than 10 beliefs can be reached"):
        bellglass.solve(tiger, criterion="average", max_beliefs=10)
    with pytest.raises(ValueError, match="max_beliefs must be at least 1, got 0"):
        bellglass.solve(tiger, criterion="average", max_beliefs=0)
