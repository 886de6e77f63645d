"""Sweeps, whatever is killed when: nothing lost, nothing doubled, the same bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from helpers.sweeping import SWIM, bytes_of, complete, small, sweep_command, trouble_in

from bellglass.experiments.records import Sweep
from bellglass.experiments.results.store import FolderError, Store, find_damage, load_sweep
from bellglass.experiments.running.processes import cause_of
from bellglass.experiments.running.sweep import run_suite


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sweep") / "results"
    assert complete(run_suite(small(), folder, workers=1, progress=False))
    return folder


def test_one_and_two_workers_write_the_same_bytes(undisturbed: Path, tmp_path: Path) -> None:
    sweep = run_suite(small(), tmp_path / "two", workers=2, progress=False)
    assert complete(sweep)
    assert bytes_of(tmp_path / "two") == bytes_of(undisturbed)
    assert all(timing.attempts == 1 for timing in sweep.timings.values())
    assert not list((tmp_path / "two").glob("logs"))


def test_a_rerun_does_only_what_is_failed_damaged_or_missing(undisturbed: Path, tmp_path: Path) -> None:
    run_suite(small(), tmp_path, workers=2, progress=False)
    store = Store.read(tmp_path)
    torn, flipped, gone, kept = store.planned()
    file = store.run_folder(torn) / "result.json"
    file.write_bytes(file.read_bytes()[:100])
    file = store.run_folder(flipped) / "curve.jsonl"
    content = bytearray(file.read_bytes())
    content[40] ^= 4
    file.write_bytes(bytes(content))
    for file in store.run_folder(gone).iterdir():
        file.unlink()
    written = (store.run_folder(kept) / "result.json").stat().st_mtime_ns
    assert len(find_damage(tmp_path)[1]) == 2
    assert complete(run_suite(small(), tmp_path, workers=2, progress=False))
    assert bytes_of(tmp_path) == bytes_of(undisturbed)
    assert (store.run_folder(kept) / "result.json").stat().st_mtime_ns == written
    assert find_damage(tmp_path)[1] == ()


def test_more_seeds_keep_the_runs_that_are_there(undisturbed: Path, tmp_path: Path) -> None:
    run_suite(small(), tmp_path, workers=2, progress=False)
    assert len(run_suite(small(seeds=3), tmp_path, workers=2, progress=False).finished) == 6
    assert bytes_of(undisturbed).items() <= bytes_of(tmp_path).items()


def troubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, **limits: Any) -> Sweep:
    trouble_in(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    agents = [{"class": "QLearning"}, {"class": f"trouble:{name}"}]
    suite = small(seeds=1, agents=agents, environments=[SWIM], limits=limits)
    return run_suite(suite, tmp_path / "results", workers=2, progress=False)


def test_an_error_is_kept_with_its_traceback_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = troubled(tmp_path, monkeypatch, "Raises")
    (failure,) = sweep.failed
    assert failure.error == "ArithmeticError: no luck"
    assert "in learn" in failure.traceback
    assert len(sweep.finished) + len(sweep.failed) + len(sweep.missing) == len(sweep.planned) == 2
    assert load_sweep(tmp_path / "results") == sweep


def test_a_process_that_dies_is_tried_again_and_then_fails_with_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (failure,) = troubled(tmp_path, monkeypatch, "Dies", retries=1).failed
    assert failure.error == "ProcessDied: its process ended with exit code 7, 2 times in all"
    assert "last words" in failure.traceback


def test_a_process_that_is_killed_once_finishes_at_the_second_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIED_ONCE", str(tmp_path / "died"))
    script = (
        "import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\n"
        "from bellglass.experiments.suite.reading import suite_from\n"
        "from bellglass.experiments.running.sweep import run_suite\n"
        "suite = suite_from({'name': 'x', 'seeds': 1, 'scoring': {'points': 4}, 'environments': "
        f"[{SWIM!r}], 'agents': [{{'class': 'trouble:DiesOnce'}}]}})\n"
        f"sweep = run_suite(suite, {str(tmp_path / 'results')!r}, progress=False)\n"
        "assert [timing.attempts for timing in sweep.timings.values()] == [2]\n"
    )
    trouble_in(tmp_path)
    (tmp_path / "script.py").write_text(script)  # without the usual guard: it is not needed
    subprocess.run([sys.executable, str(tmp_path / "script.py")], check=True, timeout=60)


def test_a_run_beyond_its_time_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    (failure,) = troubled(tmp_path, monkeypatch, "Hangs", seconds=2.0).failed
    assert failure.error == "TimeoutError: took longer than 2 seconds"
    assert time.monotonic() - began < 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's RLIMIT_DATA")
def test_a_run_that_takes_too_much_memory_fails_where_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = troubled(tmp_path, monkeypatch, "Eats", megabytes=800)
    (failure,) = sweep.failed
    assert "MemoryError" in failure.error
    assert "self.eaten = np.ones" in failure.traceback
    assert len(sweep.finished) == 1  # what takes less is not disturbed


def test_a_memory_limit_that_nobody_would_keep_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ValueError, match=r"limits\.megabytes: only Linux can"):
        run_suite(small(limits={"megabytes": 800}), tmp_path / "new", progress=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_supervisors_on_one_folder_share_the_runs(tmp_path: Path) -> None:
    """Each run is learned once, by one of three."""
    trouble_in(tmp_path)
    log = tmp_path / "log"
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    environment = os.environ | {"LOGGED": str(log), "PYTHONPATH": path}
    text = """
        name = "shared"
        seeds = 6
        [[environments]]
        id = "bellglass/RiverSwim-v0"
        steps = 2_000
        [[agents]]
        class = "trouble:Logged"
    """
    (tmp_path / "suite.toml").write_text(text)
    command = [sys.executable, "-m", "bellglass", "run", "suite.toml", "--output", "out", "--workers", "1"]
    sweeps = [
        subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE) for _ in range(3)
    ]
    said = [sweep.communicate(timeout=120)[0].decode() for sweep in sweeps]
    assert [sweep.returncode for sweep in sweeps] == [0, 0, 0]
    assert all("6 finished + 0 failed + 0 missing = 6 planned runs" in text for text in said)
    assert log.read_text().splitlines() == ["learned"] * 6


@pytest.mark.slow
def test_a_clock_that_goes_back_changes_nothing(tmp_path: Path) -> None:
    """An hour at each look; and files come from the future, or from 1970."""
    trouble_in(tmp_path)
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    plain = os.environ | {"PYTHONPATH": path}
    text = "name = 'clock'\nseeds = 3\n[[environments]]\nid = 'bellglass/RiverSwim-v0'\nsteps = 1_000\n"
    (tmp_path / "suite.toml").write_text(text + "[[agents]]\nclass = 'trouble:BackwardClock'\n")
    command = [sys.executable, "-m", "bellglass", "run", "suite.toml", "--workers", "1", "--output"]
    subprocess.run([*command, "right"], cwd=tmp_path, env=plain, check=True, capture_output=True, timeout=120)
    backward = plain | {"CLOCK_GOES_BACK": "1"}
    for years in (0, 80):  # the second time, after the first one's files have got other dates
        for file in (tmp_path / "back").rglob("*"):
            os.utime(file, (years * 31_557_600.0, years * 31_557_600.0))
        subprocess.run(
            [*command, "back"], cwd=tmp_path, env=backward, check=True, capture_output=True, timeout=120
        )
    assert bytes_of(tmp_path / "back") == bytes_of(tmp_path / "right")
    sweep = load_sweep(tmp_path / "back")
    assert all(timing.seconds >= 0 and timing.attempts == 1 for timing in sweep.timings.values())


def test_bad_input_leaves_no_folder_and_touches_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        run_suite(small(), tmp_path / "new", workers=0)
    with pytest.raises(ValueError, match="engine 'rai': unknown engine; did you mean 'ray'"):
        run_suite(small(), tmp_path / "new", engine="rai")  # type: ignore[arg-type]  # on purpose
    assert not (tmp_path / "new").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(FolderError, match="no results folder of bellglass"):
        run_suite(small(), tmp_path / "mine", progress=False)
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_ctrl_c_ends_every_process_and_a_rerun_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    command = sweep_command(small(), tmp_path / "results")
    # A shell that puts tests into the background has them ignore it.
    sweep = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    deadline = time.monotonic() + 30
    while not list((tmp_path / "results").glob("runs/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(sweep.pid, signal.SIGINT)  # as a terminal does: to the whole group
    assert b"KeyboardInterrupt" in sweep.communicate(timeout=30)[1]
    assert sweep.returncode != 0
    assert complete(run_suite(small(), tmp_path / "results", workers=2, progress=False))
    assert bytes_of(tmp_path / "results") == bytes_of(undisturbed)


def test_an_exit_code_is_put_in_words() -> None:
    assert cause_of(-9) == "its process was ended by SIGKILL (often: out of memory)"
    assert cause_of(3) == "its process ended with exit code 3"
