"""Gap regret, counted step by step, is on average the regret of the episodes, policy by policy.

The agents learn by Monte Carlo at the end of an episode, so within one their policy stands still, and its regret
V*(s0) - V^pi(s0) is exact.  Episodes end by themselves, or by the clock that the criterion knows.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass  # noqa: F401  # registers the ids
from bellglass.agents import MonteCarlo
from bellglass.experiments.records import ScoringSpec
from bellglass.experiments.scoring.meter import RegretMeter
from bellglass.experiments.scoring.scores import Scorer

DISCOUNTED = ScoringSpec(criterion="discounted", discount=0.95, horizon=None, points=1)
TOTAL = ScoringSpec(criterion="total", discount=None, horizon=None, points=1)


def clocked(horizon: int) -> ScoringSpec:
    return ScoringSpec(criterion="finite_horizon", discount=1.0, horizon=horizon, points=1)


class Bookkeeper:
    """A callback that charges every episode with the policy it began with, and stops after `episodes` of them."""

    def __init__(self, scorer: Scorer, meter: RegretMeter, episodes: int) -> None:
        self.scorer, self.meter, self.left = scorer, meter, episodes
        self.regret = 0.0
        self.counted = 0
        self.playing = 0.0

    def began(self, agent: Any) -> None:
        """An episode begins."""
        playing = self.scorer.score(agent).exploring_value
        assert playing is not None
        self.playing = playing

    def __call__(self, agent: Any) -> bool:
        """A step was made."""
        if self.meter.episodes == self.counted:
            return True
        self.regret += self.scorer.optimum - self.playing
        self.counted += 1
        self.began(agent)
        return self.counted < self.left


@pytest.mark.slow
@pytest.mark.parametrize(
    ("id", "scoring"),
    [
        ("bellglass/FrozenLake-v0", DISCOUNTED),
        ("bellglass/RussellNorvig-v0", DISCOUNTED),
        ("bellglass/DeepSea-v0", DISCOUNTED),
        ("bellglass/Gambler-v0", TOTAL),
        ("bellglass/CliffWalking-v0", clocked(20)),
    ],
)
def test_gap_regret_is_on_average_the_regret_of_the_episodes(id: str, scoring: ScoringSpec) -> None:
    env = gym.make(id, max_episode_steps=-1 if scoring.horizon is None else scoring.horizon)
    scorer = Scorer(env, scoring)
    gaps = scorer.gaps
    differences, learned = [], []
    for seed in range(1_000):
        meter = RegretMeter(env, gaps)
        agent = MonteCarlo(meter, discount=0.95, step_size=0.3, epsilon=0.3, seed=seed)
        books = Bookkeeper(scorer, meter, episodes=8)
        books.began(agent)
        first = books.playing
        agent.learn(10**9, books)
        assert meter.episodes == books.counted == 8
        differences.append(meter.total - books.regret)
        learned.append(books.playing - first)
    assert np.std(learned) > 0.0  # it is not one policy all the time
    error = float(np.std(differences, ddof=1)) / np.sqrt(len(differences))
    assert error > 0.0
    assert abs(float(np.mean(differences))) < 3 * error
