"""Stepping many copies: our native vector environment against Gymnasium's SyncVectorEnv on the same id.

    python benchmarks/vector.py [--rounds 5] [--copies 64,256]

Every round times both, one after the other, in one process; the ratios are of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import time

import gymnasium as gym

import bellglass  # noqa: F401 - registers the ids

IDS = ("bellglass/FrozenLake-v0", "bellglass/Taxi-v0", "bellglass/CliffWalking-v0")


def steps_per_second(envs: gym.vector.VectorEnv, vector_steps: int) -> float:
    """Environment steps a second with actions drawn beforehand."""
    envs.reset(seed=0)
    envs.action_space.seed(0)
    actions = [envs.action_space.sample() for _ in range(64)]
    begin = time.perf_counter()
    for t in range(vector_steps):
        envs.step(actions[t % 64])
    return vector_steps * envs.num_envs / (time.perf_counter() - begin)


def main() -> None:
    """Prints one line for each id and number of copies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", default="64,256")
    given = parser.parse_args()
    for env_id in IDS:
        for copies in map(int, given.copies.split(",")):
            native = gym.make_vec(env_id, num_envs=copies)
            bare = gym.make_vec(env_id, num_envs=copies, infos=False)
            sync = gym.make_vec(env_id, num_envs=copies, vectorization_mode="sync")
            for envs in (native, bare, sync):
                steps_per_second(envs, 5)
            rounds = [
                (steps_per_second(native, 300), steps_per_second(bare, 300), steps_per_second(sync, 12))
                for _ in range(given.rounds)
            ]
            ours, lean, theirs = (statistics.median(column) for column in zip(*rounds, strict=True))
            print(
                f"{env_id:28} {copies:5} copies: native {ours / 1e6:7.2f}, without infos {lean / 1e6:7.2f}, "
                f"SyncVectorEnv {theirs / 1e6:6.3f} million steps/s; ratio {ours / theirs:5.0f}x"
            )
            for envs in (native, bare, sync):
                envs.close()


if __name__ == "__main__":
    main()
