"""What a chain is worth under each criterion, between bounds that hold in floating point.

    v(s)  =  r(s) + discount * sum_s' P(s' | s) v(s')

Any u with  u >= r + discount * P u  is at least v (Puterman 1994, theorem 6.2.2), and so is any u with that property
on the transient states of a chain, at discount 1 too, since the weight on u dies out there.  So two tries:

    u = v + c                  c as in `bounds`: the greatest excess / (1 - discount)
    u = v + c W                W solves  W = d + discount * P W  with d the excess of each state, rounding included:
                               each state pays for the errors that it will meet, and no more

and the second is believed only after  u >= r + discount * P u  was checked with every sum rounded against it.  Below,
mirrored.  Totals are taken in differences, as the planners' are (`path_bounds`).  The gain of a closed class lies
between the least and the greatest of  r + P h - h  for any h (Puterman 1994, theorem 8.5.5); with stationary weights
by elimination there is a second pair of bounds, see `_by_weights`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray
from ..algebra.chains import Classes, closed_classes, endless_totals
from ..algebra.differences import Moves
from ..algebra.linear import solved
from ..algebra.pairs import UNIT
from ..bounds import allowed_width, shift, widened
from ..undiscounted.path_bounds import least, most, values_of
from .policy_chain import Chain
from .recurrent_classes import class_gains


@dataclass(frozen=True, eq=False)
class PolicyBounds:
    """What a policy is worth, and between which bounds.

    Attributes:
        values: [S] within the bounds (finite_horizon [H + 1, S]; for "average" the gain); inf or -inf where a total
            is infinite, nan where it has no limit (in states that no start reaches).
        lower: [S] certified lower bounds (with a finite horizon of values[0]).
        upper: [S] certified upper bounds.
    """

    values: FloatArray
    lower: FloatArray
    upper: FloatArray


def discounted(chain: Chain, discount: float, *, tolerance: float, relative: bool) -> PolicyBounds:
    """The discounted reward; bounds as far apart as `tolerance` allows if float64 can."""
    values = discounted_values(chain, discount, tolerance, relative)
    low, high = _level(chain, values, discount)
    if np.max(high - low, initial=0.0) > allowed_width(tolerance, relative, values):
        below, above = _weighted(chain, values, discount, np.flatnonzero(~chain.over))
        low, high = np.maximum(low, below), np.minimum(high, above)
    return PolicyBounds(np.clip(values, low, high), low, high)


def discounted_values(chain: Chain, discount: float, tolerance: float, relative: bool) -> FloatArray:
    """[S] without bounds: what a direct solution gives, or an iterated one that leaves a hundredth of the tolerance."""
    scale = 1.0
    if relative:  # the greatest value is at least half the greatest reward
        scale = max(1.0, 0.5 * float(np.abs(chain.reward).max(initial=0.0)))
    asked = 0.01 * tolerance * (1.0 - discount) * scale
    return solved(chain.matrix, discount, chain.reward, tolerance=asked).x


def _level(chain: Chain, values: FloatArray, discount: float) -> tuple[FloatArray, FloatArray]:
    """(lower, upper) [S] at the same distance from every value, sharpened by one more backup."""
    backed_up, error = chain.backup(values, discount), chain.backup_error(values, discount)
    error = error + 4.0 * UNIT * (np.abs(backed_up) + np.abs(values))
    least_mass = 0.0 if chain.leaks.any() else 1.0
    ends = []
    for sign in (-1.0, +1.0):
        c = shift(float((sign * (backed_up - values) + error).max(initial=0.0)), discount, least_mass)
        c *= 1.0 + 16.0 * UNIT
        size = np.abs(values) + c
        plain = widened(values + sign * c, size, sign)
        again = widened(backed_up + sign * (error + discount * c), size, sign)
        bound = np.minimum(plain, again) if sign > 0 else np.maximum(plain, again)
        bound[chain.over] = 0.0
        ends.append(bound)
    return ends[0], ends[1]


def _weighted(
    chain: Chain, values: FloatArray, discount: float, free: IntArray, spread: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """(lower, upper) [S] from local errors; the states that are not `free` are known up to `spread` [S] (or exactly).

    Infinite where the check fails.
    """
    known = np.zeros(len(values)) if spread is None else spread
    low, high = values - known, values + known
    if not free.size:
        return low, high
    local = np.abs(chain.backup(values, discount) - values) + 4.0 * chain.backup_error(values, discount)
    local = (local + discount * (chain.matrix @ known))[free]
    local = np.maximum(local, 0.01 * local.max())
    inner = chain.sparse[free][:, free] if free.size < len(values) else chain.matrix
    try:
        weights = solved(inner, discount, local, tolerance=1e-3 * float(local.max())).x
    except ZeroDivisionError:
        weights = np.full(free.size, np.inf)
    found = []
    for bound, sign in ((low, -1.0), (high, +1.0)):
        bound[free] = sign * np.inf
        for k in range(8):
            attempt = values + sign * known
            attempt[free] += sign * 2.0**k * weights
            if not np.isfinite(attempt).all():
                break
            excess = sign * (chain.backup(attempt, discount) - attempt)
            if (excess + chain.backup_error(attempt, discount) <= 0.0)[free].all():
                bound = attempt
                break
        found.append(bound)
    return found[0], found[1]


def finite_horizon(
    chain_of: Callable[[int], Chain], num_states: int, horizon: int, discount: float
) -> PolicyBounds:
    """The reward of `horizon` steps, of a chain for each step; the radius of the bounds is carried backwards."""
    values, radius = np.zeros((horizon + 1, num_states)), np.zeros(num_states)
    for h in range(horizon - 1, -1, -1):
        chain = chain_of(h)
        values[h] = chain.backup(values[h + 1], discount)
        radius = chain.backup_error(values[h + 1], discount) + discount * (chain.matrix @ radius)
        radius *= 1.0 + 4.0 * chain.rounding  # sums of positive numbers lose no more than this
    low, high = widened(values[0] - radius, radius, -1.0), widened(values[0] + radius, radius, +1.0)
    still = radius == 0.0
    return PolicyBounds(values, np.where(still, values[0], low), np.where(still, values[0], high))


def total(chain: Chain, initial: FloatArray) -> PolicyBounds:
    """The reward until the end.

    Raises:
        UnboundedError: from a state that the start can reach, the sum of rewards has no limit.
    """
    transition = chain.sparse
    classes = closed_classes(transition, chain.leaks)
    values = endless_totals(transition, classes, _worth(chain, classes), initial)
    free = np.flatnonzero((values == 0) & (classes.of < 0) & ~chain.over)
    low, high = values.copy(), values.copy()
    if free.size:
        finite, low[free], high[free] = _until_the_end(chain, free)
        values[free] = np.clip(finite, low[free], high[free])
    return PolicyBounds(values, low, high)


def _until_the_end(chain: Chain, free: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(value, lower, upper) [n] of the `free` states, which leave for states of value 0 for sure.

    In differences, as the planners' totals are (`moves`): values that are tall because the way out is narrow keep
    their digits, and so do the bounds.
    """
    rows = chain.sparse[free]
    outside = np.ones(rows.shape[1])
    outside[free] = 0.0
    moves = Moves(
        num_states=free.size,
        state=np.arange(free.size),
        reward=chain.reward[free],
        size=chain.size[free],
        matrix=scipy.sparse.csr_array(rows[:, free]),
        stop=chain.stop[free] + rows @ outside,
        rounding=chain.rounding[free],
    )
    try:
        values, solver, own = values_of(moves, moves.state, np.zeros(free.size))
    except ZeroDivisionError:
        nothing = np.full(free.size, np.inf)
        return np.zeros(free.size), -nothing, nothing
    return values, least(own, values, solver), most(moves, values, moves.state, solver)


