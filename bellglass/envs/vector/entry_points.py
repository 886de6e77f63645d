"""The `vector_entry_point` of every id: `vector.entry_points:Gambler` makes a TabularVectorEnv of the class Gambler.

Gymnasium looks an entry point up as a module's attribute; `__getattr__` makes each of them from the registration's row.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from ..registration import ENVIRONMENTS
from . import TabularVectorEnv, vector_maker

_MODULES = {row.name: row.module for row in ENVIRONMENTS}


def __getattr__(name: str) -> Callable[..., TabularVectorEnv]:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return vector_maker(getattr(import_module(f"..{_MODULES[name]}", __package__), name))
