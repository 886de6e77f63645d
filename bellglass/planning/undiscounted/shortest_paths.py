"""Stochastic shortest paths: the greatest total reward until an end, where no going round pays.

    V*(s)  =  max_a  r(s, a) + sum_s' P(s' | s, a) V*(s')

Bertsekas and Tsitsiklis (1991).  `total` and `average` bring every table to this form.  All methods work on pairs that
are repeated until they leave their state, so a state that is hard to leave is no harder than another.

    policy_iteration     Howard (1960): solve the policy's chain, switch to what is better beyond rounding
    linear_programming   min sum v  subject to  v >= r + P v  (HiGHS); its policy is then evaluated and, where HiGHS's
                         own tolerance of 1e-7 left something to gain, improved
    auto                 no cycle: one pass, states downstream first; else sweeps for a good policy, then policy
                         iteration with twenty sweeps between solves, which let news travel twenty states at a time

Value iteration has its own file, `raised_rewards`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse

from ...compiled import compiled
from ...envs.mdp import FloatArray, IntArray
from ..algebra.chain_solvers import ChainSolver, downstream_first
from ..algebra.differences import Moves
from ..algebra.pairs import UNIT
from ..progress_bar import Report
from .end_components import attracted, can_reach
from .interval_iteration import value_iteration
from .path_bounds import least, most, values_of
from .vanishing_discount import nearly_best

PathMethod = Literal["auto", "value_iteration", "policy_iteration", "linear_programming"]

#: Stored chances up to which nothing is compiled.
SMALL = 50_000

#: Sweeps between two solves of `auto`.
SWEEPS = 20

#: Policies tried for the sake of the values' last digits.
FAINT = 3


@dataclass(frozen=True, eq=False)
class Paths:
    """What `shortest_paths` finds.

    Attributes:
        values: [n] between the bounds.
        lower: [n] at most the value of the policy `rows`.
        upper: [n] at least the optimum.
        rows: [n] the pair that each state plays.
        iterations: policies tried, or sweeps.
        how: what was done.
    """

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    rows: IntArray
    iterations: int
    how: str


def shortest_paths(
    moves: Moves,
    method: PathMethod,
    *,
    tolerance: float,
    relative: bool,
    start: FloatArray | None = None,
    rows: IntArray | None = None,
    report: Report | None = None,
) -> Paths:
    """The optimum with the tightest bounds the method reaches; value iteration stops at the tolerance.

    Args:
        moves: pairs from which every state can end for sure, and that no policy goes round in but by losing for ever.
        method: a name from above.
        tolerance: greatest distance of the bounds; only value iteration looks at it.
        relative: count it in units of max(1, max|V*|).
        start: [n] values to begin with.
        rows: [n] the pair that each state plays to begin with, -1 for any.
        report: told of progress.
    """
    if moves.num_states == 0:
        nothing = np.zeros(0)
        return Paths(nothing, nothing, nothing, np.zeros(0, dtype=np.int64), 0, method)
    if method == "value_iteration":
        return _by_sweeps(moves, tolerance, relative, start, report)
    try:
        return _by_systems(moves, method, start, rows, report)
    except ZeroDivisionError:  # a chain beyond the linear solvers
        if method != "auto":
            raise
        return _by_sweeps(moves, tolerance, relative, start, report)


def _by_sweeps(
    moves: Moves, tolerance: float, relative: bool, start: FloatArray | None, report: Report | None
) -> Paths:
    low, high, rows, sweeps = value_iteration(
        moves, tolerance=tolerance, relative=relative, start=start, report=report
    )
    known = np.isfinite(low) & np.isfinite(high)
    middle = np.where(known, 0.5 * (np.where(known, low, 0.0) + np.where(known, high, 0.0)), 0.0)
    return Paths(middle, low, high, rows, sweeps, "value_iteration")


def _by_systems(
    moves: Moves,
    method: PathMethod,
    start: FloatArray | None,
    rows: IntArray | None,
    report: Report | None,
) -> Paths:
    values = np.zeros(moves.num_states) if start is None else start.astype(np.float64)
    done = 0
    if method == "auto" and (order := _order(moves)) is not None:
        values = _one_pass(moves, order)
        rows, how = _proper(moves, moves.first_best(_hurried_gains(moves, values))), "one pass"
        values, solver, own = values_of(moves, rows, values)
        done = 1
    else:
        if method == "linear_programming":
            rows, done = _programme(moves)
            how = method
        elif rows is None and start is None and method == "auto" and (near := nearly_best(moves)) is not None:
            rows, how = near, method
        elif rows is None and (method == "auto" or start is not None):
            rounds = SWEEPS if method == "auto" else 1
            rows, how = moves.first_best(_swept(moves, values, rounds)), method
        else:
            rows, how = np.full(moves.num_states, -1) if rows is None else rows, method
        between = SWEEPS if method == "auto" else 0
        values, rows, solver, own, tried = _policy_iteration(
            moves, _proper(moves, rows), values, between, report
        )
        done += tried
        if method == "auto":
            how = "policy_iteration"
        how = f"{how} ({solver.how})" if solver.how not in ("dense factors", "sparse factors") else how
    lower = least(own, values, solver)
    upper = most(moves, values, rows, solver)
    return Paths(np.clip(values, lower, upper), lower, upper, rows, done, how)


def _policy_iteration(
    moves: Moves, rows: IntArray, values: FloatArray, between: int, report: Report | None
) -> tuple[FloatArray, IntArray, ChainSolver, Moves, int]:
    """Values, policy, its solver and moves, and the policies tried, when nothing improves beyond rounding.

    Where the values' own last digit is all that is left to gain, policies may take turns for ever: a few of those
    improvements are followed, since on tall values they still count, and no policy is tried twice.
    """
    tried, faint, seen = 0, 0, set[bytes]()
    while True:
        values, solver, own = values_of(moves, rows, values)
        tried += 1
        if report is not None:
            report(tried)
        switched, clearly = _better(moves, rows, values)
        faint += not clearly
        if switched is None or faint > FAINT or rows.tobytes() in seen:
            return values, rows, solver, own, tried
        seen.add(rows.tobytes())
        if between and clearly:
            ahead = values.copy()
            for _ in range(between):
                ahead = moves.best(_sweep(moves, ahead))
            further, _ = _better(moves, rows, ahead)
            switched = switched if further is None else further
        rows = _proper(moves, switched)


def _better(moves: Moves, rows: IntArray, values: FloatArray) -> tuple[IntArray | None, bool]:
    """`rows` with all switches that gain more than rounding, or None; whether by more than the values' last digits.

    A switch within rounding could drift into going round for ever, or back and forth.
    """
    gains, size = moves.gains(values)
    error = moves.error(size)
    gained = gains - error - (gains[rows] + error[rows])[moves.state]
    surely = gained > 0
    if not surely.any():
        return None, False
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.where(surely, gains / moves.leaving, -np.inf)
    found = moves.lowest(surely & (score >= moves.best(score)[moves.state]))
    clearly = gained > 8.0 * UNIT * moves.leaving * np.abs(values)[moves.state]
    return np.where(found >= 0, found, rows), bool(clearly.any())


def _sweep(moves: Moves, values: FloatArray) -> FloatArray:
    reward, matrix = moves.hurried
    return np.asarray(reward + matrix @ values)


def _hurried_gains(moves: Moves, values: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(moves.leaving > 0, moves.gains(values)[0] / moves.leaving, -np.inf)


def _swept(moves: Moves, values: FloatArray, rounds: int) -> FloatArray:
    """[M] a backup after some rounds of modified policy iteration, ten sweeps of the policy each."""
    reward, matrix = moves.hurried
    for _ in range(rounds - 1):
        q = _sweep(moves, values)
        rows = moves.first_best(q)
        backed_up = q[rows]
        if (np.abs(backed_up - values) <= 1e-13 * np.abs(values)).all():
            break
        values, chain, paid = backed_up, matrix[rows], reward[rows]
        for _ in range(10):
            values = paid + chain @ values
    return _sweep(moves, values)


def _proper(moves: Moves, rows: IntArray) -> IntArray:
    """`rows` where they may end; elsewhere (and where they are -1) the lowest pairs that lead there."""
    given = rows >= 0
    known = np.flatnonzero(given)
    played = np.zeros(moves.num_moves, dtype=np.bool_)
    played[rows[known]] = True
    ending = moves.stop > 0
    reaches = np.zeros(moves.num_states, dtype=np.bool_)
    reaches[moves.state[played & ending]] = True
    reaches = can_reach(moves, reaches, played)
    if reaches.all():
        return rows
    return np.where(
        reaches, rows, attracted(moves, reaches, ending, np.ones(moves.num_moves, dtype=np.bool_))
    )


def _programme(moves: Moves) -> tuple[IntArray, int]:
    """The pairs [n] that HiGHS's dual plays, -1 where it plays none, and its steps."""
    from scipy.optimize import linprog

    reward, matrix = moves.hurried
    usable = np.flatnonzero(moves.leaving > 0)
    here = scipy.sparse.csr_array(
        (np.ones(len(usable)), (np.arange(len(usable)), moves.state[usable])),
        shape=(len(usable), moves.num_states),
    )
    found = linprog(
        np.ones(moves.num_states),
        A_ub=matrix[usable] - here,
        b_ub=-reward[usable],
        bounds=(None, None),
        method="highs",
    )
    if found.status != 0:
        raise ArithmeticError(f"HiGHS found no optimum: {found.message}")
    weight = np.zeros(moves.num_moves)
    weight[usable] = -found.ineqlin.marginals
    rows = moves.first_best(weight)
    return np.where(weight[rows] > 0, rows, -1), int(found.nit)


