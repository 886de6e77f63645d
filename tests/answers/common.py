"""Answers that many environments share, through the public face; each takes a fact of the book."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from helpers.paths import KNOWN_ANSWERS

import bellglass
from bellglass.experiments.records import Criterion

BOOK = json.loads(KNOWN_ANSWERS.read_text(encoding="utf-8"))

Answer = Callable[[dict[str, Any]], Any]

#: The book's words, and ours.
CRITERIA: dict[str, Criterion] = {
    "total reward": "total",
    "discounted": "discounted",
    "average reward": "average",
    "finite horizon": "finite_horizon",
}


def made(fact: dict[str, Any], **changes: Any) -> gym.Env[Any, Any]:
    """The environment of the fact, with its parameters."""
    return gym.make(BOOK["environments"][fact["env"]]["id"], **(fact["params"] | changes))


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
