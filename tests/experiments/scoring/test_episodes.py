"""Sampled episodes: in place of histories that are too many, marked, and right about how sure they are."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.memories import Counts, Parity, Unsolved, noisy

import bellglass  # noqa: F401  # registers the ids
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.pomdp import TabularPOMDP, TabularPOMDPEnv, pomdp_of
from bellglass.experiments.records import ScoringSpec
from bellglass.experiments.scoring import episodes
from bellglass.experiments.scoring.episodes import EpisodeSampler, richest_path
from bellglass.experiments.scoring.scores import Scorer
from bellglass.planning.pomdp.history_evaluation import HistoryEvaluator

WITHIN_EIGHT = ScoringSpec(criterion="finite_horizon", discount=0.8, horizon=8, points=1)
DISCOUNTED = ScoringSpec(criterion="discounted", discount=0.9, horizon=None, points=1)
TOTAL = ScoringSpec(criterion="total", discount=None, horizon=None, points=1)
AVERAGE = ScoringSpec(criterion="average", discount=None, horizon=None, points=1)


class ForeignLayout(Parity):
    """A parity with its memory as [layers, n], as recurrent policies of other libraries have it."""

    def predict(  # noqa: D102
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        actions, (memory,) = super().predict(observation, None if state is None else (state[0][0],))
        return actions, (memory[None],)


def followed(pomdp: TabularPOMDP, scoring: ScoringSpec) -> HistoryEvaluator:
    discount = 1.0 if scoring.discount is None else scoring.discount
    return HistoryEvaluator(pomdp, discount, criterion=scoring.criterion, horizon=scoring.horizon)


def test_the_sampled_interval_holds_what_following_finds() -> None:
    pomdp = noisy()
    follower = followed(pomdp, WITHIN_EIGHT)
    low, high = follower.interval(Parity())
    sampled = EpisodeSampler(pomdp, WITHIN_EIGHT, follower, seed=0).interval(Parity())
    assert low == pytest.approx(high, abs=1e-9)
    assert sampled.low < low < sampled.high
    assert sampled.low < sampled.mean < sampled.high < sampled.low + 1.0


def test_the_same_seed_plays_the_same_episodes_and_another_others() -> None:
    pomdp = noisy()
    follower = followed(pomdp, WITHIN_EIGHT)
    one, again, other = (
        EpisodeSampler(pomdp, WITHIN_EIGHT, follower, seed=seed).interval(Parity()) for seed in (0, 0, 1)
    )
    assert one == again != other


def test_what_lies_beyond_the_last_step_is_covered_by_the_worst_and_the_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pomdp = noisy()
    follower = followed(pomdp, DISCOUNTED)
    chain = pomdp.mdp.transition_matrix.toarray().reshape(3, 2, 3)[:, 1]
    exact = pomdp.mdp.initial @ np.linalg.solve(np.eye(3) - 0.9 * chain, pomdp.mdp.expected_reward[:, 1])
    monkeypatch.setattr(episodes, "STEPS", 5)
    sampled = EpisodeSampler(pomdp, DISCOUNTED, follower, seed=0).interval(Counts(1))
    assert sampled.low < exact < sampled.high


@pytest.mark.slow
def test_the_sampled_interval_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(episodes, "EPISODES", 40)
    pomdp = noisy()
    follower = followed(pomdp, WITHIN_EIGHT)
    exact, _ = follower.interval(Parity())
    held = 0
    for seed in range(400):
        sampled = EpisodeSampler(pomdp, WITHIN_EIGHT, follower, seed=seed).interval(Parity())
        held += sampled.low <= exact <= sampled.high
    assert held / 400 >= 0.95


def test_the_range_of_returns_is_that_of_all_paths() -> None:
    mdp = TabularMDP.from_function(
        lambda s, a: (
            [] if s == 2 else [(0.5, (s + a) % 3, float(s - a)), (0.5, 2, 0.25 * a, True), (0.0, 0, 99.0)]
        ),
        states=range(3),
        actions=range(2),
    )
    tail = np.array([0.3, -0.2, 5.0])

    def every_return(s: int, steps: int) -> list[float]:
        if mdp.terminal[s]:
            return [0.0]
        if not steps:
            return [float(tail[s])]
        returns = []
        for a, k in itertools.product(range(2), range(3)):
            p, target, reward, ended = mdp.P[s][a][k] if k < len(mdp.P[s][a]) else (0.0, 0, 0.0, True)
            if p > 0:
                after = [0.0] if ended else every_return(target, steps - 1)
                returns += [reward + 0.7 * later for later in after]
        return returns

    for steps in range(5):
        returns = every_return(0, steps)
        assert richest_path(mdp, mdp.reward, tail, 0.7, steps) == pytest.approx(max(returns), abs=1e-12)
        assert -richest_path(mdp, -mdp.reward, -tail, 0.7, steps) == pytest.approx(min(returns), abs=1e-12)


def test_a_wide_interval_is_narrowed_by_episodes_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    pomdp = noisy()
    exact, _ = followed(pomdp, WITHIN_EIGHT).interval(Parity())
    certain = Unsolved(TabularPOMDPEnv(pomdp), WITHIN_EIGHT)
    assert certain.score(Parity()).value == pytest.approx(exact, abs=1e-9)
    assert certain.exact
    monkeypatch.setattr("bellglass.planning.pomdp.history_evaluation.MOST_HISTORIES", 3)
    wide_low, wide_high = followed(pomdp, WITHIN_EIGHT).interval(Parity())
    scorer = Unsolved(TabularPOMDPEnv(pomdp), WITHIN_EIGHT)
    score = scorer.score(Parity())
    assert not scorer.exact
    assert wide_low <= score.low < exact < score.high <= wide_high
    assert score.high - score.low < 0.5 * (wide_high - wide_low)
    assert score.low <= score.value <= score.high
    assert score.exploring_value is None


def test_a_memory_that_has_no_rows_cannot_be_followed_and_is_sampled() -> None:
    pomdp = noisy()
    exact, _ = followed(pomdp, WITHIN_EIGHT).interval(Parity())
    scorer = Unsolved(TabularPOMDPEnv(pomdp), WITHIN_EIGHT)
    score = scorer.score(ForeignLayout())
    assert not scorer.exact
    assert score.low < exact < score.high


def test_a_total_without_bound_has_no_lower_end() -> None:
    """Bumping for ever costs .1 a step; nobody can say what an agent does after 2,000 of them."""
    env = gym.make("bellglass/TMaze-v0")
    scorer = Scorer(env, TOTAL)
    score = scorer.score(Counts(0))
    assert not scorer.exact
    assert score.low == -np.inf
    assert -0.1 * episodes.STEPS + 4.0 <= score.high < -0.1 * episodes.STEPS + 6.0  # 4: out at last


def test_average_reward_is_that_of_the_steps_played() -> None:
    pomdp = noisy()
    scorer = Unsolved(TabularPOMDPEnv(pomdp), AVERAGE)
    score = scorer.score(Counts(0, 1))
    chain = pomdp.mdp.transition_matrix.toarray().reshape(3, 2, 3)
    here, total = pomdp.mdp.initial, 0.0
    for t in range(episodes.STEPS):
        total += float(here @ pomdp.mdp.expected_reward[:, t % 2])
        here = here @ chain[:, t % 2]
    assert not scorer.exact
    assert score.low < total / episodes.STEPS < score.high
    assert score.value == pytest.approx(total / episodes.STEPS, abs=0.01)


def test_who_ends_at_once_is_worth_what_was_paid() -> None:
    """The T-maze's shortest: the corridor is walked in one step, and a turn to the same side pays 4 or -.1."""
    pomdp = pomdp_of(gym.make("bellglass/TMaze-v0", N=1))
    follower = followed(pomdp, DISCOUNTED)
    low, high = follower.interval(Counts(1, 0))
    sampled = EpisodeSampler(pomdp, DISCOUNTED, follower, seed=0).interval(Counts(1, 0))
    assert sampled.low < low <= high < sampled.high
