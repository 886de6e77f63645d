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
    from .cards.making import card_of as card_of
    from .cards.making import load_cards as load_cards
    from .records import Sweep as Sweep
    from .report import write_report as write_report
    from .results.store import FolderError as FolderError
    from .results.store import load_sweep as load_sweep
    from .running.soundness import examine_folder as examine_folder
    from .running.sweep import run_suite as run_suite
    from .suite.reading import read_suite as read_suite
    from .suite.reading import shipped_suites as shipped_suites
    from .suite.reading import suite_from as suite_from
    from .suite.schema import Suite as Suite
    from .suite_errors import SuiteError as SuiteError

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "cards.making": ["card_of", "load_cards"],
        "records": ["Sweep"],
        "report": ["write_report"],
        "results.store": ["FolderError", "load_sweep"],
        "running.soundness": ["examine_folder"],
        "running.sweep": ["run_suite"],
        "suite.reading": ["read_suite", "shipped_suites", "suite_from"],
        "suite.schema": ["Suite"],
        "suite_errors": ["SuiteError"],
    },
)
