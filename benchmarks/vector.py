"""Steps a second of many copies: our native vector environment against the loops and against C++.

    python benchmarks/vector.py [--rounds 7] [--copies 64,256,4096] [--seconds .1] [--every-id]

    native, no infos   bellglass, with infos and with infos=False
    sync               Gymnasium's SyncVectorEnv of our own single environment
    Gymnasium          Gymnasium's SyncVectorEnv of Gymnasium's environment of that name
    EnvPool            the C++ environment of that name, one thread, where `envpool` is installed

Every round times all of them one after another in one process, and each column shows its best round: what a shared
machine does to the others takes time, and never gives any.  "ratio" is native over the faster of the two loops.

With --every-id: each id of ours against SyncVectorEnv of its own single environment, at 64 and 256 copies.
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
from bellglass.envs.mdp.memory_limit import table_bytes

Step = Callable[[npt.NDArray[np.int64]], object]

#: Ours, Gymnasium's in its latest version, EnvPool's.
IDS = (
    ("bellglass/FrozenLake-v0", "FrozenLake", "FrozenLake-v1"),
    ("bellglass/Taxi-v0", "Taxi", "Taxi-v3"),
    ("bellglass/CliffWalking-v0", "CliffWalking", "CliffWalking-v0"),
    ("bellglass/Blackjack-v0", "Blackjack", "Blackjack-v1"),
)

#: SyncVectorEnv builds a table for each copy: beyond this many bytes in all it is left out.
ROOM = 4 << 30


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


def fastest(
    steps: dict[str, Step | None], num_actions: int, copies: int, rounds: int, seconds: float
) -> dict[str, float]:
    """Million steps a second of each contestant, of its best round; nan where there is none."""
    actions = np.random.default_rng(0).integers(num_actions, size=(64, copies))
    best = dict.fromkeys(steps, float("nan"))
    for _ in range(rounds):
        for name, step in steps.items():
            if step is not None:
                best[name] = np.fmax(best[name], steps_per_second(step, actions, seconds) / 1e6)
    return best


def against_peers(copies: list[int], rounds: int, seconds: float) -> None:
    """One line for each of IDS and number of copies."""
    columns = ("native", "no infos", "sync", "Gymnasium", "EnvPool")
    print(f"{'':26}{'copies':>7}" + "".join(f"{name:>11}" for name in columns) + f"{'ratio':>9}")
    for ids in IDS:
        num_actions = gym.make(ids[0]).get_wrapper_attr("mdp").num_actions
        for n in copies:
            best = fastest(contestants(ids, n), num_actions, n, rounds, seconds)
            ratio = best["native"] / max(best["sync"], best["Gymnasium"])
            cells = "".join(f"{'-' if np.isnan(x) else f'{x:.2f}':>11}" for x in best.values())
            print(f"{ids[0]:26}{n:7}{cells}{ratio:8.0f}x", flush=True)


def every_id(rounds: int, seconds: float) -> None:
    """One line for each id of ours: native, sync and their ratio at 64 and at 256 copies."""
    print(f"{'':34}" + "".join(f"{n:>5}: native    sync   ratio" for n in (64, 256)))
    for env_id in sorted(name for name in gym.registry if name.startswith("bellglass/")):
        mdp = gym.make(env_id).get_wrapper_attr("mdp")
        line = f"{env_id:34}"
        for n in (64, 256):
            if n * table_bytes(mdp.num_states, mdp.num_actions, mdp.num_outcomes) > ROOM:
                line += f"{'-':>28}"
                continue
            steps: dict[str, Step | None] = {
                "native": stepper(gym.make_vec(env_id, num_envs=n)),
                "sync": stepper(gym.make_vec(env_id, num_envs=n, vectorization_mode="sync")),
            }
            best = fastest(steps, mdp.num_actions, n, rounds, seconds)
            line += f"{best['native']:13.2f}{best['sync']:8.3f}{best['native'] / best['sync']:7.0f}x"
        print(line, flush=True)


def main() -> None:
    """Prints the table asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--copies", default="64,256,4096")
    parser.add_argument("--seconds", type=float, default=0.1, help="of each contestant in each round")
    parser.add_argument(
        "--every-id", action="store_true", help="all ids of ours, against their own loops only"
    )
    given = parser.parse_args()
    print(f"million steps/s, best of {given.rounds} interleaved rounds of {given.seconds} s")
    if given.every_id:
        every_id(given.rounds, given.seconds)
    else:
        against_peers([int(n) for n in given.copies.split(",")], given.rounds, given.seconds)


if __name__ == "__main__":
    main()
