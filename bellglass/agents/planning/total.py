"""Total reward: undiscounted, until the end, with the conditions under which that sum exists.

    V*(s)  =  max over policies of  E[ sum_t r_t | s_0 = s ]

Value iteration may stay above the optimum for ever: where a policy can go round for nothing, every value that is high
enough satisfies Bellman's equation (slippery FrozenLake keeps 1.0, the optimum is 14/17).  So first the end
components: one of positive greatest gain makes the total infinite; those made of rewards 0 alone are collapsed into
one state, in which staying for ever is worth 0; one of greatest gain 0 with rewards of both signs has no limit and is
refused; the rest lose for ever, so no good policy stays (Bertsekas and Tsitsiklis 1991, assumption 2.1, then holds).
Policy iteration from a policy that ends for sure does the rest.

Bounds (derived here).  With no end component left that does not lose for ever, any u with  u >= T u  is at least the
value of every policy: u >= T_pi^n u, and the weight on u dies out along a policy that ends.  Take u = v + c W where W
are the most steps that near-optimal play can last; then  u >= T u  is checked pair by pair, rounding included, and c
raised until it holds.  Below: v - c W_pi <= T_pi (v - c W_pi), checked likewise, for the one policy pi.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .bounds import allowed_width, apart, refuse
from .end_components import attracted, can_reach, end_components, reachable, surely_reach
from .errors import UnboundedError
from .linear import factorised
from .pairs import Pairs
from .quotient import Quotient, collapse
from .staying import greatest_gain

#: A greatest gain closer to 0 than this, relative to the rewards, counts as 0.
ZERO_GAIN = 1e-9


@dataclass(frozen=True, eq=False)
class Total:
    """What `solve_total` finds; values may be infinite in states that no start reaches.

    Attributes:
        values: [S].
        lower: [S] at most the value of `policy`.
        upper: [S] at least the optimum.
        policy: [S] an optimal policy: of each state's optimal actions the lowest, unless that would go round for ever.
        q_values: [M] of each pair.
        optimal: [M] pairs that the bounds leave open as optimal.
        iterations: policies tried.
    """

    values: FloatArray
    lower: FloatArray
    upper: FloatArray
    policy: IntArray
    q_values: FloatArray
    optimal: BoolArray
    iterations: int


def solve_total(pairs: Pairs, *, tolerance: float, relative: bool) -> Total:
    """The greatest total reward.

    Raises:
        UnboundedError: it is infinite or has no limit from a state that a start reaches, or is minus infinity from a
            start; the message names the state.
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    idle, inside = end_components(pairs, pairs.size == 0.0)
    num_idle = int(idle.max(initial=-1)) + 1
    quotient = collapse(pairs, idle, ~inside, pairs.reward, np.zeros(num_idle))
    gained = _gaining(quotient.pairs, pairs, quotient.class_of)
    ends = quotient.pairs.going_on < 1.0
    nowhere = np.zeros(quotient.pairs.num_states, dtype=np.bool_)
    terminal = nowhere.copy()
    terminal[np.setdiff1d(np.arange(quotient.pairs.num_states), quotient.pairs.live)] = True
    endless = can_reach(quotient.pairs, gained)
    sure, allowed = surely_reach(quotient.pairs, terminal, ends)
    lost = ~sure & ~endless
    if (quotient.pairs.initial[lost] > 0).any():
        state = int(np.flatnonzero(lost[quotient.class_of] & (pairs.initial > 0))[0])
        raise UnboundedError(
            f"the total reward from state {state} is minus infinity: it loses for ever and no policy ends for sure",
            state,
            -np.inf,
        )

    proper = allowed & ~endless[quotient.pairs.state]
    values, rows, tried = _policy_iteration(quotient.pairs, terminal | endless, ends, proper)
    low, high = _bounds(quotient.pairs, values, rows, proper)
    low[endless] = high[endless] = values[endless] = np.inf
    low[lost] = high[lost] = values[lost] = -np.inf

    lower, upper = low[quotient.class_of], high[quotient.class_of]
    finite = np.isfinite(upper)
    width = allowed_width(tolerance, relative, upper[finite])
    if apart(lower[finite], upper[finite]) > width:
        refuse(lower, upper, tolerance, relative, width)
    lifted = np.clip(values[quotient.class_of], lower, upper)
    q, optimal = _choices(pairs, lifted, lower, upper)
    policy = _ending_policy(pairs, quotient, lifted, optimal, idle, rows)
    return Total(lifted, lower, upper, policy, q, optimal, tried)


