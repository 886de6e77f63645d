"""One run: its grid, its regrets, its seeds."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import bellglass  # noqa: F401  # registers the ids
from bellglass.experiments.records import AgentSpec, CurvePoint, EnvironmentSpec, RunSpec, ScoringSpec
from bellglass.experiments.running.run import SNAPSHOTS, agent_seed, grid_of, run
from bellglass.experiments.text import line_of, result_from, result_text

LAKE = RunSpec(
    agent=AgentSpec(name="Q", class_name="QLearning", settings={"epsilon": 0.2}),
    environment=EnvironmentSpec(id="bellglass/FrozenLake-v0", name="lake", steps=2_000),
    scoring=ScoringSpec(criterion="discounted", discount=0.9, horizon=None, points=8),
    seed=0,
)


def with_agent(class_name: str, **settings: Any) -> RunSpec:
    return replace(LAKE, agent=AgentSpec(name=class_name, class_name=class_name, settings=settings))


@pytest.mark.parametrize(("steps", "points"), [(50_000, 50), (7, 7), (100, 3), (5, 1)])
def test_the_grid_is_even_and_ends_with_the_budget(steps: int, points: int) -> None:
    grid = grid_of(steps, points)
    assert len(set(grid)) == len(grid) == points
    assert grid[-1] == steps
    assert max(np.diff([0, *grid])) - min(np.diff([0, *grid])) <= 1


def test_a_curve_has_a_point_at_every_step_of_the_grid_and_tells_each_as_it_comes() -> None:
    seen: list[CurvePoint] = []
    result = run(LAKE, seen.append)
    assert tuple(seen) == result.curve
    assert [point.steps for point in result.curve] == [250 * k for k in range(1, 9)]
    assert result.exact
    for before, after in zip(result.curve, result.curve[1:], strict=False):
        assert after.gap_regret >= before.gap_regret
        assert after.episodes >= before.episodes
    assert all(point.low == point.value == point.high <= result.optimum + 1e-9 for point in result.curve)


def test_equal_specs_make_equal_results_and_other_seeds_others() -> None:
    assert run(LAKE) == run(LAKE)
    assert run(LAKE).curve != run(replace(LAKE, seed=1)).curve


def test_looking_does_not_change_what_is_learned() -> None:
    """A finer grid asks more often and comes to the same end."""
    often = replace(LAKE, scoring=replace(LAKE.scoring, points=200))
    coarse, fine = run(LAKE), run(often)
    assert coarse.policy == fine.policy
    assert coarse.final.value == fine.final.value
    assert coarse.final.gap_regret == fine.final.gap_regret


def test_the_last_value_is_that_of_the_policy_in_the_result() -> None:
    result = run(LAKE)
    assert result.policy is not None
    assert result.values is not None
    assert result.values[0] == pytest.approx(result.final.value, rel=1e-12)
    assert [action for action in result.policy if action == -1] == [-1] * 5  # four holes and the goal


def test_a_planner_has_a_flat_curve_at_the_optimum_and_no_regret() -> None:
    result = run(with_agent("ValueIteration"))
    assert len(set(result.curve)) == len(result.curve) == 8  # the steps differ, and nothing else
    assert len({point.value for point in result.curve}) == 1
    assert result.final.value == pytest.approx(result.optimum, abs=1e-7)
    assert (result.final.gap_regret, result.final.episodic_regret, result.final.episodes) == (0.0, 0.0, 0)
    assert result.floor == 0.0


def test_the_floor_is_what_the_agents_own_discount_costs() -> None:
    clocked = replace(
        with_agent("ValueIteration", discount=0.99),
        scoring=ScoringSpec(criterion="finite_horizon", discount=1.0, horizon=100, points=2),
    )
    result = run(clocked)
    assert result.optimum == pytest.approx(0.7441902878, abs=1e-9)
    assert result.final.value == pytest.approx(0.7401648978, abs=1e-9)
    assert result.optimum - result.final.value == pytest.approx(result.floor, abs=1e-9)


def test_copies_that_step_together_share_the_budget() -> None:
    spec = replace(LAKE, agent=replace(LAKE.agent, num_envs=4))
    result = run(spec)
    assert [point.steps for point in result.curve] == [250 * k for k in range(1, 9)]
    alone = run(LAKE)
    assert 0.5 < result.final.episodes / alone.final.episodes < 2.0
    assert run(spec) == result


def test_a_time_limit_of_the_suite_cuts_episodes() -> None:
    """An agent that only bumps would never end; cut after 10 steps, 2,000 steps are at least 200 episodes."""
    maze = EnvironmentSpec(id="bellglass/TMaze-v0", name="maze", steps=2_000, max_episode_steps=10)
    result = run(replace(LAKE, environment=maze))
    assert result.final.episodes >= 200
    assert result.policy is not None  # a memoryless one, over the hidden states
    assert result.exact


def test_episodes_are_charged_with_the_policies_played_at_the_points_before_and_after() -> None:
    result = run(LAKE)
    regret, episodes, playing = 0.0, 0, None
    for point in result.curve:
        assert point.episodic_regret is not None
        assert point.exploring_value is not None
        if playing is not None:
            mean = (playing + point.exploring_value) / 2
            step = (point.episodes - episodes) * (result.optimum - mean)
            assert point.episodic_regret - regret == pytest.approx(step, abs=1e-9)
        regret, episodes, playing = point.episodic_regret, point.episodes, point.exploring_value


def test_seeds_of_neighbouring_runs_are_strangers() -> None:
    seeds = [agent_seed(seed) for seed in range(100)]
    assert len(set(seeds)) == 100
    assert all(0 <= seed < 2**31 for seed in seeds)


@pytest.mark.slow
def test_gap_regret_and_episodic_regret_agree_on_average() -> None:
    """For a policy that learning does not change; the episode under way at the end is in the former only."""
    env = EnvironmentSpec(id="bellglass/Grid4x4-v0", name="grid", steps=150)
    agent = replace(LAKE.agent, settings={"epsilon": 1.0})
    base = replace(LAKE, agent=agent, environment=env, scoring=replace(LAKE.scoring, points=3))
    differences = []
    for seed in range(600):
        result = run(replace(base, seed=seed))
        assert result.final.episodic_regret is not None
        differences.append(result.final.gap_regret - result.final.episodic_regret)
    error = float(np.std(differences)) / np.sqrt(len(differences))
    mean = float(np.mean(differences))
    assert -3 * error < mean < 3 * error + (result.optimum - result.random)


def test_policies_on_the_way_are_kept_and_their_values_are_those_of_the_curve() -> None:
    result = run(LAKE)
    kept = result.snapshots
    assert kept
    assert len(kept) <= SNAPSHOTS
    steps = [snapshot.steps for snapshot in kept]
    assert steps == sorted(set(steps))
    assert steps[0] == result.curve[0].steps
    assert steps[-1] < result.final.steps
    values = {point.steps: point.value for point in result.curve}
    for snapshot in kept:  # FrozenLake starts in state 0
        assert snapshot.values is not None
        assert snapshot.values[0] == float(f"{values[snapshot.steps]:.6g}")
        assert len(snapshot.policy) == 16
    assert all(before.policy != after.policy for before, after in itertools.pairwise(kept))


def test_a_planner_keeps_one_policy_and_large_tables_none() -> None:
    (only,) = run(with_agent("ValueIteration")).snapshots
    assert only.policy == run(with_agent("ValueIteration")).policy
    large = replace(LAKE.environment, id="bellglass/DeepSea-v0", keywords={"N": 40}, steps=200)
    assert run(replace(LAKE, environment=large)).snapshots == ()


def test_a_result_goes_to_text_and_back_with_its_snapshots() -> None:
    result = run(LAKE)
    curve = "".join(line_of(point) for point in result.curve).encode()
    assert result_from(result_text(result, curve), curve) == result
