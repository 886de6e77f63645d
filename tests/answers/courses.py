"""Examples of lectures."""

from __future__ import annotations

from typing import Any

from .common import Answer, best, live_values, random_values, start_value, values

CLASS_3, PUB = 2, 1


def q_value_of_the_pub(fact: dict[str, Any]) -> Any:
    return best(fact).q_values[CLASS_3, PUB]


ANSWERS: dict[str, Answer] = {
    "random_walk/01": lambda fact: random_values(fact)[: fact["params"]["n"]],
    "boyan_chain/01": random_values,
    "puterman_two_state/01": values,
    "student/01": live_values,
    "student/03": q_value_of_the_pub,
    "dice_game/02": start_value,
    "tram/02": start_value,
    "tram/04": start_value,
    "racing_car/02": live_values,
}
