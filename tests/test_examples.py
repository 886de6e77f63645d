"""The examples run, and what they claim holds."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

if not EXAMPLES.is_dir():
    pytest.skip("examples are part of the checkout only", allow_module_level=True)


def test_planning_and_learning_agree(capsys: pytest.CaptureFixture[str]) -> None:
    """Five seeds ended between .005 and .017 from the optimal values, all with an optimal policy."""
    error, solved = runpy.run_path(str(EXAMPLES / "two_roads_to_the_optimum.py"))["main"]()
    assert error < 0.05
    assert solved
    assert "optimum" in capsys.readouterr().out


def test_the_machine_is_repaired_before_it_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    policy = runpy.run_path(str(EXAMPLES / "your_own_table.py"))["main"]()
    assert policy[0] == "run"
    assert policy[4] == "repair"
    assert policy == sorted(policy, reverse=True)  # once old enough to repair, always repair
    assert "average income" in capsys.readouterr().out