def _gaining(quotient: Pairs, pairs: Pairs, class_of: IntArray) -> BoolArray:
    """[quotient S] the states of end components that gain for ever.

    Raises:
        UnboundedError: one that a start reaches gains for ever, or goes round for nothing with rewards of both signs.
    """
    component, inside = end_components(quotient)
    gained = np.zeros(quotient.num_states, dtype=np.bool_)
    reached = reachable(quotient, quotient.initial > 0)
    for number in range(int(component.max(initial=-1)) + 1):
        members = inside & (component[quotient.state] == number)
        rewards = quotient.reward[members]
        if (rewards < 0).all():
            continue
        scale = float(quotient.size[members].max())
        gain = greatest_gain(quotient, members)
        if gain < -ZERO_GAIN * scale:
            continue
        states = np.flatnonzero(component == number)
        here = reached[states].any()
        named = np.flatnonzero(np.isin(class_of, states))
        if gain > ZERO_GAIN * scale:
            if here:
                raise UnboundedError(
                    f"the total reward is infinite: from state {named[0]} a policy can stay among "
                    f"{_listed(named)} for ever and gains",
                    int(named[0]),
                    np.inf,
                )
            gained[states] = True
        elif here:
            raise UnboundedError(
                f"the total reward has no limit: going round among {_listed(named)} costs nothing on average but "
                "meets rewards of both signs",
                int(named[0]),
                np.nan,
            )
    return gained


def _listed(states: IntArray) -> str:
    shown = ", ".join(str(s) for s in states[:8].tolist())
    return f"the {len(states)} states {shown}{', ...' if len(states) > 8 else ''}"


def _policy_iteration(
    pairs: Pairs, done: BoolArray, ends: BoolArray, allowed: BoolArray
) -> tuple[FloatArray, IntArray, int]:
    """Values [S], the pair [S] that each state plays (-1 where there is none to play), and the policies tried."""
    rows = attracted(pairs, done, ends, allowed)
    playing = np.flatnonzero(rows >= 0)
    values = np.zeros(pairs.num_states)
    tried = 0
    while playing.size:
        values[playing] = factorised(pairs.matrix[rows[playing]][:, playing])(
            pairs.reward[rows[playing]], False
        )
        tried += 1
        q = np.where(allowed, pairs.backup(values, 1.0), -np.inf)
        error = pairs.backup_error(values, 1.0)
        best = np.full(pairs.num_states, -np.inf)
        np.maximum.at(best, pairs.state, q)
        better = np.zeros(pairs.num_states, dtype=np.bool_)
        # A switch must gain more than rounding, or play could drift into going round for ever.
        margin = 4.0 * error[rows[playing]] + 1e-13 * (1.0 + np.abs(values[playing]))
        better[playing] = best[playing] > q[rows[playing]] + margin
        if not better.any():
            break
        top = np.flatnonzero(allowed & (q >= best[pairs.state]) & better[pairs.state])[::-1]
        rows[pairs.state[top]] = top
    return values, rows, tried


