"""Poisson chances, all of them: what lies beyond the last outcome is added to it."""

from __future__ import annotations

from math import lgamma, log, sqrt

import numpy as np

from ..mdp import FloatArray

#: Chance that may be lumped into the last outcome where no last outcome is asked for.
NEGLIGIBLE = 1e-15


def poisson(mean: float, last: int | None = None) -> FloatArray:
    """[last + 1] chances of 0 .. last; that of `last` is the chance of `last` or more.

    Args:
        mean: at least 0.
        last: the last outcome; by default the first one beyond which less than 1e-15 lies.

    >>> poisson(1.0, 2).round(6)
    array([0.367879, 0.367879, 0.264241])
    """
    far = max(last or 0, int(mean + 12.0 * sqrt(mean) + 40.0))  # beyond: less than the smallest rounding
    if mean == 0.0:
        chances = np.eye(1, far + 1)[0]
    else:
        logarithms = [d * log(mean) - mean - lgamma(d + 1.0) for d in range(far + 1)]
        chances = np.exp(np.array(logarithms))
        chances /= chances.sum()
    or_more = np.cumsum(chances[::-1])[::-1]
    if last is None:
        last = int(np.argmax(np.append(or_more[1:], 0.0) < NEGLIGIBLE))
    lumped: FloatArray = np.append(chances[:last], or_more[last])
    return lumped
