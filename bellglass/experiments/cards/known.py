"""Known answers: what a book, a paper or a closed form says of an environment, with its source.

They are kept in `known_answers.json` and shown on cards beside what was computed; nothing is computed from them.
`tests/test_known_answers.py` finds each of them again through the solvers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

#: Numbers of a longer list that are written out.
MOST_NUMBERS = 8

#: How an answer that is printed nowhere is known, in words.
KNOWN_BY = {"closed_form": "closed form", "computed": "computed by two methods"}


def known_answers(env_id: str, keywords: Mapping[str, object] | None = None) -> tuple[str, ...]:
    """What is known of an environment with these keyword arguments, one line an answer.

    >>> known_answers("bellglass/FrozenLake-v0")[0]
    'v*(start), total reward: 0.8235294118 (closed form)'
    """
    entry = _book().get(env_id)
    if entry is None:
        return ()
    made_with = {**entry["parameters"], **(keywords or {})}
    return tuple(
        _line(fact)
        for fact in entry["answers"]
        if all(name in made_with and made_with[name] == value for name, value in fact["keywords"].items())
    )


def _line(fact: Mapping[str, Any]) -> str:
    under = [str(fact["criterion"])]
    if fact["discount"] not in (None, 1.0):
        under.append(f"discount {fact['discount']:g}")
    if fact["horizon"] is not None:
        under.append(f"{fact['horizon']} steps")
    how = KNOWN_BY.get(fact["provenance"]) or f"printed in {fact['source']}"
    return f"{fact['quantity']}, {', '.join(under)}: {_numbers(fact['value'])} ({how})"


def _numbers(value: float | list[float]) -> str:
    """The printed digits where there are any."""
    numbers = value if isinstance(value, list) else [value]
    shown = ", ".join(f"{number:.10g}" for number in numbers[:MOST_NUMBERS])
    left = len(numbers) - MOST_NUMBERS
    return shown if left <= 0 else f"{shown}, and {left} more"


@cache
def _book() -> dict[str, Any]:
    text = (files(__package__) / "known_answers.json").read_text(encoding="utf-8")
    book: dict[str, Any] = json.loads(text)
    return book
