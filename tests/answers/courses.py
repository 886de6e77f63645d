"""Examples of lectures."""

from __future__ import annotations

from .common import Answer

ANSWERS: dict[str, Answer] = {}
