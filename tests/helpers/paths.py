"""Where things lie in a checkout."""

from __future__ import annotations

from pathlib import Path

#: The checkout.
ROOT = Path(__file__).parents[2]

#: The definitions and the facts that environments are held against.
KNOWN_ANSWERS = ROOT / "tests" / "known_answers.json"
