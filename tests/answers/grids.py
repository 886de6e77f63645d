"""Grids: chapter examples, lakes, cliffs and taxis."""

from __future__ import annotations

from typing import Any

import numpy as np

import bellglass

from .common import (
    Answer,
    best,
    gain,
    live_values,
    made,
    random_start_value,
    random_values,
    start_value,
    values,
)


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


ANSWERS: dict[str, Answer] = {
    "grid_4x4/01": random_values,
    "grid_4x4/03": random_q_values_of_exercise_4_1,
    "grid_5x5/02": values,
    "grid_5x5/04": gain,
    "russell_norvig_4x3/02": live_values,
    "russell_norvig_4x3/04": living_rewards_where_the_policy_changes,
    "cs188_book_grid/01": live_values,
    "cs188_bridge_grid/02": start_value,
    "frozen_lake/01": start_value,
    "frozen_lake/03": start_value,
    "frozen_lake/05": start_value,
    "frozen_lake/07": random_start_value,
    "frozen_lake/09": start_value,
    "cliff_walking/01": start_value,
    "cliff_walking/03": start_value,
    "windy_grid/01": start_value,
    "windy_grid/03": start_value,
    "windy_grid/05": start_value,
    "maze/02": start_value,
    "maze/04": start_value,
    "four_rooms/01": start_value,
    "four_rooms/03": start_value,
    "taxi/02": extreme_start_values,
    "taxi/04": start_value,
}
