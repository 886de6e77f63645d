"""Total reward: undiscounted, until the end, with the conditions under which that sum exists.

    V*(s)  =  max over policies of  E[ sum_t r_t | s_0 = s ]

Value iteration may stay above the optimum for ever: where a policy can go round for nothing, every value that is high
enough satisfies Bellman's equation (slippery FrozenLake keeps 1.0, the optimum is 14/17).  So first the end
components: one of positive greatest gain makes the total infinite; those made of rewards 0 alone are collapsed into
one state, in which staying for ever is worth 0; one of greatest gain 0 with rewards of both signs has no limit and is
refused; the rest lose for ever, so no good policy stays.  What is left is a stochastic shortest path
(`shortest_paths`), and its certificate is the total's: going round in a collapsed component pays nothing, so a policy
that walks to the way out has the collapsed policy's value.

The policy returned plays of each state's optimal actions the lowest, if that ends and its own certified value keeps
the tolerance; else the policy that the method found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ..algebra.differences import Moves
from ..algebra.pairs import UNIT, Pairs
from ..bounds import allowed_width, apart, refuse
from ..errors import UnboundedError
from ..progress_bar import Report
from .collapsed import Quotient, collapse
from .component_limits import gaining
from .end_components import attracted, can_reach, end_components, reachable, surely_reach
from .path_bounds import ends_surely, least, values_of
from .shortest_paths import PathMethod, shortest_paths

TotalMethod = Literal["auto", "value_iteration", "policy_iteration", "linear_programming"]
TOTAL_METHODS: tuple[TotalMethod, ...] = get_args(TotalMethod)


@dataclass(frozen=True, eq=False)
class Total:
    """What `solve_total` finds; values may be infinite in states that no start reaches.

    Attributes:
        values: [S].
        lower: [S] at most the value of `policy`.
        upper: [S] at least the optimum.
        policy: [S].
        q_values: [M] of each pair.
        optimal: [M] pairs that the bounds leave open as optimal.
        iterations: policies tried, or sweeps.
        method: what was done.
    """

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    policy: IntArray
    q_values: FloatArray
    optimal: BoolArray
    iterations: int
    method: str


def solve_total(
    pairs: Pairs,
    *,
    stop: FloatArray,
    tolerance: float,
    relative: bool,
    method: PathMethod = "auto",
    start: FloatArray | None = None,
    policy: IntArray | None = None,
    report: Report | None = None,
) -> Total:
    """The greatest total reward.

    Args:
        pairs: the table.
        stop: [M] chance to end of each pair, from `moves.chance_to_end`.
        tolerance: greatest distance of the bounds.
        relative: count it in units of max(1, max|V*|).
        method: see `shortest_paths`.
        start: [S] values to begin with.
        policy: [S] actions to begin with.
        report: told of progress.

    Raises:
        UnboundedError: it is infinite or has no limit from a state that a start reaches, or is minus infinity from a
            start; the message names the state.
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    idle, inside = end_components(pairs, pairs.size == 0.0)
    num_idle = int(idle.max(initial=-1)) + 1
    quotient = collapse(pairs, idle, ~inside, pairs.reward, np.zeros(num_idle))
    small = quotient.pairs
    stops = np.where(quotient.origin < 0, 1.0, stop[quotient.origin])
    gained = gaining(small, quotient.class_of, reachable(small, small.initial > 0))
    terminal = np.ones(small.num_states, dtype=np.bool_)
    terminal[small.live] = False
    endless = can_reach(small, gained)
    sure, allowed = surely_reach(small, terminal, stops > 0)
    lost = ~sure & ~endless
    if (small.initial[lost] > 0).any():
        state = int(np.flatnonzero(lost[quotient.class_of] & (pairs.initial > 0))[0])
        raise UnboundedError(
            f"the total reward from state {state} is minus infinity: it loses for ever and no policy ends for sure",
            state,
            -np.inf,
        )

    playing = np.flatnonzero(sure & ~endless & ~terminal)
    is_playing = np.zeros(small.num_states, dtype=np.bool_)
    is_playing[playing] = True
    chosen = np.flatnonzero(allowed & is_playing[small.state])
    moves = Moves.of(small, chosen, playing, stops)
    found = shortest_paths(
        moves,
        method,
        tolerance=tolerance,
        relative=relative,
        start=None if start is None else _merged(start, quotient)[playing],
        rows=None if policy is None else _rows_of(policy, pairs, quotient, moves, chosen),
        report=report,
    )
    number = {"values": found.values, "lower": found.lower, "upper": found.upper}
    for name, numbers in number.items():
        full = np.where(endless, np.inf, np.where(lost, -np.inf, 0.0))
        full[playing] = numbers
        number[name] = full[quotient.class_of]
    values, lower, upper = number["values"], number["lower"], number["upper"]

    here = ~(endless | lost)[quotient.class_of]
    width = allowed_width(tolerance, relative, values[here])
    if not apart(lower[here], upper[here]) <= width:
        refuse(lower, upper, tolerance, relative, width)
    rows = np.full(small.num_states, -1, dtype=np.int64)
    rows[playing] = chosen[found.rows]
    q, optimal = _choices(pairs, stop, values, lower, upper)
    played, own = _played(pairs, stop, quotient, values, optimal, idle, inside, rows, here)
    if own is not None and apart(own[here], upper[here]) <= width:
        lower = np.where(here, own, lower)
        values = np.clip(values, lower, upper)
    else:
        played = _walking(pairs, quotient, idle, inside, rows)
    actions = np.zeros(pairs.num_states, dtype=np.int64)
    actions[pairs.live] = pairs.action[played[pairs.live]]
    return Total(values, lower, upper, actions, q, optimal, found.iterations, found.how)


