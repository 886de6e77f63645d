"""Benchmarks measure what is there: what they need of the package has not moved away under them."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from helpers.paths import ROOT

from bellglass.cli.bench import benchmarks
from bellglass.experiments.cards.making import load_cards
from bellglass.experiments.report import write_report
from bellglass.experiments.results.store import load_sweep

BENCHMARKS = ROOT / "benchmarks"
if not BENCHMARKS.is_dir():
    pytest.skip("the benchmarks are part of the checkout only", allow_module_level=True)


@pytest.mark.parametrize("name", sorted(benchmarks(BENCHMARKS)))
def test_a_benchmark_can_be_imported(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(BENCHMARKS))  # as Python does with a script's own folder
    assert callable(runpy.run_path(str(BENCHMARKS / f"{name}.py"))["main"])


def test_the_folder_whose_report_is_timed_has_a_report(tmp_path: Path) -> None:
    runpy.run_path(str(BENCHMARKS / "report.py"))["write_folder"](tmp_path, seeds=1)
    sweep = load_sweep(tmp_path)
    assert len(sweep.finished) == len(sweep.planned) == 50
    assert write_report(sweep, load_cards(tmp_path), tmp_path).html.is_file()
