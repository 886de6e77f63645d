"""An agent of one's own in a comparison: look around at random, fit a table to what was seen, solve it, and commit.

A suite names it ``module:Class``; each run imports the module in a process of its own, so it must be found there:
beside the script, as here, or on PYTHONPATH.  What a suite needs of an agent is `learn` with a callback, `predict`
and `action_probabilities`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from statistics import fmean
from typing import Any

import numpy as np

import bellglass
from bellglass.agents import Transition
from bellglass.experiments import run_suite, suite_from


class ExploreThenCommit:
    """Explores uniformly for a share of its steps, and then plays what is best in the table that it has fitted."""

    def __init__(self, env: Any, *, discount: float = 0.99, share: float = 0.5, seed: int = 0) -> None:
        self.env, self.discount, self.share = env, discount, share
        self.num_timesteps = 0
        self.chance = np.random.default_rng(seed)
        self.policy = np.full(
            (env.observation_space.n, env.action_space.n), 1.0 / env.action_space.n
        )  # [S, A]

    def learn(self, total_timesteps: int, callback: Any = None, **_: Any) -> ExploreThenCommit:
        """Plays on until its steps are used up; the callback is asked after each."""
        seen: list[Transition] = []
        observation, _info = self.env.reset(seed=int(self.chance.integers(2**31)))
        while self.num_timesteps < total_timesteps:
            if self.num_timesteps == round(self.share * total_timesteps):
                self.commit(seen)
            action = self.chance.choice(len(self.policy[observation]), p=self.policy[observation])
            came, reward, terminated, truncated, _info = self.env.step(action)
            seen.append(
                Transition(int(observation), int(action), float(reward), int(came), terminated, truncated)
            )
            observation = self.env.reset()[0] if terminated or truncated else came
            self.num_timesteps += 1
            if callback is not None and callback(self) is False:
                break
        return self

    def commit(self, seen: list[Transition]) -> None:
        """The best policy in the table that makes what was seen likeliest."""
        states, actions = self.policy.shape
        table = bellglass.estimate_mdp(seen, num_states=states, num_actions=actions)
        self.policy = np.eye(actions)[bellglass.solve(table, self.discount).policy]

    def action_probabilities(self, observation: Any, state: Any = None, *, exploring: bool = False) -> Any:
        """[A], or [n, A] for a batch."""
        return self.policy[np.asarray(observation)]

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> Any:
        """(action, no memory)."""
        return self.action_probabilities(observation).argmax(axis=-1), None


def main(
    folder: str = "bellglass-results/your_own_agent", steps: int = 20_000, seeds: int = 10
) -> dict[str, float]:
    """Returns each agent's mean score: 0 is the uniform random policy, 1 the optimum."""
    suite = suite_from(
        {
            "name": "your_own_agent",
            "seeds": seeds,
            "environments": [
                {"id": "bellglass/FrozenLake-v0", "keywords": {"map_name": "4x4"}, "steps": steps}
            ],
            "agents": [
                {
                    "name": "explore",
                    "class": "your_own_agent:ExploreThenCommit",
                    "grid": {"share": [0.1, 0.5]},
                },
                {"name": "Q-learning", "class": "QLearning"},
            ],
        }
    )
    scores: dict[str, list[float]] = defaultdict(list)
    for run in run_suite(suite, folder).finished:
        scores[run.spec.agent.name].append(run.normalized(run.final.value))
    return {name: fmean(values) for name, values in scores.items()}


if __name__ == "__main__":
    for name, score in main(*sys.argv[1:2]).items():
        print(f"{name:20} {score:.3f}")
