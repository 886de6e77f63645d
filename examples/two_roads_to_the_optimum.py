"""Value iteration plans, Q-learning learns; on one table they agree.  Prints the map and the distance."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import bellglass
from bellglass.agents import QLearning


def main(total_timesteps: int = 2_000_000) -> tuple[float, bool]:
    """Returns the largest |max_a Q - V*| over the live states, and whether the learned policy is optimal."""
    env = gym.make("bellglass/RussellNorvig-v0")
    best = bellglass.solve(env, discount=0.9)
    agent = QLearning(env, discount=0.9, epsilon=0.5, seed=0).learn(total_timesteps)
    score = bellglass.evaluate(env, agent, discount=0.9)
    print(best.render())
    print(f"optimum {score.optimum:.6f}   Q-learning {score.start_value:.6f}   regret {score.regret:.2g}")
    live = ~bellglass.table_of(env).terminal
    error = np.abs(agent.q_values.max(axis=1) - best.values)[live].max()
    return float(error), score.solved


if __name__ == "__main__":
    print("largest error of the learned values: {:.4f}; solved: {}".format(*main()))
