"""Policy iteration for the gain of one component, in which every state can walk to every other.

    h + g  =  r + P h,     h(0) = 0        of one policy: one linear system for h [n] and g
    switch where  max_a A(s, a)  is better than  A(s, pi(s))  beyond rounding         (A as in `staying`)

Howard (1960), with one twist (derived here): whatever closed class of the policy earns most, the other states are sent
to it, so the policy that is evaluated has one class only.  The system has n + 1 rows,  (I - P, 1; e_0, 0), and is as
well conditioned as the chain mixes, while reducing it by a state that is seldom visited is not (RiverSwim).  On large
chains that would fill in,  (I - P + 1 w) h = r  with w uniform is solved by BiCGSTAB: then  g = w h.

Linear programming:  min g  subject to  g + h(s) >= r(s, a) + P h.  HiGHS keeps 1e-7; its policy is evaluated exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray
from ..algebra.chain_solvers import gain_solver
from ..algebra.chains import closed_classes
from ..algebra.differences import Moves
from ..algebra.pairs import UNIT
from .end_components import attracted

#: Policies after which policy iteration is given up.
MOST = 2_000

#: Sweeps between two policies at most.
MOST_AHEAD = 5_000


@dataclass(frozen=True, eq=False)
class Gain:
    """What policy iteration finds: certified bounds, the policy that earns the lower one, its h, policies tried."""

    lower: float
    upper: float
    rows: IntArray
    bias: FloatArray
    tried: int
    how: str


def improved(
    moves: Moves,
    h: FloatArray,
    rows: IntArray | None,
    *,
    between: int,
    enough: Callable[[float, float], bool],
) -> Gain:
    """Policy iteration until nothing improves beyond rounding, or `between` > 0 and the bounds are close enough.

    Args:
        moves: a component; nothing ends.
        h: [n] a guess of the bias.
        rows: [n] the policy to begin with, -1 for any; the greedy one of h by default.
        between: sweeps between two policies.
        enough: whether bounds are close enough.
    """
    rows = moves.first_best(moves.gains(h)[0]) if rows is None else rows
    best = Gain(-np.inf, np.inf, rows, h, 0, "policy_iteration")
    how, seen, ahead_by = "policy_iteration", set[bytes](), between
    for tried in range(1, MOST + 1):
        rows = one_class(moves, rows)
        own = moves.only(rows)
        try:
            h, direct = evaluated(own, h)
        except ZeroDivisionError:
            break
        how = how if direct else "policy_iteration (BiCGSTAB)"
        gains, size = moves.gains(h)
        error = moves.error(size)
        top = moves.best(gains - error)
        mine = moves.lowest(gains + error >= top[moves.state])
        lower = float(np.nextafter((gains - error)[mine].min(), -np.inf))
        upper = min(best.upper, float(np.nextafter((gains + error).max(), np.inf)))
        if between and not (lower > best.lower or upper < best.upper):
            ahead_by = min(2 * ahead_by, MOST_AHEAD)  # news has a long way to go: a river, a road
        if lower >= best.lower:
            best = Gain(lower, upper, mine, h, tried, how)
        else:
            best = Gain(best.lower, upper, best.rows, best.bias, tried, how)
        if enough(best.lower, upper) and between:
            break
        switched = _better(moves, rows, gains, error)
        if switched is None or rows.tobytes() in seen:
            break
        seen.add(rows.tobytes())
        if between:
            ahead = h.copy()
            for _ in range(ahead_by):
                ahead = moves.best(moves.reward + moves.matrix @ ahead)
                ahead -= ahead.max()
            gains, size = moves.gains(ahead)
            further = _better(moves, rows, gains, moves.error(size))
            switched = switched if further is None else further
        rows = switched
    return best


def _better(moves: Moves, rows: IntArray, gains: FloatArray, error: FloatArray) -> IntArray | None:
    surely = gains - error > (gains[rows] + error[rows])[moves.state]
    if not surely.any():
        return None
    found = moves.lowest(surely & (gains >= moves.best(gains)[moves.state]))
    return np.where(found >= 0, found, rows)


def one_class(moves: Moves, rows: IntArray) -> IntArray:
    """`rows` where they lead to their best closed class, and a way to it everywhere else (and where they are -1)."""
    everything = np.ones(moves.num_moves, dtype=np.bool_)
    nothing = ~everything
    known = rows >= 0
    chain = scipy.sparse.csr_array(moves.matrix[np.maximum(rows, 0)])
    leaks = ~known
    classes = closed_classes(chain, leaks).members
    if known.all() and len(classes) == 1:
        return rows
    goal = np.zeros(moves.num_states, dtype=np.bool_)
    if not classes:
        goal[np.flatnonzero(known)[:1] if known.any() else [0]] = True
        way = attracted(moves, goal, nothing, everything)
        return np.where(goal, np.where(known, rows, moves.first), np.where(known, rows, way))
    gains = [_gain(moves, rows[c], c) for c in classes]
    goal[classes[int(np.argmax(gains))]] = True
    reached = attracted(moves, goal, nothing, everything)
    return np.where(goal, rows, reached)


def _gain(moves: Moves, rows: IntArray, states: IntArray) -> float:
    """The gain of one closed class."""
    if len(states) == 1:
        return float(moves.reward[rows[0]])
    own = Moves(
        num_states=len(states),
        state=np.arange(len(states)),
        reward=moves.reward[rows],
        size=moves.size[rows],
        matrix=scipy.sparse.csr_array(moves.matrix[rows][:, states]),
        stop=np.zeros(len(states)),
        rounding=moves.rounding[rows],
    )
    try:
        h, _ = evaluated(own, np.zeros(len(states)))
    except ZeroDivisionError:
        return float(own.reward.min())
    return float(own.gains(h)[0].mean())


def evaluated(own: Moves, h: FloatArray) -> tuple[FloatArray, bool]:
    """The bias [n] (h(0) = 0) of the one policy in `own`, which has one closed class, and whether directly solved.

    Raises:
        ZeroDivisionError: the system is singular to working precision, or BiCGSTAB did not solve it.
    """
    solve, direct = gain_solver(own.matrix)
    last = np.inf
    for _ in range(6):
        left, size = own.gains(h)
        step, gain = solve(left)
        if not np.isfinite(step).all():
            raise ZeroDivisionError("the linear system is singular")
        moved = float(np.abs(step).max(initial=0.0))
        if moved >= last:
            break
        h, last = h + step, moved
        h = h - h[0]
        if moved <= 4.0 * UNIT * float(np.abs(h).max()) or (np.abs(left - gain) <= own.error(size)).all():
            break
    return h, direct


def programme(moves: Moves) -> tuple[IntArray, int]:
    """The pairs [n] that HiGHS's dual plays, -1 where it plays none, and its steps."""
    from scipy.optimize import linprog

    n, m = moves.num_states, moves.num_moves
    here = scipy.sparse.csr_array((np.ones(m), (np.arange(m), moves.state)), shape=(m, n))
    found = linprog(
        np.append(np.zeros(n), 1.0),
        A_ub=scipy.sparse.hstack([moves.matrix - here, np.full((m, 1), -1.0)], format="csr"),
        b_ub=-moves.reward,
        bounds=[(0.0, 0.0)] + [(None, None)] * n,
        method="highs",
    )
    if found.status != 0:
        raise ArithmeticError(f"HiGHS found no optimum: {found.message}")
    weight = -found.ineqlin.marginals
    rows = moves.first_best(weight)
    return np.where(weight[rows] > 0, rows, -1), int(found.nit)
