"""Cards, boards, dice and stopping."""

from __future__ import annotations

from typing import Any

import numpy as np

import bellglass

from .common import Answer, best, made, start_value, values_at


def start_value_and_size(fact: dict[str, Any]) -> Any:
    return [best(fact).start_value, bellglass.table_of(made(fact)).num_states]


def first_sum_to_stick_at_with_an_ace(fact: dict[str, Any]) -> Any:
    policy, mdp = best(fact).policy, bellglass.table_of(made(fact))
    return [
        next(total for total in range(12, 22) if policy[mdp.encode((total, dealer, True))] == 0)
        for dealer in range(1, 11)
    ]


def positions_by_kind(fact: dict[str, Any]) -> Any:
    tables = [bellglass.table_of(made(fact, agent=agent)) for agent in "XO"]
    to_move = [int((~mdp.terminal).sum()) for mdp in tables]
    terminal = int(tables[0].terminal.sum())
    return [sum(to_move) + terminal, terminal, *to_move]


def values_of_opening_moves(fact: dict[str, Any]) -> Any:
    mdp = bellglass.table_of(made(fact))
    return best(fact).q_values[mdp.encode("." * 9), [0, 1, 4]]


def depths_of_positions(fact: dict[str, Any]) -> Any:
    depths = -np.rint(np.asarray(best(fact).values))
    return [len(depths), depths.max(), (depths == depths.max()).sum(), depths.mean()]


def candidates_to_skip_and_start_value(fact: dict[str, Any]) -> Any:
    found, mdp = best(fact), bellglass.table_of(made(fact))
    stops = [found.policy[mdp.encode((i, True))] == 0 for i in range(1, fact["params"]["n"] + 1)]
    return [stops.index(True), found.start_value]


def start_value_and_farthest_place(fact: dict[str, Any]) -> Any:
    found, mdp = best(fact), bellglass.table_of(made(fact))
    return [found.start_value, max(k for k in range(1, 201) if found.policy[mdp.encode((k, True))] == 1)]


ANSWERS: dict[str, Answer] = {
    "blackjack/02": start_value,
    "blackjack/04": first_sum_to_stick_at_with_an_ace,
    "blackjack/06": values_at((16, 10, False), (12, 4, False), (18, 1, True), (11, 6, False)),
    "tic_tac_toe/01": positions_by_kind,
    "tic_tac_toe/03": start_value,
    "tic_tac_toe/05": values_of_opening_moves,
    "hanoi/01": start_value_and_size,
    "sliding_puzzle/01": depths_of_positions,
    "secretary/01": candidates_to_skip_and_start_value,
    "secretary/03": candidates_to_skip_and_start_value,
    "die_stopping/01": start_value,
    "red_black_cards/01": start_value,
    "parking/01": start_value_and_farthest_place,
}
