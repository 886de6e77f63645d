"""Finite horizon: backward induction, one decision rule for each number of steps left.

    v_H(s)  =  0          v_h(s)  =  max_a  sum_k p_k (r_k + discount * v_{h+1}(s'_k))

Puterman (1994), section 4.5.  Bounds: the same recursion with every backup rounded upwards (maximised), and
downwards (along the policy that is returned).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..envs.mdp import BoolArray, FloatArray, IntArray
from ..envs.mdp.memory_limit import require_memory
from .algebra.pairs import Pairs
from .progress_bar import Report


@dataclass(frozen=True, eq=False)
class Backward:
    """What backward induction finds.

    Attributes:
        values: [H + 1, S].
        q_values: [H, S, A].
        policy: [H, S].
        optimal_actions: [H, S, A].
        lower: [S] at most the value of `policy` at the first step.
        upper: [S] at least the optimum at the first step.
    """

    values: FloatArray
    q_values: FloatArray
    policy: IntArray
    optimal_actions: BoolArray
    lower: FloatArray
    upper: FloatArray


def backward_induction(
    pairs: Pairs, horizon: int, discount: float, *, report: Report | None = None
) -> Backward:
    """The optimum with `horizon` steps, for every number of steps left.

    Raises:
        ValueError: the answer would not fit into memory; tells its size.
    """
    size = (pairs.num_states, pairs.num_actions)
    require_memory(
        horizon * size[0] * (9 * size[1] + 16),
        f"values and decisions of {horizon} steps in {size[0]} states with {size[1]} actions",
    )
    values = np.zeros((horizon + 1, size[0]))
    q_values = np.full((horizon, *size), -np.inf)
    policy = np.zeros((horizon, size[0]), dtype=np.int64)
    optimal_actions = np.zeros((horizon, *size), dtype=np.bool_)
    upper, lower, own = np.zeros(size[0]), np.zeros(size[0]), np.zeros(size[0])
    for h in range(horizon - 1, -1, -1):
        q = pairs.backup(values[h + 1], discount)
        high = pairs.backup(upper, discount) + pairs.backup_error(upper, discount)
        low = pairs.backup(lower, discount) - pairs.backup_error(lower, discount)
        mine = pairs.backup(own, discount) - pairs.backup_error(own, discount)
        upper, lower = pairs.best(high), pairs.best(low)
        optimal = high >= lower[pairs.state]
        policy[h] = pairs.first_of(optimal)
        own = np.zeros(size[0])
        own[pairs.live] = mine[pairs.rows_of(policy[h])]
        values[h] = np.clip(pairs.best(q), own, upper)
        q_values[h] = pairs.table(q)
        optimal_actions[h] = pairs.mask(optimal)
        if report is not None:
            report(horizon - h, of=horizon)
    return Backward(values, q_values, policy, optimal_actions, own, upper)
