"""Agents with memory, followed through every history: against closed forms and against sampled episodes."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.memories import Counts, Parity, noisy

import bellglass  # noqa: F401  # registers the ids
from bellglass.envs.pomdp import TabularPOMDP, TabularPOMDPEnv, pomdp_of
from bellglass.experiments.records import ScoringSpec
from bellglass.planning.pomdp.history_evaluation import HistoryEvaluator

DISCOUNTED = ScoringSpec(criterion="discounted", discount=0.9, horizon=None, points=1)


class Remembers:
    """Walks to the junction of the T-maze and turns as the first signal said (0 up, 1 down)."""

    def predict(  # noqa: D102
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        assert deterministic
        seen = np.asarray(observation)
        signal = np.where(episode_start, seen, 0 if state is None else state[0])
        turn = np.where(signal == 0, 0, 2)
        return np.where(seen == 3, turn, 1), (signal,)


def follow(pomdp: TabularPOMDP, scoring: ScoringSpec, agent: Any) -> tuple[float, float]:
    assert scoring.discount is not None
    follower = HistoryEvaluator(
        pomdp, scoring.discount, criterion=scoring.criterion, horizon=scoring.horizon, width=1e-4
    )
    return follower.interval(agent)


@pytest.mark.parametrize("length", [1, 10])
def test_who_remembers_the_signal_gets_the_optimum_of_the_t_maze(length: int) -> None:
    pomdp = pomdp_of(gym.make("bellglass/TMaze-v0", N=length))
    low, high = follow(pomdp, DISCOUNTED, Remembers())
    assert low == high == pytest.approx(4.0 * 0.9**length, rel=1e-12)


def test_who_bumps_for_ever_gets_an_interval_around_the_geometric_sum() -> None:
    low, high = follow(pomdp_of(gym.make("bellglass/TMaze-v0")), DISCOUNTED, Counts(0))
    assert low <= -0.1 / (1.0 - 0.9) <= high
    assert high - low < 1e-3


def test_a_finite_horizon_ends_the_sum_exactly() -> None:
    scoring = ScoringSpec(criterion="finite_horizon", discount=1.0, horizon=7, points=1)
    low, high = follow(pomdp_of(gym.make("bellglass/TMaze-v0")), scoring, Counts(0))
    assert low == high == pytest.approx(-0.7, rel=1e-12)


@pytest.mark.parametrize("by_action", [False, True])
def test_the_mean_of_sampled_episodes_lies_in_the_interval(by_action: bool) -> None:
    pomdp = noisy(by_action=by_action)
    scoring = ScoringSpec(criterion="finite_horizon", discount=0.8, horizon=6, points=1)
    low, high = follow(pomdp, scoring, Parity())
    assert low == pytest.approx(high, rel=1e-12)
    env = TabularPOMDPEnv(pomdp)
    returns = []
    for episode in range(4000):
        observation, _ = env.reset(seed=0 if episode == 0 else None)
        seen, total = 1, 0.0
        for t in range(6):
            seen = 2 * seen + int(observation)
            observation, reward, _, _, _ = env.step(np.int64(seen.bit_count() % 2))
            total += 0.8**t * float(reward)
        returns.append(total)
    error = np.std(returns) / np.sqrt(len(returns))
    assert abs(np.mean(returns) - low) < 4 * error


def test_what_is_cut_off_widens_the_interval_and_never_moves_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    pomdp = noisy()
    wide = ScoringSpec(criterion="finite_horizon", discount=0.8, horizon=8, points=1)
    exact, _ = follow(pomdp, wide, Parity())
    monkeypatch.setattr("bellglass.planning.pomdp.history_evaluation.MOST_HISTORIES", 5)
    low, high = follow(pomdp, wide, Parity())
    assert low <= exact <= high
    assert 0.0 < high - low < 3.0


def test_average_reward_of_a_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="average"):
        HistoryEvaluator(noisy(), 1.0, criterion="average")
