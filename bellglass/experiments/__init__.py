"""Suites, runs, exact scores and the comparison report.

>>> from bellglass.experiments import suite_from
>>> lake = {"id": "bellglass/FrozenLake-v0", "steps": 10_000}
>>> suite = suite_from({"name": "x", "environments": [lake], "agents": [{"class": "QLearning"}]})
>>> len(suite.plan()[0])
20
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cards import card_of as card_of
    from .cards import load_cards as load_cards
    from .config import Suite as Suite
    from .mistakes import SuiteError as SuiteError
    from .reading import read_suite as read_suite
    from .reading import shipped_suites as shipped_suites
    from .reading import suite_from as suite_from
    from .records import Sweep as Sweep
    from .report import write_report as write_report
    from .soundness import examine_folder as examine_folder
    from .store import FolderError as FolderError
    from .store import load_sweep as load_sweep
    from .sweep import run_suite as run_suite

#: Where each name lives; it is imported when it is first asked for.
_HOME = {
    "FolderError": "store",
    "Suite": "config",
    "SuiteError": "mistakes",
    "Sweep": "records",
    "card_of": "cards",
    "examine_folder": "soundness",
    "load_cards": "cards",
    "load_sweep": "store",
    "read_suite": "reading",
    "run_suite": "sweep",
    "shipped_suites": "reading",
    "suite_from": "reading",
    "write_report": "report",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
