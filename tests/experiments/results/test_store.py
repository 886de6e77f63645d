"""The results folder, against every way in which a process may leave it behind."""

from __future__ import annotations

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bellglass.experiments.records import (
    AgentSpec,
    CurvePoint,
    EnvironmentSpec,
    FailedRun,
    RunResult,
    RunSpec,
    ScoringSpec,
    Skipped,
    Timing,
)
from bellglass.experiments.results.store import (
    FolderError,
    Store,
    find_damage,
    load_sweep,
    sweep_temporaries,
    write_whole,
)
from bellglass.experiments.suite.schema import Limits, Suite
from bellglass.experiments.text import canonical, result_from, result_text

TIMING = Timing(seconds=1.5, cpu_seconds=1.25, host="here", attempts=1)
LAKE = EnvironmentSpec(id="bellglass/FrozenLake-v0", name="lake", keywords={"map_name": "4x4"}, steps=100)
MAZE = EnvironmentSpec(id="bellglass/TMaze-v0", name="maze", steps=100)
JUDGED = ScoringSpec(criterion="discounted", discount=0.99, horizon=None, points=2)


def make_suite(*, seeds: int = 2, agents: tuple[str, ...] = ("quick", "slow")) -> Suite:
    specs = tuple(AgentSpec(name=name, class_name=name.title(), settings={"a": 1}) for name in agents)
    return Suite(
        name="small",
        seeds=seeds,
        agents=specs,
        environments=(LAKE, MAZE),
        scoring={"lake": JUDGED, "maze": JUDGED},
        pairs=frozenset((name, "lake") for name in agents) | {("quick", "maze")},
        skipped=(Skipped(agent="slow", environment="maze", reason="no memory"),),
        fingerprints={"lake": "1" * 64, "maze": "2" * 64},
        limits=Limits(),
        text='name = "small"\n',
    )


def make_result(spec: RunSpec) -> RunResult:
    curve = tuple(
        CurvePoint(
            steps=steps,
            value=0.1 + spec.seed,
            exploring_value=None,
            episodic_regret=-math.inf,
            gap_regret=1 / 3,
            episodes=steps // 7,
            low=-math.inf,
            high=0.2,
        )
        for steps in (50, 100)
    )
    return RunResult(
        spec=spec,
        fingerprint="1" * 64,
        optimum=0.5,
        random=0.1,
        floor=0.0,
        curve=curve,
        policy=(0, 1, -1),
        values=(1.0, -0.5, 0.0),
        exact=True,
    )


def finish(store: Store, spec: RunSpec) -> None:
    with store.claim(spec) as ours:
        assert ours
        curve = store.begin(spec)
        result = make_result(spec)
        for point in result.curve:
            store.append(curve, point)
        store.finish(curve, result, TIMING)


