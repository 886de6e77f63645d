"""Discounted reward as a linear programme: values in the primal, the occupation measure in the dual.

    primal   min  sum_s w(s) v(s)          v(s) >= r(s, a) + discount * sum_s' P(s' | s, a) v(s')      every pair
    dual     max  sum x(s, a) r(s, a)      sum_a x(s, a) = w(s) + discount * sum P(s | s', a') x(s', a'),   x >= 0

d'Epenoux (1963); Puterman (1994), section 6.9.  The dual's x is how often an optimal policy plays a in s, counted with
discount, if it starts with the weights w.  They must be positive everywhere, or the values of states that the start
never meets could be anything: so w is `initial` mixed with a little of the uniform distribution, and a start value
read off the raw dual is that of w.  HiGHS keeps its constraints to about 1e-7 only; the policy that carries the dual is
exact, so its values, and its measure from `initial` itself, are solved for once more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ..envs.mdp import FloatArray, IntArray
from .algebra.linear import solved
from .algebra.pairs import Pairs

#: Share of the uniform distribution in the objective's weights.
UNIFORM = 0.01


@dataclass(frozen=True, eq=False)
class Programme:
    """What the linear programme finds.

    Attributes:
        values: [S] of the policy that carries the dual.
        occupancy: [S, A] discounted visits of that policy from `initial`: occupancy * expected_reward sums to the
            start value.
        policy: [S] its actions; 0 in terminal states.
        weights: [S] w of the objective; 0 in terminal states.
        dual: [S, A] HiGHS's own dual variables: the measure from `weights`, to about 1e-7.
        iterations: HiGHS's steps.
    """

    values: FloatArray
    occupancy: FloatArray
    policy: IntArray
    weights: FloatArray
    dual: FloatArray
    iterations: int


def linear_programme(pairs: Pairs, discount: float) -> Programme:
    """The optimal values, and how often an optimal policy plays each action.

    Raises:
        ArithmeticError: HiGHS found no optimum.
    """
    from scipy.optimize import linprog

    live, size = pairs.live, len(pairs.live)
    column = np.full(pairs.num_states, -1, dtype=np.int64)
    column[live] = np.arange(size)
    here = scipy.sparse.csr_array(
        (np.ones(pairs.num_pairs), (np.arange(pairs.num_pairs), column[pairs.state])),
        shape=(pairs.num_pairs, size),
    )
    weights = np.zeros(pairs.num_states)
    if size:
        weights[live] = (1.0 - UNIFORM) * pairs.initial[live] + UNIFORM / size
    constraints = discount * pairs.matrix[:, live] - here
    for method in (
        "highs",
        "highs-ipm",
        "highs-ds",
    ):  # its first choice gives up on some tables that have an optimum
        found = linprog(
            weights[live], A_ub=constraints, b_ub=-pairs.reward, bounds=(None, None), method=method
        )
        if found.status == 0:
            break
    else:
        raise ArithmeticError(f"HiGHS found no optimum: {found.message}")
    dual = np.maximum(-np.asarray(found.ineqlin.marginals), 0.0)

    policy = pairs.greedy(dual)
    rows = pairs.rows_of(policy)
    chain = scipy.sparse.csr_array(pairs.matrix[rows][:, live])
    values, visits = np.zeros(pairs.num_states), np.zeros(pairs.num_pairs)
    values[live] = solved(chain, discount, pairs.reward[rows], tolerance=0.0).x
    measure = solved(chain, discount, pairs.initial[live], tolerance=0.0, transposed=True).x
    visits[rows] = np.maximum(measure, 0.0)
    return Programme(
        values=values,
        occupancy=pairs.table(visits, fill=0.0),
        policy=policy,
        weights=weights,
        dual=pairs.table(dual, fill=0.0),
        iterations=int(found.nit),
    )
