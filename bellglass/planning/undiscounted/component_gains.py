"""The best way to stay in an end component for ever: its gain, with bounds, and the pairs that earn it.

For any h, with  A(s, a) = r(s, a) + sum_s' P(s' | s, a) (h(s') - h(s))  (Puterman 1994, theorem 8.5.5; derived here)

    gain of every policy that stays  <=  max_s max_a A(s, a)         gain of pi from every state  >=  min_s A(s, pi(s))

since  r_pi <= max A + h - P_pi h  and the long-run mean of  h - P_pi h  is 0; the other side likewise.  Both ends are
taken in differences (`moves`) and moved outwards by their rounding, so they hold whatever found h:

    relative_value_iteration   h  <-  h + .9 (max_a A - c),  all components at once; the .9 makes every chain aperiodic
                               (Schweitzer 1971)
    policy_iteration           Howard (1960), see `gain_iteration`
    linear_programming         min g  subject to  g + h >= r + P h  (Manne 1960), see `gain_iteration`
    auto                       sweeps while they promise to get there soon, then policy iteration from where they are
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ..algebra.differences import Moves
from ..algebra.pairs import Pairs
from ..progress_bar import Report
from .gain_iteration import improved, programme

GainMethod = Literal["auto", "relative_value_iteration", "policy_iteration", "linear_programming"]

#: Weight of a sweep.
DAMPING = 0.9

#: Sweeps after which relative value iteration gives its tolerance up.
MOST_SWEEPS = 100_000

#: Sweeps after which `auto` looks how far it has come.
LOOK = 40

#: Sweeps that `auto` expects to need at most, else it turns to policy iteration.
PATIENCE = 400


#: Stored chances, and components, up to which `auto` ends with policy iteration.
SMALL, FEW = 50_000, 1_000


@dataclass(frozen=True, eq=False)
class Stays:
    """The best way to stay in each of C components.

    Attributes:
        lower: [C] at most the gain of playing `rows` there.
        upper: [C] at least the gain of any policy that stays.
        rows: [S] the pair that each of their states plays; -1 elsewhere.
        bias: [S] the h of the lower bound; 0 elsewhere.
        iterations: sweeps and policies tried.
        how: what was done.
    """

    lower: FloatArray
    upper: FloatArray
    rows: IntArray
    bias: FloatArray
    iterations: int
    how: str


def best_stays(
    pairs: Pairs,
    component: IntArray,
    inside: BoolArray,
    *,
    width: float,
    relative: bool = True,
    method: GainMethod = "auto",
    sign: bool = False,
    start: FloatArray | None = None,
    policy: IntArray | None = None,
    report: Report | None = None,
) -> Stays:
    """The greatest gains.

    Args:
        pairs: the table.
        component: [S] number of the component, -1 outside of all.
        inside: [M] pairs that stay inside; components without any are left at (-inf, inf).
        width: distance of the bounds at which a method may stop.
        relative: count it in units of max(1, |greatest gain|).
        method: see above.
        sign: stop where the bounds exclude 0, too.
        start: [S] a bias to begin with.
        policy: [S] actions to begin with.
        report: told of progress.
    """
    count = int(component.max(initial=-1)) + 1
    found = Stays(
        np.full(count, -np.inf),
        np.full(count, np.inf),
        np.full(pairs.num_states, -1, dtype=np.int64),
        np.zeros(pairs.num_states),
        0,
        method,
    )
    chosen = np.flatnonzero(inside)
    if not chosen.size:
        return found
    sorted_states, sub = _gathered(pairs, component, chosen)
    chosen = sub.chosen
    part = component[sorted_states]
    begin = np.flatnonzero(np.diff(part, prepend=-1))
    lengths = np.diff(np.append(begin, len(part)))
    h = np.zeros(len(part)) if start is None else start[sorted_states].astype(np.float64)
    wanted = _Wanted(width, relative, sign)

    sweeping = method in ("auto", "relative_value_iteration") and lengths.max() > 1
    sweeps = 0
    if sweeping:
        h, sweeps = _swept(sub.moves, h, begin, lengths, wanted, hasty=method == "auto", report=report)
    lower, upper, rows = bounds_of(sub.moves, h, begin)
    iterations = sweeps
    hows: set[str] = {"relative_value_iteration"} if sweeps else {method}
    if method != "relative_value_iteration":
        # On small tables policy iteration always has the last word: its policy is the best one, not just close.
        exact = method != "auto" or (not sign and sub.moves.matrix.nnz <= SMALL and len(begin) <= FEW)
        open_ = np.ones(len(begin), dtype=np.bool_) if exact else ~wanted.met(lower, upper)
        open_ &= lengths > 1
        for k in np.flatnonzero(open_):
            states = slice(int(begin[k]), int(begin[k] + lengths[k]))
            moves, first_pair = sub.part(states)
            mine = _given(policy, pairs, moves, chosen[first_pair:], sorted_states[states])
            if method == "linear_programming":
                mine, steps = programme(moves)
                iterations += steps
            elif mine is None and method == "auto":
                mine = rows[states] - first_pair
            better = improved(
                moves,
                h[states],
                mine,
                between=20 if method == "auto" else 0,
                enough=lambda low, high: not exact and bool(wanted.met(np.array([low]), np.array([high]))[0]),
            )
            h[states] = better.bias
            rows[states] = better.rows + first_pair
            lower[k], upper[k] = max(lower[k], better.lower), min(upper[k], better.upper)
            iterations += better.tried
            if report is not None:
                report(iterations)
            hows.add(better.how)
    found.lower[part[begin]], found.upper[part[begin]] = lower, upper
    found.rows[sorted_states] = chosen[rows]
    found.bias[sorted_states] = h
    how = ", then ".join(sorted(hows - {"auto"}, reverse=True)) or "one state each"
    if method != "auto":
        how = method
    return Stays(found.lower, found.upper, found.rows, found.bias, iterations, how)


@dataclass(frozen=True)
class _Wanted:
    """When bounds are close enough."""

    width: float
    relative: bool
    sign: bool

    def met(self, lower: FloatArray, upper: FloatArray) -> BoolArray:
        """Of each component."""
        scale = 1.0
        if self.relative:
            # The component of greatest gain keeps it, so the optimum is at least as large as this somewhere.
            top = (float(lower.max(initial=-np.inf)), float(upper.max(initial=-np.inf)))
            if np.isfinite(top).all() and top[0] * top[1] > 0:
                scale = max(1.0, min(abs(top[0]), abs(top[1])))
        close = upper - lower <= self.width * scale
        return np.asarray(close | (lower > 0) | (upper < 0) if self.sign else close)


@dataclass(frozen=True, eq=False)
class _Gathered:
    """Components side by side, each one's states and pairs together."""

    moves: Moves
    chosen: IntArray

    def part(self, states: slice) -> tuple[Moves, int]:
        """The moves of the states from `begin` to `end`, and the first of them."""
        moves = self.moves
        if states.start == 0 and states.stop == moves.num_states:
            return moves, 0
        bounds = np.append(moves.first, moves.num_moves)
        a, b = int(bounds[states.start]), int(bounds[states.stop])
        return (
            Moves(
                num_states=states.stop - states.start,
                state=moves.state[a:b] - states.start,
                reward=moves.reward[a:b],
                size=moves.size[a:b],
                matrix=scipy.sparse.csr_array(moves.matrix[a:b, states]),
                stop=moves.stop[a:b],
                rounding=moves.rounding[a:b],
            ),
            a,
        )


