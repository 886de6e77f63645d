"""`solve`: the optimum of a table, of a partially observed one, or of an environment that lays one open."""

from __future__ import annotations

import numpy.typing as npt

from ..envs.mdp import TabularMDP
from . import pomdp as hidden
from .questions import Method, Model, check, check_warm_start, hidden_table, observed_table
from .solutions.record import MAX_BELIEFS, Criterion
from .solutions.solution import Solution
from .table_solver import solve_table


def solve(
    model: Model,
    discount: float | None = None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    method: Method = "auto",
    tolerance: float = 1e-8,
    relative: bool = True,
    progress_bar: bool = False,
    restart: bool = False,
    initial_values: npt.ArrayLike | None = None,
    initial_policy: npt.ArrayLike | None = None,
    max_beliefs: int = MAX_BELIEFS,
) -> Solution:
    """The optimal values and policy, certified.

    Args:
        model: a table, a partially observed table, or an environment that lays one open.
        discount: in [0, 1) for "discounted", where it must be given; in [0, 1], by default 1, for
            "finite_horizon"; None or 1 for "total" and "average".
        criterion: "discounted", "finite_horizon", "total" (reward until the end, undiscounted) or "average"
            (reward per step in the long run).
        horizon: steps of an episode, at least 1; for "finite_horizon" only.
        method: "auto" chooses by size, structure and its own progress, and says what it did.  By name, discounted:
            "value_iteration", "gauss_seidel_value_iteration" (in place), "prioritised_value_iteration" (the most
            urgent state first), "policy_iteration" (sparse direct), "iterative_policy_iteration" (preconditioned
            BiCGSTAB to the end), "inexact_policy_iteration" (the same, stopped early),
            "modified_policy_iteration", "linear_programming"; finite_horizon: "backward_induction"; total:
            "value_iteration", "policy_iteration", "linear_programming"; average: "relative_value_iteration",
            "policy_iteration", "linear_programming".
        tolerance: greatest distance between upper and lower bounds, positive.
        relative: count the tolerance in units of max(1, max|V*|).
        progress_bar: show on stderr the distance of the bounds and the time left, after two seconds of work.
        restart: for "average" only: an outcome that terminates goes on in a state drawn from `initial`.
        initial_values: [S] where to start from (for "average" a bias); a good guess saves time, a bad one costs some.
            Not for "finite_horizon", nor for linear programming.
        initial_policy: [S] integers, a policy to start from; likewise, and not for the value iterations of "total"
            and "average".
        max_beliefs: partially observed: beliefs that may be enumerated, at least 1.

    Raises:
        ValueError: a setting out of range, or a criterion that does not apply.
        ToleranceError: the tolerance is beyond float64; carries the best bounds.
        UnboundedError: "total" is infinite, or not defined, from a reachable state; names it.
    """
    check(discount, criterion, horizon, method, tolerance, restart)
    check_warm_start(criterion, method, initial_values, initial_policy)
    if max_beliefs < 1:
        raise ValueError(f"max_beliefs must be at least 1, got {max_beliefs}")
    pomdp = None if isinstance(model, TabularMDP) else hidden_table(model)
    if pomdp is None:
        return solve_table(
            model if isinstance(model, TabularMDP) else observed_table(model),
            discount,
            criterion=criterion,
            horizon=horizon,
            method=method,
            tolerance=tolerance,
            relative=relative,
            progress_bar=progress_bar,
            restart=restart,
            initial_values=initial_values,
            initial_policy=initial_policy,
        )
    if initial_values is not None or initial_policy is not None:
        raise ValueError(
            "initial_values and initial_policy are for tables whose state is observed; here solve makes the "
            "states, the beliefs, itself"
        )
    return hidden.solve_pomdp(
        pomdp,
        discount,
        criterion=criterion,
        horizon=horizon,
        method=method,
        tolerance=tolerance,
        relative=relative,
        progress_bar=progress_bar,
        restart=restart,
        max_beliefs=max_beliefs,
    )
