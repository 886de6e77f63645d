"""Is this installation sound?  Versions, extras, processors, and one known answer."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from ..planning import solve
from .envs import environment_of

CORE = ("numpy", "scipy", "numba", "gymnasium", "pydantic", "tyro", "rich", "filelock")

#: Extra: the distributions it brings.
EXTRAS = {
    "deep": ("torch", "stable-baselines3"),
    "human": ("pygame-ce",),
    "video": ("moviepy",),
    "ray": ("ray",),
}


def examine() -> tuple[bool, str]:
    """(healthy, what was found, one finding a line)."""
    lines = [f"python {platform.python_version()} on {platform.platform()}, {os.cpu_count()} processors"]
    healthy = True
    for name in CORE:
        found = _installed(name)
        healthy &= found is not None
        lines.append(f"{'MISSING' if found is None else 'ok':8}{name} {found or ''}".rstrip())
    for extra, names in EXTRAS.items():
        missing = [name for name in names if _installed(name) is None]
        have = ", ".join(f"{name} {_installed(name)}" for name in names)
        advice = f"without {', '.join(missing)}: pip install 'bellglass[{extra}]'" if missing else have
        lines.append(f"{'-' if missing else 'ok':8}extra {extra}: {advice}")

    answer = solve(environment_of("bellglass/FrozenLake-v0"), criterion="total").start_value
    right = abs(answer - 14 / 17) < 1e-7
    healthy &= right
    known = f"FrozenLake 4x4, total reward: {answer:.12f}; 14/17 is {14 / 17:.12f}"
    lines.append(f"{'ok' if right else 'WRONG':8}{known}")
    return healthy, "\n".join(lines)


def _installed(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None
