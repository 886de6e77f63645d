"""Planning where the state is not seen: tables of beliefs, bounds on what is beyond them, the information ladder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....lazy import lend

if TYPE_CHECKING:
    from .evaluation import evaluate_hidden as evaluate_hidden
    from .ladder import Ladder as Ladder
    from .ladder import information_ladder as information_ladder
    from .pomdp_solver import solve_pomdp as solve_pomdp

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "evaluation": ["evaluate_hidden"],
        "ladder": ["Ladder", "information_ladder"],
        "pomdp_solver": ["solve_pomdp"],
    },
)
