"""The planners, imported when the first question is asked: reading a suite or a report needs no solver."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..envs.mdp import TabularMDP
from ..envs.pomdp import TabularPOMDP
from .records import ScoringSpec

PLANNING = f"{__package__.rpartition('.')[0]}.agents.planning"


#: What a question without an answer raises: no finite optimum, no bounds that tight, too many beliefs.
UNANSWERED = (ValueError, ArithmeticError, RuntimeError)


def solved(model: TabularMDP | TabularPOMDP, scoring: ScoringSpec) -> Any:
    """`Solution` under the criterion of `scoring`."""
    solve = import_module(PLANNING).solve
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
