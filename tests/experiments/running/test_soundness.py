"""`bellglass check DIR`: a sound folder passes, and every forgery is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.sweeping import small

from bellglass.experiments.results.store import FolderError
from bellglass.experiments.running.soundness import evenly, examine_folder
from bellglass.experiments.running.sweep import run_suite
from bellglass.experiments.text import canonical, digest


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "results"
    run_suite(small(), folder, workers=2, progress=False)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "results")
    return tmp_path / "results"


def first_run(folder: Path) -> Path:
    return sorted((folder / "runs").iterdir())[0]


def forge_curve(run: Path, change: Callable[[list[dict[str, float]]], object]) -> None:
    """Changes a curve, and writes every digest anew, as somebody would who knows how."""
    points = [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]
    change(points)
    curve = "".join(canonical(point) + "\n" for point in points)
    (run / "curve.jsonl").write_text(curve)
    forge_result(run, curve_sha256=digest(curve), final=points[-1])


def forge_result(run: Path, **changes: object) -> None:
    body = json.loads((run / "result.json").read_text()) | changes
    del body["sha256"]
    (run / "result.json").write_text(canonical({**body, "sha256": digest(canonical(body))}) + "\n")


def test_a_folder_as_it_was_written_is_sound_and_stays_as_it_is(whole: Path) -> None:
    before = {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()}
    found = examine_folder(whole, again=2)
    assert found
    assert (found.wrong, found.notes, found.again) == ((), (), 2)
    assert str(found).splitlines() == [
        "4 finished + 0 failed + 0 missing = 4 planned runs",
        f"{whole}: sound, 2 done again with the same bytes",
    ]
    assert {path: path.read_bytes() for path in whole.rglob("*") if path.is_file()} == before


def raise_value(points: list[dict[str, float]]) -> None:
    points[1] |= {"value": 1e6, "high": 1e6, "low": 1e6}


def leave_bounds(points: list[dict[str, float]]) -> None:
    points[1]["low"] = points[1]["value"] + 1.0


def lower_regret(points: list[dict[str, float]]) -> None:
    points[-1]["gap_regret"] = -1.0


def drop_point(points: list[dict[str, float]]) -> None:
    del points[1]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (raise_value, "a value of its curve lies above the optimum"),
        (leave_bounds, "a value of its curve lies outside its own bounds"),
        (lower_regret, "its regret or its episodes fall after step 750"),
        (drop_point, "its curve has other steps than the grid"),
    ],
)
def test_a_forged_curve_whose_digests_fit_is_found(
    folder: Path, change: Callable[[list[dict[str, float]]], object], says: str
) -> None:
    forge_curve(first_run(folder), change)
    assert examine_folder(folder).wrong == (f"{first_run(folder)}: {says}",)


def straddle_the_optimum(points: list[dict[str, float]]) -> None:
    points[1] |= {"low": points[1]["value"], "value": 1e3, "high": 1e6}


def test_an_interval_around_the_optimum_is_no_fault_though_its_middle_lies_above(folder: Path) -> None:
    forge_curve(first_run(folder), straddle_the_optimum)
    assert examine_folder(folder)


def test_samples_may_lie_above_the_optimum(folder: Path) -> None:
    forge_curve(first_run(folder), raise_value)
    assert not examine_folder(folder)
    forge_result(first_run(folder), exact=False)
    assert examine_folder(folder)


def test_missing_cards_and_runs_are_named(folder: Path) -> None:
    shutil.rmtree(folder / "runs")
    (folder / "cards" / "RiverSwim.json").unlink()
    found = examine_folder(folder)
    assert found.wrong == ("RiverSwim: its card is missing; running the suite writes it again",)
    assert len(found.sweep.missing) == 4
    (folder / "cards" / "FrozenLake.json").write_text("{}")
    (says,) = examine_folder(folder).wrong
    assert "FrozenLake.json is damaged" in says


def test_a_result_of_another_table_is_found(folder: Path) -> None:
    forge_result(first_run(folder), fingerprint="f" * 64)
    (says,) = examine_folder(folder).wrong
    assert "scored against the table ffffffffffff" in says


def test_what_only_doing_it_again_can_find_is_found_so(folder: Path) -> None:
    forge_curve(first_run(folder), lambda points: points[0].update(episodes=points[0]["episodes"] - 1))
    assert examine_folder(folder)
    found = examine_folder(folder, again=4)
    assert found.wrong == (f"{first_run(folder)}: done again, its bytes differ",)
    assert found.again == 3


def test_damage_strangers_other_tables_and_leftovers_are_named(folder: Path) -> None:
    torn = first_run(folder) / "result.json"
    torn.write_text(torn.read_text()[:-9])
    (folder / "runs" / "0123456789abcdef").mkdir()
    (folder / "runs" / ".x.1.tmp").write_text("{")
    marker = json.loads((folder / "bellglass.json").read_text())
    marker["fingerprints"]["RiverSwim"] = "e" * 64
    marker["versions"]["numpy"] = "1.0"
    (folder / "bellglass.json").write_text(canonical(marker))
    found = examine_folder(folder)
    assert not found
    for says in (
        f"{torn} is damaged",
        "0123456789abcdef: no run of this suite",
        "RiverSwim: its table is now",
        "RiverSwim: its card is of the table",
        "the folder was made with eeeeeeeeeeee",
    ):
        assert any(says in line for line in found.wrong), says
    assert any("made with numpy 1.0, here " in line for line in found.notes)
    assert any("left by a writer that was killed" in line for line in found.notes)
    assert "3 finished + 0 failed + 1 missing = 4 planned runs" in str(found)


def test_a_suite_file_that_means_other_runs_is_found(folder: Path) -> None:
    (folder / "suite.toml").write_text(small(seeds=3).text)
    (says,) = examine_folder(folder).wrong
    assert says.endswith("suite.toml: means other runs than those that were planned")
    (folder / "suite.toml").write_text("name = ")
    found = examine_folder(folder)
    assert found
    assert "no valid TOML" in found.notes[0]
    with pytest.raises(FolderError, match=r"no run can be done again, since suite\.toml cannot be read"):
        examine_folder(folder, again=1)
    with pytest.raises(ValueError, match="again must be at least 0, got -1"):
        examine_folder(folder, again=-1)


def test_runs_are_chosen_evenly() -> None:
    runs = small(seeds=5).plan()[0]
    assert [runs.index(run) for run in evenly(runs, 4)] == [0, 2, 5, 7]
    assert evenly(runs, 99) == list(runs)
    assert evenly([], 3) == []
