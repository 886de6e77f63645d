"""Average reward: the greatest reward per step in the long run, from every state.

    g*(s)  =  max over policies of  lim 1/T E[ sum_{t<T} r_t | s_0 = s ]

In the long run play stays in some end component, so (derived here; multichain theory in Puterman 1994, chapter 9)

    1. in each maximal end component, policy iteration finds the greatest gain g of staying and a bias h with
       min_s (T h - h)  <=  g  <=  max_s (T h - h),    T h = max_a r + P h,
       where both ends are taken from a backup rounded outwards;
    2. components collapse into states that may stop, which pays their gain, and all other rewards are 0: the
       greatest mean pay is a total reward, and its certificate, widened by the components' own, is the gain's.

The bias returned is the bias of the policy returned, as `chains.long_run` defines it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .bounds import allowed_width, apart, refuse
from .chains import closed_classes, long_run, stationary
from .end_components import attracted, end_components
from .pairs import Pairs
from .quotient import collapse
from .total import solve_total


@dataclass(frozen=True, eq=False)
class Average:
    """What `solve_average` finds.

    Attributes:
        gain: [S].
        bias: [S] of `policy`.
        lower: [S] at most the gain of the best policy.
        upper: [S] at least the gain of the best policy.
        policy: [S].
        q_values: [M] r - gain + P bias.
        optimal: [M] pairs that keep the gain and, within rounding, the bias.
        iterations: policies tried.
    """

    gain: FloatArray
    bias: FloatArray
    lower: FloatArray
    upper: FloatArray
    policy: IntArray
    q_values: FloatArray
    optimal: BoolArray
    iterations: int


def solve_average(pairs: Pairs, *, tolerance: float, relative: bool) -> Average:
    """The greatest gain, its bounds and a policy that earns it.

    Raises:
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    component, inside = end_components(pairs)
    stays = [_stay(pairs, component == c, inside) for c in range(int(component.max(initial=-1)) + 1)]
    gains = np.array([stay.gain for stay in stays])
    quotient = collapse(
        pairs, component, ~inside, np.zeros(pairs.num_pairs), gains, sizes=np.zeros(pairs.num_pairs)
    )
    settled = solve_total(quotient.pairs, tolerance=tolerance, relative=relative)

    below = max((stay.gain - stay.lower for stay in stays), default=0.0)
    above = max((stay.upper - stay.gain for stay in stays), default=0.0)
    gain = settled.values[quotient.class_of]
    lower = settled.lower[quotient.class_of] - below
    upper = settled.upper[quotient.class_of] + above
    width = allowed_width(tolerance, relative, gain)
    if apart(lower, upper) > width:
        refuse(lower, upper, tolerance, relative, width)

    rows = _rows(
        pairs, component, inside, stays, quotient.origin, quotient.class_of, quotient.pairs, settled.policy
    )
    full = np.zeros(pairs.num_states)
    full[pairs.live] = _long_run(pairs, rows)[1]
    q = pairs.backup(full, 1.0) - gain[pairs.state]
    policy = np.zeros(pairs.num_states, dtype=np.int64)
    policy[pairs.live] = pairs.action[rows[pairs.live]]
    scale = 1.0 + float(np.abs(full).max(initial=0.0)) + float(pairs.size.max(initial=0.0))
    keeps = pairs.matrix @ gain >= gain[pairs.state] - 1e-9 * (1.0 + np.abs(gain[pairs.state]))
    optimal = keeps & (q >= full[pairs.state] - 1e-9 * scale)
    tried = sum(stay.tried for stay in stays) + settled.iterations
    return Average(gain, full, lower, upper, policy, np.where(keeps, q, -np.inf), optimal, tried)


@dataclass(frozen=True, eq=False)
class _Stay:
    """The best way to stay in one end component for ever: its gain, bounds, and the pair [S] that each state plays."""

    gain: float
    lower: float
    upper: float
    rows: IntArray
    tried: int


def greatest_gain(pairs: Pairs, members: BoolArray) -> float:
    """The greatest gain of staying in the end component made of the `members` [M] pairs."""
    states = np.zeros(pairs.num_states, dtype=np.bool_)
    states[pairs.state[members]] = True
    return _stay(pairs, states, members).gain


