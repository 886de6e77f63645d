"""Writes the report: each file whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ..cards.card import Card
from ..records import Sweep
from ..results.store import writable, write_whole
from .comparison import compare
from .markdown import markdown
from .page import page
from .plain_text import curves_csv, runs_csv, summary_json


class ReportPaths(NamedTuple):
    """Where the report lies."""

    html: Path
    markdown: Path
    summary: Path
    runs: Path
    figures: tuple[Path, ...]
    curves: Path | None


def write_report(
    sweep: Sweep, cards: Mapping[str, Card], output_folder: str | os.PathLike[str], *, curves: bool = False
) -> ReportPaths:
    """Writes report.html, report.md with figures/*.svg, summary.json and runs.csv.

    Everything is worked out before the first file is touched; the same sweep gives the same bytes.

    Args:
        sweep: what a results folder holds.
        cards: {environment name: card}; what needs a card is left out where there is none.
        output_folder: made if it is not there.
        curves: write curves.csv, too: a row for each point of each curve.

    Raises:
        ValueError: the sweep's counts do not add up.
        FolderError: (a ValueError, one line) the folder cannot be written to; what was not written stays as it was.
    """
    comparison = compare(sweep, cards)
    text, figures = markdown(comparison)
    contents = {
        "runs.csv": runs_csv(comparison),
        **({"curves.csv": curves_csv(comparison)} if curves else {}),
        "summary.json": summary_json(comparison),
        **{f"figures/{name}": picture for name, picture in figures.items()},
        "report.md": text,
        "report.html": page(comparison),
    }
    folder = Path(output_folder)
    with writable(folder):
        (folder / "figures").mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            write_whole(folder / name, content, lasting=False)
    return ReportPaths(
        folder / "report.html",
        folder / "report.md",
        folder / "summary.json",
        folder / "runs.csv",
        tuple(folder / "figures" / name for name in figures),
        folder / "curves.csv" if curves else None,
    )
