"""The best way to stay in one end component for ever: its gain, with bounds, and the pairs that earn it.

Policy iteration with one twist (derived here): in a component every state can walk to every other one, so whatever
closed class earns most, the other states are sent to it, and the policy that is evaluated has one class only.
With its bias h,

    min_s (T h - h)  <=  g  <=  max_s (T h - h),        T h = max_a r + P h,

where both ends are taken from a backup rounded outwards (Puterman 1994, theorem 8.5.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .chains import closed_classes, long_run, stationary
from .end_components import attracted
from .pairs import Pairs


@dataclass(frozen=True, eq=False)
class Stay:
    """The best way to stay.

    Attributes:
        gain: the greatest reward per step.
        lower: at most the gain.
        upper: at least the greatest gain of any policy that stays.
        rows: [S] the pair that each state of the component plays; -1 elsewhere.
        tried: policies evaluated.
    """

    gain: float
    lower: float
    upper: float
    rows: IntArray
    tried: int


def greatest_gain(pairs: Pairs, members: BoolArray) -> float:
    """The greatest gain of staying in the end component made of the `members` [M] pairs."""
    states = np.zeros(pairs.num_states, dtype=np.bool_)
    states[pairs.state[members]] = True
    return best_stay(pairs, states, members).gain


def best_stay(pairs: Pairs, states: BoolArray, inside: BoolArray) -> Stay:
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
    gain, bias, best_rows, tried = -np.inf, np.zeros(len(here)), rows, 0
    seen: set[bytes] = set()
    while rows.tobytes() not in seen:
        seen.add(rows.tobytes())
        rows = _unichain(sub, rows)
        gains, h = long_run_of(sub, rows)
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
    return Stay(min(max(gain, lower), upper), lower, upper, full, tried)


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


def long_run_of(pairs: Pairs, rows: IntArray) -> tuple[FloatArray, FloatArray]:
    """Gain [n] and bias [n] of playing `rows`, over the live states."""
    mine = rows[pairs.live]
    chain = scipy.sparse.csr_array(pairs.matrix[mine][:, pairs.live])
    return long_run(chain, pairs.reward[mine], np.zeros(len(mine), dtype=np.bool_))