def _stay(pairs: Pairs, states: BoolArray, inside: BoolArray) -> _Stay:
    """Policy iteration in a component: whatever class is best, the other states walk to it."""
    here = np.flatnonzero(states)
    members = np.flatnonzero(inside & states[pairs.state])
    local = np.full(pairs.num_states, -1)
    local[here] = np.arange(len(here))
    sub = Pairs(
        num_states=len(here),
        num_actions=pairs.num_actions,
        state=local[pairs.state[members]],
        action=pairs.action[members],
        reward=pairs.reward[members],
        size=pairs.size[members],
        matrix=scipy.sparse.csr_array(pairs.matrix[members][:, here]),
        going_on=pairs.going_on[members],
        rounding=pairs.rounding[members],
        initial=np.full(len(here), 1.0 / len(here)),
    )
    rows = _warm(sub)
    gain, bias, tried = -np.inf, np.zeros(len(here)), 0
    seen: set[bytes] = set()
    while rows.tobytes() not in seen:
        seen.add(rows.tobytes())
        rows = _unichain(sub, rows)
        gains, h = _long_run(sub, rows)
        found = float(gains[0])
        tried += 1
        margin = 1e-12 * (1.0 + abs(found))
        if tried > 1 and found < gain - margin:
            break
        gain, bias, best_rows = found, h, rows
        q = sub.backup(h, 1.0)
        top = sub.best(q)
        better = top > q[rows] + 1e-11 * (1.0 + np.abs(top))
        if not better.any():
            break
        greedy = np.flatnonzero(q >= top[sub.state])[::-1]
        switched = rows.copy()
        switched[sub.state[greedy]] = greedy
        rows = np.where(better, switched, rows)
    q, error = sub.backup(bias, 1.0), sub.backup_error(bias, 1.0)
    slack = 4e-16 * (1.0 + np.abs(bias) + np.abs(sub.best(q)))
    upper = float((sub.best(q + error) - bias + slack).max())
    lower = float((sub.best(q - error) - bias - slack).min())
    full = np.full(pairs.num_states, -1)
    full[here] = members[best_rows]
    return _Stay(min(max(gain, lower), upper), lower, upper, full, tried)


def _warm(pairs: Pairs) -> IntArray:
    """A policy to begin with, by sweeps of value iteration (lazily, so that periodic tables settle too).

    From a policy that earns nothing, the first bias can outgrow float64 on long chains, and all digits with it.
    """
    values = np.zeros(pairs.num_states)
    for _ in range(min(4 * pairs.num_states + 50, 5_000)):
        values = 0.5 * (values + pairs.best(pairs.backup(values, 1.0)))
        values -= values.max(initial=0.0)
    q = pairs.backup(values, 1.0)
    top = np.flatnonzero(q >= pairs.best(q)[pairs.state])[::-1]
    rows = pairs.first.copy()
    rows[pairs.state[top]] = top
    return rows


def _unichain(pairs: Pairs, rows: IntArray) -> IntArray:
    """`rows` where they lead to their best closed class, and a way to it everywhere else."""
    chain = scipy.sparse.csr_array(pairs.matrix[rows])
    classes = closed_classes(chain, np.zeros(pairs.num_states, dtype=np.bool_)).members
    if len(classes) == 1:
        return rows
    gains = [float(stationary(chain[c][:, c]) @ pairs.reward[rows[c]]) for c in classes]
    goal = np.zeros(pairs.num_states, dtype=np.bool_)
    goal[classes[int(np.argmax(gains))]] = True
    none = np.zeros(pairs.num_pairs, dtype=np.bool_)
    return np.where(goal, rows, attracted(pairs, goal, none, ~none))


def _long_run(pairs: Pairs, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Gain [n] and bias [n] of playing `rows`, over the live states."""
    mine = rows[pairs.live]
    chain = scipy.sparse.csr_array(pairs.matrix[mine][:, pairs.live])
    return long_run(chain, pairs.reward[mine], np.zeros(len(mine), dtype=np.bool_))


def _rows(
    pairs: Pairs,
    component: IntArray,
    inside: BoolArray,
    stays: list[_Stay],
    origin: IntArray,
    class_of: IntArray,
    quotient: Pairs,
    choice: IntArray,
) -> IntArray:
    """[S] the pair that each state plays: stay where stopping is chosen, leave by the chosen pair elsewhere."""
    rows = np.full(pairs.num_states, -1, dtype=np.int64)
    chosen = np.full(quotient.num_states, -1, dtype=np.int64)
    chosen[quotient.live] = origin[quotient.rows_of(choice)]
    for c, stay in enumerate(stays):
        states = component == c
        if chosen[c] < 0:
            rows[states] = stay.rows[states]
        else:
            goal = np.zeros(pairs.num_states, dtype=np.bool_)
            goal[pairs.state[chosen[c]]] = True
            none = np.zeros(pairs.num_pairs, dtype=np.bool_)
            way = attracted(pairs, goal, none, inside & states[pairs.state])
            rows[states] = way[states]
            rows[pairs.state[chosen[c]]] = chosen[c]
    single = np.flatnonzero((component < 0) & (chosen[class_of] >= 0))
    rows[single] = chosen[class_of[single]]
    return rows
