"""From any guess of the values to bounds that hold, rounding included.

With  T v = max_a q(s, a)  and substochastic rows of mass in [m, 1], any v with  T v - v <= M  everywhere
satisfies

    V*  <=  v + M / (1 - discount)          if M >= 0
    V*  <=  v + M / (1 - discount * m)      if M <  0

since u = v + c obeys T u <= T v + discount * c * (mass) <= u.  Mirrored, T_pi v - v >= L gives a lower
bound on the value of pi, hence on V*.  One more backup keeps whichever bound is sharper state by state
(Puterman 1994, theorem 6.6.3 and proposition 6.3.2, for rows of mass 1).  Where no row ends, v may first be shifted by
any constant: c makes up for it.  So it is centred, and rounding counts in proportion to the spread of the values, not
to their size, which near discount 1 is many times greater.  M and L are taken after adding
the bound on rounding of `Pairs`, and every last sum is widened by a few units of the last place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from ..envs.mdp import BoolArray, FloatArray, IntArray
from .algebra.pairs import UNIT, Pairs
from .errors import ToleranceError


@dataclass(frozen=True, eq=False)
class Certified:
    """Bounds that hold, a policy whose own value lies between them, and which actions may be optimal.

    Attributes:
        values: [S] within the bounds.
        lower: [S] at most the value of `policy`, hence at most the optimum.
        upper: [S] at least the optimum.
        policy: [S] lowest action of those that are optimal within the bounds.
        q_values: [M] of each pair.
        optimal: [M] whether the bounds leave open that the pair is optimal; never False for an optimal pair.
    """

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    policy: IntArray
    q_values: FloatArray
    optimal: BoolArray


def widened(numbers: FloatArray, size: FloatArray, sign: float) -> FloatArray:
    """`numbers` moved outwards by eight units of the last place of `size`."""
    return np.asarray(numbers + sign * (8.0 * UNIT * (np.abs(numbers) + size) + 5e-324))


def shift(amount: float, discount: float, least_mass: float) -> float:
    """The c with  amount + discount * mass * c <= c  for every mass in [least_mass, 1]."""
    mass = 1.0 if amount >= 0 else least_mass
    return amount / (1.0 - discount * mass)


def least_mass(pairs: Pairs) -> float:
    """A lower bound on every row's chance to go on."""
    if pairs.num_pairs == 0:
        return 1.0
    going_on = np.where(pairs.going_on == 1.0, 1.0, pairs.going_on * (1.0 - pairs.rounding))
    return max(0.0, float(going_on.min()))


def centred(pairs: Pairs, values: FloatArray) -> FloatArray:
    """[S] the guess, shifted to lie around 0 where no row ends."""
    if pairs.ends or not len(pairs.live):
        return values
    middle = 0.5 * (float(values[pairs.live].max()) + float(values[pairs.live].min()))
    shifted = np.zeros(pairs.num_states)
    shifted[pairs.live] = values[pairs.live] - middle
    return shifted


def discounted_bounds(pairs: Pairs, values: FloatArray, discount: float) -> tuple[FloatArray, FloatArray]:
    """Certified (lower, upper) [S] of the optimum from any guess [S]."""
    values = centred(pairs, values)
    q = pairs.backup(values, discount)
    error = pairs.backup_error(values, discount)
    least = least_mass(pairs)
    return (
        _one_side(pairs, values, pairs.best(q - error), discount, least, -1.0),
        _one_side(pairs, values, pairs.best(q + error), discount, least, +1.0),
    )


def _one_side(
    pairs: Pairs, values: FloatArray, backed_up: FloatArray, discount: float, least: float, sign: float
) -> FloatArray:
    """Upper bounds (sign +1) or lower bounds (sign -1) from an outward-rounded backup."""
    live = pairs.live
    excess = sign * (backed_up - values)[live] + 4.0 * UNIT * (np.abs(backed_up) + np.abs(values))[live]
    amount = float(excess.max(initial=-np.inf))
    if not live.size:
        return np.zeros(pairs.num_states)
    c = shift(amount, discount, least)
    c += 16.0 * UNIT * abs(c)
    bound = np.zeros(pairs.num_states)
    direct = values + sign * c
    # One more backup of v + c: discount * mass * c with the mass that makes the bound hold.
    again = backed_up + sign * discount * (c if c >= 0 else least * c)
    size = np.abs(values) + abs(c)
    direct, again = widened(direct, size, sign), widened(again, size, sign)
    bound[live] = (np.minimum(direct, again) if sign > 0 else np.maximum(direct, again))[live]
    return bound


def policy_lower_bound(pairs: Pairs, values: FloatArray, policy: IntArray, discount: float) -> FloatArray:
    """[S] certified lower bound of the value of `policy` from any guess [S] of it."""
    rows = pairs.rows_of(policy)
    values = centred(pairs, values)
    q = pairs.backup(values, discount) - pairs.backup_error(values, discount)
    backed_up = np.zeros(pairs.num_states)
    backed_up[pairs.live] = q[rows]
    return _one_side(pairs, values, backed_up, discount, least_mass(pairs), -1.0)


def may_be_optimal(pairs: Pairs, lower: FloatArray, upper: FloatArray, discount: float) -> BoolArray:
    """[M] pairs that no bound excludes: the greatest q within the bounds reaches the best of the least."""
    highest = pairs.backup(upper, discount) + pairs.backup_error(upper, discount)
    lowest = pairs.backup(lower, discount) - pairs.backup_error(lower, discount)
    return np.asarray(highest >= pairs.best(lowest)[pairs.state])


def allowed_width(tolerance: float, relative: bool, values: FloatArray, unit: float = 1.0) -> float:
    """The greatest upper - lower that keeps the promise; like the values in units of `unit`."""
    one = 1.0 / unit
    return tolerance * (max(one, float(np.abs(values).max(initial=0.0))) if relative else one)


def apart(lower: FloatArray, upper: FloatArray) -> float:
    """The greatest distance of the bounds; equal infinite ones are 0 apart."""
    open_ = lower != upper
    return float((upper[open_] - lower[open_]).max(initial=0.0))


def certify(
    pairs: Pairs, values: FloatArray, discount: float, *, tolerance: float, relative: bool
) -> Certified:
    """Bounds and policy from a good guess of the optimal values.

    Raises:
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    lower, upper = discounted_bounds(pairs, values, discount)
    values = np.clip(values, lower, upper)
    optimal = may_be_optimal(pairs, lower, upper, discount)
    q = pairs.backup(values, discount)
    width = allowed_width(tolerance, relative, values)
    own = lower
    for policy in (pairs.first_of(optimal), pairs.greedy(q)):
        own = policy_lower_bound(pairs, values, policy, discount)
        if float((upper - own).max(initial=0.0)) <= width:
            return Certified(np.clip(values, own, upper), own, upper, policy, q, optimal)
    refuse(np.maximum(lower, own), upper, tolerance, relative, width)


def refuse(lower: FloatArray, upper: FloatArray, tolerance: float, relative: bool, width: float) -> NoReturn:
    """Raises the error that carries the best bounds."""
    distance = apart(lower, upper)
    kind = "relative" if relative else "absolute"
    raise ToleranceError(
        f"a tolerance of {tolerance:g} ({kind}) allows bounds {width:.3g} apart, but float64 reached "
        f"{distance:.3g}; the error's lower and upper carry them",
        lower,
        upper,
    )
