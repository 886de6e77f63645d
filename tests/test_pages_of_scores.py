"""docs/scores.md and docs/statistics.md: their code prints what they say, and their table is what simulation finds."""

from __future__ import annotations

import math
import re

import pytest
from helpers.interval_coverage import MEAN, ROWS, SEEDS, coverage, true_iqm
from helpers.pages import check_prints
from helpers.paths import ROOT

DOCS = ROOT / "docs"
if not DOCS.is_dir():
    pytest.skip("the pages are part of the checkout only", allow_module_level=True)


def text_of(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["scores.md", "statistics.md"])
def test_the_code_prints_what_the_page_says(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    check_prints(DOCS / page, capsys)


def stated() -> dict[tuple[str, int], float]:
    """{(row, seeds): coverage} of the table in docs/statistics.md."""
    found = {}
    for name, cells in re.findall(
        r"^\| (.*?) \| ([\d. |]+) \|$", text_of("statistics.md"), flags=re.MULTILINE
    ):
        for seeds, cell in zip(SEEDS, cells.split(" | "), strict=True):
            found[name, seeds] = float(cell)
    return found


def test_the_table_states_every_interval_and_the_page_both_truths() -> None:
    assert set(stated()) == {(row, seeds) for row in ROWS for seeds in SEEDS}
    page = text_of("statistics.md")
    assert f"True mean {MEAN:.3f}".replace("0.", ".") in page
    assert f"true\nIQM {true_iqm():.3f}".replace("0.", ".") in page


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS)
def test_the_coverage_stated_is_the_coverage_found(row: str) -> None:
    trials = 1_000
    for seeds in SEEDS:
        found, said = coverage(row, seeds, trials), stated()[row, seeds]
        assert found == pytest.approx(
            said, abs=5 * math.sqrt(0.25 / trials) * 2 * math.sqrt(said * (1 - said)) + 0.002
        )
        if "betting" in row:
            assert found >= 0.95
