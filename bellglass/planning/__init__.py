"""Solvers: the exact optimum of a table, with certified bounds, and the exact score of any policy against it.

Names are fetched when first asked for, so that importing this package loads neither SciPy nor a solver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lend

if TYPE_CHECKING:
    from .checking.check_answer import check as check
    from .checking.verdict import Verdict as Verdict
    from .difficulty.measures import Hardness as Hardness
    from .difficulty.measures import hardness as hardness
    from .errors import ToleranceError as ToleranceError
    from .errors import UnboundedError as UnboundedError
    from .evaluation import evaluate as evaluate
    from .policies.certificates import PolicyBounds as PolicyBounds
    from .policies.occupancies import occupancy as occupancy
    from .policies.policy_bounds import policy_bounds as policy_bounds
    from .policies.policy_bounds import policy_values as policy_values
    from .policies.score import Score as Score
    from .pomdp.ladder import Ladder as Ladder
    from .pomdp.ladder import information_ladder as information_ladder
    from .solutions.solution import Solution as Solution
    from .solver import solve as solve

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "checking.check_answer": ["check"],
        "checking.verdict": ["Verdict"],
        "difficulty.measures": ["Hardness", "hardness"],
        "errors": ["ToleranceError", "UnboundedError"],
        "evaluation": ["evaluate"],
        "policies.certificates": ["PolicyBounds"],
        "policies.occupancies": ["occupancy"],
        "policies.policy_bounds": ["policy_bounds", "policy_values"],
        "policies.score": ["Score"],
        "pomdp.ladder": ["Ladder", "information_ladder"],
        "solutions.solution": ["Solution"],
        "solver": ["solve"],
    },
)
