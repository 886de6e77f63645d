"""The tables behind environments that do not lay them open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...lazy import lend

if TYPE_CHECKING:
    from .front import extract as extract
    from .report import Check as Check
    from .report import Extraction as Extraction
    from .report import ExtractionError as ExtractionError
    from .report import Report as Report

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "front": ["extract"],
        "report": ["Check", "Extraction", "ExtractionError", "Report"],
    },
)
