"""The regret meter, against sums worked by hand."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import bellglass  # noqa: F401  # registers the ids
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.tabular import TabularEnv
from bellglass.envs.vector import TabularVectorEnv
from bellglass.experiments.scoring.meter import Gaps, RegretMeter, VectorRegretMeter

#: Two cells and an end: action 1 goes on, action 0 waits and costs 1; in cell 1 only action 1 is available.
WALK = TabularMDP.from_function(
    lambda s, a: [] if s == 2 or (s, a) == (1, 0) else [(1.0, s + a, -1.0 if a == 0 else 0.0)],
    states=range(3),
    actions=[0, 1],
)

#: V*(s) - q*(s, a): waiting in cell 0 costs 1, and in cell 1 it is played as going on.
COST = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])


def test_costs_come_from_values_and_q_values() -> None:
    q_values = np.array([[-1.0, 0.0], [-np.inf, 0.0], [-np.inf, -np.inf]])
    gaps = Gaps.of(np.zeros(3), q_values, WALK.lowest_action, WALK.action_mask, 0.5)
    np.testing.assert_array_equal(gaps.cost, COST)


def test_rounding_never_earns_anything() -> None:
    gaps = Gaps.of(
        np.zeros(3), np.full((3, 2), 1e-15), WALK.lowest_action, np.ones((3, 2), dtype=np.bool_), 0.5
    )
    assert (gaps.cost == 0).all()


def test_each_step_weighs_by_the_clock_of_its_episode() -> None:
    meter = RegretMeter(TabularEnv(WALK), Gaps(COST, 0.5))
    for _ in range(2):  # wait, wait, go, and in cell 1 the unavailable action: 1 + 1/2
        meter.reset(seed=0)
        for action in (0, 0, 1, 0):
            _, _, terminated, _, _ = meter.step(action)
        assert terminated
    assert meter.total == 3.0
    assert meter.episodes == 2


def test_under_a_finite_horizon_costs_are_those_of_the_steps_left() -> None:
    timed = np.stack([COST, 0.25 * COST])
    meter = RegretMeter(TabularEnv(WALK), Gaps(timed, 1.0))
    meter.reset(seed=0)
    for _ in range(5):
        meter.step(0)
    assert meter.total == 1.25  # beyond the horizon nothing is left to lose


def test_an_episode_cut_by_a_clock_counts_as_one() -> None:
    env = gym.wrappers.TimeLimit(TabularEnv(WALK), 3)
    meter = RegretMeter(env, Gaps(COST, 1.0))
    meter.reset(seed=0)
    for _ in range(3):
        meter.step(0)
    assert (meter.episodes, meter.total) == (1, 3.0)


def play(mode: AutoresetMode, actions: list[list[int]]) -> VectorRegretMeter:
    meter = VectorRegretMeter(TabularVectorEnv(WALK, 2, autoreset_mode=mode), Gaps(COST, 0.5))
    meter.reset(seed=0)
    for row in actions:
        _, _, terminated, truncated, _ = meter.step(np.array(row))
        ended = terminated | truncated
        if mode is AutoresetMode.DISABLED and ended.any():
            meter.reset(options={"reset_mask": ended})
    return meter


def test_the_step_that_only_resets_costs_nothing() -> None:
    """Copy 0 waits all the time: 1 + 1/2 + 1/4 + 1/8 + 1/16; copy 1 goes, goes, is reset, waits, waits."""
    meter = play(AutoresetMode.NEXT_STEP, [[0, 1], [0, 1], [0, 0], [0, 0], [0, 0]])
    assert meter.total == 1.9375 + 1.5
    assert meter.episodes == 1


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_without_a_dummy_step_the_next_step_begins_the_next_episode(mode: AutoresetMode) -> None:
    meter = play(mode, [[0, 1], [0, 1], [0, 0], [0, 0]])
    assert meter.total == 1.875 + 1.5
    assert meter.episodes == 1


def test_many_side_by_side_and_one_alone_meter_the_same() -> None:
    mdp = gym.make("bellglass/FrozenLake-v0").get_wrapper_attr("mdp")
    cost = np.random.default_rng(0).random((mdp.num_states, mdp.num_actions))
    alone = RegretMeter(TabularEnv(mdp), Gaps(cost, 0.9))
    beside = VectorRegretMeter(TabularVectorEnv(mdp, 1), Gaps(cost, 0.9))
    generator = np.random.default_rng(1)
    alone.reset(seed=3)
    beside.reset(seed=3)
    over: Any = False
    for _ in range(300):
        action = int(generator.integers(4))
        dummy = over
        _, _, terminated, truncated, _ = beside.step(np.array([action]))
        over = bool(terminated[0] or truncated[0])
        if dummy:
            alone.reset()
        else:
            alone.step(action)
        if not over:
            assert alone.unwrapped.state == beside._states[0]  # type: ignore[attr-defined]
        assert alone.total == pytest.approx(beside.total, rel=1e-12)
    assert alone.episodes == beside.episodes > 5
