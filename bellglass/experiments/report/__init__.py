"""The comparison report: one HTML page, Markdown, JSON and CSV."""

from __future__ import annotations

from .comparison import Comparison, compare
from .writing import ReportPaths, write_report

__all__ = ["Comparison", "ReportPaths", "compare", "write_report"]
