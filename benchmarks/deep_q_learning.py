"""DQN against Stable-Baselines3's at the same work: steps, updates, batch and network are equal.

    python benchmarks/deep_q_learning.py [--rounds 3] [--steps 8000]

Both learn FrozenLake 4x4 in one process on one thread, in turn; one line a round, then the ratio of medians.
"""

from __future__ import annotations

import argparse
import statistics
import time

import gymnasium as gym
import torch

import bellglass
from bellglass.agents import DQN, StableBaselines3

#: Stable-Baselines3's own defaults, except that learning starts as early as it can matter here.
SETTINGS = {
    "learning_starts": 100,
    "batch_size": 32,
    "train_freq": 4,
    "gradient_steps": 1,
    "learning_rate": 1e-4,
}


def timed(agent: DQN | StableBaselines3, steps: int) -> tuple[float, float]:
    """CPU seconds of learning, and the regret left in percent."""
    begin = time.process_time()
    agent.learn(steps)
    seconds = time.process_time() - begin
    score = bellglass.evaluate(gym.make("bellglass/FrozenLake-v0"), agent, discount=0.99)
    return seconds, 100 * (1 - (score.normalized or 0.0))


def main() -> None:
    """Prints steps a second of both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8_000)
    given = parser.parse_args()
    torch.set_num_threads(1)
    ours, theirs = [], []
    for seed in range(given.rounds):
        lean = DQN(gym.make("bellglass/FrozenLake-v0"), seed=seed, double=False, **SETTINGS)
        sb3 = StableBaselines3(gym.make("bellglass/FrozenLake-v0"), seed=seed, settings=SETTINGS)
        (a, left), (b, left_too) = timed(lean, given.steps), timed(sb3, given.steps)
        ours.append(a)
        theirs.append(b)
        print(
            f"seed {seed}: ours {given.steps / a:7.0f} steps/s ({left:.1f} % regret left), "
            f"SB3 {given.steps / b:7.0f} steps/s ({left_too:.1f} %)"
        )
    print(f"ratio of medians: {statistics.median(theirs) / statistics.median(ours):.1f}x")


if __name__ == "__main__":
    main()
