"""The examples run, and what they claim holds."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
from helpers.paths import ROOT

from bellglass.envs.registration import ENVIRONMENTS
from bellglass.envs.rendering.shapes import shrunk

EXAMPLES = ROOT / "examples"

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


def test_a_contact_sheet_shows_each_environment_on_a_card(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    names = runpy.run_path(str(EXAMPLES / "contact_sheet.py"))
    wide, three = (
        ["bellglass/CliffWalking-v0"],
        ["bellglass/Taxi-v0", "bellglass/Tiger-v0", "bellglass/Loop-v0"],
    )
    image = names["sheet"](three, columns=2)
    one = names["sheet"](wide)
    gap = names["GAP"]
    assert image.shape[0] - gap == 2 * (one.shape[0] - gap)
    assert image.shape[1] - gap == 2 * (one.shape[1] - gap)
    shown = shrunk(names["picture"](wide[0]), names["HIGH"], names["WIDE"])
    assert shown.shape == (100, names["WIDE"], 3)  # 208 x 624, its shape kept
    assert np.abs(shown.mean(axis=(0, 1)) - names["picture"](wide[0]).mean(axis=(0, 1))).max() < 0.5
    assert (one == shown[50, 150]).all(axis=2).any()
    path = names["main"](["--output", str(tmp_path / "sheet.png"), *three])
    assert path.read_bytes().startswith(b"\x89PNG")
    assert "sheet.png: 0." in capsys.readouterr().out


def test_the_sheet_in_the_documentation_shows_every_id() -> None:
    """Its size follows from the number of ids; the pictures themselves are for eyes."""
    names = runpy.run_path(str(EXAMPLES / "contact_sheet.py"))
    data = (EXAMPLES.parent / "docs" / "images" / "environments.png").read_bytes()
    width, height = int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    assert (height, width) == names["size_of_sheet"](len(ENVIRONMENTS))
    assert len(data) < 1_500_000


def test_one_state_is_seen_in_seven_ways(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    names = runpy.run_path(str(EXAMPLES / "observations.py"))
    path = names["main"](["--output", str(tmp_path / "picture.png")])
    assert path.read_bytes().startswith(b"\x89PNG")
    assert len({card.tobytes() for card in names["cards"]()}) == 7
    worths = names["optima"]()
    assert worths["state and clock"] == pytest.approx(0.74419, abs=1e-5)
    assert worths["column"] < worths["state"] < worths["state and clock"]
    assert "state: 0.74016" in capsys.readouterr().out


@pytest.mark.slow
def test_a_comparison_without_a_file_writes_its_report_and_a_second_call_changes_no_result(
    tmp_path: Path,
) -> None:
    main = runpy.run_path(str(EXAMPLES / "compare_agents.py"))["main"]
    scores = main(str(tmp_path / "out"), steps=3_000, seeds=2)
    assert set(scores) == {"QLearning", "ExpectedSarsa", "CertaintyEquivalence"}
    assert scores["CertaintyEquivalence"] > 0.9  # it plans on what it has counted
    assert "CertaintyEquivalence" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("result.json")}
    assert len(written) == 2 * 3 * 2
    assert main(str(tmp_path / "out"), steps=3_000, seeds=2) == scores
    assert {path: path.stat().st_mtime_ns for path in written} == written


@pytest.mark.slow
def test_a_grid_of_settings_is_swept_and_less_exploration_costs_less_at_the_cliff(tmp_path: Path) -> None:
    regret = runpy.run_path(str(EXAMPLES / "sweep_a_setting.py"))["main"](str(tmp_path), 10_000, 3)
    assert len(regret) == 6
    for step_size in (0.1, 0.5):
        assert (
            regret[f"Q step_size={step_size} epsilon=0.02"] < regret[f"Q step_size={step_size} epsilon=0.1"]
        )


def test_an_agent_of_ones_own_plays_beside_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seeds that explored for half their steps scored between .80 and 1."""
    monkeypatch.syspath_prepend(str(EXAMPLES))  # where a script's own module is found
    scores = runpy.run_path(str(EXAMPLES / "your_own_agent.py"))["main"](str(tmp_path), seeds=3)
    assert list(scores) == ["explore share=0.1", "explore share=0.5", "Q-learning"]
    assert scores["explore share=0.5"] > 0.7
