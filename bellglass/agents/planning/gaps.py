"""The smallest loss that one wrong action can cost.

Let the policy play another action a in the one state s.  With x(s) = discounted visits to s from the start,
C the inverse of I - discount * P_pi, and  d = (row of (s, a)) - (row of (s, pi(s))),  Sherman and Morrison
(1950) give

    loss  =  x(s) * (v(s) - q(s, a)) / (1 - discount * d . C[:, s])

so one solve a state, in blocks, prices all its actions.  Pairs that the bounds leave open as optimal lose
nothing, and states that the policy never visits cost nothing; both are decided on the graph and the bounds,
not on rounding.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .linear import factorised
from .pairs import Pairs, summed
from .solution import Solution

#: Columns of the inverse that are held at once.
BLOCK = 128


def smallest_loss(pairs: Pairs, best: Solution) -> float:
    """Smallest positive loss of start value by changing `best.policy` in one state; inf if there is none."""
    if best.criterion == "finite_horizon":
        return _finite_horizon(pairs, best)
    if best.criterion == "discounted":
        assert best.values is not None
        rows = pairs.rows_of(best.policy)
        worse = ~best.optimal_actions[pairs.state, pairs.action]
        return float(
            _losses(pairs, rows, worse, best.values, pairs.reward, best.discount).min(initial=np.inf)
        )
    raise AssertionError(best.criterion)


def _finite_horizon(pairs: Pairs, best: Solution) -> float:
    """Changing one decision: its state's chance at that step times what is lost there."""
    assert best.values is not None
    assert best.horizon is not None
    visits, weight, smallest = pairs.initial.copy(), 1.0, np.inf
    for h in range(best.horizon):
        q = best.q_values[h][pairs.state, pairs.action]
        worse = ~best.optimal_actions[h][pairs.state, pairs.action] & (visits[pairs.state] > 0)
        lost = visits[pairs.state] * (best.values[h][pairs.state] - q) * weight
        smallest = min(smallest, float(lost[worse].min(initial=np.inf)))
        rows = pairs.rows_of(best.policy[h])
        visits = visits[pairs.live] @ pairs.matrix[rows]
        weight *= best.discount
    return smallest


def visited(pairs: Pairs, rows: IntArray) -> BoolArray:
    """[S] states that the chosen pairs can reach from the start."""
    graph = scipy.sparse.csr_array(pairs.matrix[rows])
    here = pairs.live
    seen = pairs.initial > 0
    while True:
        more = seen.copy()
        more[graph[seen[here]].indices] = True
        if (more == seen).all():
            return seen
        seen = more


def _losses(
    pairs: Pairs, rows: IntArray, worse: BoolArray, values: FloatArray, reward: FloatArray, discount: float
) -> FloatArray:
    """Losses of all the `worse` pairs [M] of visited states."""
    live = pairs.live
    position = np.full(pairs.num_states, -1, dtype=np.int64)
    position[live] = np.arange(len(live))
    chosen = scipy.sparse.csr_array(pairs.matrix[rows][:, live])
    solve = factorised(chosen, discount)
    visits = solve(pairs.initial[live], True)
    reached = visited(pairs, rows)
    priced = np.flatnonzero(worse & reached[pairs.state])
    loss = values[pairs.state[priced]] - (reward + discount * (pairs.matrix @ values))[priced]
    found = np.empty(len(priced))
    columns = np.unique(position[pairs.state[priced]])
    for begin in range(0, len(columns), BLOCK):
        block = columns[begin : begin + BLOCK]
        units = np.zeros((len(live), len(block)))
        units[block, np.arange(len(block))] = 1.0
        inverse = solve(units, False)
        column_of = np.full(len(live), -1, dtype=np.int64)
        column_of[block] = np.arange(len(block))
        mine = np.flatnonzero(column_of[position[pairs.state[priced]]] >= 0)
        pair = priced[mine]
        column = column_of[position[pairs.state[pair]]]
        gone_on = _products(pairs.matrix[pair][:, live], inverse, column)
        stayed = _products(chosen[position[pairs.state[pair]]], inverse, column)
        denominator = 1.0 - discount * (gone_on - stayed)
        found[mine] = visits[position[pairs.state[pair]]] * loss[mine] / denominator
    return found


def _products(matrix: scipy.sparse.csr_array, inverse: FloatArray, column: IntArray) -> FloatArray:
    """[n] of row i of `matrix` [n, L] times column `column[i]` of `inverse` [L, K]."""
    entries = scipy.sparse.coo_array(matrix)
    terms = entries.data * inverse[entries.col, column[entries.row]]
    return summed(entries.row, terms, matrix.shape[0])
