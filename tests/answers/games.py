"""Cards, boards, dice and stopping."""

from __future__ import annotations

from .common import Answer

ANSWERS: dict[str, Answer] = {}
