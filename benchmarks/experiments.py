"""What an experiment costs beside the learning: exact scores, the bootstrap, the report.

    python benchmarks/experiments.py [--rounds 3]

CPU seconds, the median of the rounds.  The sweep of the report is invented (`tests/invented_sweep.py`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gymnasium as gym
import numpy as np

from bellglass.agents import QLearning
from bellglass.experiments.records import ScoringSpec
from bellglass.experiments.report import write_report
from bellglass.experiments.scoring.scores import Scorer
from bellglass.experiments.statistics.aggregate import bootstrap, interquartile_mean_of

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from invented_sweep import invented_sweep


def cpu_seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    began = time.process_time()
    work()
    return time.process_time() - began


def fifty_scores() -> None:
    """Fifty policies of FrozenLake 4x4, believed best and exploring."""
    env = gym.make("bellglass/FrozenLake-v0")
    scorer = Scorer(env, ScoringSpec(criterion="discounted", discount=0.99, horizon=None, points=50))
    agent = QLearning(env, seed=0)
    generator = np.random.default_rng(0)
    for _ in range(50):
        agent.q_values[:] = generator.normal(size=agent.q_values.shape)
        scorer.score(agent)


def two_bootstraps() -> None:
    """50,000 stratified replications of the IQM of two agents, six environments, twenty seeds."""
    generator = np.random.default_rng(0)
    for _ in range(2):
        strata = [generator.beta(4, 1 + k, 20) for k in range(6)]
        bootstrap(strata, interquartile_mean_of, seed=0, replications=50_000)


def main() -> None:
    """Prints one line for each kind of work."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    sweep, cards = invented_sweep(
        agents=tuple(f"agent {k}" for k in range(10)),
        environments=("Lake", "Rooms", "Corridor", "Lake 2", "Lake 3"),
        seeds=20,
        failures=False,
        points=50,
    )
    with tempfile.TemporaryDirectory() as folder:
        works: dict[str, Callable[[], object]] = {
            "50 exact scores of FrozenLake 4x4": fifty_scores,
            "50,000 bootstrap replications of two agents": two_bootstraps,
            "report of 1,000 runs": lambda: write_report(sweep, cards, Path(folder)),
        }
        for name, work in works.items():
            print(f"{name:45} {statistics.median(cpu_seconds(work) for _ in range(rounds)):7.3f} s")


if __name__ == "__main__":
    main()
