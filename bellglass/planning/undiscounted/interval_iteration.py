"""Value iteration for shortest paths that knows when it may stop.

The change of a sweep says nothing about the distance to the optimum.  So two sweeps run side by side, one in a table
whose rewards are raised by h, one where they are lowered by h,

    u  <-  max_a  r + h + P u          l  <-  max_a  r - h + P l

until both change by less than h.  Then  T u <= u  and  T l >= l,  so (`path_bounds`) u is at least the optimum, and l
at most the value of the policy that is greedy for it, which ends: going round for ever with  l <= T_pi l  would not
lose.  Both are a constant times h from the optimum, so h is lowered in proportion to the width that is wanted, with u
and l drawn together likewise, and the sweeps go on.  Derived here; the guess that is verified afterwards is optimistic
value iteration (Hartmanns and Kaminski 2020), the two sides are interval iteration (Haddad and Monmege 2018).
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import FloatArray, IntArray
from ..algebra.differences import Moves
from ..bounds import allowed_width
from ..progress_bar import Report

#: Sweeps after which the tolerance is given up.
MOST_SWEEPS = 100_000


def value_iteration(
    moves: Moves,
    *,
    tolerance: float,
    relative: bool,
    start: FloatArray | None = None,
    report: Report | None = None,
) -> tuple[FloatArray, FloatArray, IntArray, int]:
    """Certified (lower, upper) [n], the policy [n] that earns the lower one, and the sweeps.

    The best bounds reached, where the tolerance is beyond rounding or beyond the greatest number of sweeps;
    infinite ones where none was.
    """
    reward, matrix = moves.hurried
    size = moves.num_states
    low, high, rows = np.full(size, -np.inf), np.full(size, np.inf), moves.first.copy()
    both = np.zeros((size, 2)) if start is None else np.repeat(start[:, None], 2, axis=1)
    playable = moves.leaving > 0
    lift = 0.1 * max(float(np.abs(reward[playable]).max(initial=0.0)), tolerance)
    sweeps, last = 0, np.inf
    while sweeps < MOST_SWEEPS:
        paid = np.stack([reward - lift, reward + lift], axis=1)
        while sweeps < MOST_SWEEPS:
            new = np.maximum.reduceat(paid + matrix @ both, moves.first, axis=0)
            change = new - both
            both = new
            sweeps += 1
            if report is not None:
                report(sweeps, float((both[:, 1] - both[:, 0]).max()), tolerance)
            if change[:, 0].min() >= -0.5 * lift and change[:, 1].max() <= 0.5 * lift:
                break
        proved = _proved(moves, both)
        if proved is None:
            break
        width = float((both[:, 1] - both[:, 0]).max())
        if width >= last:
            break
        low, high, rows = np.nextafter(both[:, 0], -np.inf), np.nextafter(both[:, 1], np.inf), proved
        last = width
        wanted = allowed_width(tolerance, relative, np.maximum(np.abs(low), np.abs(high)) - width)
        if float((high - low).max()) <= wanted:
            break
        ratio = max(1e-3, min(0.25, 0.4 * wanted / width))
        middle = both.mean(axis=1, keepdims=True)
        both = middle + ratio * (both - middle)
        lift *= ratio
    return low, high, rows, sweeps


def _proved(moves: Moves, both: FloatArray) -> IntArray | None:
    """The policy [n] that earns the lower side, if both sides stand up to rounding."""
    gains, size = moves.gains(both[:, 1])
    if (gains + moves.error(size) > 0).any():
        return None
    gains, size = moves.gains(both[:, 0])
    surely = gains - moves.error(size)
    rows = moves.first_best(surely)
    return rows if (surely[rows] >= 0).all() else None
