"""The known answers that cards show are those of the book, which `test_known_answers.py` finds again.

`python tests/experiments/cards/test_known.py` writes the shipped file anew from the book.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from helpers.paths import KNOWN_ANSWERS

from bellglass.experiments.cards import known
from bellglass.experiments.cards.known import known_answers

BOOK = json.loads(KNOWN_ANSWERS.read_text(encoding="utf-8"))
SHIPPED = Path(known.__file__).with_name("known_answers.json")


def of_the_book(book: dict[str, Any]) -> dict[str, Any]:
    """The shipped form: by id, with the number as printed where one was printed."""
    pages = {
        entry["id"]: {
            "parameters": entry["parameters"],
            "answers": [
                {
                    "quantity": fact["quantity"],
                    "criterion": fact["criterion"],
                    "discount": fact["gamma"],
                    "horizon": fact["horizon"],
                    "keywords": fact["params"],
                    "value": printed(fact),
                    "provenance": fact["provenance"],
                    "source": fact["source"],
                }
                for fact in book["facts"]
                if fact["env"] == name
            ],
        }
        for name, entry in book["environments"].items()
    }
    return dict(sorted(pages.items()))


def printed(fact: dict[str, Any]) -> Any:
    """What the source prints, if it prints all of it."""
    value, source = fact["value"], fact["published"]
    if source is None or (isinstance(value, list) and len(source["value"]) != len(value)):
        return value
    return source["value"]


def test_the_shipped_file_is_the_books() -> None:
    assert json.loads(SHIPPED.read_text(encoding="utf-8")) == of_the_book(BOOK)


def test_every_environment_of_the_book_is_registered() -> None:
    assert {entry["id"] for entry in BOOK["environments"].values()} <= set(gym.registry)


@pytest.mark.parametrize("fact", BOOK["facts"], ids=lambda fact: str(fact["id"]))
def test_every_fact_is_on_the_card_of_its_keywords(fact: dict[str, Any]) -> None:
    env_id = BOOK["environments"][fact["env"]]["id"]
    lines = known_answers(env_id, fact["params"])
    assert any(line.startswith(f"{fact['quantity']}, {fact['criterion']}") for line in lines)


def test_answers_for_other_keywords_are_not_shown() -> None:
    def shown(**keywords: object) -> str:
        return " ".join(known_answers("bellglass/FrozenLake-v0", keywords))

    assert "0.7441902878" in shown()
    assert "0.7441902878" not in shown(map_name="8x8")
    assert "0.4146403618" in shown(map_name="8x8")
    assert known_answers("bellglass/Map-v0") == ()


def test_long_lists_are_cut_and_say_so() -> None:
    (line, *_) = known_answers("bellglass/Grid4x4-v0")
    assert line == (
        "v of the uniform random policy, row-major, policy evaluation, total reward: "
        "0, -14, -20, -22, -14, -18, -20, -20, and 8 more (printed in Sutton & Barto, Reinforcement Learning: "
        "An Introduction, 2nd ed. 2018, Example 4.1, Fig. 4.1 (p. 76-77))"
    )


if __name__ == "__main__":
    SHIPPED.write_text(json.dumps(of_the_book(BOOK), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
