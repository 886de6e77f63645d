"""What tests do with a page of text: find its code, run it, and compare what it prints with what the page promises."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest


def blocks(page: Path, language: str = "python") -> list[str]:
    """The page's blocks of code in one language, at least one."""
    return blocks_of(page.read_text(encoding="utf-8"), language)


def blocks_of(text: str, language: str = "python") -> list[str]:
    """The same of a text."""
    found = re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    assert found, f"there is no {language} in {text[:60]!r}"
    return found


def run(page: Path, names: dict[str, Any]) -> None:
    """Runs the page's Python from top to bottom; `names` is what it defines."""
    for block in blocks(page):
        exec(compile(block, str(page), "exec"), names)


def check_prints(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every `print(...)  # text` on the page prints that text, and there is no other."""
    capsys.readouterr()
    run(page, {})
    code = "".join(blocks(page))
    promised = re.findall(r"^ *print\(.*\)  # (.*)$", code, flags=re.MULTILINE)
    assert len(promised) == code.count("print(") > 0
    assert capsys.readouterr().out.splitlines() == promised