def _order(moves: Moves) -> IntArray | None:
    """[n] the states, downstream first, if none leads back to itself by way of another."""
    source, target = moves.source, moves.matrix.indices
    if (target <= source).all():
        return np.arange(moves.num_states)
    if (target >= source).all():
        return np.arange(moves.num_states)[::-1]
    away = source != target
    graph = scipy.sparse.csr_array(
        (np.ones(int(away.sum()), dtype=np.int8), (source[away], target[away])),
        shape=(moves.num_states, moves.num_states),
    )
    graph.sum_duplicates()
    found = downstream_first(graph)
    if found is None or found[0] < moves.num_states:
        return None
    return np.argsort(found[1], kind="stable")


def _one_pass(moves: Moves, order: IntArray) -> FloatArray:
    reward, matrix = moves.hurried
    values = np.zeros(moves.num_states)
    if matrix.nnz > SMALL:
        ends = np.append(moves.first, moves.num_moves)
        compiled(_pass)(values, order, ends, reward, matrix.data, matrix.indices, matrix.indptr)
        return values
    while True:  # as many sweeps as the longest path
        backed_up = moves.best(_sweep(moves, values))
        if (backed_up == values).all():
            return values
        values = backed_up


def _pass(
    values: FloatArray,
    order: IntArray,
    first: IntArray,
    reward: FloatArray,
    data: FloatArray,
    indices: IntArray,
    indptr: IntArray,
) -> None:
    for s in order:
        best = -np.inf
        for row in range(first[s], first[s + 1]):
            q = reward[row]
            for k in range(indptr[row], indptr[row + 1]):
                q += data[k] * values[indices[k]]
            best = max(best, q)
        values[s] = best
