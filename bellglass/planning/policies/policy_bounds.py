"""What a policy is worth in every state, and how wrong that may be.

    v(s)  =  sum_a pi(a | s) sum_k p_k (r_k + discount * v(s'_k))

A linear solve on the policy's own chain, or backward induction; `worth.py` has the certificates.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from ..algebra.pairs import UNIT
from ..bounds import allowed_width, apart, refuse
from ..errors import UnboundedError
from ..questions import checked_discount
from ..solutions.record import Criterion
from ..start import start_value
from .certificates import PolicyBounds, average, discounted, finite_horizon, total
from .policies import (
    checked_policy,
    uniform_chances,
)
from .policy_chain import policy_chains

#: What policies are solved to where nobody says otherwise; `evaluate` and the curves of experiments take what float64
#: gives beyond it.
TOLERANCE = 1e-8


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
    played = policy_chains(mdp)
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


def random_value(mdp: TabularMDP, discount: float, *, criterion: Criterion, horizon: int | None) -> float:
    """The start value of the policy that plays every available action alike; nan where its total has no limit."""
    try:
        values = bounds_of(mdp, uniform_chances(mdp), discount, criterion=criterion, horizon=horizon).values
    except UnboundedError:
        return np.nan
    return start_value(mdp, values[0] if values.ndim == 2 else values)
