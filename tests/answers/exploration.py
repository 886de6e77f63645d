"""Chains and seas that are hard to explore."""

from __future__ import annotations

from typing import Any

import numpy as np

import bellglass

from .common import Answer, gain, made, start_value, uniform, values


def diameter(fact: dict[str, Any]) -> Any:
    return bellglass.hardness(bellglass.table_of(made(fact)), discount=0.99).diameter


def thousand_steps_of_the_gain(fact: dict[str, Any]) -> Any:
    return 1000 * gain(fact)


def random_steps(fact: dict[str, Any]) -> Any:
    """The uniform random policy's total reward where every step costs 1."""
    mdp = bellglass.table_of(made(fact))
    outcomes = ("first_outcome", "probability", "next_state", "terminated", "initial")
    costly = bellglass.TabularMDP(
        **{name: getattr(mdp, name) for name in outcomes}, reward=np.full(mdp.num_outcomes, -1.0)
    )
    return -bellglass.evaluate(costly, uniform(costly), criterion="total").start_value


ANSWERS: dict[str, Answer] = {
    "river_swim/02": gain,
    "river_swim/04": gain,
    "river_swim/06": values,
    "river_swim/08": start_value,
    "river_swim/10": diameter,
    "six_arms/01": start_value,
    "n_chain/01": thousand_steps_of_the_gain,
    "n_chain/03": values,
    "loop/02": start_value,
    "deep_sea/02": start_value,
    "deep_sea/04": start_value,
    "two_state_lower_bound/02": diameter,
    "combination_lock/02": random_steps,
    "discounting_chain/02": start_value,
}
