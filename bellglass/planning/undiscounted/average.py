"""Average reward: the greatest reward per step in the long run, from every state.

    g*(s)  =  max over policies of  lim 1/T E[ sum_{t<T} r_t | s_0 = s ]

In the long run play stays in some end component, so (derived here; multichain theory in Puterman 1994, chapter 9)

    1. in each maximal end component, `staying` finds the greatest gain of never leaving it, with bounds;
    2. components collapse into states that may stop, which pays their gain, and all other rewards are 0: the
       greatest mean pay is a shortest path's (`shortest_paths`), and its certificate, widened by the components' own,
       is the gain's: a mean of gains each of which is off by at most e is off by at most e.

The policy stays where stopping is best and walks to the chosen way out elsewhere; it earns at least the lower bound,
since in a component it earns at least that component's from every state, and outside it is the collapsed policy.
The bias returned is the bias of the policy returned, as `chains.long_run` defines it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ..algebra.chains import long_run
from ..algebra.differences import Moves
from ..algebra.pairs import UNIT, Pairs
from ..bounds import allowed_width, apart, refuse
from ..progress_bar import Report
from .collapsed import Quotient, collapse
from .component_gains import GainMethod, best_stays
from .end_components import attracted, end_components
from .shortest_paths import PathMethod, shortest_paths

AverageMethod = GainMethod
AVERAGE_METHODS: tuple[AverageMethod, ...] = get_args(AverageMethod)

#: How the collapsed table is solved.
_WALK: dict[AverageMethod, PathMethod] = {
    "auto": "auto",
    "relative_value_iteration": "value_iteration",
    "policy_iteration": "policy_iteration",
    "linear_programming": "linear_programming",
}


@dataclass(frozen=True, eq=False)
class Average:
    """What `solve_average` finds.

    Attributes:
        gain: [S].
        bias: [S] of `policy`.
        lower: [S] at most the gain of `policy`.
        upper: [S] at least the gain of the best policy.
        policy: [S].
        q_values: [M] r - gain + P bias.
        optimal: [M] pairs that keep the gain and, within the bounds, the bias.
        iterations: policies tried, or sweeps.
        method: what was done.
    """

    gain: FloatArray
    bias: FloatArray
    lower: FloatArray
    upper: FloatArray
    policy: IntArray
    q_values: FloatArray
    optimal: BoolArray
    iterations: int
    method: str


def solve_average(
    pairs: Pairs,
    *,
    tolerance: float,
    relative: bool,
    method: AverageMethod = "auto",
    start: FloatArray | None = None,
    policy: IntArray | None = None,
    report: Report | None = None,
) -> Average:
    """The greatest gain, its bounds and a policy that earns it.

    Args:
        pairs: a table that never ends.
        tolerance: greatest distance of the bounds.
        relative: count it in units of max(1, max|gain|).
        method: see `staying`.
        start: [S] a bias to begin with.
        policy: [S] actions to begin with.
        report: told of progress.

    Raises:
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    component, inside = end_components(pairs)
    # A quarter of the tolerance each for both sides of the components, so that the walk to them may have a half.
    stays = best_stays(
        pairs,
        component,
        inside,
        width=0.25 * tolerance,
        relative=relative,
        method=method,
        start=start,
        policy=policy,
        report=report,
    )
    gains = 0.5 * (stays.lower + stays.upper)
    known = np.isfinite(gains)
    gains[~known] = 0.0
    nothing = np.zeros(pairs.num_pairs)
    quotient = collapse(pairs, component, ~inside, nothing, gains, sizes=nothing)
    small = quotient.pairs
    stop = np.where(quotient.origin < 0, 1.0, 0.0)
    moves = Moves.of(small, np.arange(small.num_pairs), small.live, stop)
    settled = shortest_paths(
        moves, _WALK[method], tolerance=0.5 * tolerance, relative=relative, report=report
    )

    spread = 0.5 * (stays.upper - stays.lower)
    margin = float(np.where(known, spread, np.inf).max(initial=0.0)) * (1.0 + 4.0 * UNIT)
    margin += 2.0 * UNIT * float(np.abs(gains).max(initial=0.0))  # the middle is rounded
    sides = np.zeros((3, small.num_states))  # terminal states, where nothing happens, keep 0
    sides[:, small.live] = (
        np.nextafter(settled.lower - margin, -np.inf),
        settled.values,
        np.nextafter(settled.upper + margin, np.inf),
    )
    lower, gain, upper = sides[:, quotient.class_of]
    width = allowed_width(tolerance, relative, gain)
    if not apart(lower, upper) <= width:
        refuse(lower, upper, tolerance, relative, width)

    choice = np.full(small.num_states, -1, dtype=np.int64)
    choice[small.live] = settled.rows
    rows = _rows(pairs, component, inside, stays.rows, quotient, choice)
    live, mine = pairs.live, rows[pairs.live]
    chain = scipy.sparse.csr_array(pairs.matrix[mine][:, live])
    bias = np.zeros(pairs.num_states)
    try:
        bias[live] = long_run(chain, pairs.reward[mine], np.zeros(len(mine), dtype=np.bool_))[1]
    except ZeroDivisionError:  # beyond float64: what proved the lower bound is the best guess there is
        bias = stays.bias
    policy = np.zeros(pairs.num_states, dtype=np.int64)
    policy[live] = pairs.action[mine]
    q, optimal = _choices(pairs, gain, bias, apart(lower, upper))
    how = stays.how if small.num_states == len(gains) else f"{stays.how}, walks by {settled.how}"
    return Average(
        gain,
        bias,
        lower,
        upper,
        policy,
        q,
        optimal,
        stays.iterations + settled.iterations,
        how if method == "auto" else method,
    )


def _choices(pairs: Pairs, gain: FloatArray, bias: FloatArray, width: float) -> tuple[FloatArray, BoolArray]:
    """Q [M], -inf where the gain is lost, and the pairs that keep gain and bias within rounding and the bounds."""
    never = np.zeros(pairs.num_pairs)
    moves = Moves(
        pairs.num_states, pairs.state, pairs.reward, pairs.size, pairs.matrix, never, pairs.rounding
    )
    lost, size = moves.drift(gain)
    slack = 1e-9 * (1.0 + np.abs(gain[pairs.state]))
    keeps = lost >= -np.maximum(slack, width)
    change, size = moves.gains(bias)
    change -= gain[pairs.state]
    near = 1e-9 * (1.0 + float(pairs.size.max(initial=0.0)) + np.abs(bias[pairs.state])) + width
    q = pairs.reward - gain[pairs.state] + pairs.matrix @ bias
    return np.where(keeps, q, -np.inf), keeps & (change >= -near - moves.error(size))


def _rows(
    pairs: Pairs,
    component: IntArray,
    inside: BoolArray,
    staying: IntArray,
    quotient: Quotient,
    choice: IntArray,
) -> IntArray:
    """[S] the pair that each state plays: stay where stopping is chosen, leave by the chosen pair elsewhere."""
    chosen = np.where(choice < 0, -1, quotient.origin[choice])
    rows = np.where(component >= 0, staying, chosen[quotient.class_of])
    leaves = chosen[: int(component.max(initial=-1)) + 1] >= 0
    if leaves.any():
        exits = chosen[np.flatnonzero(leaves)]
        goal = np.zeros(pairs.num_states, dtype=np.bool_)
        goal[pairs.state[exits]] = True
        way = attracted(pairs, goal, np.zeros(pairs.num_pairs, dtype=np.bool_), inside)
        going = (component >= 0) & leaves[component] & (way >= 0)
        rows[going] = way[going]
        rows[pairs.state[exits]] = exits
    return rows