def everything(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_result_survives_the_way_to_disk_and_back_whole(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "results", make_suite())
    spec = store.planned()[0]
    finish(store, spec)
    sweep = load_sweep(tmp_path / "results")
    assert sweep.finished == (make_result(spec),)
    assert sweep.timings == {spec.run_id: TIMING}
    assert sweep.skipped[0].reason == "no memory"
    assert sweep.suite_text == 'name = "small"\n'


def test_finished_failed_and_missing_make_up_the_plan(tmp_path: Path) -> None:
    store = Store.open(tmp_path, make_suite())
    planned = store.planned()
    assert planned == make_suite().plan()[0]
    assert len(planned) == 6
    assert len({spec.run_id for spec in planned}) == 6
    finish(store, planned[0])
    failure = FailedRun(spec=planned[1], error="ValueError: no", traceback="Traceback ...")
    store.fail(failure)
    sweep = load_sweep(tmp_path)
    assert sweep.failed == (failure,)
    assert [run.spec for run in sweep.finished] == [planned[0]]
    assert sweep.missing == planned[2:]


def test_equal_results_make_equal_bytes_and_seconds_lie_apart(tmp_path: Path) -> None:
    for name, timing in (("one", TIMING), ("other", replace(TIMING, seconds=99.0, host="there"))):
        store = Store.open(tmp_path / name, make_suite())
        spec = store.planned()[3]
        curve = store.begin(spec)
        for point in make_result(spec).curve:
            store.append(curve, point)
        store.finish(curve, make_result(spec), timing)
    folder = f"runs/{spec.run_id}"
    for file in ("result.json", "curve.jsonl"):
        assert (tmp_path / "one" / folder / file).read_bytes() == (
            tmp_path / "other" / folder / file
        ).read_bytes()


def test_files_are_json_that_any_reader_takes(tmp_path: Path) -> None:
    store = Store.open(tmp_path, make_suite())
    finish(store, store.planned()[0])
    for file in [*tmp_path.rglob("*.json"), *tmp_path.rglob("*.jsonl")]:
        for line in file.read_text().splitlines():

            def refuse(word: str) -> float:
                raise AssertionError(word)

            json.loads(line, parse_constant=refuse)


def test_every_cut_and_every_flipped_bit_of_a_run_shows(tmp_path: Path) -> None:
    store = Store.open(tmp_path, make_suite())
    spec = store.planned()[0]
    finish(store, spec)
    for name in ("result.json", "curve.jsonl"):
        path = store.run_folder(spec) / name
        whole = path.read_bytes()
        broken = [whole[:cut] for cut in range(0, len(whole) - 1, 17)]
        for place in range(0, len(whole), 13):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << (place % 8)
            broken.append(bytes(flipped))
        for bad in broken:
            path.write_bytes(bad)
            with pytest.raises(FolderError, match="is damaged"):
                store.result(spec)
        path.write_bytes(whole)
    assert store.result(spec) == make_result(spec)


def test_a_damaged_run_is_told_in_one_line_and_can_be_listed(tmp_path: Path) -> None:
    store = Store.open(tmp_path, make_suite())
    for spec in store.planned()[:2]:
        finish(store, spec)
    broken = store.run_folder(store.planned()[0]) / "result.json"
    broken.write_text(broken.read_text()[:-20])
    with pytest.raises(ValueError, match=r"result\.json is damaged.*running the suite again") as error:
        load_sweep(tmp_path)
    assert "\n" not in str(error.value)
    sweep, damaged = find_damage(tmp_path)
    assert len(damaged) == 1
    assert len(sweep.finished) + len(sweep.failed) + len(sweep.missing) == len(sweep.planned)
    assert store.planned()[0] in sweep.missing


def test_one_claim_at_a_time(tmp_path: Path) -> None:
    store, other = (Store.open(tmp_path, make_suite()) for _ in range(2))
    one, two = store.planned()[:2]
    with store.claim(one) as ours:
        assert ours
        with other.claim(one) as theirs:
            assert not theirs
        with other.claim(two) as theirs:
            assert theirs
    with other.claim(one) as theirs:
        assert theirs


def test_what_a_killed_writer_leaves_is_swept(tmp_path: Path) -> None:
    store = Store.open(tmp_path, make_suite())
    spec = store.planned()[0]
    store.begin(spec).close()
    for folder in (tmp_path, store.run_folder(spec)):
        (folder / ".result.json.123.tmp").write_text("{")
    (store.run_folder(spec) / "curve.jsonl").write_text("half a li")
    finish(Store.open(tmp_path, make_suite()), spec)
    assert not list(tmp_path.rglob("*.tmp"))
    assert load_sweep(tmp_path).finished == (make_result(spec),)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    write_whole(path, "old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("lasting", [True, False])
def test_a_supervisor_that_comes_while_another_one_writes_takes_nothing_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasting: bool
) -> None:
    """It sweeps what a killed writer would have left; here its writer lives, and is about to rename it."""
    renamed: list[Path] = []

    def late(self: Path, target: Path) -> Path:
        if not renamed:
            sweep_temporaries(tmp_path)
        renamed.append(self)
        return replaced(self, target)

    replaced = Path.replace
    monkeypatch.setattr(Path, "replace", late)
    write_whole(tmp_path / "card", "new", lasting=lasting)
    assert (tmp_path / "card").read_text() == "new"
    assert len(set(renamed)) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["card"]
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "nowhere" / "card", "new")


