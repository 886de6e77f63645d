"""Discounted reward by NumPy and SciPy: policy iteration, modified policy iteration, value iteration.

    V*(s)  =  max_a  sum_k p_k (r_k + discount * V*(s'_k))          V*(s') is left out where the outcome
    terminates

Howard (1960); Puterman and Shin (1978) for the modified kind; Puterman (1994), chapter 6.  Whatever found the
values, `bounds.certify` says how far they may be from the optimum, so a method can be slow but never wrong.
"""

from __future__ import annotations

import numpy as np

from ..envs.mdp import FloatArray, IntArray
from .algebra.linear import factorised
from .algebra.pairs import Pairs
from .bounds import centred, least_mass, shift
from .progress_bar import Report

#: `auto` solves the linear systems of policy iteration directly up to this many live states.
DIRECT = 1_500


def policy_iteration(
    pairs: Pairs, discount: float, *, start: FloatArray | None = None, report: Report | None = None
) -> tuple[FloatArray, int]:
    """Values [S] of a policy that nothing improves upon but rounding, and the number of policies tried."""
    values = np.zeros(pairs.num_states) if start is None else start
    policy = pairs.greedy(pairs.backup(values, discount))
    seen: set[bytes] = set()
    tried = 0
    while True:
        values = values_of_rows(pairs, pairs.rows_of(policy), discount)
        tried += 1
        middle = centred(pairs, values)  # shifts every q alike, and rounds by the spread of the values alone
        q = pairs.backup(middle, discount)
        error = pairs.backup_error(middle, discount)
        best = pairs.best(q)
        rows = pairs.rows_of(policy)
        stays = np.zeros(pairs.num_pairs, dtype=np.bool_)
        # The action stays where another one is better by rounding alone: otherwise ties could cycle for ever.
        stays[rows] = q[rows] + 2.0 * error[rows] >= best[pairs.state[rows]]
        chosen = np.where(
            pairs.best(stays.astype(np.float64))[pairs.state] > 0, stays, q >= best[pairs.state]
        )
        improved = pairs.first_of(chosen)
        if report is not None:
            report(tried, float(np.ptp((best - middle)[pairs.live])) / (1.0 - discount))
        if (improved == policy).all() or improved.tobytes() in seen:
            return _polished(pairs, values, rows, discount), tried
        seen.add(policy.tobytes())
        policy = improved


def _polished(pairs: Pairs, values: FloatArray, rows: IntArray, discount: float) -> FloatArray:
    """The values once more corrected where nothing ends: their spread apart from their level, which is far greater."""
    if pairs.ends or not len(pairs.live):
        return values
    live = pairs.live
    solve = factorised(pairs.matrix[rows][:, live], discount)
    spread = centred(pairs, values)
    level = 0.0
    for _ in range(2):
        residual = pairs.backup(spread, discount)[rows] - spread[live]
        level = 0.5 * (float(residual.max()) + float(residual.min()))
        spread[live] += solve(residual - level, False)
    polished = np.zeros(pairs.num_states)
    polished[live] = spread[live] + level / (1.0 - discount)
    return polished


def values_of_rows(pairs: Pairs, rows: IntArray, discount: float) -> FloatArray:
    """[S] values of always playing the given pair of each live state, by one linear solve."""
    live = pairs.live
    values = np.zeros(pairs.num_states)
    transition = pairs.matrix[rows][:, live]
    values[live] = factorised(transition, discount)(pairs.reward[rows], False)
    return values


