"""Solvers: the exact optimum of a table, with certified bounds, and the exact score of any policy against it.

Names are fetched when first asked for, so that importing this package loads neither SciPy nor a solver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

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

_MODULE_OF = {
    "Hardness": "difficulty.measures",
    "Ladder": "hidden.ladder",
    "PolicyBounds": "scoring.worth",
    "Score": "scoring.score",
    "Solution": "solution",
    "ToleranceError": "errors",
    "UnboundedError": "errors",
    "Verdict": "checking.verdict",
    "check": "checking.judge",
    "evaluate": "evaluation",
    "hardness": "difficulty.measures",
    "information_ladder": "hidden.ladder",
    "occupancy": "scoring.occupancies",
    "policy_bounds": "scoring.policy_bounds",
    "policy_values": "scoring.policy_bounds",
    "solve": "solver",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
