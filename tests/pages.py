"""The pages of the checkout, and the code on them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def text_of(page: str) -> str:
    """The text of ``README.md`` or ``docs/report.md``; skips the whole module where there is no checkout."""
    path = ROOT / page
    if not path.is_file():
        pytest.skip("the pages are part of the checkout only", allow_module_level=True)
    return path.read_text(encoding="utf-8")


def blocks(page: str, language: str = "python") -> list[str]:
    """The page's code in this language, from top to bottom."""
    return re.findall(rf"```{language}\n(.*?)```", text_of(page), flags=re.DOTALL)


def run(page: str, names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Runs the page's Python from top to bottom, as one program; what it has named."""
    found = {} if names is None else names
    code = blocks(page)
    assert code
    for block in code:
        exec(compile(block, page, "exec"), found)
    return found


def promised(page: str) -> list[str]:
    """What the page says that its Python prints: the comment beside each `print`, of which none may lack one."""
    code = "".join(blocks(page))
    lines = re.findall(r"^ *print\(.*\)  # (.*)$", code, flags=re.MULTILINE)
    assert len(lines) == code.count("print(") > 0
    return lines
