"""Where the state is hidden."""

from __future__ import annotations

from typing import Any

import bellglass

from .common import Answer, made


def memory_and_reactive(fact: dict[str, Any]) -> Any:
    env = made(fact)
    pomdp = bellglass.pomdp_of(env)
    with_memory = bellglass.solve(pomdp, discount=fact["gamma"], tolerance=1e-9).start_value
    return [with_memory, bellglass.information_ladder(pomdp, discount=fact["gamma"]).reactive]


ANSWERS: dict[str, Answer] = {
    "t_maze/02": memory_and_reactive,
}
