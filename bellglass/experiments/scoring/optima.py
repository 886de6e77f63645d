"""The planners, asked in the words of a `ScoringSpec`."""

from __future__ import annotations

import numpy.typing as npt

from ...envs.mdp import TabularMDP
from ...envs.pomdp import TabularPOMDP
from ...planning import Solution, evaluate, solve
from ..records import ScoringSpec

#: What a question without an answer raises: no finite optimum, no bounds that tight, too many beliefs.
UNANSWERED = (ValueError, ArithmeticError, RuntimeError)


def solved(model: TabularMDP | TabularPOMDP, scoring: ScoringSpec) -> Solution:
    """The optimum under the criterion of `scoring`."""
    return solve(model, scoring.discount, criterion=scoring.criterion, horizon=scoring.horizon)


def gap_of_policy(mdp: TabularMDP, policy: npt.ArrayLike, scoring: ScoringSpec) -> float:
    """`Score.gap`: the smallest positive loss of start value by changing an optimal policy in one state."""
    score = evaluate(mdp, policy, scoring.discount, criterion=scoring.criterion, horizon=scoring.horizon)
    return score.gap
