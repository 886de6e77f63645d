"""Large sparse systems by BiCGSTAB, refined in float64.

    residual  =  b - A x                      float64
    A d       =  residual, to four digits     float32: half the memory to walk through
    x        <-  x + d

van der Vorst (1992) for BiCGSTAB; Wilkinson (1963) for the refinement.  An incomplete factorisation in front of it
was tried and cost more than it saved on every table of `benchmarks/tables.py`: where it is cheap (chains, grids) the
complete one is cheap too, and where that fills in (random tables) it is not needed.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from ...envs.mdp import FloatArray

#: A system, or a function of one: what `bicgstab` multiplies with.
Operator: TypeAlias = scipy.sparse.csr_array | scipy.sparse.linalg.LinearOperator

#: Steps of one call of BiCGSTAB; each multiplies twice.
STEPS = 300

#: Residuals below this, in units of the greatest numbers that they are the difference of, are rounding.
ROUNDING = 4.0 * 2.0**-53

#: Corrections before giving up.
ROUNDS = 12


def iterated(
    exact: Operator, short: Operator, right: FloatArray, tolerance: float
) -> tuple[FloatArray, float, bool]:
    """The x with |b - A x| <= tolerance everywhere, or the best one; its greatest residual; whether it will do.

    A residual of mere rounding will do, whatever the tolerance.

    Args:
        exact: A in float64.
        short: A in float32; left for `exact` once it gains less than a digit in a round.
        right: [n] b.
        tolerance: of the residual, absolute.
    """
    x = np.zeros(len(right))
    residual, worst = right.copy(), float(np.abs(right).max(initial=0.0))
    inner = short
    for _ in range(ROUNDS):
        noise = ROUNDING * float(np.abs(right).max() + 2.0 * np.abs(x).max())
        if worst <= max(tolerance, noise):
            return x, worst, True
        with np.errstate(all="ignore"):  # a step that overflows leaves a residual that refuses it
            step, _ = scipy.sparse.linalg.bicgstab(
                inner, (residual / worst).astype(inner.dtype), rtol=1e-4, maxiter=STEPS
            )
            better = x + worst * np.asarray(step, dtype=np.float64)
            left = right - exact @ better
        found = float(np.abs(left).max())
        slow = not found <= 0.1 * worst  # also where the step is not finite
        if found < worst:
            x, residual, worst = better, left, found
        if slow:
            if inner is exact:
                break
            inner = exact
    return x, worst, False
