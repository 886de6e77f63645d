"""The certificate of `bounds`, for tables that are solved by compiled kernels: two passes, nothing kept by outcome.

The proof is that of `bounds`; two things are added (derived here).  Where no row ends, the guess h may be shifted by
any constant without changing what it proves,

    h + min (T h - h) / (1 - discount)  <=  V*  <=  h + max (T h - h) / (1 - discount),

so the guess is centred first: rounding is then proportional to the spread of the values, not to their size, which near
discount 1 is many times greater.  And a pair may be optimal only if  q(h) + discount * mass * up  reaches the lower
bound, so no second pass over the outcomes is needed to find the ties.
"""

from __future__ import annotations

import numpy as np

from ...compiled import compiled
from ...envs.mdp import FloatArray
from ..algebra.pairs import UNIT
from ..bounds import Certified, allowed_width, refuse, shift
from . import bound_kernels
from .table_rows import Rows, in_parts


def certify_rows(
    rows: Rows, guess: FloatArray, discount: float, *, tolerance: float, relative: bool
) -> Certified:
    """Bounds and policy from a good guess [S], which may be shifted.

    `q_values` and `optimal` are [S, A], minus infinity and False where an action is not available.  The guess is in
    units of the rows, what is returned is not.

    Raises:
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    size, live = (rows.num_states, rows.num_actions), rows.live
    values = guess
    values[~np.isfinite(values)] = (
        0.0  # a search that ran away: any guess will do, but no comparison would see it
    )
    if rows.never_ends:
        values -= 0.5 * (float(guess[live].max()) + float(guess[live].min()))
    values[~live] = 0.0
    q_values, doubt = np.empty(size[0] * size[1]), np.empty(size[0] * size[1], dtype=np.float32)
    greedy = np.zeros(size[0], dtype=np.int64)
    sums = np.empty((len(rows.twin), 2))
    parts = in_parts(
        rows.threads,
        size[0],
        lambda begin, end: compiled(bound_kernels.bracket)(
            rows.first,
            rows.probability,
            rows.next_state,
            rows.mean,
            rows.size,
            rows.scale,
            live,
            values,
            discount,
            begin,
            end,
            size[1],
            q_values,
            doubt,
            greedy,
            rows.twin,
            sums,
        ),
    )
    up = _outwards(max(part[0] for part in parts), discount, rows.least, +1.0)
    down = _outwards(min(part[1] for part in parts), discount, rows.least, -1.0)
    greedy_down = _outwards(min(part[2] for part in parts), discount, rows.least, -1.0)

    lower, upper = np.empty(size[0]), np.empty(size[0])
    optimal = np.zeros(size[0] * size[1], dtype=np.bool_)
    policy = np.empty(size[0], dtype=np.int64)
    ends = in_parts(
        rows.threads,
        size[0],
        lambda begin, end: compiled(bound_kernels.conclude)(
            live,
            values,
            q_values,
            doubt,
            discount,
            up,
            down,
            rows.least,
            begin,
            end,
            size[1],
            lower,
            upper,
            optimal,
            policy,
        ),
    )
    own_down = _outwards(min(ends), discount, rows.least, -1.0)
    missing = 0.5 * (up + down) if rows.never_ends else 0.0  # of every value alike
    found, own = np.empty(size[0]), np.empty(size[0])
    for low, pairs in (
        (own_down, policy),
        (greedy_down, greedy),
    ):  # the first may be a little worse, but is the lowest
        apart = compiled(bound_kernels.finish)(values, live, missing, low, lower, upper, own, found)
        if apart <= allowed_width(tolerance, relative, found, rows.unit):
            if pairs is greedy:
                policy = np.where(live, greedy - np.arange(size[0]) * size[1], 0)
            q_values += discount * missing
            for numbers in (found, own, upper, q_values):
                if rows.unit != 1.0:
                    numbers *= rows.unit
            return Certified(
                values=found,
                lower=own,
                upper=upper,
                policy=policy,
                q_values=q_values.reshape(size),
                optimal=optimal.reshape(size),
            )
    unit = rows.unit
    refuse(lower * unit, upper * unit, tolerance, relative, allowed_width(tolerance, relative, found * unit))


def _outwards(amount: float, discount: float, least: float, sign: float) -> float:
    """What may be added to the values so that they bound the optimum on the side of `sign`."""
    moved = sign * shift(sign * amount, discount, least)
    return moved + sign * 32.0 * UNIT * abs(moved)
