"""Value iteration plans, Q-learning learns; on one table they agree.  Prints the map and the distance."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

import bellglass
from bellglass.agents import QLearning


def main(total_timesteps: int = 200_000) -> float:
    """Returns the largest |Q - q*| over the states that the optimal policy visits."""
    env = gym.make("bellglass/RussellNorvig-v0")
    best = bellglass.solve(env, discount=0.9)
    agent = QLearning(env, discount=0.9, step_size=0.05, epsilon=0.3, seed=0).learn(total_timesteps)
    score = bellglass.evaluate(env, agent, discount=0.9)
    print(best.render())
    print(f"optimum {score.optimum:.6f}   Q-learning {score.start_value:.6f}   regret {score.regret:.2g}")
    live = ~bellglass.table_of(env).terminal
    learned = np.asarray(agent.q_values)[live].max(axis=1)
    return float(np.abs(learned - best.values[live]).max())


if __name__ == "__main__":
    print(f"largest error of the learned values: {main():.3f}")
