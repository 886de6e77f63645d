"""Suites, runs, exact scores and the comparison report.

>>> from bellglass.experiments import suite_from
>>> lake = {"id": "bellglass/FrozenLake-v0", "steps": 10_000}
>>> suite = suite_from({"name": "x", "environments": [lake], "agents": [{"class": "QLearning"}]})
>>> len(suite.plan()[0])
20
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lend

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

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "cards": ["card_of", "load_cards"],
        "config": ["Suite"],
        "mistakes": ["SuiteError"],
        "reading": ["read_suite", "shipped_suites", "suite_from"],
        "records": ["Sweep"],
        "report": ["write_report"],
        "soundness": ["examine_folder"],
        "store": ["FolderError", "load_sweep"],
        "sweep": ["run_suite"],
    },
)
