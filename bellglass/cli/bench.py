"""The benchmarks of a checkout: scripts that print our speed next to a peer's.  A wheel brings none."""

from __future__ import annotations

import ast
import difflib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


def benchmarks(folder: Path = FOLDER) -> dict[str, str]:
    """Name of each benchmark: what its docstring's first line says.

    Raises:
        ValueError: this installation is no checkout.
    """
    if not (folder / "solvers.py").is_file():
        raise ValueError(
            "bench wants a checkout of the repository: benchmarks/ is no part of an installed package;"
            " clone it and say pip install -e ."
        )
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))}
    return {
        name: (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]
        for name, text in texts.items()
        if "__main__" in text
    }


def run_benchmark(name: str, options: Sequence[str], folder: Path = FOLDER) -> int:
    """Runs one benchmark in a process of its own, with its own options; returns its exit code.

    Raises:
        ValueError: there is none of that name, or no checkout.
    """
    names = benchmarks(folder)
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise ValueError(f"no benchmark {name!r}; {hint}benchmarks: {', '.join(names)}")
    return subprocess.run([sys.executable, folder / f"{name}.py", *options], check=False).returncode
