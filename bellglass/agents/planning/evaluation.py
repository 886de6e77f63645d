"""`evaluate`: the exact score of a policy or an agent; `policy_values`: its values alone.

    v(s)  =  sum_a pi(a | s) sum_k p_k (r_k + discount * v(s'_k))

A linear solve on the policy's own sparse matrix, or backward induction; no episode is ever played.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray, FloatArray, TabularMDP
from .chains import long_run, total_reward
from .gaps import smallest_loss
from .linear import factorised
from .pairs import Pairs, summed
from .policies import (
    chances_of_agent,
    observations_of,
    policy_matrix,
    uniform_weights,
    weights_of_array,
    weights_of_chances,
)
from .score import Score
from .solution import Criterion
from .solver import Model, checked_discount, hidden_table, observed_table, solve, start_value

#: Why a table that ends has no average reward.
ENDS = "episodes end in this table, so its average reward is defined with restart=True in solve only"

#: Marks of tables scored before: (optimum, random, gap) by criterion, discount and horizon.
_MARKS: WeakKeyDictionary[TabularMDP, dict[tuple[str, float, int | None], tuple[float, float, float]]] = (
    WeakKeyDictionary()
)

#: Pairs of tables scored before.
_PAIRS: WeakKeyDictionary[TabularMDP, Pairs] = WeakKeyDictionary()


def pairs_of(mdp: TabularMDP) -> Pairs:
    """`Pairs.of(mdp)`, made once a table."""
    found = _PAIRS.get(mdp)
    if found is None:
        found = _PAIRS[mdp] = Pairs.of(mdp)
    return found


def evaluate(
    model: Model,
    policy_or_agent: Any,
    discount: float | None = None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    exploring: bool = False,
) -> Score:
    """The exact score of a policy or an agent, between the optimum and the uniform random policy.

    Args:
        model: a table or an environment; an environment shows the agent `observe(s)` of every state, a
            table shows the states' indices; where states are hidden, observations are shown.
        policy_or_agent: integers are actions, [S] or [H, S]; floats are chances, [S, A] or [H, S, A]
            (observations instead of states where those are hidden).  An agent is asked once, in one batch,
            for `action_probabilities`, or for `predict(deterministic=True)` where it has nothing else; its
            chances of unavailable actions fall on the lowest available one, as in the environment.
        discount: as in `solve`.
        criterion: as in `solve`.
        horizon: as in `solve`.
        exploring: score the policy that the agent plays while it learns, not the one it believes best.

    Raises:
        ValueError: a setting out of range, a policy of the wrong shape, or one that names an unavailable
            action in a live state.
        UnboundedError: the policy's total reward is not defined from a reachable state.
    """
    weight = checked_discount(discount, criterion, horizon)
    pomdp = None if isinstance(model, TabularMDP) else hidden_table(model)
    if pomdp is not None:
        from .hidden import evaluate_hidden

        return evaluate_hidden(
            pomdp, policy_or_agent, weight, criterion=criterion, horizon=horizon, exploring=exploring
        )
    mdp = observed_table(model)
    pairs = pairs_of(mdp)
    if _is_array(policy_or_agent):
        weights = weights_of_array(pairs, mdp, policy_or_agent, horizon)
    else:
        shown = observations_of(mdp, model)
        chances = chances_of_agent(policy_or_agent, shown, mdp.num_actions, exploring=exploring)
        weights = weights_of_chances(pairs, mdp, chances)
    values = values_of_weights(pairs, weights, weight, criterion=criterion, horizon=horizon)
    start = start_value(mdp, values[0] if values.ndim == 2 else values)
    optimum, random, gap = marks_of(mdp, weight, criterion=criterion, horizon=horizon)
    return Score(
        values=values, start_value=start, optimum=optimum, random=random, gap=gap, lower=start, upper=start
    )


def policy_values(
    mdp: TabularMDP,
    policy: npt.ArrayLike,
    discount: float | None = None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
) -> FloatArray:
    """The values of a policy array alone: [S], with a finite horizon [H + 1, S]; for "average" its gain [S].

    Args:
        mdp: the table.
        policy: integers are actions, [S] or [H, S]; floats are chances, [S, A] or [H, S, A].
        discount: as in `solve`.
        criterion: as in `solve`.
        horizon: as in `solve`.

    Raises:
        ValueError: a setting out of range, a policy of the wrong shape, or one that names an unavailable
            action in a live state.
        UnboundedError: the policy's total reward is not defined from a reachable state.
    """
    weight = checked_discount(discount, criterion, horizon)
    pairs = pairs_of(mdp)
    weights = weights_of_array(pairs, mdp, policy, horizon)
    return values_of_weights(pairs, weights, weight, criterion=criterion, horizon=horizon)


def values_of_weights(
    pairs: Pairs, weights: FloatArray, discount: float, *, criterion: Criterion, horizon: int | None
) -> FloatArray:
    """What `policy_values` says, of weights [M] or [H, M] over the pairs."""
    if criterion == "finite_horizon":
        assert horizon is not None
        return _backward(pairs, weights, discount, horizon)
    transition, reward = policy_matrix(pairs, weights)
    if criterion == "discounted":
        live = pairs.live
        values = np.zeros(pairs.num_states)
        values[live] = factorised(transition[live][:, live], discount)(reward[live], False)
        return values
    leaks = leaking(pairs, weights)
    if criterion == "total":
        size = summed(pairs.state, weights * pairs.size, pairs.num_states)
        return total_reward(transition, reward, size, leaks, pairs.initial)
    if pairs.ends:
        raise ValueError(ENDS)
    return long_run(transition, reward, leaks)[0]


def leaking(pairs: Pairs, weights: FloatArray) -> BoolArray:
    """[S] states from which a step of the policy may end the episode; terminal states too."""
    leaks = np.bincount(pairs.state, weights=weights, minlength=pairs.num_states) == 0
    leaks[pairs.state[(weights > 0) & (pairs.going_on < 1.0)]] = True
    return np.asarray(leaks)


def _backward(pairs: Pairs, weights: FloatArray, discount: float, horizon: int) -> FloatArray:
    values = np.zeros((horizon + 1, pairs.num_states))
    for h in range(horizon - 1, -1, -1):
        now = weights if weights.ndim == 1 else weights[h]
        q = pairs.backup(values[h + 1], discount)
        values[h] = summed(pairs.state, now * q, pairs.num_states)
    return values


def marks_of(
    mdp: TabularMDP, discount: float, *, criterion: Criterion, horizon: int | None
) -> tuple[float, float, float]:
    """(optimum, random, gap) of the table, remembered as long as the table lives."""
    known = _MARKS.setdefault(mdp, {})
    key = (criterion, discount, horizon)
    if key not in known:
        best = solve(mdp, discount, criterion=criterion, horizon=horizon)
        pairs = pairs_of(mdp)
        values = values_of_weights(
            pairs, uniform_weights(pairs), discount, criterion=criterion, horizon=horizon
        )
        random = start_value(mdp, values[0] if values.ndim == 2 else values)
        known[key] = (best.start_value, random, smallest_loss(pairs, best))
    return known[key]


def _is_array(policy: Any) -> bool:
    return isinstance(policy, (np.ndarray, list, tuple))
