"""The planners, imported when the first question is asked: reading a suite or a report needs no solver."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from ..envs.mdp import TabularMDP
from ..envs.pomdp import TabularPOMDP
from .beliefs import belief_table
from .records import ScoringSpec

PLANNING = f"{__package__.rpartition('.')[0]}.agents.planning"


#: What a question without an answer raises; the last three only while the planners' room is being furnished.
UNANSWERED = (
    ValueError,
    ArithmeticError,
    RuntimeError,
    AssertionError,
    AttributeError,
    ModuleNotFoundError,
)


def has(module: str) -> bool:
    """Whether the planners have this module."""
    return find_spec(f"{PLANNING}.{module}") is not None


def solved(model: TabularMDP | TabularPOMDP, scoring: ScoringSpec) -> Any:
    """`Solution` under the criterion of `scoring`."""
    solve = import_module(PLANNING).solve
    if isinstance(model, TabularPOMDP) and not has("beliefs"):
        model = belief_table(model)
    return solve(model, scoring.discount, criterion=scoring.criterion, horizon=scoring.horizon)


def solved_by_discount(mdp: TabularMDP, discount: float) -> Any:
    """`Solution` with a discount below 1 and no clock."""
    return import_module(PLANNING).solve(mdp, discount)


def values_of_policy(mdp: TabularMDP, policy: Any, scoring: ScoringSpec) -> Any:
    """[S] exact values of a policy [S, A]; average reward: the gain from each state."""
    policy_values = import_module(f"{PLANNING}.evaluation").policy_values
    return policy_values(mdp, policy, scoring.discount, criterion=scoring.criterion, horizon=scoring.horizon)


def gap_of_policy(mdp: TabularMDP, policy: Any, scoring: ScoringSpec) -> float:
    """`Score.gap`: the smallest positive loss of start value by changing an optimal policy in one state."""
    evaluate = import_module(PLANNING).evaluate
    score = evaluate(mdp, policy, scoring.discount, criterion=scoring.criterion, horizon=scoring.horizon)
    return float(score.gap)


def hardness_of(mdp: TabularMDP, discount: float) -> Any:
    """`Hardness` of a table."""
    return import_module(PLANNING).hardness(mdp, discount)


def reactive_value(pomdp: TabularPOMDP, discount: float) -> float:
    """The best value of a policy without memory."""
    return float(import_module(PLANNING).information_ladder(pomdp, discount).reactive)
