"""Linear systems of a chain,  x = b + P x  and its transpose, by whatever suits its shape and size.

    small                          dense factors                          (up to 400 states)
    no cycle                       one pass, states downstream first
    neighbours close together      sparse factors (SuperLU)               grids, queues, rivers: little fills in
    else                           BiCGSTAB (van der Vorst 1992), where it breaks down GMRES; plain, then preconditioned
                                   by an incomplete factorisation; sparse factors as the last resort

Direct factors of a random graph fill in almost wholly (100,000 states: 80 GB), while such a chain mixes fast and a
Krylov method needs some tens of products.  What is returned is approximate; callers refine it against residuals taken
in differences (`moves`), and certify.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from ...envs.mdp import FloatArray
from .linear import DENSE, Solver, factorised, levelled, reordered_band

#: States times squared bandwidth up to which sparse factors are quick.
BANDED = 2e10

#: Krylov solutions stop at this residual, relative to the right side.
RESIDUAL = 1e-10

#: States up to which sparse factors are tried after Krylov methods have failed.
LAST_RESORT = 150_000


@dataclass(frozen=True, eq=False)
class ChainSolver:
    """Solves one chain's systems.

    Attributes:
        solve: (b, transposed) -> x.
        how: "dense factors", "one pass", "sparse factors" or "BiCGSTAB".
    """

    solve: Solver
    how: str


def chain_solver(transition: scipy.sparse.csr_array) -> ChainSolver:
    """A solver of  (I - P) x = b  for a substochastic P [n, n] from which every state can leave.

    Raises:
        ZeroDivisionError: the matrix is singular to working precision.
    """
    size = transition.shape[0]
    if size <= DENSE:
        return ChainSolver(factorised(transition), "dense factors")
    if (one_pass := _one_pass(transition)) is not None:
        return ChainSolver(one_pass, "one pass")
    if is_banded(transition):
        return ChainSolver(factorised(transition), "sparse factors")
    return ChainSolver(_Krylov(transition), "BiCGSTAB")


def is_banded(transition: scipy.sparse.csr_array) -> bool:
    """Whether neighbours lie close together in the ordering of Cuthill and McKee (1969), reversed."""
    return bool(transition.shape[0] * float(reordered_band(transition)) ** 2 <= BANDED)


def downstream_first(transition: scipy.sparse.csr_array) -> tuple[int, np.ndarray] | None:
    """(number of strongly connected parts, [n] each state's part, numbered so that no part leads to a later one).

    SciPy numbers its components that way without promising it, so the numbers are checked: None if they are not.
    """
    count, part = scipy.sparse.csgraph.connected_components(transition, connection="strong")
    edges = transition.tocoo()
    if (part[edges.row] < part[edges.col]).any():
        return None
    return int(count), part


def _one_pass(transition: scipy.sparse.csr_array) -> Solver | None:
    """Substitution, where no two states lead to each other."""
    size = transition.shape[0]
    found = downstream_first(transition)
    if found is None or found[0] < size:
        return None
    order = np.argsort(found[1], kind="stable")
    system = scipy.sparse.eye_array(size, format="csr") - transition
    triangle = system[order][:, order].tocsc()
    factors = scipy.sparse.linalg.splu(triangle, permc_spec="NATURAL", diag_pivot_thresh=0.0)

    def solve(b: FloatArray, transposed: bool) -> FloatArray:
        x = np.empty(b.shape)
        x[order] = factors.solve(np.ascontiguousarray(b[order]), trans="T" if transposed else "N")
        return x

    return solve


class _Krylov:
    """BiCGSTAB, plain first; what it fails at once is preconditioned from then on."""

    def __init__(self, transition: scipy.sparse.csr_array) -> None:
        size = transition.shape[0]
        self.system = (scipy.sparse.eye_array(size, format="csr") - transition).tocsr()
        self.turned: scipy.sparse.csr_array | None = None
        self.incomplete: scipy.sparse.linalg.SuperLU | None = None
        self.complete: scipy.sparse.linalg.SuperLU | None = None

    def __call__(self, b: FloatArray, transposed: bool) -> FloatArray:
        if not b.any():
            return np.zeros(len(b))
        if self.complete is None and self.incomplete is None:
            if (x := self._iterate(b, transposed, 400)) is not None:
                return x
            self.incomplete = _factors(self.system, incomplete=True)
        if self.complete is None:
            if self.incomplete is not None and (x := self._iterate(b, transposed, 1_000)) is not None:
                return x
            if len(b) > LAST_RESORT:
                raise ZeroDivisionError(f"BiCGSTAB did not solve a chain of {len(b)} states")
            self.complete = _factors(self.system, incomplete=False)
            if self.complete is None:
                raise ZeroDivisionError("the linear system is singular")
        return np.asarray(self.complete.solve(b, trans="T" if transposed else "N"))

    def _iterate(self, b: FloatArray, transposed: bool, most: int) -> FloatArray | None:
        if transposed and self.turned is None:
            self.turned = self.system.T.tocsr()
        matrix = self.turned if transposed else self.system
        factors, trans = self.incomplete, "T" if transposed else "N"
        helper = (
            None
            if factors is None
            else scipy.sparse.linalg.LinearOperator(
                self.system.shape, lambda x: factors.solve(np.ascontiguousarray(x.ravel()), trans=trans)
            )
        )
        return krylov(matrix, b, most=most, helper=helper)


def krylov(
    matrix: scipy.sparse.csr_array | scipy.sparse.linalg.LinearOperator,
    b: FloatArray,
    *,
    most: int,
    helper: scipy.sparse.linalg.LinearOperator | None = None,
) -> FloatArray | None:
    """A solution with a residual below `RESIDUAL` of b's, or None."""
    good = 100.0 * RESIDUAL * float(np.linalg.norm(b))
    with np.errstate(all="ignore"):
        x, _ = scipy.sparse.linalg.bicgstab(matrix, b, rtol=RESIDUAL, atol=0.0, maxiter=most, M=helper)
        if not float(np.linalg.norm(b - matrix @ x)) <= good:
            # BiCGSTAB breaks down at once on some right sides, such as constant ones.
            x, _ = scipy.sparse.linalg.gmres(
                matrix, b, rtol=RESIDUAL, atol=0.0, restart=50, maxiter=max(1, most // 100), M=helper
            )
        return np.asarray(x) if float(np.linalg.norm(b - matrix @ x)) <= good else None


def _factors(system: scipy.sparse.csr_array, *, incomplete: bool) -> scipy.sparse.linalg.SuperLU | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if incomplete:
                return scipy.sparse.linalg.spilu(system.tocsc(), drop_tol=1e-3, fill_factor=8.0)
            return scipy.sparse.linalg.splu(system.tocsc())
    except RuntimeError:
        return None


def gain_solver(
    chain: scipy.sparse.csr_array,
) -> tuple[Callable[[FloatArray], tuple[FloatArray, float]], bool]:
    """A function of b [n] that finds (x, g) with  x + g = b + P x,  and whether directly; of a chain with one class.

    Raises:
        ZeroDivisionError: the system is singular to working precision; the function raises it where BiCGSTAB fails.
    """
    size = chain.shape[0]
    if size > DENSE and not is_banded(chain):
        return _spread(chain), False
    ones = np.ones((size, 1))
    bordered = scipy.sparse.block_array(
        [[scipy.sparse.eye_array(size) - chain, ones], [np.eye(1, size), None]], format="csc"
    )
    if size <= DENSE:
        factors = scipy.linalg.lu_factor(bordered.toarray(), check_finite=False)
        if not factors[0].diagonal().all():
            raise ZeroDivisionError("the linear system is singular")

        def dense(b: FloatArray) -> tuple[FloatArray, float]:
            x = scipy.linalg.lu_solve(factors, np.append(b, 0.0), check_finite=False)
            return x[:-1], float(x[-1])

        return dense, True
    try:
        sparse = scipy.sparse.linalg.splu(bordered)
    except RuntimeError as error:
        raise ZeroDivisionError("the linear system is singular") from error

    def direct(b: FloatArray) -> tuple[FloatArray, float]:
        x = sparse.solve(np.append(b, 0.0))
        return x[:-1], float(x[-1])

    return direct, True


def _spread(chain: scipy.sparse.csr_array) -> Callable[[FloatArray], tuple[FloatArray, float]]:
    def solve(b: FloatArray) -> tuple[FloatArray, float]:
        greatest = float(np.abs(b).max(initial=0.0))
        found = levelled(chain, b, tolerance=RESIDUAL * greatest)
        if not found.residual <= 100.0 * RESIDUAL * greatest:
            raise ZeroDivisionError(f"BiCGSTAB did not solve a chain of {len(b)} states")
        return found.x, float(found.x.mean())

    return solve
