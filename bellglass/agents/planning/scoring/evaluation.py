"""`evaluate`: the exact score of a policy or an agent; `policy_bounds`: its values and how wrong they may be.

    v(s)  =  sum_a pi(a | s) sum_k p_k (r_k + discount * v(s'_k))

A linear solve on the policy's own chain, or backward induction; no episode is ever played.  `worth.py` has the
certificates.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from ....envs.mdp import FloatArray, IntArray, TabularMDP
from ..bounds import allowed_width, apart, refuse
from ..errors import UnboundedError
from ..pairs import UNIT, Pairs
from ..questions import Model, checked_discount, hidden_table, observed_table
from ..solution import Criterion
from ..solver import solve, start_value
from .gaps import smallest_loss
from .played import played_on
from .policies import (
    Onlooker,
    chances_of_agent,
    checked_policy,
    observations_of,
    played_chances,
    uniform_chances,
)
from .score import Score
from .worth import PolicyBounds, average, discounted, finite_horizon, total

#: What policies are solved to where nobody says otherwise; `evaluate` and the curves of experiments take what float64
#: gives beyond it.
TOLERANCE = 1e-8

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
        from ..hidden.evaluating import evaluate_hidden

        agent = policy_or_agent
        if not _is_array(agent) and isinstance(model, gym.Env) and model.has_wrapper_attr("show"):
            agent = Onlooker(agent, model.get_wrapper_attr("show"))
        return evaluate_hidden(
            pomdp, agent, weight, criterion=criterion, horizon=horizon, exploring=exploring
        )
    mdp = observed_table(model)
    policy: IntArray | FloatArray
    if _is_array(policy_or_agent):
        policy = checked_policy(mdp, policy_or_agent, horizon)
    else:
        shown = observations_of(mdp, model)
        chances = chances_of_agent(policy_or_agent, shown, mdp.num_actions, exploring=exploring)
        policy = played_chances(mdp, chances)
    found = bounds_of(mdp, policy, weight, criterion=criterion, horizon=horizon)
    start = start_value(mdp, found.values[0] if found.values.ndim == 2 else found.values)
    low, high = start_bounds(mdp, found)
    optimum, random, gap = marks_of(mdp, weight, criterion=criterion, horizon=horizon)
    return Score(
        values=found.values,
        start_value=start,
        optimum=optimum,
        random=random,
        gap=gap,
        lower=low,
        upper=high,
    )


def policy_values(
    mdp: TabularMDP,
    policy: npt.ArrayLike,
    discount: float | None = None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    tolerance: float = TOLERANCE,
    relative: bool = True,
) -> FloatArray:
    """`policy_bounds` without the bounds: values [S], with a finite horizon [H + 1, S]; for "average" the gain [S]."""
    return policy_bounds(
        mdp,
        policy,
        discount,
        criterion=criterion,
        horizon=horizon,
        tolerance=tolerance,
        relative=relative,
    ).values


def policy_bounds(
    mdp: TabularMDP,
    policy: npt.ArrayLike,
    discount: float | None = None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    tolerance: float = TOLERANCE,
    relative: bool = True,
) -> PolicyBounds:
    """What a policy array is worth in every state, between certified bounds.

    Args:
        mdp: the table.
        policy: integers are actions, [S] or [H, S]; floats are chances, [S, A] or [H, S, A].
        discount: as in `solve`.
        criterion: as in `solve`.
        horizon: as in `solve`.
        tolerance: greatest distance between upper and lower bounds, positive.
        relative: count the tolerance in units of max(1, max|v|).

    Raises:
        ValueError: a setting out of range, a policy of the wrong shape, or one that names an unavailable
            action in a live state.
        ToleranceError: the tolerance is beyond float64; carries the best bounds.
        UnboundedError: the policy's total reward is not defined from a reachable state.
    """
    weight = checked_discount(discount, criterion, horizon)
    if not tolerance > 0.0 or not np.isfinite(tolerance):
        raise ValueError(f"tolerance must be positive and finite, got {tolerance}")
    found = bounds_of(
        mdp,
        checked_policy(mdp, policy, horizon),
        weight,
        criterion=criterion,
        horizon=horizon,
        tolerance=tolerance,
        relative=relative,
    )
    known = np.isfinite(found.values[0] if found.values.ndim == 2 else found.values)
    numbers = (found.values[0] if found.values.ndim == 2 else found.values)[known]
    width = allowed_width(tolerance, relative, numbers)
    if apart(found.lower[known], found.upper[known]) > width:
        refuse(found.lower, found.upper, tolerance, relative, width)
    return found


def bounds_of(
    mdp: TabularMDP,
    policy: IntArray | FloatArray,
    discount: float,
    *,
    criterion: Criterion,
    horizon: int | None,
    tolerance: float = TOLERANCE,
    relative: bool = True,
) -> PolicyBounds:
    """What `policy_bounds` says of a policy that `checked_policy` or `played_chances` let through, however wide."""
    played = played_on(mdp)
    if criterion == "finite_horizon":
        assert horizon is not None
        return finite_horizon(played.chain_of_step(policy), mdp.num_states, horizon, discount)
    chain = played.chain(policy)
    if criterion == "discounted":
        return discounted(chain, discount, tolerance=tolerance, relative=relative)
    if criterion == "total":
        return total(chain, mdp.initial)
    played.refuse_ends()
    return average(chain)


def start_bounds(mdp: TabularMDP, found: PolicyBounds) -> tuple[float, float]:
    """Certified (lower, upper) of the mean over the start."""
    begins = np.flatnonzero(mdp.initial)
    weights = mdp.initial[begins] / mdp.initial.sum()
    rounding = (2.0 * len(begins) + 8.0) * UNIT
    ends = []
    for sign, bound in ((-1.0, found.lower[begins]), (+1.0, found.upper[begins])):
        middle = float(weights @ bound)
        ends.append(
            middle + sign * rounding * float(weights @ np.abs(bound)) if np.isfinite(middle) else middle
        )
    return ends[0], ends[1]


def marks_of(
    mdp: TabularMDP, discount: float, *, criterion: Criterion, horizon: int | None
) -> tuple[float, float, float]:
    """(optimum, random, gap) of the table, remembered as long as the table lives."""
    known = _MARKS.setdefault(mdp, {})
    key = (criterion, discount, horizon)
    if key not in known:
        random = random_value(mdp, discount, criterion=criterion, horizon=horizon)
        try:
            best = solve(mdp, discount, criterion=criterion, horizon=horizon)
        except UnboundedError as error:  # a policy's own total may well be finite
            known[key] = (error.value, random, np.nan)
        else:
            known[key] = (best.start_value, random, smallest_loss(pairs_of(mdp), best))
    return known[key]


def random_value(mdp: TabularMDP, discount: float, *, criterion: Criterion, horizon: int | None) -> float:
    """The start value of the policy that plays every available action alike; nan where its total has no limit."""
    try:
        values = bounds_of(mdp, uniform_chances(mdp), discount, criterion=criterion, horizon=horizon).values
    except UnboundedError:
        return np.nan
    return start_value(mdp, values[0] if values.ndim == 2 else values)


def _is_array(policy: Any) -> bool:
    return isinstance(policy, (np.ndarray, list, tuple))
