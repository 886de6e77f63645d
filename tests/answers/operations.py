"""Stocks, machines, queues and stakes."""

from __future__ import annotations

from typing import Any

import numpy as np

import bellglass

from .common import Answer, best, gain, made, values, values_at


def gains_of_the_policies_of_the_book(fact: dict[str, Any]) -> Any:
    mdp = bellglass.table_of(made(fact))
    leave, overhaul, replace = range(3)
    policies = (
        [leave, leave, leave, replace],
        [leave, leave, overhaul, replace],
        [leave, leave, replace, replace],
        [leave, replace, replace, replace],
    )
    return [bellglass.evaluate(mdp, np.array(p), criterion="average").start_value for p in policies]


def values_of_the_first_step(fact: dict[str, Any]) -> Any:
    return np.asarray(best(fact).values)[0]


def levels_and_cost(fact: dict[str, Any]) -> Any:
    solution = best(fact | {"criterion": "average reward"})  # the book says "average reward (cost)"
    mdp = bellglass.table_of(made(fact))
    stock = np.array(mdp.state_labels)
    orders = solution.policy > np.arange(mdp.num_states)
    return [stock[orders].max(), stock[solution.policy[mdp.encode(0)]], -solution.start_value]


def gain_per_unit_time_and_threshold(fact: dict[str, Any]) -> Any:
    solution = best(fact)
    events = fact["params"]["lam"] + fact["params"]["mu"]
    return [solution.start_value * events, int((solution.policy == 0).argmax())]


def least_free_servers_for_each_priority(fact: dict[str, Any]) -> Any:
    accepts = best(fact).policy.reshape(-1, 4) == 1  # [free servers, priority]
    return np.where(accepts.any(axis=0), accepts.argmax(axis=0), len(accepts))


def cars_moved_from_the_corners(fact: dict[str, Any]) -> Any:
    mdp = bellglass.table_of(made(fact))
    policy = best(fact).policy
    assert mdp.action_labels is not None
    return [mdp.action_labels[policy[mdp.encode(corner)]] for corner in ((20, 0), (0, 20))]


def gain_and_threshold(fact: dict[str, Any]) -> Any:
    solution = best(fact)
    return [solution.start_value, int((solution.policy == 1).argmax())]


ANSWERS: dict[str, Answer] = {
    "forest_management/02": gain,
    "forest_management/04": values,
    "machine_maintenance/02": gains_of_the_policies_of_the_book,
    "howard_taxicab/01": gain,
    "howard_toymaker/01": gain,
    "inventory_puterman/01": values_of_the_first_step,
    "inventory_puterman/03": gain,
    "inventory_sS/01": levels_and_cost,
    "queue_admission/01": gain_per_unit_time_and_threshold,
    "queue_admission/03": gain_per_unit_time_and_threshold,
    "access_control/02": least_free_servers_for_each_priority,
    "jacks_car_rental/02": cars_moved_from_the_corners,
    "gambler/01": values_at(1, 13, 25, 50, 51, 75, 99),
    "gambler/03": values_at(1, 13, 25, 50, 51, 75, 99),
    "recycling_robot/02": values,
    "bus_engine/02": gain_and_threshold,
}
