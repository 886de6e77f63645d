"""`solve_pomdp`: the best that can be had with memory, by whatever reaches it: few beliefs, or a search."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...envs.pomdp import TabularPOMDP
from ..bounds import allowed_width, apart, refuse
from ..solutions.record import MAX_BELIEFS, Criterion
from ..solutions.solution import Solution

if TYPE_CHECKING:
    from ..questions import Method
from ..table_solver import solve_table
from .belief_search import search, search_within_horizon
from .beliefs import BeliefTable, TooManyBeliefs, belief_table
from .dense_pomdp import is_small

#: Beliefs after which a first, quick enumeration gives way to a search.
FEW_BELIEFS = 3_000


def solve_pomdp(
    pomdp: TabularPOMDP,
    discount: float | None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    method: Method = "auto",
    tolerance: float = 1e-8,
    relative: bool = True,
    progress_bar: bool = False,
    restart: bool = False,
    max_beliefs: int = MAX_BELIEFS,
) -> Solution:
    """The best that can be had with memory: a Solution over beliefs.

    `beliefs` [B, S] tells what each index of `values`, `q_values` and `policy` means; `start_value` is the mean over
    what reset() may show.  Where the reachable beliefs are at most `max_beliefs`, they are all there.  Else a search
    narrows certified bounds until the beliefs that best play may reach are few: those are there, and beside them, as
    far as that is feasible, what one action off best play leads to (else such an action's q value is an upper bound).
    Where they stay many, only the beliefs at the start are there, and `alpha_vectors`: with a discount once the
    bounds have met within the tolerance, within a horizon by incremental pruning.

    Raises:
        ValueError: as `solve`; or, for "total" and "average", more than `max_beliefs` beliefs can be reached.
        ToleranceError: the search could not bring the bounds within the tolerance; carries the best ones.
    """
    steps = horizon if criterion == "finite_horizon" else None
    searchable = criterion in ("discounted", "finite_horizon") and is_small(pomdp)
    narrow = tolerance, relative, progress_bar
    weight = 1.0 if discount is None else float(discount)

    def solved(table: BeliefTable) -> Solution:
        best = solve_table(
            table.mdp,
            discount,
            criterion=criterion,
            horizon=horizon,
            method=method,
            tolerance=tolerance,
            relative=relative,
            progress_bar=progress_bar,
            restart=restart,
        )
        return widened_by_merging(best, table, pomdp, tolerance, relative)

    try:
        few = min(FEW_BELIEFS, max_beliefs) if searchable else max_beliefs
        return solved(belief_table(pomdp, horizon=steps, max_beliefs=few))
    except TooManyBeliefs:
        if not searchable:
            raise
    if steps is None:
        return search(pomdp, weight, solved, *narrow, max_beliefs=max_beliefs)
    return search_within_horizon(pomdp, weight, steps, solved, *narrow, max_beliefs=max_beliefs)


def widened_by_merging(
    best: Solution, table: BeliefTable, pomdp: TabularPOMDP, tolerance: float, relative: bool
) -> Solution:
    """The solution of a table of beliefs, its bounds widened by what merging beliefs may have changed.

    For "total" and "average" the number of beliefs stands for that of the steps: a guess, which is not held against the
    tolerance.

    Raises:
        ToleranceError: so widened they are farther apart than the tolerance.
    """
    steps = {"discounted": 1.0 / (1.0 - best.discount) if best.discount < 1.0 else np.inf}.get(
        best.criterion, float(best.horizon or table.mdp.num_states)
    )
    widening = 0.0
    if table.merged > 0.0:
        widening = table.merged * float(np.abs(pomdp.mdp.expected_reward).max()) * steps**2
    lower, upper = best.lower - widening, best.upper + widening
    width = allowed_width(tolerance, relative, 0.5 * (best.lower + best.upper))
    if best.criterion in ("discounted", "finite_horizon") and apart(lower, upper) > width:
        refuse(lower, upper, tolerance, relative, width)
    return replace(best, beliefs=table.beliefs, lower=lower, upper=upper)
