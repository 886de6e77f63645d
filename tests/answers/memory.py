"""Where the state is hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

import bellglass
from bellglass.envs.memory import gittins_index

from .common import Answer, best, made, start_value


def ladder(fact: dict[str, Any]) -> Any:
    rungs = bellglass.information_ladder(bellglass.pomdp_of(made(fact)), discount=fact["gamma"])
    return [rungs.reactive, rungs.memory, rungs.observed]


def memory_and_reactive(fact: dict[str, Any]) -> Any:
    reactive, memory, _ = ladder(fact)
    return [memory, reactive]


def values_at_beliefs(*beliefs: list[float]) -> Answer:
    def answer(fact: dict[str, Any]) -> Any:
        pomdp = bellglass.pomdp_of(made(fact))
        return [bellglass.solve(pomdp.starting_from(b), fact["gamma"]).start_value for b in beliefs]

    return answer


class RemembersBit0:
    """Answers with bit 0 of three, whichever is asked for."""

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Any = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """The bit kept, after a look at what is shown."""
        seen = np.asarray(observation)
        kept = np.zeros(len(seen), dtype=np.int64) if state is None else state[0]
        kept = np.where(seen < 8, seen // 4, kept)
        return kept, (kept,)


def all_bits_and_one(fact: dict[str, Any]) -> Any:
    env = made(fact)
    one = bellglass.evaluate(env, RemembersBit0(), criterion="total").start_value
    return [best(fact).start_value, one]


def gittins_of_a_new_arm(fact: dict[str, Any]) -> Any:
    return gittins_index(1, 1, fact["gamma"])


ANSWERS: dict[str, Answer] = {
    "t_maze/02": memory_and_reactive,
    "tiger/02": start_value,
    "tiger/04": start_value,
    "crying_baby/01": values_at_beliefs([1.0, 0.0], [0.5, 0.5], [0.0, 1.0]),
    "mini_hallway/01": start_value,
    "mini_hallway/03": ladder,
    "cheese_maze/02": start_value,
    "shuttle/01": start_value,
    "light_maze/01": memory_and_reactive,
    "memory_chain/02": all_bits_and_one,
    "repeat_previous/01": memory_and_reactive,
    "bernoulli_bandit/01": start_value,
    "bernoulli_bandit/03": start_value,
    "bernoulli_bandit/05": start_value,
    "bernoulli_bandit/07": gittins_of_a_new_arm,
    "bernoulli_bandit/09": gittins_of_a_new_arm,
}
