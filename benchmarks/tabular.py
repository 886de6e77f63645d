"""Q-learning, steps a second: the compiled fast path, our stepping one, and a plain Python loop over Gymnasium.

    python benchmarks/tabular.py [--steps 2000000] [--rounds 5]

The same table, discount, step size and epsilon for all; the contestants take turns, and medians of CPU
seconds count.  Compiling (once, then cached on disk) is told apart.  One thread.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from bellglass.agents import QLearning
from bellglass.envs import TabularEnv
from bellglass.envs.mdp import TabularMDP

DISCOUNT, STEP_SIZE, EPSILON = 0.99, 0.1, 0.1
TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "FrozenLake 8x8": ("FrozenLake-v1", {"map_name": "8x8"}),
    "Taxi": ("Taxi-v4", {}),
}


def plain_loop(env: gym.Env[Any, Any], steps: int) -> None:
    """The loop that every tutorial has."""
    rng = np.random.default_rng(0)
    q = np.zeros((env.observation_space.n, env.action_space.n))  # type: ignore[attr-defined]  # Discrete
    observation, _ = env.reset(seed=0)
    for _ in range(steps):
        action = int(rng.integers(q.shape[1])) if rng.random() < EPSILON else int(q[observation].argmax())
        after, reward, terminated, truncated, _ = env.step(action)
        target = float(reward) + DISCOUNT * (0.0 if terminated else q[after].max())
        q[observation, action] += STEP_SIZE * (target - q[observation, action])
        observation = env.reset()[0] if terminated or truncated else after


def learner(env: gym.Env[Any, Any]) -> QLearning:
    return QLearning(env, discount=DISCOUNT, step_size=STEP_SIZE, epsilon=EPSILON)


def cpu_seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2_000_000, help="of the fast path; others take 1/50")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    few = max(1, options.steps // 50)

    begun = time.perf_counter()
    env = TabularEnv(TabularMDP.from_P({0: {0: [(1.0, 0, 0.0, False)]}}, initial=[1.0]))
    learner(env).learn(300_000)  # long enough to take the fast path
    wait = time.perf_counter() - begun
    print(f"first call, numba imported and code compiled or read from its cache: {wait:.2f} s")

    print(f"{'million steps a second':16} {'compiled':>9} {'stepping':>9} {'plain loop':>10} {'ratio':>7}")
    for name, (env_id, keywords) in TASKS.items():
        theirs = gym.make(env_id, **keywords)
        base: Any = theirs.unwrapped
        mdp = TabularMDP.from_P(base.P, initial=base.initial_state_distrib)
        limit = theirs.spec.max_episode_steps if theirs.spec else None

        def ours(mdp: TabularMDP = mdp, limit: int | None = limit) -> gym.Env[Any, Any]:
            env = gym.wrappers.OrderEnforcing(TabularEnv(mdp))
            return gym.wrappers.TimeLimit(env, limit) if limit else env

        seconds: dict[str, list[float]] = {"compiled": [], "stepping": [], "plain": []}
        for _ in range(options.rounds):
            seconds["compiled"].append(
                cpu_seconds(lambda: learner(ours()).learn(options.steps)) / options.steps
            )
            seconds["stepping"].append(cpu_seconds(lambda: learner(gym.Wrapper(ours())).learn(few)) / few)
            seconds["plain"].append(cpu_seconds(lambda env=theirs: plain_loop(env, few)) / few)  # type: ignore[misc]  # bound now
        speed = {key: 1e-6 / statistics.median(values) for key, values in seconds.items()}
        fast, slow, plain = speed["compiled"], speed["stepping"], speed["plain"]
        print(f"{name:22} {fast:9.2f} {slow:9.3f} {plain:10.3f} {fast / plain:6.0f}x")


if __name__ == "__main__":
    main()
