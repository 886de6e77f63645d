"""`solve`: the optimum under any of four criteria, with bounds that hold, or an error that says why not."""

from __future__ import annotations

from time import perf_counter
from typing import Any, Literal, cast, get_args

import gymnasium as gym
import numpy as np

from ...envs.mdp import FloatArray, TabularMDP, table_of
from ...envs.pomdp import TabularPOMDP, pomdp_of
from .average import AVERAGE_METHODS, AverageMethod, solve_average
from .bounds import allowed_width, apart, certify, refuse
from .discounted import (
    Report,
    automatic,
    linear_programming,
    modified_policy_iteration,
    policy_iteration,
)
from .finite_horizon import backward_induction
from .moves import chance_to_end
from .pairs import Pairs
from .solution import CRITERIA, Criterion, Solution
from .total import TOTAL_METHODS, TotalMethod, solve_total

Method = Literal[
    "auto",
    "value_iteration",
    "policy_iteration",
    "modified_policy_iteration",
    "linear_programming",
    "backward_induction",
    "relative_value_iteration",
]

Model = TabularMDP | TabularPOMDP | gym.Env[Any, Any]

#: Which methods answer which criterion.
METHODS: dict[Criterion, tuple[Method, ...]] = {
    "discounted": (
        "auto",
        "value_iteration",
        "policy_iteration",
        "modified_policy_iteration",
        "linear_programming",
    ),
    "finite_horizon": ("auto", "backward_induction"),
    "total": TOTAL_METHODS,
    "average": AVERAGE_METHODS,
}


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
) -> Solution:
    """The optimal values and policy, certified.

    Args:
        model: a table, a partially observed table, or an environment that lays one open.
        discount: in [0, 1) for "discounted", where it must be given; in [0, 1], by default 1, for
            "finite_horizon"; None or 1 for "total" and "average".
        criterion: "discounted", "finite_horizon", "total" (reward until the end, undiscounted) or "average"
            (reward per step in the long run).
        horizon: steps of an episode, at least 1; for "finite_horizon" only.
        method: "auto" chooses; by name: "value_iteration", "policy_iteration", "modified_policy_iteration",
            "linear_programming" (discounted), "backward_induction" (finite_horizon); for total "value_iteration",
            "policy_iteration", "linear_programming", for average the same with "relative_value_iteration".
        tolerance: greatest distance between upper and lower bounds, positive.
        relative: count the tolerance in units of max(1, max|V*|).
        progress_bar: show the distance of the bounds while working.
        restart: for "average" only: an outcome that terminates goes on in a state drawn from `initial`.

    Raises:
        ValueError: a setting out of range, or a criterion that does not apply.
        ToleranceError: the tolerance is beyond float64; carries the best bounds.
        UnboundedError: "total" is infinite, or not defined, from a reachable state; names it.
    """
    _check(discount, criterion, horizon, method, tolerance, restart)
    if not isinstance(model, TabularMDP):
        pomdp = hidden_table(model)
        if pomdp is not None:
            from .beliefs import solve_pomdp

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
            )
    mdp = model if isinstance(model, TabularMDP) else observed_table(model)
    began = perf_counter()
    with _Progress(progress_bar) as report:
        if criterion == "discounted":
            assert discount is not None
            return _discounted(mdp, float(discount), method, tolerance, relative, report, began)
        if criterion == "finite_horizon":
            assert horizon is not None
            weight = 1.0 if discount is None else float(discount)
            return _finite_horizon(mdp, horizon, weight, tolerance, relative, began)
        if criterion == "total":
            return _total(mdp, cast(TotalMethod, method), tolerance, relative, began)
        return _average(mdp, restart, cast(AverageMethod, method), tolerance, relative, began)


def hidden_table(model: Model) -> TabularPOMDP | None:
    """The partially observed table of the model, or None where states are observed."""
    if isinstance(model, TabularPOMDP):
        return model
    if isinstance(model, gym.Env):
        try:
            return pomdp_of(model)
        except TypeError:
            return None
    return None


def observed_table(model: Model) -> TabularMDP:
    """The table of the model.

    Raises:
        TypeError: it is no table and lays none open.
    """
    if isinstance(model, TabularMDP):
        return model
    if isinstance(model, TabularPOMDP):
        return model.mdp
    if isinstance(model, gym.Env):
        return table_of(model)
    raise TypeError(f"expected a TabularMDP, a TabularPOMDP or an environment, got {type(model).__name__}")


