"""The comparison report: one HTML page, Markdown, JSON and CSV."""

from __future__ import annotations

from .comparison import Comparison, compare
from .versus import Versus, versus
from .versus_page import versus_page, versus_text
from .writing import ReportPaths, write_report

__all__ = [
    "Comparison",
    "ReportPaths",
    "Versus",
    "compare",
    "versus",
    "versus_page",
    "versus_text",
    "write_report",
]
