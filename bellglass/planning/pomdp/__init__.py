"""Planning where the state is not seen: tables of beliefs, bounds on what is beyond them, the information ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import lend

if TYPE_CHECKING:
    from .ladder import Ladder as Ladder
    from .ladder import information_ladder as information_ladder
    from .pomdp_evaluation import evaluate_hidden as evaluate_hidden
    from .pomdp_solver import solve_pomdp as solve_pomdp

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "ladder": ["Ladder", "information_ladder"],
        "pomdp_evaluation": ["evaluate_hidden"],
        "pomdp_solver": ["solve_pomdp"],
    },
)