def _bounds(
    pairs: Pairs, values: FloatArray, rows: IntArray, allowed: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Certified (lower, upper) [S] around the values of the policy `rows`, among the `allowed` pairs."""
    playing = np.flatnonzero(rows >= 0)
    if not playing.size:
        return values.copy(), values.copy()
    return (
        _below(pairs, values, rows, playing),
        _above(pairs, values, rows, playing, allowed),
    )


def _below(pairs: Pairs, values: FloatArray, rows: IntArray, playing: IntArray) -> FloatArray:
    steps = np.zeros(pairs.num_states)
    solve = factorised(pairs.matrix[rows[playing]][:, playing])
    steps[playing] = np.maximum(1.0, solve(np.ones(len(playing)), False))
    mine = rows[playing]
    for bound in _attempts(pairs, values, steps, playing, -1.0):
        backed_up = pairs.backup(bound, 1.0)[mine] - pairs.backup_error(bound, 1.0)[mine]
        if (backed_up >= bound[playing]).all():
            return bound
    return np.where(rows >= 0, -np.inf, values)


def _above(
    pairs: Pairs, values: FloatArray, rows: IntArray, playing: IntArray, allowed: BoolArray
) -> FloatArray:
    q = pairs.backup(values, 1.0)
    scale = 1.0 + float(np.abs(values).max())
    for nearness in (1e-7, 1e-9, 1e-11, 1e-13):
        near = allowed & (q >= values[pairs.state] - nearness * scale)
        near[rows[playing]] = True
        if (end_components(pairs, near)[0] >= 0).any():
            continue  # near-optimal play could go round for ever: look at fewer pairs
        steps = _most_steps(pairs, rows, playing, near)
        for bound in _attempts(pairs, values, steps, playing, +1.0):
            backed_up = pairs.backup(bound, 1.0)[allowed] + pairs.backup_error(bound, 1.0)[allowed]
            if (backed_up <= bound[pairs.state[allowed]]).all():
                return bound
    return np.where(rows >= 0, np.inf, values)


def _attempts(
    pairs: Pairs, values: FloatArray, steps: FloatArray, playing: IntArray, sign: float
) -> list[FloatArray]:
    """Values + sign * c * steps for growing c."""
    error = float(pairs.backup_error(values, 1.0).max(initial=0.0))
    first = max(4.0 * error, 1e-300)
    bounds = []
    for k in range(30):
        bound = values.copy()
        bound[playing] += sign * first * 2.0**k * steps[playing]
        bounds.append(np.where(np.isin(np.arange(len(values)), playing), bound, values))
    return bounds


def _most_steps(pairs: Pairs, rows: IntArray, playing: IntArray, near: BoolArray) -> FloatArray:
    """[S] the most expected steps that play of the `near` pairs can last, by policy iteration."""
    rows = rows.copy()
    steps = np.zeros(pairs.num_states)
    for _ in range(1000):
        solve = factorised(pairs.matrix[rows[playing]][:, playing])
        steps[playing] = np.maximum(1.0, solve(np.ones(len(playing)), False))
        longer = np.where(near, 1.0 + pairs.matrix @ steps, -np.inf)
        most = np.full(pairs.num_states, -np.inf)
        np.maximum.at(most, pairs.state, longer)
        better = np.zeros(pairs.num_states, dtype=np.bool_)
        better[playing] = most[playing] > longer[rows[playing]] * (1.0 + 1e-9)
        if not better.any():
            break
        top = np.flatnonzero(near & (longer >= most[pairs.state]) & better[pairs.state])[::-1]
        rows[pairs.state[top]] = top
    return steps


def _choices(
    pairs: Pairs, values: FloatArray, lower: FloatArray, upper: FloatArray
) -> tuple[FloatArray, BoolArray]:
    """Q [M], and the pairs [M] that the bounds leave open as optimal."""
    finite = np.isfinite(values)
    held = [np.where(finite, numbers, 0.0) for numbers in (values, lower, upper)]
    q = pairs.backup(held[0], 1.0)
    low = pairs.backup(held[1], 1.0) - pairs.backup_error(held[1], 1.0)
    high = pairs.backup(held[2], 1.0) + pairs.backup_error(held[2], 1.0)
    to_gain = pairs.matrix @ (values == np.inf).astype(np.float64) > 0
    to_loss = (pairs.matrix @ (values == -np.inf).astype(np.float64) > 0) & ~to_gain
    for numbers in (q, low, high):
        numbers[to_gain] = np.inf
        numbers[to_loss] = -np.inf
    best_low = np.full(pairs.num_states, -np.inf)
    np.maximum.at(best_low, pairs.state, low)
    # Within a collapsed component the state's own bounds are sharper than a backup of them.
    best_low = np.maximum(best_low, np.where(finite, lower, best_low))
    return q, high >= best_low[pairs.state] - 1e-300


def _ending_policy(
    pairs: Pairs,
    quotient: Quotient,
    values: FloatArray,
    optimal: BoolArray,
    idle: IntArray,
    rows: IntArray,
) -> IntArray:
    """[S] the lowest optimal actions, as long as they end; elsewhere optimal actions that lead to an end."""
    lowest = pairs.first_of(optimal)
    index = pairs.pair_index
    live = pairs.live
    played = np.zeros(pairs.num_pairs, dtype=np.bool_)
    played[index[live, lowest[live]]] = True
    stopping = np.zeros(pairs.num_states, dtype=np.bool_)
    stopped_classes = np.flatnonzero((rows >= 0) & (quotient.origin[np.maximum(rows, 0)] < 0))
    stopping[(idle >= 0) & np.isin(quotient.class_of, stopped_classes)] = (
        True  # staying for nothing is optimal here
    )
    terminal = np.ones(pairs.num_states, dtype=np.bool_)
    terminal[live] = False
    ends = pairs.going_on < 1.0
    goal = terminal | stopping | ~np.isfinite(values)

    good = np.zeros(pairs.num_states, dtype=np.bool_)
    chain_ends = attracted(pairs, goal, ends & played, played)
    reaches = goal | (chain_ends >= 0)
    bad = can_reach(pairs, ~reaches, played) if (~reaches).any() else good
    policy = lowest.copy()
    if bad.any():
        chosen = attracted(pairs, goal | (reaches & ~bad), ends, optimal)
        mended = np.flatnonzero(bad & (chosen >= 0))
        policy[mended] = pairs.action[chosen[mended]]
    inside = np.flatnonzero(stopping)
    if inside.size:  # stay within the component: the lowest action that does
        _, staying = end_components(pairs, pairs.size == 0.0)
        policy[inside] = pairs.first_of(staying)[inside]
    return policy
