"""Where machine code is kept, and that a process without a place for it still learns."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bellglass import compiled as compiled_module
from bellglass.agents.tabular.kernels import q_learning_steps
from bellglass.compiled import cache_folder, worth_compiling

LEARN = """
import gymnasium as gym, bellglass
from bellglass.agents import QLearning
from bellglass import compiled
from bellglass.agents.tabular import kernels
agent = QLearning(gym.make("bellglass/RiverSwim-v0")).learn(200_000)
assert kernels.q_learning_steps in compiled._done
print(compiled.cache_folder(kernels.q_learning_steps) is None, agent.q_values.sum().hex())
"""


def learned(**environment: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", LEARN],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    return done.stdout.split()


def test_without_a_writable_home_it_compiles_for_itself(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file, so no folder can be made in it")
    without, result = learned(NUMBA_CACHE_DIR=str(blocked / "cache"))
    assert without == "True"
    folder = tmp_path / "cache"
    cached, same = learned(NUMBA_CACHE_DIR=str(folder))
    assert (cached, same) == ("False", result)
    (kept,) = folder.iterdir()
    assert kept.name.startswith("bellglass-")
    assert list(kept.rglob("*.q_learning_steps-*.nbi"))


def test_waiting_pays_for_long_runs_and_for_code_that_lies_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiled_module, "_done", {})
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    cache_folder.cache_clear()
    try:
        assert not worth_compiling(q_learning_steps, 100_000)
        assert worth_compiling(q_learning_steps, 1_000_000)
        folder = cache_folder(q_learning_steps)
        assert folder is not None
        (folder / "kernels.q_learning_steps-1.py311.nbi").write_text("an index of numba's")
        assert worth_compiling(q_learning_steps, 100_000)
        assert not worth_compiling(q_learning_steps, 1000)
        monkeypatch.setattr(compiled_module, "_done", {q_learning_steps: q_learning_steps})
        assert worth_compiling(q_learning_steps, 1000)
    finally:
        cache_folder.cache_clear()