def _gathered(pairs: Pairs, component: IntArray, chosen: IntArray) -> tuple[IntArray, _Gathered]:
    """The states of all components, one component after the other, and their moves."""
    states = np.unique(pairs.state[chosen])
    never = np.zeros(pairs.num_pairs)
    order = np.argsort(component[states], kind="stable")
    if (np.diff(order) == 1).all():
        return states, _Gathered(Moves.of(pairs, chosen, states, never), chosen)
    states = states[order]
    local = np.full(pairs.num_states, -1, dtype=np.int64)
    local[states] = np.arange(len(states))
    chosen = chosen[np.argsort(local[pairs.state[chosen]], kind="stable")]
    rows = pairs.matrix[chosen]
    matrix = scipy.sparse.csr_array(
        (rows.data, local[rows.indices], rows.indptr), shape=(len(chosen), len(states))
    )
    moves = Moves(
        num_states=len(states),
        state=local[pairs.state[chosen]],
        reward=pairs.reward[chosen],
        size=pairs.size[chosen],
        matrix=matrix,
        stop=never[chosen],
        rounding=pairs.rounding[chosen],
    )
    return states, _Gathered(moves, chosen)


def _given(
    policy: IntArray | None, pairs: Pairs, moves: Moves, chosen: IntArray, states: IntArray
) -> IntArray | None:
    """[n] the pair of the given policy, -1 where it leaves the component."""
    if policy is None:
        return None
    here = chosen[: moves.num_moves]
    return moves.lowest(pairs.action[here] == policy[pairs.state[here]])


def _swept(
    moves: Moves,
    h: FloatArray,
    begin: IntArray,
    lengths: IntArray,
    wanted: _Wanted,
    *,
    hasty: bool,
    report: Report | None,
) -> tuple[FloatArray, int]:
    """The h [n] after sweeps that bring the bounds together, or that no longer do, and their number."""
    part = np.repeat(np.arange(len(begin)), lengths)
    stall = 1_000 + 20 * int(lengths.max())
    best, best_width, since, sweeps, mark = h, np.inf, 0, 0, np.inf
    while sweeps < MOST_SWEEPS:
        change = moves.best(moves.reward + moves.matrix @ h) - h
        low = np.minimum.reduceat(change, begin)
        high = np.maximum.reduceat(change, begin)
        widths = high - low
        close = wanted.met(low, high)
        if close.all() and wanted.met(*bounds_of(moves, h, begin)[:2]).all():
            return h, sweeps
        width = float(widths[~close].max(initial=0.0))
        if report is not None:
            report(sweeps, width, wanted.width)
        if width < 0.99 * best_width:
            best, best_width, since = h, width, 0
        since += 1
        if since > stall:
            break
        if hasty and sweeps % LOOK == LOOK - 1:
            # Widths that shrink by this factor in LOOK sweeps are small enough after so many more.
            shrinks = width / mark
            scale = wanted.width * max(1.0, float(np.abs(low).min()) if wanted.relative else 1.0)
            hopeful = 0.0 < shrinks < 1.0 and LOOK * np.log(scale / width) / np.log(shrinks) <= PATIENCE
            if np.isfinite(mark) and not hopeful:
                break
            mark = width
        h = h + DAMPING * (change - (0.5 * (low + high))[part])
        sweeps += 1
    return best if not hasty else h, sweeps


def bounds_of(moves: Moves, h: FloatArray, begin: IntArray) -> tuple[FloatArray, FloatArray, IntArray]:
    """Certified (lower, upper) [C] from any h [n], and the pairs [n] that earn the lower one.

    Of pairs that rounding cannot tell apart, the lowest.
    """
    gains, size = moves.gains(h)
    error = moves.error(size)
    least = gains - error
    rows = moves.lowest(gains + error >= moves.best(least)[moves.state])
    lower = np.minimum.reduceat(least[rows], begin)
    upper = np.maximum.reduceat(moves.best(gains + error), begin)
    return np.nextafter(lower, -np.inf), np.nextafter(upper, np.inf), rows
