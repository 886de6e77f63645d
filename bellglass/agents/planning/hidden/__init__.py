"""Planning where the state is not seen: tables of beliefs, bounds on what is beyond them, the information ladder."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .evaluation import evaluate_hidden as evaluate_hidden
    from .ladder import Ladder as Ladder
    from .ladder import information_ladder as information_ladder
    from .pomdp_solver import solve_pomdp as solve_pomdp

_HOMES = {
    "Ladder": "ladder",
    "evaluate_hidden": "evaluation",
    "information_ladder": "ladder",
    "solve_pomdp": "pomdp_solver",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value
