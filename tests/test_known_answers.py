"""Every known answer about a registered environment, recomputed through the public face.

`known_answers.json` holds the definitions and the facts; nothing in the package reads it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.experiments.records import Criterion

BOOK = json.loads((Path(__file__).parent / "known_answers.json").read_text(encoding="utf-8"))
REGISTERED = {name for name, entry in BOOK["environments"].items() if entry["id"] in gym.registry}
FACTS = {fact["id"]: fact for fact in BOOK["facts"] if fact["env"] in REGISTERED}

Answer = Callable[[dict[str, Any]], Any]


def made(fact: dict[str, Any], **changes: Any) -> gym.Env[Any, Any]:
    """The environment of the fact, with its parameters."""
    return gym.make(BOOK["environments"][fact["env"]]["id"], **(fact["params"] | changes))


#: The book's words, and ours.
CRITERIA: dict[str, Criterion] = {
    "total reward": "total",
    "discounted": "discounted",
    "average reward": "average",
    "finite horizon": "finite_horizon",
}


def best(fact: dict[str, Any]) -> bellglass.Solution:
    criterion = CRITERIA[fact["criterion"]]
    discount = fact["gamma"] if criterion in ("discounted", "finite_horizon") else None
    return bellglass.solve(made(fact), discount, criterion=criterion, horizon=fact["horizon"], tolerance=1e-9)


def uniform(mdp: bellglass.TabularMDP) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The uniform random policy over the available actions, [S, A]."""
    mask = mdp.action_mask.astype(np.float64)
    policy: np.ndarray[Any, np.dtype[np.float64]] = mask / np.maximum(mask.sum(axis=1, keepdims=True), 1.0)
    return policy


def start_value(fact: dict[str, Any]) -> Any:
    return best(fact).start_value


def values(fact: dict[str, Any]) -> Any:
    return best(fact).values


def gain(fact: dict[str, Any]) -> Any:
    return best(fact).start_value


def live_values(fact: dict[str, Any]) -> Any:
    return np.asarray(best(fact).values)[~bellglass.table_of(made(fact)).terminal]


def values_at(*labels: Any) -> Answer:
    def answer(fact: dict[str, Any]) -> Any:
        mdp = bellglass.table_of(made(fact))
        return np.asarray(best(fact).values)[[mdp.encode(label) for label in labels]]

    return answer


def random_values(fact: dict[str, Any]) -> Any:
    mdp = bellglass.table_of(made(fact))
    return bellglass.evaluate(mdp, uniform(mdp), criterion="total").values


def random_start_value(fact: dict[str, Any]) -> Any:
    mdp = bellglass.table_of(made(fact))
    return bellglass.evaluate(mdp, uniform(mdp), criterion="total").start_value


def random_q_values_of_exercise_4_1(fact: dict[str, Any]) -> Any:
    mdp = bellglass.table_of(made(fact))
    state_values = np.asarray(random_values(fact))
    going_on = (mdp.transition_matrix @ state_values).reshape(mdp.num_states, mdp.num_actions)
    down = 2
    return (mdp.expected_reward + going_on)[[11, 7], down]


def extreme_start_values(fact: dict[str, Any]) -> Any:
    mdp = bellglass.table_of(made(fact))
    at_starts = np.asarray(best(fact).values)[mdp.initial > 0]
    return [at_starts.min(), at_starts.max()]


def living_rewards_where_the_policy_changes(fact: dict[str, Any]) -> Any:
    """Bisection, between a point on either side of each threshold, on the set of optimal actions."""

    def optimal(living_reward: float) -> bytes:
        env = made(fact, living_reward=living_reward)
        return bellglass.solve(env, criterion="total", tolerance=1e-12).optimal_actions.tobytes()

    found = []
    for expected in fact["value"]:
        low, high = expected - 0.004, expected + 0.004
        assert optimal(low) != optimal(high)
        below = optimal(low)
        while high - low > 1e-6:
            middle = (low + high) / 2
            low, high = (middle, high) if optimal(middle) == below else (low, middle)
        found.append((low + high) / 2)
    return found


def diameter(fact: dict[str, Any]) -> Any:
    return bellglass.hardness(bellglass.table_of(made(fact)), discount=0.99).diameter


def memory_and_reactive(fact: dict[str, Any]) -> Any:
    env = made(fact)
    pomdp = bellglass.pomdp_of(env)
    with_memory = bellglass.solve(pomdp, discount=fact["gamma"], tolerance=1e-9).start_value
    return [with_memory, bellglass.information_ladder(pomdp, discount=fact["gamma"]).reactive]


ANSWERS: dict[str, Answer] = {
    "grid_4x4/01": random_values,
    "grid_4x4/03": random_q_values_of_exercise_4_1,
    "grid_5x5/02": values,
    "grid_5x5/04": gain,
    "russell_norvig_4x3/02": live_values,
    "russell_norvig_4x3/04": living_rewards_where_the_policy_changes,
    "frozen_lake/01": start_value,
    "frozen_lake/03": start_value,
    "frozen_lake/05": start_value,
    "frozen_lake/07": random_start_value,
    "frozen_lake/09": start_value,
    "cliff_walking/01": start_value,
    "cliff_walking/03": start_value,
    "taxi/02": extreme_start_values,
    "taxi/04": start_value,
    "river_swim/02": gain,
    "river_swim/04": gain,
    "river_swim/06": values,
    "river_swim/08": start_value,
    "river_swim/10": diameter,
    "deep_sea/02": start_value,
    "deep_sea/04": start_value,
    "gambler/01": values_at(1, 13, 25, 50, 51, 75, 99),
    "gambler/03": values_at(1, 13, 25, 50, 51, 75, 99),
    "t_maze/02": memory_and_reactive,
}


@pytest.mark.parametrize("fact_id", sorted(FACTS))
def test_a_known_answer_is_found_again(fact_id: str) -> None:
    fact = FACTS[fact_id]
    expected = np.asarray(fact["value"], dtype=np.float64)
    found = np.asarray(ANSWERS[fact_id](fact), dtype=np.float64)
    np.testing.assert_allclose(found, expected, rtol=fact["tol"], atol=fact["tol"], strict=True)


@pytest.mark.parametrize("name", sorted(REGISTERED))
def test_the_keywords_and_sizes_are_those_of_the_book(name: str) -> None:
    entry = BOOK["environments"][name]
    env = gym.make(entry["id"], **entry["parameters"])
    assert bellglass.table_of(env).fingerprint == bellglass.table_of(gym.make(entry["id"])).fingerprint
    assert env.get_wrapper_attr("discount") == entry.get("discount", 0.99)
    if isinstance(entry["states"], int):
        assert bellglass.table_of(env).num_states == entry["states"]
    if isinstance(entry["actions"], int):
        assert bellglass.table_of(env).num_actions == entry["actions"]
