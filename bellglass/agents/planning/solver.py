"""`solve`: the optimum under any of four criteria, with bounds that hold, or an error that says why not."""

from __future__ import annotations

from time import perf_counter
from typing import cast

import numpy as np
import numpy.typing as npt

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from .bounds import allowed_width, apart, certify, refuse
from .discounted import solve_small
from .errors import ToleranceError
from .finite_horizon import backward_induction
from .moves import chance_to_end
from .pairs import Pairs
from .progress import Progress, Report
from .questions import Method, Model, check, check_warm_start, hidden_table, observed_table, warm_start
from .solution import MAX_BELIEFS, Criterion, Solution
from .undiscounted.average import AverageMethod, solve_average
from .undiscounted.total import TotalMethod, solve_total

#: Methods that are always done by compiled kernels.
IN_KERNELS: tuple[Method, ...] = (
    "gauss_seidel_value_iteration",
    "prioritised_value_iteration",
    "iterative_policy_iteration",
    "inexact_policy_iteration",
)

#: Seconds that this process has spent on tables which kernels could have solved.
_spent = [0.0]

#: Tables with fewer outcomes are solved by NumPy in milliseconds.
FEW_OUTCOMES = 3_000


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
    if not isinstance(model, TabularMDP):
        pomdp = hidden_table(model)
        if pomdp is not None:
            if initial_values is not None or initial_policy is not None:
                raise ValueError(
                    "initial_values and initial_policy are for tables whose state is observed; here solve makes the "
                    "states, the beliefs, itself"
                )
            from .hidden.beliefs import solve_pomdp

            return solve_pomdp(
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
    mdp = model if isinstance(model, TabularMDP) else observed_table(model)
    began = perf_counter()
    values, policy = warm_start(mdp, initial_values, initial_policy)
    with Progress(progress_bar) as report:
        try:
            if criterion == "discounted":
                assert discount is not None
                weight = float(discount)
                if policy is not None:
                    from .scoring.evaluation import policy_values  # it leans on this module

                    values = policy_values(mdp, policy, weight)
                return _discounted(mdp, weight, method, tolerance, relative, report, began, values)
            if criterion == "finite_horizon":
                assert horizon is not None
                weight = 1.0 if discount is None else float(discount)
                return _finite_horizon(mdp, horizon, weight, tolerance, relative, report, began)
            if criterion == "total":
                wanted = cast(TotalMethod, method)
                return _total(mdp, wanted, tolerance, relative, report, began, values, policy)
            means = cast(AverageMethod, method)
            return _average(mdp, restart, means, tolerance, relative, report, began, values, policy)
        except ArithmeticError as error:  # a singular system, or HiGHS found nothing
            nothing = np.full(mdp.num_states, np.inf)
            raise ToleranceError(
                f"method {method!r} came to no bounds within the tolerance of {tolerance:g}: {error}",
                -nothing,
                nothing,
            ) from error


def _discounted(
    mdp: TabularMDP,
    discount: float,
    method: Method,
    tolerance: float,
    relative: bool,
    report: Report | None,
    began: float,
    start: FloatArray | None,
) -> Solution:
    occupancy: FloatArray | None = None
    if method in IN_KERNELS or (method == "auto" and _worth_kernels(mdp)):
        from .large.solving import solve_large

        found, iterations, done = solve_large(
            mdp, discount, method=method, tolerance=tolerance, relative=relative, start=start, report=report
        )
        q_values, optimal = found.q_values, found.optimal
    else:
        pairs = Pairs.of(mdp)
        if method == "linear_programming":
            from .linear_programming import linear_programme

            programme = linear_programme(pairs, discount)
            guess, iterations, done = programme.values, programme.iterations, method
            occupancy = programme.occupancy
        else:
            guess, iterations, done = solve_small(
                pairs, discount, method=method, width=tolerance, relative=relative, start=start, report=report
            )
        found = certify(pairs, guess, discount, tolerance=tolerance, relative=relative)
        q_values, optimal = pairs.table(found.q_values), pairs.mask(found.optimal)
        if method == "auto" and mdp.num_outcomes >= FEW_OUTCOMES:
            _spent[0] += perf_counter() - began
    return Solution(
        criterion="discounted",
        discount=discount,
        horizon=None,
        start_value=start_value(mdp, found.values),
        values=found.values,
        q_values=q_values,
        policy=found.policy,
        optimal_actions=optimal,
        lower=found.lower,
        upper=found.upper,
        occupancy=occupancy,
        method=done,
        iterations=iterations,
        seconds=perf_counter() - began,
        mdp=mdp,
    )


def _worth_kernels(mdp: TabularMDP) -> bool:
    """Whether compiled kernels repay the wait for them: below some thousand outcomes never, not even numba's import.

    Compiling all of them takes about ten seconds, once a machine; reading them back, half of one.  A process that has
    already spent as long without them is likely to go on asking.
    """
    if mdp.num_outcomes < FEW_OUTCOMES:
        return False
    from ..compiled import is_kept, is_loaded
    from .large.bound_kernels import bracket

    if is_loaded(bracket):
        return True
    outcomes, seconds = (25_000, 0.02) if is_kept(bracket) else (100_000, 10.0)
    return mdp.num_outcomes >= outcomes or _spent[0] > seconds


def _finite_horizon(
    mdp: TabularMDP,
    horizon: int,
    discount: float,
    tolerance: float,
    relative: bool,
    report: Report | None,
    began: float,
) -> Solution:
    found = backward_induction(Pairs.of(mdp), int(horizon), discount, report=report)
    width = allowed_width(tolerance, relative, found.values[0])
    if apart(found.lower, found.upper) > width:
        refuse(found.lower, found.upper, tolerance, relative, width)
    return Solution(
        criterion="finite_horizon",
        discount=discount,
        horizon=int(horizon),
        start_value=start_value(mdp, found.values[0]),
        values=found.values,
        q_values=found.q_values,
        policy=found.policy,
        optimal_actions=found.optimal_actions,
        lower=found.lower,
        upper=found.upper,
        method="backward_induction",
        iterations=int(horizon),
        seconds=perf_counter() - began,
        mdp=mdp,
    )


def _total(
    mdp: TabularMDP,
    method: TotalMethod,
    tolerance: float,
    relative: bool,
    report: Report | None,
    began: float,
    start: FloatArray | None,
    policy: IntArray | None,
) -> Solution:
    pairs = Pairs.of(mdp)
    found = solve_total(
        pairs,
        stop=chance_to_end(mdp),
        tolerance=tolerance,
        relative=relative,
        method=method,
        start=start,
        policy=policy,
        report=report,
    )
    return Solution(
        criterion="total",
        discount=1.0,
        horizon=None,
        start_value=start_value(mdp, found.values),
        values=found.values,
        q_values=pairs.table(found.q_values),
        policy=found.policy,
        optimal_actions=pairs.mask(found.optimal),
        lower=found.lower,
        upper=found.upper,
        method=found.method,
        iterations=found.iterations,
        seconds=perf_counter() - began,
        mdp=mdp,
    )


def _average(
    mdp: TabularMDP,
    restart: bool,
    method: AverageMethod,
    tolerance: float,
    relative: bool,
    report: Report | None,
    began: float,
    start: FloatArray | None,
    policy: IntArray | None,
) -> Solution:
    pairs = Pairs.of(mdp, restart=restart)
    ending = np.flatnonzero(pairs.going_on < 1.0)
    if ending.size:
        s, a = int(pairs.state[ending[0]]), int(pairs.action[ending[0]])
        raise ValueError(
            f"criterion 'average' is for tables that never end, but state {s}, action {a} may; restart=True lets an "
            "end go on in a state drawn from initial, criterion='total' sums until the end"
        )
    found = solve_average(
        pairs,
        tolerance=tolerance,
        relative=relative,
        method=method,
        start=start,
        policy=policy,
        report=report,
    )
    return Solution(
        criterion="average",
        discount=1.0,
        horizon=None,
        start_value=start_value(mdp, found.gain),
        values=None,
        q_values=pairs.table(found.q_values),
        policy=found.policy,
        optimal_actions=pairs.mask(found.optimal),
        gain=found.gain,
        bias=found.bias,
        lower=found.lower,
        upper=found.upper,
        method=found.method,
        iterations=found.iterations,
        seconds=perf_counter() - began,
        mdp=mdp,
    )


def start_value(mdp: TabularMDP, values: FloatArray) -> float:
    """Mean of `values` [S] over the start, where values of impossible starts may be infinite."""
    begins = np.flatnonzero(mdp.initial)
    weights = mdp.initial[begins] / mdp.initial.sum()
    return float(weights @ values[begins])
