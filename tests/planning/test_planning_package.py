"""Asking for the planning package loads no solver."""

from __future__ import annotations

import subprocess
import sys


def test_the_package_alone_loads_neither_scipy_nor_numba() -> None:
    code = "import sys, bellglass.planning; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"scipy", "numba", "torch"}
