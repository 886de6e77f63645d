"""Bounds of a stochastic shortest path, proved in differences, rounding included.

Let no policy go round for ever without losing for ever.  Then (derived here; Bertsekas and Tsitsiklis 1991 for the
existence of an optimal policy that ends)

    u >= T u      makes u at least the optimum:    u >= T_pi^n u,  and the weight on u dies: the optimal pi ends
    l <= T_pi l   makes l at most the value of pi: l <= T_pi^n l, and the weight on l dies if pi ends for sure

The first is the optimum of a table whose rewards are raised a little, the second the value of pi where they are
lowered.  So both are  v + d  with a small d from the solver of pi's chain, and v + d is never rounded before it is
checked: the digits that v has lost (at 1e12, 1e-4) are in d.  Each check reads

    (r + P v - v) + (P d - d)  plus or minus the bound on its rounding   <=  0   for every pair,   or  >= 0  along pi.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray
from ..algebra.chain_solvers import ChainSolver, chain_solver
from ..algebra.differences import Moves
from ..algebra.pairs import UNIT
from .end_components import can_reach

#: Times that rewards are raised further, or pairs exchanged, before a bound is given up.
ATTEMPTS = 40


def refined(own: Moves, values: FloatArray, solver: ChainSolver) -> FloatArray:
    """[n] the values of the one policy in `own`, as good as float64 holds them, from a guess [n]."""
    last = np.inf
    for _ in range(6):
        left, size = own.gains(values)
        step = solver.solve(left / own.leaving, False)
        moved = float(np.abs(step).max(initial=0.0))
        if not np.isfinite(step).all() or moved >= last:
            break
        values, last = values + step, moved
        if (
            moved <= 4.0 * UNIT * float(np.abs(values).max(initial=0.0))
            or (np.abs(left) <= own.error(size)).all()
        ):
            break
    return values


def ends_surely(own: Moves) -> bool:
    """Whether the one policy in `own` ends with probability 1 from everywhere: it can, from everywhere."""
    return bool(can_reach(own, own.stop > 0).all())


def least(own: Moves, values: FloatArray, solver: ChainSolver) -> FloatArray:
    """[n] certified lower bounds of the one policy in `own`; -inf where nothing could be proved."""
    if ends_surely(own):
        left, size = own.gains(values)
        lowered = _slack(own, left, size, solver)
        for _ in range(ATTEMPTS):
            step = solver.solve((left - lowered) / own.leaving, False)
            drift, moved = own.drift(step)
            short = left + drift - own.error(size + moved) < 0
            if not short.any():
                return np.nextafter(values + step, -np.inf)
            # Only where it fails: d grows with what it is raised by, and its rounding with d.
            lowered = np.where(short, 2.0 * lowered + own.error(moved) + _grain(own, step), lowered)
    return np.full(own.num_states, -np.inf)


def most(moves: Moves, values: FloatArray, rows: IntArray, solver: ChainSolver) -> FloatArray:
    """[n] certified upper bounds of the optimum, from the policy `rows` [n]; inf where nothing could be proved.

    Where a pair that was not played breaks the bound, it is played: policy iteration on the raised rewards.
    """
    gains, size = moves.gains(values)
    raised = _slack(moves, gains[rows], size, solver)
    for _ in range(ATTEMPTS):
        own = moves.only(rows)
        try:
            step = solver.solve((gains + raised)[rows] / own.leaving, False)
        except ZeroDivisionError:
            break
        if not np.isfinite(step).all():
            break
        drift, moved = moves.drift(step)
        excess = gains + drift + moves.error(size + moved)
        broken = excess > 0
        if not broken.any():
            return np.nextafter(values + step, np.inf)
        # Less than what rounding d itself changes is no reason to exchange pairs, which would never end.
        grain = _grain(moves, step)
        real = moves.lowest((excess > grain) & (excess >= moves.best(excess)[moves.state]))
        switched = np.where((real >= 0) & (moves.best(excess) > excess[rows]), real, rows)
        if (switched == rows).all() or not ends_surely(moves.only(switched)):
            hit = np.zeros(moves.num_states, dtype=np.bool_)
            hit[moves.state[broken]] = True
            raised = np.where(hit[moves.state], 2.0 * raised + moves.error(moved) + grain, raised)
        else:
            rows, raised = switched, np.maximum(raised, 2.0 * grain)
            try:
                solver = chain_solver(moves.only(rows).hurried[1])
            except ZeroDivisionError:
                break
    return np.full(moves.num_states, np.inf)


def _slack(moves: Moves, left: FloatArray, size: FloatArray, solver: ChainSolver) -> FloatArray:
    """[M] how far to move the rewards: beyond rounding, and beyond what an iterative solver leaves."""
    slack = 2.0 * moves.error(size)
    if solver.how == "BiCGSTAB":
        slack += float(np.abs(left).max(initial=0.0)) + float(slack.max(initial=0.0))
    return slack


def _grain(moves: Moves, step: FloatArray) -> FloatArray:
    """[M] what rounding the step itself to float64 can change."""
    return 8.0 * UNIT * moves.leaving * np.abs(step)[moves.state]


def values_of(moves: Moves, rows: IntArray, guess: FloatArray) -> tuple[FloatArray, ChainSolver, Moves]:
    """Values [n] of the policy `rows`, with the solver and the moves of its chain."""
    own = moves.only(rows)
    solver = chain_solver(scipy.sparse.csr_array(own.hurried[1]))
    return refined(own, guess, solver), solver, own