@pytest.mark.parametrize("kind", ["files", "file", "other marker", "format", "version", "table", "suite"])
def test_a_folder_that_is_not_ours_is_refused_and_left_as_it_is(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "results"
    suite = make_suite()
    if kind == "files":
        folder.mkdir()
        (folder / "thesis.tex").write_text("years of work")
        reason = "no results folder of bellglass"
    elif kind == "file":
        folder.write_text("years of work")
        reason = "is a file"
    elif kind == "other marker":
        folder.mkdir()
        (folder / "bellglass.json").write_text('{"kind": "sculpture", "format": 1}')
        reason = "sculpture"
    else:
        store = Store.open(folder, suite)
        finish(store, store.planned()[0])
        if kind == "format":
            marker = json.loads((folder / "bellglass.json").read_text())
            (folder / "bellglass.json").write_text(canonical({**marker, "format": 999}))
            reason = "format 999"
        elif kind == "version":
            marker = json.loads((folder / "bellglass.json").read_text())
            marker["versions"]["bellglass"] = "0.0.1"
            (folder / "bellglass.json").write_text(canonical(marker))
            reason = "were made with bellglass 0.0.1, and this is"
        elif kind == "table":
            suite = replace(suite, fingerprints={**suite.fingerprints, "lake": "3" * 64})
            reason = "another table"
        else:
            suite = replace(suite, environments=(replace(LAKE, steps=200), MAZE))
            reason = "not in this suite"
    before = everything(tmp_path)
    with pytest.raises(ValueError, match=reason) as error:
        Store.open(folder, suite)
    assert "\n" not in str(error.value)
    assert everything(tmp_path) == before


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"kind": "bellglass results"}'])
def test_a_damaged_marker_is_told(tmp_path: Path, damage: str) -> None:
    Store.open(tmp_path, make_suite())
    (tmp_path / "bellglass.json").write_text(damage)
    with pytest.raises(ValueError, match="damaged"):
        load_sweep(tmp_path)


KEYS = ("name", "seeds", "agents", "environments", "scoring", "pairs", "skipped", "fingerprints", "versions")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        *(({key: ...}, f"{key}: is missing") for key in KEYS),
        ({"seeds": "2"}, "seeds: must be a valid integer"),
        ({"seeds": 10**9}, "seeds: must be less than or equal to 100000"),
        ({"agents": [{"name": "quick"}]}, r"agents\[0\]\.class_name: "),
        ({"pairs": [["quick"]]}, r"pairs\[0\]"),
        ({"versions": None}, "versions: "),
        ({"scoring": {}}, "scoring: nothing is said of 'lake'"),
        ({"fingerprints": {}}, "fingerprints: nothing is said of 'lake'"),
    ],
)
def test_a_marker_that_lacks_something_is_told_with_its_place(
    tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    Store.open(tmp_path, make_suite())
    marker = json.loads((tmp_path / "bellglass.json").read_text()) | change
    text = canonical({key: value for key, value in marker.items() if value is not ...})
    (tmp_path / "bellglass.json").write_text(text)
    with pytest.raises(FolderError, match=rf"bellglass\.json is damaged: {says}") as error:
        load_sweep(tmp_path)
    assert "\n" not in str(error.value)


def test_a_suite_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    Store.open(tmp_path, make_suite())
    (tmp_path / "suite.toml").write_bytes(b"\xff")
    with pytest.raises(FolderError, match=r"suite\.toml cannot be read"):
        load_sweep(tmp_path)


def test_a_suite_that_only_adds_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    store = Store.open(tmp_path, make_suite())
    finish(store, store.planned()[0])
    more = Store.open(tmp_path, make_suite(seeds=3, agents=("quick", "slow", "new")))
    assert len(more.planned()) == 12
    assert load_sweep(tmp_path).finished == (make_result(store.planned()[0]),)


def test_a_kill_before_the_marker_was_written_can_be_gone_on_from(tmp_path: Path) -> None:
    (tmp_path / "locks").mkdir()
    (tmp_path / "locks" / "folder.lock").touch()
    (tmp_path / ".bellglass.json.77.tmp").write_text("{")
    Store.open(tmp_path, make_suite())
    shutil.rmtree(tmp_path / "runs")  # and before the rest
    (tmp_path / "suite.toml").unlink()
    Store.open(tmp_path, make_suite())
    assert len(load_sweep(tmp_path).missing) == 6


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such folder"):
        load_sweep(tmp_path / "nowhere")


def test_names_are_no_part_of_a_run() -> None:
    spec = make_suite().plan()[0][0]
    renamed = replace(spec, agent=replace(spec.agent, name="another name"))
    assert renamed.run_id == spec.run_id
    curve = b"".join(canonical(point._asdict()).encode() + b"\n" for point in make_result(spec).curve)
    assert result_from(result_text(make_result(spec), curve), curve) == make_result(spec)


def test_a_folder_that_was_removed_meanwhile_does_not_come_back_by_halves(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    store = Store.open(folder, make_suite())
    spec = store.planned()[0]
    shutil.rmtree(folder)
    with pytest.raises(FolderError, match="was removed or moved"):
        store.begin(spec)
    with pytest.raises(FolderError, match="was removed or moved"):
        store.fail(FailedRun(spec=spec, error="x", traceback="x"))
    assert not folder.exists()
