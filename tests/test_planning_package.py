"""The planning package lends its names late, and lends functions, never the modules that hold them."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import bellglass.agents.planning as planning


def test_no_lent_name_is_shadowed_by_a_module() -> None:
    for module in planning._MODULE_OF.values():
        import_module(f"bellglass.agents.planning.{module}")
    for name, module in planning._MODULE_OF.items():
        assert name != module, f"{name} would be the module once it is imported"
        assert callable(getattr(planning, name))


def test_the_package_alone_loads_neither_scipy_nor_numba() -> None:
    code = "import sys, bellglass.agents.planning; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & {"scipy", "numba", "torch"}
