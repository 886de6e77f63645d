"""A solution that tells of the beliefs at the start alone, where those that follow are too many to list."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from ...envs.pomdp import TabularPOMDP
from ..solutions.solution import Solution
from .beliefs import belief_labels
from .dense_pomdp import DenseHidden


def first_decisions(
    pomdp: TabularPOMDP,
    model: DenseHidden,
    discount: float,
    *,
    bounds: tuple[FloatArray, FloatArray],
    q_bounds: tuple[FloatArray, FloatArray],
    vectors: FloatArray,
    actions: IntArray,
    method: str,
    iterations: int,
    began: float,
) -> Solution:
    """What certified bounds say of the beliefs at the start.

    Args:
        pomdp: the partially observed table.
        model: its dense arrays.
        discount: in [0, 1).
        bounds: [B] lower and upper ones of each belief.
        q_bounds: [B, A] those of each action.
        vectors: [K, S] lower bounds of every belief.
        actions: [K] the first action of each.
        method: how they were found.
        iterations: in how many steps.
        began: when.
    """
    low, high = bounds
    possible = model.available(model.starts)
    q = np.where(possible, (q_bounds[0] + q_bounds[1]) / 2.0, -np.inf)
    values = np.clip(q.max(axis=1), low, high)
    optimal = possible & (q_bounds[1] >= low[:, None])
    return Solution(
        criterion="discounted",
        discount=discount,
        horizon=None,
        start_value=float(model.chances @ values),
        values=np.append(values, 0.0),
        q_values=np.concatenate([q, np.full((1, q.shape[1]), -np.inf)]),
        policy=np.append(optimal.argmax(axis=1), 0),
        optimal_actions=np.concatenate([optimal, np.zeros((1, q.shape[1]), dtype=np.bool_)]),
        lower=np.append(low, 0.0),
        upper=np.append(high, 0.0),
        method=method,
        iterations=iterations,
        seconds=perf_counter() - began,
        mdp=table_of_first_decisions(pomdp, model, q),
        beliefs=model.starts,
        alpha_vectors=vectors,
        alpha_actions=actions,
    )


def table_of_first_decisions(pomdp: TabularPOMDP, model: DenseHidden, q_values: FloatArray) -> TabularMDP:
    """A table over the beliefs at the start in which an action pays all that it is worth [B, A], and ends."""
    num_beliefs, num_actions = q_values.shape
    possible = np.append(np.isfinite(q_values).ravel(), np.zeros(num_actions, dtype=np.bool_))
    count = int(possible.sum())
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(possible)]),
        probability=np.ones(count),
        next_state=np.full(count, num_beliefs),
        reward=q_values[np.isfinite(q_values)],
        terminated=np.ones(count, dtype=np.bool_),
        initial=np.append(model.chances, 0.0),
        state_labels=[*belief_labels(pomdp, scipy.sparse.csr_array(model.starts)), "(end)"],
        action_labels=pomdp.mdp.action_labels,
        normalise=True,
    )
