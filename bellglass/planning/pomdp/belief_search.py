"""The optimum where beliefs are too many to list: bounds are drawn together until one of three things proves it.

1. The beliefs still in play are few: their table is solved (`heuristic_search.py`).
2. Few vectors carry the value of every belief, and a Bellman residual certifies them (`surface.py`).
3. The bounds at the start have met within the tolerance.

A finite horizon is the same problem with the clock as a part of the state (`with_clock`), and answered by the first,
or by incremental pruning (`incremental_pruning.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np

from ...envs.mdp import FloatArray
from ...envs.mdp.clocked import clocked
from ...envs.pomdp import TabularPOMDP
from ..bounds import allowed_width
from ..errors import ToleranceError
from ..progress_bar import Progress, Report
from ..solutions.solution import Solution
from .beliefs import BeliefTable, TooManyBeliefs, belief_table
from .dense_pomdp import is_small
from .first_decisions import first_decisions
from .heuristic_search import SIDE_ROUNDS, HeuristicSearch, as_array
from .incremental_pruning import TooManyPlans, solve_within_horizon
from .point_based import PointBasedBound, point_based_bound

#: After how many trials in all the beliefs in play are counted, and how many there may be then.
ROUNDS = ((20, 1_000), (60, 2_000), (150, 4_000), (400, 8_000), (1_000, 20_000))

#: The round after which all beliefs are counted, and vectors that carry every belief are looked for.
MIDDLE = 1

#: States with a clock up to which the first round is a matter of a second.
SHORT = 150

#: Vectors a step that make pruning quicker than any search.
FEW_VECTORS = 8


def search(
    pomdp: TabularPOMDP,
    discount: float,
    solved: Callable[[BeliefTable], Solution],
    tolerance: float,
    relative: bool,
    progress_bar: bool,
    *,
    max_beliefs: int,
) -> Solution:
    """The optimum at the start, with a discount.

    Raises:
        ToleranceError: nothing proved it; carries the best bounds of the beliefs at the start.
    """
    began = perf_counter()
    finding = HeuristicSearch(pomdp, discount)

    def distance() -> tuple[float, float]:
        low, high = finding.start_bounds()
        return float((high - low).max()), allowed_width(tolerance, relative, (low + high) / 2.0)

    with Progress(progress_bar) as report:
        for number, (trials, most) in enumerate(ROUNDS):
            apart, allowed = _drawn_together(finding, trials, distance, report)
            table = finding.closed(min(most, max_beliefs))
            if table is not None:
                return solved_in_play(finding, table, solved, began)
            if apart <= allowed:
                return _by_bounds(finding, began)
            if number == MIDDLE:
                found = _by_surface(finding, allowed, began)
                if found is not None:
                    return found
                try:
                    return solved(belief_table(pomdp, max_beliefs=max_beliefs))
                except TooManyBeliefs:
                    pass
    low, high = finding.start_bounds()
    apart, allowed = distance()
    middle = float(finding.model.chances @ (low + high)) / 2.0
    raise ToleranceError(
        f"a tolerance of {tolerance:g} ({'relative' if relative else 'absolute'}) allows bounds {allowed:.3g} apart, "
        f"but {finding.trials} trials of heuristic search left {apart:.3g} around {middle:.9g} at the start; "
        "the error's lower and upper carry them; a greater tolerance may be reached",
        low,
        high,
    )


def _drawn_together(
    finding: HeuristicSearch,
    trials: int,
    distance: Callable[[], tuple[float, float]],
    report: Report | None,
) -> tuple[float, float]:
    """After so many trials in all, how far the bounds at the start are apart, and how far they may be."""
    apart, allowed = distance()
    while finding.trials < trials and apart > allowed:
        finding.trial(max(allowed, apart) / 2.0)  # walks that ask for little at a time stay short
        apart, allowed = distance()
        if report is not None:
            report(finding.trials, apart, allowed)
    return apart, allowed


def _by_bounds(finding: HeuristicSearch, began: float) -> Solution:
    return first_decisions(
        finding.pomdp,
        finding.model,
        finding.discount,
        bounds=finding.start_bounds(),
        q_bounds=finding.q_bounds(finding.model.starts),
        vectors=finding.lower.vectors,
        actions=finding.lower.actions,
        method="heuristic search (HSVI2)",
        iterations=finding.trials,
        began=began,
    )


def _by_surface(finding: HeuristicSearch, allowed: float, began: float) -> Solution | None:
    model = finding.model
    found: PointBasedBound | None = point_based_bound(
        model,
        finding.discount,
        finding.lower.vectors,
        finding.lower.actions,
        model.starts,
        allowed=allowed / 2.0,
        slack=finding.slack,
    )
    if found is None:
        return None
    low = (model.starts @ found.vectors.T).max(axis=1) - finding.slack
    later = (model.joint(model.starts) @ found.vectors.T).max(axis=3).sum(axis=2)
    q_low = model.starts @ model.reward.T + finding.discount * later - finding.slack
    return first_decisions(
        finding.pomdp,
        model,
        finding.discount,
        bounds=(low, low + found.excess + 2.0 * finding.slack),
        q_bounds=(q_low, q_low + found.excess + 2.0 * finding.slack),
        vectors=found.vectors,
        actions=found.actions,
        method="point-based sweeps, certified by a Bellman residual",
        iterations=finding.trials,
        began=began,
    )


def search_within_horizon(
    pomdp: TabularPOMDP,
    discount: float,
    horizon: int,
    solved: Callable[[BeliefTable], Solution],
    tolerance: float,
    relative: bool,
    progress_bar: bool,
    *,
    max_beliefs: int,
) -> Solution:
    """The optimum within a horizon: over the table of beliefs in play, of all beliefs, or by incremental pruning.

    Pruning comes before a long search where few vectors carry every step: they make any horizon easy, while the
    beliefs in play become more with each step.

    Raises:
        ToleranceError: each became too large; carries the best bounds of the beliefs at the start.
    """
    began = perf_counter()
    low, high = np.full(1, -np.inf), np.full(1, np.inf)
    finding = None
    if (horizon + 1) * pomdp.num_states <= SHORT:
        finding = HeuristicSearch(with_clock(pomdp, horizon), discount, horizon)
        found = _in_play_by_time(finding, ROUNDS[:1], solved, began)
        if found is not None:
            return found
    try:
        return solve_within_horizon(
            pomdp, discount, horizon, tolerance, relative, progress_bar, most_vectors=FEW_VECTORS
        )
    except (TooManyPlans, ToleranceError):
        pass
    if is_small(pomdp, times=horizon + 1):
        finding = finding or HeuristicSearch(with_clock(pomdp, horizon), discount, horizon)
        found = _in_play_by_time(finding, ROUNDS[:-1], solved, began)
        if found is not None:
            return found
        low, high = finding.start_bounds()
    try:
        return solved(belief_table(pomdp, horizon=horizon, max_beliefs=max_beliefs))
    except TooManyBeliefs:
        pass
    try:
        return solve_within_horizon(pomdp, discount, horizon, tolerance, relative, progress_bar)
    except TooManyPlans as error:
        raise ToleranceError(
            f"more than {max_beliefs} beliefs can be reached within {horizon} steps, and incremental pruning gave up: "
            f"{error}; heuristic search left bounds {float((high - low).max()):.3g} apart at the start, which the "
            "error's lower and upper carry",
            low,
            high,
        ) from error


def _in_play_by_time(
    finding: HeuristicSearch,
    rounds: Sequence[tuple[int, int]],
    solved: Callable[[BeliefTable], Solution],
    began: float,
) -> Solution | None:
    """The solution over the beliefs in play of a table with a clock; None if they stay too many."""

    def distance() -> tuple[float, float]:
        low, high = finding.start_bounds()
        return float((high - low).max()), 1e-9 * max(1.0, float(np.abs(high).max()))

    for trials, most in rounds:
        _drawn_together(finding, trials, distance, None)
        table = finding.closed(most)
        if table is not None:
            found = solved_in_play(finding, table, solved, began)
            assert found.beliefs is not None
            assert finding.horizon is not None
            beliefs = as_array(found.beliefs)
            by_time = beliefs.reshape(len(beliefs), finding.horizon + 1, -1)
            return replace(found, beliefs=by_time.sum(axis=1))
    return None


def solved_in_play(
    finding: HeuristicSearch, table: BeliefTable, solved: Callable[[BeliefTable], Solution], began: float
) -> Solution:
    """The solution of the table of beliefs in play, with a price for every action there."""
    in_play = table.mdp.num_states - 1
    full = finding.with_all_actions(table, rounds=SIDE_ROUNDS if finding.horizon is None else 0)
    # An action ruled out at a belief was so at those merged with it only up to what merging changes, on either side.
    best = solved(replace(full, merged=3.0 * full.merged))
    method = f"{best.method} over {in_play} beliefs in play"
    return replace(best, method=method, seconds=perf_counter() - began)


def with_clock(pomdp: TabularPOMDP, horizon: int) -> TabularPOMDP:
    """The table whose states are (steps made, state), over after `horizon` steps; the steps are not seen."""

    def at_all_times(seen: FloatArray) -> FloatArray:
        return np.concatenate([seen] * (horizon + 1), axis=-2)

    return TabularPOMDP(
        clocked(pomdp.mdp, horizon),
        at_all_times(pomdp.observation_probability),
        at_all_times(pomdp.initial_observation),
    )
