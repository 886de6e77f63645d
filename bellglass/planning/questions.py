"""What may be asked of `solve`, and what is asked: models, criteria, methods, and where to start from.

Whatever is out of range is refused here, before anything is computed.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from ..envs.mdp import FloatArray, IntArray, TabularMDP
from ..envs.pomdp import TabularPOMDP, pomdp_of
from ..envs.tables import table_of
from .policies.policies import checked_policy
from .solutions.record import CRITERIA, Criterion
from .undiscounted.average import AVERAGE_METHODS
from .undiscounted.total import TOTAL_METHODS

Method = Literal[
    "auto",
    "value_iteration",
    "gauss_seidel_value_iteration",
    "prioritised_value_iteration",
    "policy_iteration",
    "iterative_policy_iteration",
    "modified_policy_iteration",
    "inexact_policy_iteration",
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
        "gauss_seidel_value_iteration",
        "prioritised_value_iteration",
        "policy_iteration",
        "iterative_policy_iteration",
        "modified_policy_iteration",
        "inexact_policy_iteration",
        "linear_programming",
    ),
    "finite_horizon": ("auto", "backward_induction"),
    "total": TOTAL_METHODS,
    "average": AVERAGE_METHODS,
}


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


def check(
    discount: float | None,
    criterion: Criterion,
    horizon: int | None,
    method: Method,
    tolerance: float,
    restart: bool,
) -> None:
    """Settings that do not depend on the table.

    Raises:
        TypeError: the horizon is no whole number.
        ValueError: a setting out of range, or one that does not go with another.
    """
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


def check_warm_start(
    criterion: Criterion, method: Method, values: npt.ArrayLike | None, policy: npt.ArrayLike | None
) -> None:
    """Whether the method can start from what is given.

    Raises:
        ValueError: it cannot, or both are given.
    """
    if values is None and policy is None:
        return
    if values is not None and policy is not None:
        raise ValueError("give initial_values or initial_policy, not both")
    if criterion == "finite_horizon" or method == "linear_programming":
        what = f"criterion {criterion!r}" if criterion == "finite_horizon" else f"method {method!r}"
        raise ValueError(f"initial_values and initial_policy are not for {what}: it starts from nothing")
    if policy is not None and criterion != "discounted" and method.endswith("value_iteration"):
        raise ValueError(f"method {method!r} starts from initial_values, not from initial_policy")


def warm_start(
    mdp: TabularMDP, initial_values: npt.ArrayLike | None, initial_policy: npt.ArrayLike | None
) -> tuple[FloatArray | None, IntArray | None]:
    """Copies of what the caller asks to start from: values [S], actions [S].

    Raises:
        ValueError: a wrong shape, a number that is not finite, or an action that is not available.
        TypeError: the policy does not hold integers.
    """
    if initial_policy is not None:
        policy = checked_policy(mdp, initial_policy)
        if policy.ndim != 1:
            raise TypeError(
                f"initial_policy must hold integers, one action a state, got shape {list(policy.shape)}"
            )
        return None, policy.astype(np.int64)
    if initial_values is None:
        return None, None
    start = np.array(initial_values, dtype=np.float64)
    if start.shape != (mdp.num_states,):
        raise ValueError(f"initial_values must have shape [{mdp.num_states}], got {list(start.shape)}")
    if not np.isfinite(start).all():
        s = int(np.flatnonzero(~np.isfinite(start))[0])
        raise ValueError(f"initial_values[{s}] is {start[s]}, not a finite number")
    start[mdp.terminal] = 0.0
    return start, None
