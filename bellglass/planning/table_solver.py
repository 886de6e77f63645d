"""The optimum of a table under any of four criteria, with bounds that hold, or an error that says why not."""

from __future__ import annotations

from time import perf_counter
from typing import cast

import numpy as np
import numpy.typing as npt

from ..compiled import is_kept, is_loaded
from ..envs.mdp import FloatArray, IntArray, TabularMDP
from . import large
from .algebra.differences import chance_to_end
from .algebra.pairs import Pairs
from .bounds import allowed_width, apart, certify, refuse
from .discounted import solve_small
from .errors import ToleranceError
from .finite_horizon import backward_induction
from .large.bound_kernels import bracket
from .linear_programming import linear_programme
from .policies.policy_bounds import policy_values
from .progress_bar import Progress, Report
from .questions import Method, warm_start
from .solutions.record import Criterion
from .solutions.solution import Solution
from .start import start_value
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


def solve_table(
    mdp: TabularMDP,
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
) -> Solution:
    """The optimal values and policy of a table whose state is observed, certified.

    Settings are those of `solve`, as `questions.check` let them through.

    Raises:
        ToleranceError, UnboundedError: as `solve`.
    """
    began = perf_counter()
    values, policy = warm_start(mdp, initial_values, initial_policy)
    with Progress(progress_bar) as report:
        try:
            if criterion == "discounted":
                assert discount is not None
                weight = float(discount)
                if policy is not None:
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
        found, iterations, done = large.solve_large(
            mdp, discount, method=method, tolerance=tolerance, relative=relative, start=start, report=report
        )
        q_values, optimal = found.q_values, found.optimal
    else:
        pairs = Pairs.of(mdp)
        if method == "linear_programming":
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