def checked_discount(discount: float | None, criterion: Criterion, horizon: int | None) -> float:
    """The weight of one step later.

    Raises:
        ValueError: discount, criterion or horizon out of range, or missing.
    """
    if criterion not in CRITERIA:
        raise ValueError(f"criterion must be one of {', '.join(map(repr, CRITERIA))}, got {criterion!r}")
    if criterion == "finite_horizon":
        if horizon is None:
            raise ValueError("criterion 'finite_horizon' needs horizon=, the number of steps, at least 1")
        if isinstance(horizon, bool) or not isinstance(horizon, (int, np.integer)):
            raise TypeError(f"horizon must be a whole number, at least 1, got {horizon!r}")
        if horizon < 1:
            raise ValueError(f"horizon must be at least 1, got {horizon}")
    elif horizon is not None:
        raise ValueError(f"horizon is for criterion 'finite_horizon', not for {criterion!r}; got {horizon}")
    if criterion == "discounted":
        if discount is None:
            raise ValueError("criterion 'discounted' needs a discount in [0, 1); for 1 see criterion='total'")
        if not 0.0 <= discount < 1.0:
            raise ValueError(
                f"discount must be in [0, 1) for criterion 'discounted', got {discount}; for 1 see 'total'"
            )
        return float(discount)
    if discount is None:
        return 1.0
    if criterion == "finite_horizon":
        if not 0.0 <= discount <= 1.0:
            raise ValueError(f"discount must be in [0, 1] for criterion 'finite_horizon', got {discount}")
    elif discount != 1.0:
        raise ValueError(f"discount must be None or 1 for criterion {criterion!r}, got {discount}")
    return float(discount)


def _check(
    discount: float | None,
    criterion: Criterion,
    horizon: int | None,
    method: Method,
    tolerance: float,
    restart: bool,
) -> None:
    checked_discount(discount, criterion, horizon)
    if method not in get_args(Method):
        raise ValueError(f"method must be one of {', '.join(map(repr, get_args(Method)))}, got {method!r}")
    if method not in METHODS[criterion]:
        able = ", ".join(map(repr, METHODS[criterion]))
        raise ValueError(f"method {method!r} does not answer criterion {criterion!r}; these do: {able}")
    if not tolerance > 0.0 or not np.isfinite(tolerance):
        raise ValueError(f"tolerance must be positive and finite, got {tolerance}")
    if restart and criterion != "average":
        raise ValueError(f"restart is for criterion 'average', not for {criterion!r}")


def _discounted(
    mdp: TabularMDP,
    discount: float,
    method: Method,
    tolerance: float,
    relative: bool,
    report: Report | None,
    began: float,
) -> Solution:
    pairs = Pairs.of(mdp)
    done: str = method
    if method == "policy_iteration":
        values, iterations = policy_iteration(pairs, discount, report=report)
    elif method == "linear_programming":
        values, iterations = linear_programming(pairs, discount)
    elif method in ("value_iteration", "modified_policy_iteration"):
        values, iterations, _ = modified_policy_iteration(
            pairs,
            discount,
            width=tolerance,
            relative=relative,
            sweeps=0 if method == "value_iteration" else 20,
            report=report,
        )
    else:
        values, iterations, done = automatic(
            pairs, discount, width=tolerance, relative=relative, report=report
        )
    found = certify(pairs, values, discount, tolerance=tolerance, relative=relative)
    return Solution(
        criterion="discounted",
        discount=discount,
        horizon=None,
        start_value=start_value(mdp, found.values),
        values=found.values,
        q_values=pairs.table(found.q_values),
        policy=found.policy,
        optimal_actions=pairs.mask(found.optimal),
        lower=found.lower,
        upper=found.upper,
        method=done,
        iterations=iterations,
        seconds=perf_counter() - began,
        mdp=mdp,
    )


def _finite_horizon(
    mdp: TabularMDP, horizon: int, discount: float, tolerance: float, relative: bool, began: float
) -> Solution:
    found = backward_induction(Pairs.of(mdp), int(horizon), discount)
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


def _total(mdp: TabularMDP, method: TotalMethod, tolerance: float, relative: bool, began: float) -> Solution:
    pairs = Pairs.of(mdp)
    found = solve_total(pairs, stop=chance_to_end(mdp), tolerance=tolerance, relative=relative, method=method)
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
    mdp: TabularMDP, restart: bool, method: AverageMethod, tolerance: float, relative: bool, began: float
) -> Solution:
    pairs = Pairs.of(mdp, restart=restart)
    ending = np.flatnonzero(pairs.going_on < 1.0)
    if ending.size:
        s, a = int(pairs.state[ending[0]]), int(pairs.action[ending[0]])
        raise ValueError(
            f"criterion 'average' is for tables that never end, but state {s}, action {a} may; restart=True lets an "
            "end go on in a state drawn from initial, criterion='total' sums until the end"
        )
    found = solve_average(pairs, tolerance=tolerance, relative=relative, method=method)
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


class _Progress:
    """Prints the distance of the bounds on one line of stderr, ten times a second at most."""

    def __init__(self, wanted: bool) -> None:
        self.wanted = wanted
        self.printed = False
        self.last = perf_counter()

    def __enter__(self) -> Report | None:
        return self._report if self.wanted else None

    def _report(self, iterations: int, distance: float) -> None:
        if perf_counter() - self.last > 0.1:
            import sys

            self.last = perf_counter()
            self.printed = True
            sys.stderr.write(f"\rsolve: iteration {iterations}, bounds {distance:.2e} apart ")
            sys.stderr.flush()

    def __exit__(self, *failure: object) -> None:
        if self.printed:
            import sys

            sys.stderr.write("\n")