def _merged(values: FloatArray, quotient: Quotient) -> FloatArray:
    merged = np.full(quotient.pairs.num_states, -np.inf)
    np.maximum.at(merged, quotient.class_of, np.where(np.isfinite(values), values, 0.0))
    return np.where(np.isfinite(merged), merged, 0.0)


def _rows_of(policy: IntArray, pairs: Pairs, quotient: Quotient, moves: Moves, chosen: IntArray) -> IntArray:
    """[n] the policy's pair where the quotient has kept it, else -1."""
    given = np.zeros(pairs.num_pairs, dtype=np.bool_)
    given[pairs.rows_of(policy)] = True
    origin = quotient.origin[chosen]
    return moves.lowest((origin >= 0) & given[np.maximum(origin, 0)])


def _choices(
    pairs: Pairs, stop: FloatArray, values: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Q [M], and the pairs [M] that the bounds leave open as optimal."""
    finite = np.isfinite(values)
    held = [np.where(finite, numbers, 0.0) for numbers in (values, lower, upper)]
    q = pairs.backup(held[0], 1.0)
    # Against the state's own lower bound, in differences: r + P u - l  =  (r + P u - u) + (u - l).
    moves = Moves(pairs.num_states, pairs.state, pairs.reward, pairs.size, pairs.matrix, stop, pairs.rounding)
    gains, size = moves.gains(held[2])
    slack = (
        moves.error(size)
        + 4.0 * UNIT * (np.abs(held[1]) + np.abs(held[2]))[pairs.state] * (held[1] != held[2])[pairs.state]
    )
    optimal = gains + slack >= (held[1] - held[2])[pairs.state]
    if not finite.all():
        to_gain = pairs.matrix @ (values == np.inf).astype(np.float64) > 0
        to_loss = (pairs.matrix @ (values == -np.inf).astype(np.float64) > 0) & ~to_gain
        q[to_gain], q[to_loss] = np.inf, -np.inf
        optimal = np.where(to_gain, True, np.where(to_loss, values[pairs.state] == -np.inf, optimal))
        optimal |= ~to_gain & (values[pairs.state] == -np.inf)
        optimal &= to_gain | (values[pairs.state] != np.inf)
    return q, np.asarray(optimal, dtype=np.bool_)


def _played(
    pairs: Pairs,
    stop: FloatArray,
    quotient: Quotient,
    values: FloatArray,
    optimal: BoolArray,
    idle: IntArray,
    inside: BoolArray,
    rows: IntArray,
    here: BoolArray,
) -> tuple[IntArray, FloatArray | None]:
    """[S] the pairs of the lowest optimal actions, led to an end, and certified lower bounds [S] of their value."""
    live = np.zeros(pairs.num_states, dtype=np.bool_)
    live[pairs.live] = True
    lowest = np.full(pairs.num_states, -1, dtype=np.int64)
    picked = np.flatnonzero(optimal)[::-1]
    lowest[pairs.state[picked]] = picked
    resting = _resting(quotient, idle, rows)
    if resting.any():  # stay within the component: the lowest action that does
        staying = np.flatnonzero(inside & resting[pairs.state])[::-1]
        lowest[pairs.state[staying]] = staying
    goal = ~live | resting | ~here
    chosen = np.zeros(pairs.num_pairs, dtype=np.bool_)
    chosen[lowest[lowest >= 0]] = True
    reaches = goal.copy()
    reaches[pairs.state[chosen & (stop > 0)]] = True
    reaches = can_reach(pairs, reaches, chosen)
    if not reaches.all():
        mended = attracted(pairs, reaches, stop > 0, optimal)
        lowest = np.where(~reaches & (mended >= 0), mended, lowest)
    if (lowest[live] < 0).any():
        return lowest, None
    going = np.flatnonzero(~goal)
    own = np.zeros(pairs.num_states)
    if going.size:
        mine = _towards(pairs, lowest[going], going, stop)
        if not ends_surely(mine):
            return lowest, None
        try:
            worth, solver, _ = values_of(mine, np.arange(len(going)), values[going])
            own[going] = least(mine, worth, solver)
        except ZeroDivisionError:
            return lowest, None
    return lowest, own


def _towards(pairs: Pairs, rows: IntArray, states: IntArray, stop: FloatArray) -> Moves:
    """One pair of each of the states; entering another state is an end (there, nothing more is paid)."""
    matrix = pairs.matrix[rows]
    outside = np.ones(pairs.num_states)
    outside[states] = 0.0
    return Moves(
        num_states=len(states),
        state=np.arange(len(states)),
        reward=pairs.reward[rows],
        size=pairs.size[rows],
        matrix=matrix[:, states],
        stop=stop[rows] + matrix @ outside,
        rounding=pairs.rounding[rows],
    )


def _resting(quotient: Quotient, idle: IntArray, rows: IntArray) -> BoolArray:
    """[S] states of collapsed components where staying for nothing is chosen."""
    stopped = (rows >= 0) & (quotient.origin[np.maximum(rows, 0)] < 0)
    return np.asarray((idle >= 0) & stopped[quotient.class_of])


def _walking(pairs: Pairs, quotient: Quotient, idle: IntArray, inside: BoolArray, rows: IntArray) -> IntArray:
    """[S] the pairs of the collapsed policy: within a component, walk to its way out, or stay."""
    chosen = np.where(rows >= 0, quotient.origin[np.maximum(rows, 0)], -1)
    played = np.full(pairs.num_states, -1, dtype=np.int64)
    played[pairs.live] = pairs.first
    single = (idle < 0) & (chosen[quotient.class_of] >= 0)
    played[single] = chosen[quotient.class_of[single]]
    resting = _resting(quotient, idle, rows)
    staying = np.flatnonzero(inside & resting[pairs.state])[::-1]
    played[pairs.state[staying]] = staying
    exits = chosen[: int(idle.max(initial=-1)) + 1]
    exits = exits[exits >= 0]
    goal = np.zeros(pairs.num_states, dtype=np.bool_)
    goal[pairs.state[exits]] = True
    way = attracted(pairs, goal, np.zeros(pairs.num_pairs, dtype=np.bool_), inside)
    walks = (idle >= 0) & ~resting & (way >= 0)
    played[walks] = way[walks]
    played[pairs.state[exits]] = exits
    return played
