"""Solvers: the exact optimum of a table, with certified bounds, and the exact score of any policy against it.

Names are fetched when first asked for, so that importing this package loads neither SciPy nor a solver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import lend

if TYPE_CHECKING:
    from .checking.judge import check as check
    from .checking.verdict import Verdict as Verdict
    from .difficulty.measures import Hardness as Hardness
    from .difficulty.measures import hardness as hardness
    from .errors import ToleranceError as ToleranceError
    from .errors import UnboundedError as UnboundedError
    from .evaluation import evaluate as evaluate
    from .hidden.ladder import Ladder as Ladder
    from .hidden.ladder import information_ladder as information_ladder
    from .scoring.occupancies import occupancy as occupancy
    from .scoring.policy_bounds import policy_bounds as policy_bounds
    from .scoring.policy_bounds import policy_values as policy_values
    from .scoring.score import Score as Score
    from .scoring.worth import PolicyBounds as PolicyBounds
    from .solution import Solution as Solution
    from .solver import solve as solve

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "checking.judge": ["check"],
        "checking.verdict": ["Verdict"],
        "difficulty.measures": ["Hardness", "hardness"],
        "errors": ["ToleranceError", "UnboundedError"],
        "evaluation": ["evaluate"],
        "hidden.ladder": ["Ladder", "information_ladder"],
        "scoring.occupancies": ["occupancy"],
        "scoring.policy_bounds": ["policy_bounds", "policy_values"],
        "scoring.score": ["Score"],
        "scoring.worth": ["PolicyBounds"],
        "solution": ["Solution"],
        "solver": ["solve"],
    },
)
