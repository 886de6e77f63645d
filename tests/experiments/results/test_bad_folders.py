"""Folders that take no more, or nothing at all: a clear word, nothing overwritten, nothing lost."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.sweeping import LAKE, SWIM, bytes_of, complete, small, trouble_in

from bellglass.experiments.records import CurvePoint
from bellglass.experiments.results.store import FolderError, Store, find_damage, load_sweep
from bellglass.experiments.running.sweep import run_suite

POINT = CurvePoint(
    steps=1,
    value=0.0,
    exploring_value=None,
    episodic_regret=0.0,
    gap_regret=0.0,
    episodes=0,
    low=0.0,
    high=0.0,
)


def in_a_room_of_its_own(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs a shell script that may mount, in a namespace that ends with it."""
    unshare = shutil.which("unshare")
    tried = unshare and subprocess.run(
        [unshare, "-rm", "sh", "-c", "mount -t tmpfs none /mnt"], capture_output=True, check=False
    )
    if not tried or tried.returncode:
        pytest.skip("needs Linux namespaces (unshare -rm) to mount a small disk")
    root = ROOT
    return subprocess.run(
        ["unshare", "-rm", "sh", "-ec", script, "sh", sys.executable, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.slow
def test_a_full_disk_stops_the_sweep_and_it_goes_on_where_there_is_room(tmp_path: Path) -> None:
    """A disk of 200 kB; the runs would take four times as much."""
    suite = small(
        seeds=20, environments=[{**SWIM, "steps": 200}, {**LAKE, "steps": 200}], scoring={"points": 60}
    )
    (tmp_path / "suite.toml").write_text(suite.text)
    done = in_a_room_of_its_own(
        "mount -t tmpfs -o size=200k none /mnt\n"
        'code=0; "$1" -m bellglass run "$2/suite.toml" --output /mnt/results --workers 2 || code=$?\n'
        'cp -r /mnt/results "$2/results"; exit $code',
        tmp_path,
    )
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("bellglass: /mnt/results: cannot be written to: No space left on device; ")
    assert "of 40 runs are finished and kept, and the same command goes on from there" in last
    assert "Traceback" not in done.stderr
    folder = tmp_path / "results"
    kept, damaged = find_damage(folder)
    assert damaged == ()
    assert kept.failed == ()  # the disk's fault is no run's failure
    assert 0 < len(kept.finished) < 40
    assert f"; {len(kept.finished)} of 40 runs" in last
    files = [Store.read(folder).run_folder(run.spec) / "result.json" for run in kept.finished]
    dates = [file.stat().st_mtime_ns for file in files]
    assert complete(run_suite(suite, folder, workers=2, progress=False))
    assert [file.stat().st_mtime_ns for file in files] == dates
    run_suite(suite, tmp_path / "roomy", workers=2, progress=False)
    assert bytes_of(folder) == bytes_of(tmp_path / "roomy")


def test_a_file_that_cannot_grow_is_the_folders_trouble_and_no_failure_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble_in(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    suite = small(seeds=1, agents=[{"class": "trouble:FillsTheDisk"}])
    with pytest.raises(FolderError, match=r"File too large; 0 of 2 runs are finished and kept") as error:
        run_suite(suite, tmp_path / "results", workers=1, progress=False)
    assert "\n" not in str(error.value)
    sweep = load_sweep(tmp_path / "results")
    assert (len(sweep.failed), len(sweep.missing)) == (0, 2)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_point_that_does_not_fit_is_told(tmp_path: Path) -> None:
    store = Store.open(tmp_path, small())
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(FolderError, match="cannot be written to: No space left on device"),
    ):
        store.append(full, POINT)


def test_a_point_that_fits_by_half_is_told(tmp_path: Path) -> None:
    class NearlyFull:
        left = 30

        def write(self, line: bytes) -> int:
            if not self.left:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            taken, self.left = min(self.left, len(line)), 0
            return taken

    store = Store.open(tmp_path, small())
    with pytest.raises(FolderError, match="No space left on device"):
        store.append(NearlyFull(), POINT)  # type: ignore[arg-type]  # all that is asked of a file here


def test_a_read_only_folder_is_read_and_never_written(tmp_path: Path) -> None:
    suite = small(seeds=1)
    run_suite(suite, tmp_path / "results", workers=2, progress=False)
    (tmp_path / "suite.toml").write_text(replace(small(seeds=2), name="small").text)
    before = {path: path.read_bytes() for path in (tmp_path / "results").rglob("*") if path.is_file()}
    done = in_a_room_of_its_own(
        'mount --bind "$2/results" "$2/results"; mount -o remount,bind,ro "$2/results"\n'
        'code=0; "$1" -m bellglass run "$2/suite.toml" --output "$2/results" || code=$?; echo run $code\n'
        'code=0; "$1" -m bellglass report "$2/results" || code=$?; echo report $code\n'
        'code=0; "$1" -m bellglass check "$2/results" || code=$?; echo check $code',
        tmp_path,
    )
    codes = [line for line in done.stdout.splitlines() if line.split()[0] in ("run", "report", "check")]
    assert codes == ["run 2", "report 2", "check 0"], done.stderr
    run_says, report_says = done.stderr.splitlines()
    assert run_says == f"bellglass: {tmp_path}/results: cannot be written to: Read-only file system"
    assert report_says == run_says
    assert "2 finished + 0 failed + 0 missing = 2 planned runs" in done.stdout
    assert {path: path.read_bytes() for path in before} == before


def test_a_place_where_no_folder_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("years of work")
    with pytest.raises(FolderError, match="cannot be written to: Not a directory"):
        run_suite(small(), tmp_path / "file" / "results", progress=False)
    assert (tmp_path / "file").read_text() == "years of work"
