"""Sparse linear systems  (I - discount P) x = b: by whichever factorisation is quicker, or by iteration.

`factorised` is for many right-hand sides; `solved` for one, of any size.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from ...envs.mdp import FloatArray
from .krylov import iterated

#: Up to this many unknowns a dense factorisation is quicker than a sparse one (both are milliseconds).
DENSE = 400

#: The same where the whole inverse is asked for, column by column.
MANY = 3_000

#: Unknowns times width of the band up to which `solved` factorises at once (a hundredth of a second).
NARROW = 4_000_000

#: The same where iteration has failed: beyond this, a factorisation could fill the memory.
LARGEST = 100_000_000

Solver = Callable[[FloatArray, bool], FloatArray]


def factorised(
    transition: scipy.sparse.csr_array, discount: float = 1.0, *, dense_up_to: int = DENSE
) -> Solver:
    """A function (b, transposed) -> x that solves (I - discount P) x = b, or its transpose, refined once.

    Args:
        transition: [n, n] P.
        discount: in [0, 1].
        dense_up_to: unknowns up to which factors are dense; `MANY` where there are as many right-hand sides.

    Raises:
        ZeroDivisionError: the matrix is singular to working precision.
    """
    size = transition.shape[0]
    system = (scipy.sparse.eye_array(size, format="csr") - discount * transition).tocsr()
    if size == 0:
        return lambda b, transposed: np.array(b, dtype=np.float64)
    solve = _dense(system.toarray()) if size <= dense_up_to else _sparse(system)
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


class Solved(NamedTuple):
    """x, and how far it is from solving the system.

    Attributes:
        x: [n].
        residual: greatest |b - (I - discount P) x|.
    """

    x: FloatArray
    residual: float


def solved(
    transition: scipy.sparse.csr_array | FloatArray,
    discount: float,
    right: FloatArray,
    *,
    tolerance: float,
    transposed: bool = False,
) -> Solved:
    """Solves (I - discount P) x = b, or its transpose: directly where that is cheap, else by iteration.

    Iteration stops at the tolerance or where it gets no further, so the residual that comes with x must be looked at;
    a certificate does so anyway.

    Args:
        transition: [n, n] P, sparse or dense.
        discount: in [0, 1].
        right: [n] b.
        tolerance: what `residual` shall be at most; a direct solution is as exact as float64 makes it.
        transposed: solve (I - discount P)^T x = b.

    Raises:
        ZeroDivisionError: a direct factorisation met a singular matrix.
    """
    size = transition.shape[0]
    if isinstance(transition, np.ndarray) or size <= DENSE:
        dense = transition if isinstance(transition, np.ndarray) else transition.toarray()
        system = np.eye(size) - discount * (dense.T if transposed else dense)
        try:
            x = np.asarray(np.linalg.solve(system, right), dtype=np.float64)
        except np.linalg.LinAlgError as error:
            raise ZeroDivisionError("the linear system is singular") from error
        return Solved(x, float(np.abs(right - system @ x).max(initial=0.0)))
    matrix = transition.T.tocsr() if transposed else transition
    if is_narrow(matrix):
        return _directly(transition, discount, right, transposed)
    system = (scipy.sparse.eye_array(size, format="csr") - discount * matrix).tocsr()
    x, residual, reached = iterated(system, system.astype(np.float32), right, tolerance)
    if not reached and reordered_band(matrix) * size <= LARGEST:
        return _directly(transition, discount, right, transposed)
    return Solved(x, residual)


def is_narrow(matrix: scipy.sparse.csr_array) -> bool:
    """Whether a direct factorisation is surely cheap: all entries lie close to the diagonal, or n is small."""
    size = matrix.shape[0]
    rows = np.repeat(np.arange(size), np.diff(matrix.indptr))
    return bool(np.abs(rows - matrix.indices).max(initial=0) * size <= NARROW)


def reordered_band(matrix: scipy.sparse.csr_array) -> int:
    """Width of the band after the ordering of Cuthill and McKee (1969)."""
    order = scipy.sparse.csgraph.reverse_cuthill_mckee(matrix, symmetric_mode=False)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    rows = np.repeat(np.arange(len(order)), np.diff(matrix.indptr))
    return int(np.abs(place[rows] - place[matrix.indices]).max(initial=0))


def _directly(
    transition: scipy.sparse.csr_array, discount: float, right: FloatArray, transposed: bool
) -> Solved:
    x = factorised(transition, discount)(right, transposed)
    mapped = transition.T @ x if transposed else transition @ x
    return Solved(x, float(np.abs(right - (x - discount * mapped)).max(initial=0.0)))


def levelled(
    transition: scipy.sparse.csr_array, right: FloatArray, *, tolerance: float, transposed: bool = False
) -> Solved:
    """Solves (I - P + 1 m) x = b by iteration, or its transpose, where m takes the mean and P is irreducible.

    With b = r, m x is the gain and x a bias: multiply by the stationary distribution.  Transposed, with b = 1/n, x is
    the stationary distribution: multiply by the vector of ones.
    """
    size = transition.shape[0]
    matrix = transition.T.tocsr() if transposed else transition
    system = (scipy.sparse.eye_array(size, format="csr") - matrix).tocsr()

    def operator(part: scipy.sparse.csr_array) -> scipy.sparse.linalg.LinearOperator:
        return scipy.sparse.linalg.LinearOperator(
            part.shape, matvec=lambda x: part @ x + x.mean(dtype=np.float64).astype(x.dtype), dtype=part.dtype
        )

    x, residual, _ = iterated(operator(system), operator(system.astype(np.float32)), right, tolerance)
    return Solved(x, residual)