def _worth(chain: Chain, classes: Classes) -> FloatArray:
    """[number of classes] 0 where nothing is ever paid, inf or -inf by the certified sign of the gain, else nan."""
    worth = np.zeros(len(classes.members))
    if not worth.size:
        return worth
    members = np.concatenate(classes.members)
    begins = np.cumsum([0] + [len(part) for part in classes.members[:-1]])
    reward, size = chain.reward[members], chain.size[members]
    # Both are sums of the same products but for their signs, so they are equal exactly where no reward is negative.
    gains = np.logical_and.reduceat(reward == size, begins)
    loses = np.logical_and.reduceat(reward == -size, begins)
    paid = np.logical_or.reduceat(size > 0, begins)
    worth[paid] = np.nan
    worth[paid & gains], worth[paid & loses] = np.inf, -np.inf
    for number in np.flatnonzero(np.isnan(worth)):
        one = Classes(np.where(classes.of == number, 0, -1), (classes.members[number],))
        _, low, high = class_gains(chain, one)
        if low[0] > 0 or high[0] < 0:
            worth[number] = np.copysign(np.inf, low[0])
    return worth


def average(chain: Chain) -> PolicyBounds:
    """The reward per step in the long run, of a chain that never ends."""
    classes = closed_classes(chain.sparse, chain.leaks)
    gains, below, above = class_gains(chain, classes)
    middle, spread = np.zeros(len(chain.reward)), np.zeros(len(chain.reward))
    low, high = middle.copy(), middle.copy()
    within = classes.of >= 0
    middle[within] = gains[classes.of[within]]
    low[within], high[within] = below[classes.of[within]], above[classes.of[within]]
    spread[within] = np.maximum(high - middle, middle - low)[within] * (1.0 + 4.0 * UNIT)
    nothing = np.zeros_like(middle)
    unpaid = replace(chain, matrix=chain.sparse, reward=nothing, size=nothing)
    free = np.flatnonzero(~within)
    if free.size:
        rows = chain.sparse[free]
        middle[free] = solved(scipy.sparse.csr_array(rows[:, free]), 1.0, rows @ middle, tolerance=0.0).x
        down, up = _weighted(unpaid, middle, 1.0, free, spread)
        low[free], high[free] = down[free], up[free]
    return PolicyBounds(np.clip(middle, low, high), low, high)
