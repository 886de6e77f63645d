"""Steps a second of many copies: our native vector environment against the loops and against C++.

    python benchmarks/vector.py [--rounds 7] [--copies 64,256,4096] [--seconds .1]

    native, no infos   bellglass, with infos and with infos=False
    sync               Gymnasium's SyncVectorEnv of our own single environment
    Gymnasium          Gymnasium's SyncVectorEnv of Gymnasium's environment of that name
    EnvPool            the C++ environment of that name, one thread, where `envpool` is installed

Every round times all of them one after another in one process, and each column shows its best round: what a shared
machine does to the others takes time, and never gives any.  "ratio" is native over the faster of the two loops.
"""

from __future__ import annotations

import argparse
import importlib.util
import itertools
import time
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

import bellglass  # noqa: F401 - registers the ids

Step = Callable[[npt.NDArray[np.int64]], object]

#: Ours, Gymnasium's in its latest version, EnvPool's.
IDS = (
    ("bellglass/FrozenLake-v0", "FrozenLake", "FrozenLake-v1"),
    ("bellglass/Taxi-v0", "Taxi", "Taxi-v3"),
    ("bellglass/CliffWalking-v0", "CliffWalking", "CliffWalking-v0"),
)


def stepper(envs: Any) -> Step:
    """`envs.step` after a reset."""
    envs.reset(seed=0)
    step: Step = envs.step
    return step


def envpools(env_id: str, copies: int) -> Step | None:
    """EnvPool's step, or None where it is not installed."""
    if importlib.util.find_spec("envpool") is None:
        return None
    import envpool

    envs = envpool.make_gymnasium(env_id, num_envs=copies, num_threads=1, seed=0)
    envs.reset()

    def step(actions: npt.NDArray[np.int64]) -> object:
        return envs.step(actions.astype(np.int32))

    return step


def contestants(ids: tuple[str, str, str], copies: int) -> dict[str, Step | None]:
    """What is timed, by column."""
    ours, gymnasiums, pools = ids
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the latest version is taken
        theirs = gym.make_vec(gymnasiums, num_envs=copies, vectorization_mode="sync")
    return {
        "native": stepper(gym.make_vec(ours, num_envs=copies)),
        "no infos": stepper(gym.make_vec(ours, num_envs=copies, infos=False)),
        "sync": stepper(gym.make_vec(ours, num_envs=copies, vectorization_mode="sync")),
        "Gymnasium": stepper(theirs),
        "EnvPool": envpools(pools, copies),
    }


def steps_per_second(step: Step, actions: npt.NDArray[np.int64], seconds: float) -> float:
    """Environment steps a second with the actions [64, n], one row a vector step."""
    done, begin, passed = 0, time.perf_counter(), 0.0
    for row in itertools.cycle(actions):
        step(row)
        done += 1
        passed = time.perf_counter() - begin
        if passed >= seconds:
            break
    return done * actions.shape[1] / passed


def main() -> None:
    """Prints one line for each id and number of copies."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--copies", default="64,256,4096")
    parser.add_argument("--seconds", type=float, default=0.1, help="of each contestant in each round")
    given = parser.parse_args()
    columns = ("native", "no infos", "sync", "Gymnasium", "EnvPool")
    print(f"million steps/s, best of {given.rounds} interleaved rounds of {given.seconds} s")
    print(f"{'':26}{'copies':>7}" + "".join(f"{name:>11}" for name in columns) + f"{'ratio':>9}")
    for ids in IDS:
        for copies in map(int, given.copies.split(",")):
            rng = np.random.default_rng(0)
            steps = contestants(ids, copies)
            num_actions = gym.make(ids[0]).get_wrapper_attr("mdp").num_actions
            actions = rng.integers(num_actions, size=(64, copies))
            best = dict.fromkeys(columns, float("nan"))
            for _ in range(given.rounds):
                for name, step in steps.items():
                    if step is not None:
                        best[name] = np.fmax(best[name], steps_per_second(step, actions, given.seconds) / 1e6)
            ratio = best["native"] / max(best["sync"], best["Gymnasium"])
            cells = "".join(f"{'-' if np.isnan(x) else f'{x:.2f}':>11}" for x in best.values())
            print(f"{ids[0]:26}{copies:7}{cells}{ratio:8.0f}x", flush=True)


if __name__ == "__main__":
    main()
