"""A comparison without a file: three learners on two maps, exact regret, and the report as a page.

Stop it whenever you like: called again with the same folder, it goes on where it was.
"""

from __future__ import annotations

import sys
from statistics import fmean

from bellglass.experiments import load_cards, run_suite, suite_from, write_report


def main(
    folder: str = "bellglass-results/compare_agents", steps: int = 20_000, seeds: int = 10
) -> dict[str, float]:
    """Returns each agent's mean score: 0 is the uniform random policy, 1 the optimum."""
    suite = suite_from(
        {
            "name": "compare_agents",
            "seeds": seeds,
            "environments": [
                {"id": "bellglass/CliffWalking-v0", "steps": steps},
                {"id": "bellglass/FrozenLake-v0", "keywords": {"map_name": "4x4"}, "steps": steps},
            ],
            "agents": [{"class": "QLearning"}, {"class": "ExpectedSarsa"}, {"class": "CertaintyEquivalence"}],
        }
    )
    sweep = run_suite(suite, folder)
    scores = {
        agent.name: fmean(
            run.normalized(run.final.value) for run in sweep.finished if run.spec.agent.name == agent.name
        )
        for agent in sweep.agents
    }
    print("report:", write_report(sweep, load_cards(folder), folder).html)
    return scores


if __name__ == "__main__":
    for name, score in main(*sys.argv[1:2]).items():
        print(f"{name:20} {score:.3f}")
