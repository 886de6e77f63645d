"""Writes what `tomllib` reads: enough of TOML for a suite made in Python."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any


def to_toml(data: Mapping[str, Any]) -> str:
    """Keys first, then tables, then arrays of tables; None is left out.

    >>> print(to_toml({"name": "x", "scoring": {"points": 5}, "agents": [{"class": "Q", "b": {"a": 0.1}}]}))
    name = "x"
    <BLANKLINE>
    [scoring]
    points = 5
    <BLANKLINE>
    [[agents]]
    class = "Q"
    b = { a = 0.1 }
    <BLANKLINE>
    """
    lines: list[str] = []
    blocks: list[tuple[str, Mapping[str, Any]]] = []
    for key, value in data.items():
        if isinstance(value, Mapping):
            blocks.append((f"[{key_text(key)}]", value))
        elif isinstance(value, (list, tuple)) and value and all(isinstance(item, Mapping) for item in value):
            blocks.extend((f"[[{key_text(key)}]]", item) for item in value)
        elif value is not None:
            lines.append(f"{key_text(key)} = {value_text(value)}")
    for title, table in blocks:
        lines += ["", title]
        lines += [
            f"{key_text(key)} = {value_text(value)}" for key, value in table.items() if value is not None
        ]
    return "\n".join(lines) + "\n"


def key_text(key: object) -> str:
    """A bare key where TOML allows one, else a quoted one."""
    text = str(key)
    return text if re.fullmatch(r"[A-Za-z0-9_-]+", text) else json.dumps(text)


def value_text(value: object) -> str:
    """One value on one line; what TOML has no word for is written as a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, Mapping):
        inside = ", ".join(
            f"{key_text(key)} = {value_text(item)}" for key, item in value.items() if item is not None
        )
        return f"{{ {inside} }}" if inside else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(value_text(item) for item in value)}]"
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
