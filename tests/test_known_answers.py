"""Every known answer about a registered environment, recomputed through the public face.

`known_answers.json` holds the definitions and the facts; nothing in the package reads it.
"""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from answers import ANSWERS, BOOK

import bellglass

REGISTERED = {name for name, entry in BOOK["environments"].items() if entry["id"] in gym.registry}
FACTS = {fact["id"]: fact for fact in BOOK["facts"] if fact["env"] in REGISTERED}


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
        appended = bellglass.table_of(env).num_states - entry["states"]
        assert appended in (
            0,
            int(bellglass.table_of(env).terminal[-1]),
        )  # an end that the book does not name
    if isinstance(entry["actions"], int):
        assert bellglass.table_of(env).num_actions == entry["actions"]
