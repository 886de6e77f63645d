"""A grid of settings: which step size and which exploration lose the least while Q-learning learns."""

from __future__ import annotations

import sys
from collections import defaultdict
from statistics import fmean

from bellglass.experiments import run_suite, suite_from


def main(
    folder: str = "bellglass-results/sweep_a_setting", steps: int = 20_000, seeds: int = 10
) -> dict[str, float]:
    """Returns the mean gap regret of each combination, in reward units: the sum of what its actions have cost."""
    suite = suite_from(
        {
            "name": "sweep_a_setting",
            "seeds": seeds,
            "environments": [{"id": "bellglass/CliffWalking-v0", "steps": steps}],
            "agents": [
                {
                    "name": "Q",
                    "class": "QLearning",
                    "grid": {"step_size": [0.03, 0.1, 0.5], "epsilon": [0.02, 0.1]},
                }
            ],
        }
    )
    lost: dict[str, list[float]] = defaultdict(list)
    for run in run_suite(suite, folder).finished:
        lost[run.spec.agent.name].append(run.final.gap_regret)
    return {name: fmean(regrets) for name, regrets in lost.items()}


if __name__ == "__main__":
    for name, regret in sorted(main(*sys.argv[1:2]).items(), key=lambda row: row[1]):
        print(f"{name:32} {regret:10.1f}")
