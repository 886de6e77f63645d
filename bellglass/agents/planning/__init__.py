"""Solvers: the exact optimum of a table, with certified bounds, and the exact score of any policy against it.

Names are fetched when first asked for, so that importing this package loads neither SciPy nor a solver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .checking.judge import check as check
    from .checking.verdict import Verdict as Verdict
    from .errors import ToleranceError as ToleranceError
    from .errors import UnboundedError as UnboundedError
    from .evaluation import evaluate as evaluate
    from .evaluation import policy_bounds as policy_bounds
    from .evaluation import policy_values as policy_values
    from .ladder import Ladder as Ladder
    from .ladder import information_ladder as information_ladder
    from .measures import Hardness as Hardness
    from .measures import hardness as hardness
    from .occupancies import occupancy as occupancy
    from .score import Score as Score
    from .solution import Solution as Solution
    from .solver import solve as solve
    from .worth import PolicyBounds as PolicyBounds

_MODULE_OF = {
    "Hardness": "measures",
    "Ladder": "ladder",
    "PolicyBounds": "worth",
    "Score": "score",
    "Solution": "solution",
    "ToleranceError": "errors",
    "UnboundedError": "errors",
    "Verdict": "checking.verdict",
    "check": "checking.judge",
    "evaluate": "evaluation",
    "hardness": "measures",
    "information_ladder": "ladder",
    "occupancy": "occupancies",
    "policy_bounds": "evaluation",
    "policy_values": "evaluation",
    "solve": "solver",
}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
