"""How many states each extraction finds, and in how many seconds.

    python benchmarks/extraction.py

Gymnasium's tables are read and tried by sampling, Blackjack's is computed; MiniGrid's grids are enumerated, and left
out where MiniGrid is not installed (pip install minigrid).  "Steps" are those of the best policy from the likeliest
start, at discount .99.  One process, one thread.
"""

from __future__ import annotations

import importlib.util
import time
from typing import Any

import gymnasium as gym

import bellglass
from bellglass.envs.extraction import Extraction

#: (id, keywords of gym.make, keywords of extract)
READ: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("FrozenLake-v1", {"map_name": "8x8"}, {}),
    ("CliffWalking-v1", {"is_slippery": True}, {}),
    ("Taxi-v4", {"is_rainy": True}, {}),
    ("Taxi-v4", {"fickle_passenger": True}, {}),
    ("Blackjack-v1", {}, {}),
]
ENUMERATED: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("MiniGrid-Empty-5x5-v0", {}, {}),
    ("MiniGrid-Empty-Random-5x5-v0", {}, {"layouts": 100}),
    ("MiniGrid-DoorKey-5x5-v0", {}, {}),
    ("MiniGrid-DoorKey-5x5-v0", {}, {"layouts": 100}),
    ("MiniGrid-Unlock-v0", {}, {}),
]


def steps_of_the_best(found: Extraction) -> int | None:
    """How long the best policy takes where every step is certain; None where chance has a say or it never ends."""
    mdp = found.mdp
    if mdp.num_outcomes > int(mdp.action_mask.sum()):
        return None
    policy = bellglass.solve(mdp, discount=0.99).policy
    s = int(mdp.initial.argmax())
    for steps in range(1, mdp.num_states + 1):
        k = int(mdp.first_outcome[s * mdp.num_actions + int(policy[s])])
        if mdp.terminated[k]:
            return steps
        s = int(mdp.next_state[k])
    return None


def main() -> None:
    cases = READ + (ENUMERATED if importlib.util.find_spec("minigrid") else [])
    if len(cases) == len(READ):
        print("MiniGrid is not installed: its grids are left out")
    else:
        importlib.import_module("minigrid")
    print(f"{'environment':<58}{'states':>8}{'starts':>8}{'steps':>7}{'seconds':>9}")
    for name, keywords, settings in cases:
        words = ", ".join(f"{key}={value}" for key, value in {**keywords, **settings}.items())
        title = f"{name} {words}".strip()
        began = time.perf_counter()
        try:
            found = bellglass.extract(gym.make(name, **keywords), **settings)
        except ValueError:
            print(f"{title:<58}{'refused':>24}{time.perf_counter() - began:>8.2f}")
            continue
        seconds = time.perf_counter() - began
        starts = int((found.mdp.initial > 0).sum())
        steps = steps_of_the_best(found) or ""
        print(f"{title:<58}{found.mdp.num_states:>8}{starts:>8}{steps:>7}{seconds:>9.2f}")


if __name__ == "__main__":
    main()
