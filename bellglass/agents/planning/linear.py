"""Sparse linear systems  (I - discount P) x = b, by whichever factorisation is quicker."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.linalg

from ...envs.mdp import FloatArray

#: Up to this many unknowns a dense factorisation is quicker than a sparse one (both are milliseconds).
DENSE = 400

Solver = Callable[[FloatArray, bool], FloatArray]


def factorised(transition: scipy.sparse.csr_array, discount: float = 1.0) -> Solver:
    """A function (b, transposed) -> x that solves (I - discount P) x = b, or its transpose, refined once.

    Args:
        transition: [n, n] P.
        discount: in [0, 1].

    Raises:
        ZeroDivisionError: the matrix is singular to working precision.
    """
    size = transition.shape[0]
    system = (scipy.sparse.eye_array(size, format="csr") - discount * transition).tocsr()
    if size == 0:
        return lambda b, transposed: np.array(b, dtype=np.float64)
    solve = _dense(system.toarray()) if size <= DENSE else _sparse(system)
    turned = system.T.tocsr()

    def refined(b: FloatArray, transposed: bool) -> FloatArray:
        x = solve(b, transposed)
        if not np.isfinite(x).all():
            raise ZeroDivisionError("the linear system is singular")
        matrix = turned if transposed else system
        return np.asarray(x + solve(b - matrix @ x, transposed))

    return refined


def _dense(system: FloatArray) -> Solver:
    with warnings.catch_warnings():
        warnings.simplefilter("error", scipy.linalg.LinAlgWarning)
        try:
            factors = scipy.linalg.lu_factor(system, check_finite=False)
        except (scipy.linalg.LinAlgWarning, scipy.linalg.LinAlgError) as error:
            raise ZeroDivisionError("the linear system is singular") from error

    def solve(b: FloatArray, transposed: bool) -> FloatArray:
        return np.asarray(scipy.linalg.lu_solve(factors, b, trans=int(transposed), check_finite=False))

    return solve


def _sparse(system: scipy.sparse.csr_array) -> Solver:
    try:
        factors = scipy.sparse.linalg.splu(system.tocsc())
    except RuntimeError as error:
        raise ZeroDivisionError("the linear system is singular") from error

    def solve(b: FloatArray, transposed: bool) -> FloatArray:
        return np.asarray(factors.solve(np.ascontiguousarray(b), trans="T" if transposed else "N"))

    return solve