def modified_policy_iteration(
    pairs: Pairs,
    discount: float,
    *,
    width: float,
    relative: bool,
    sweeps: int = 20,
    patience: int | None = None,
    start: FloatArray | None = None,
    report: Report | None = None,
) -> tuple[FloatArray, int, bool]:
    """Values [S] with bounds about `width` apart, the number of improvements, and whether it got there.

    Between improvements the policy is swept `sweeps` times (0 makes it value iteration).  On tables that
    never end, values are shifted to the middle of their bounds first, which removes the slowest error at
    once (Puterman 1994, section 6.6).  Stops early, with False, after `patience` improvements, or where
    rounding forbids progress.
    """
    values = np.zeros(pairs.num_states) if start is None else start.copy()
    live = pairs.live
    least = least_mass(pairs)
    never_ends = not pairs.ends
    endless = 200 + 10 / (1.0 - discount)  # sweeps that must halve the distance, unless rounding forbids it
    grain, largest = float(pairs.rounding.max(initial=0.0)), float(pairs.size.max(initial=0.0))
    improvements, mark, stalled = 0, np.inf, 0
    while True:
        q = pairs.backup(values, discount)
        backed_up = pairs.best(q)
        change = (backed_up - values)[live]
        up = shift(float(change.max(initial=0.0 if not live.size else -np.inf)), discount, least)
        down = -shift(-float(change.min(initial=0.0 if not live.size else np.inf)), discount, least)
        improvements += 1
        apart = up - down
        middle = 0.5 * (up + down) if never_ends else 0.0
        scale = max(1.0, float(np.abs(backed_up + discount * middle).max(initial=0.0))) if relative else 1.0
        if report is not None:
            report(improvements, apart, width * scale)
        if apart < 0.5 * mark:
            mark, stalled = apart, 0
        stalled += 1
        values[live] = backed_up[live] + discount * middle
        if apart <= 0.5 * width * scale:
            return values, improvements, True
        # What rounding alone may keep the bounds apart: no sweep comes closer.
        spread = values[live] - (0.5 * (values[live].max() + values[live].min()) if never_ends else 0.0)
        noise = grain * (largest + discount * float(np.abs(spread).max(initial=0.0))) / (1.0 - discount)
        if apart <= noise or stalled > endless or improvements == patience:
            return values, improvements, False
        if sweeps:
            rows = pairs.rows_of(pairs.greedy(q))
            transition = discount * pairs.matrix[rows]
            reward = pairs.reward[rows]
            for _ in range(sweeps):
                values[live] = reward + transition @ values


def solve_small(
    pairs: Pairs,
    discount: float,
    *,
    method: str,
    width: float,
    relative: bool,
    start: FloatArray | None,
    report: Report | None,
) -> tuple[FloatArray, int, str]:
    """A guess of the values [S], improvements, and what was done, by the method asked for."""
    if method == "policy_iteration":
        return *policy_iteration(pairs, discount, start=start, report=report), method
    if method == "auto":
        return automatic(pairs, discount, width=width, relative=relative, start=start, report=report)
    values, iterations, _ = modified_policy_iteration(
        pairs,
        discount,
        width=width,
        relative=relative,
        sweeps=0 if method == "value_iteration" else 20,
        start=start,
        report=report,
    )
    return values, iterations, method


def automatic(
    pairs: Pairs,
    discount: float,
    *,
    width: float,
    relative: bool,
    start: FloatArray | None = None,
    report: Report | None = None,
) -> tuple[FloatArray, int, str]:
    """Values [S], improvements and what was done: direct where that is cheap, sweeps first elsewhere."""
    if len(pairs.live) <= DIRECT:
        values, _, _ = modified_policy_iteration(
            pairs, discount, width=width, relative=relative, sweeps=10, patience=5, start=start
        )
        values, tried = policy_iteration(pairs, discount, start=values, report=report)
        return values, tried, "policy_iteration"
    values, done, reached = modified_policy_iteration(
        pairs, discount, width=width, relative=relative, patience=60, start=start, report=report
    )
    if reached:
        return values, done, "modified_policy_iteration"
    if pairs.matrix.nnz / max(1, pairs.num_pairs) <= 8 and len(pairs.live) <= 200_000:
        values, tried = policy_iteration(pairs, discount, start=values, report=report)
        return values, done + tried, "modified_policy_iteration, then policy_iteration"
    values, more, _ = modified_policy_iteration(
        pairs, discount, width=width, relative=relative, sweeps=100, start=values, report=report
    )
    return values, done + more, "modified_policy_iteration"
