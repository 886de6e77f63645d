"""Sweeps, whatever is killed when: nothing lost, nothing doubled, the same bytes."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bellglass.experiments.config import Suite, suite_from
from bellglass.experiments.processes import cause_of
from bellglass.experiments.records import Sweep
from bellglass.experiments.store import FolderError, Store, find_damage, load_sweep
from bellglass.experiments.supervisor import run_suite

SWIM = {"id": "bellglass/RiverSwim-v0", "steps": 1_000}
LAKE = {"id": "bellglass/FrozenLake-v0", "steps": 1_000}


def small(*, seeds: int = 2, agents: list[dict[str, Any]] | None = None, **changes: Any) -> Suite:
    return suite_from(
        {
            "name": "small",
            "seeds": seeds,
            "scoring": {"points": 4},
            "environments": [SWIM, LAKE],
            "agents": agents or [{"class": "QLearning"}],
            **changes,
        }
    )


def bytes_of(folder: Path) -> dict[str, bytes]:
    """Everything that the specs alone determine."""
    files = [*folder.glob("runs/*/result.json"), *folder.glob("runs/*/curve.jsonl")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def complete(sweep: Sweep) -> bool:
    ids = [run.spec.run_id for run in sweep.finished]
    return sorted(ids) == sorted(spec.run_id for spec in sweep.planned)


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


TROUBLE = """
import os, time
from bellglass.agents import QLearning

class Raises(QLearning):
    def learn(self, *arguments, **keywords):
        raise ArithmeticError("no\\nluck")

class Dies(QLearning):
    def learn(self, *arguments, **keywords):
        print("last words", flush=True)
        os._exit(7)

class Hangs(QLearning):
    def learn(self, *arguments, **keywords):
        time.sleep(60)

class DiesOnce(QLearning):
    def learn(self, *arguments, **keywords):
        try:
            open(os.environ["DIED_ONCE"], "x").close()
        except FileExistsError:
            return super().learn(*arguments, **keywords)
        os.kill(os.getpid(), 9)
"""


def troubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, **limits: Any) -> Sweep:
    (tmp_path / "trouble.py").write_text(TROUBLE)
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
        "from bellglass.experiments.config import suite_from\n"
        "from bellglass.experiments.supervisor import run_suite\n"
        "suite = suite_from({'name': 'x', 'seeds': 1, 'scoring': {'points': 4}, 'environments': "
        f"[{SWIM!r}], 'agents': [{{'class': 'trouble:DiesOnce'}}]}})\n"
        f"sweep = run_suite(suite, {str(tmp_path / 'results')!r}, progress=False)\n"
        "assert [timing.attempts for timing in sweep.timings.values()] == [2]\n"
    )
    (tmp_path / "trouble.py").write_text(TROUBLE)
    (tmp_path / "script.py").write_text(script)  # without the usual guard: it is not needed
    subprocess.run([sys.executable, str(tmp_path / "script.py")], check=True, timeout=60)


def test_a_run_beyond_its_time_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    (failure,) = troubled(tmp_path, monkeypatch, "Hangs", seconds=2.0).failed
    assert failure.error == "TimeoutError: took longer than 2 seconds"
    assert time.monotonic() - began < 20


def test_bad_input_leaves_no_folder_and_touches_none(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        run_suite(small(), tmp_path / "new", workers=0)
    assert not (tmp_path / "new").exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(FolderError, match="no results folder of bellglass"):
        run_suite(small(), tmp_path / "mine", progress=False)
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["thesis.tex"]


def test_ctrl_c_ends_every_process_and_a_rerun_goes_on(undisturbed: Path, tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(small().text)
    command = [sys.executable, "-c", SWEEP, str(tmp_path / "suite.toml"), str(tmp_path / "results")]
    sweep = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
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


# -- kill -9 -------------------------------------------------------------------------------------------------

SWEEP = """
import sys
from bellglass.experiments.config import read_suite
from bellglass.experiments.supervisor import run_suite
sweep = run_suite(read_suite(sys.argv[1]), sys.argv[2], workers=2, progress=False)
sys.exit(len(sweep.failed) + len(sweep.missing))
"""


def descendants(pid: int) -> list[int]:
    """Every process below `pid`, from /proc."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for above in found:
        found += [child for child, parent in parents.items() if parent == above]
    return found[1:]


def killed_sweep(tmp_path: Path, suite: Suite, kills: int, seed: int) -> Path:
    """Runs the suite, killing the supervisor or anything below it, until it has got through."""
    chance = random.Random(seed)
    folder = tmp_path / "killed"
    (tmp_path / "suite.toml").write_text(suite.text)
    command = [sys.executable, "-c", SWEEP, str(tmp_path / "suite.toml"), str(folder)]
    for _ in range(kills):
        sweep = subprocess.Popen(command)
        before = len(bytes_of(folder))
        deadline = time.monotonic() + 30
        while len(bytes_of(folder)) <= before and sweep.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)  # until something happens: kills while Python is starting prove little
        time.sleep(chance.uniform(0.0, 0.3))
        victim = sweep.pid if chance.random() < 0.5 else chance.choice([sweep.pid, *descendants(sweep.pid)])
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim != sweep.pid:
            time.sleep(chance.uniform(0.0, 0.3))
            sweep.kill()
        sweep.wait()
    assert subprocess.run(command, timeout=300, check=False).returncode == 0
    return folder


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find the processes")
def test_killed_sweeps_end_like_one_that_was_not(undisturbed: Path, tmp_path: Path) -> None:
    folder = killed_sweep(tmp_path, small(), kills=3, seed=1)
    assert complete(load_sweep(folder))
    assert bytes_of(folder) == bytes_of(undisturbed)
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find the processes")
def test_sixty_runs_killed_ten_times_with_a_torn_and_a_flipped_file(tmp_path: Path) -> None:
    suite = small(seeds=30, environments=[{**SWIM, "steps": 5_000}, {**LAKE, "steps": 5_000}])
    calm = tmp_path / "calm"
    assert complete(run_suite(suite, calm, workers=2, progress=False))
    folder = killed_sweep(tmp_path, suite, kills=10, seed=2)
    torn, flipped = list(folder.glob("runs/*/result.json"))[:2]
    torn.write_bytes(torn.read_bytes()[:-7])
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(bytes(content))
    assert complete(run_suite(suite, folder, workers=2, progress=False))
    assert bytes_of(folder) == bytes_of(calm)
    assert len(load_sweep(folder).finished) == 60
