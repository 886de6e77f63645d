"""Small sweeps for tests, and ways to kill them."""

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

from bellglass.experiments.records import Sweep
from bellglass.experiments.suite.reading import suite_from
from bellglass.experiments.suite.schema import Suite

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


def sixty_runs() -> Suite:
    """Long enough that ten kills come before its end."""
    return small(seeds=30, environments=[{**SWIM, "steps": 5_000}, {**LAKE, "steps": 5_000}])


# -- kill -9 -------------------------------------------------------------------------------------------------

SWEEP = """
import sys
from bellglass.experiments.suite.reading import read_suite
from bellglass.experiments.running.sweep import run_suite
sweep = run_suite(read_suite(sys.argv[1]), sys.argv[2], workers=2, engine=sys.argv[3], progress=False)
sys.exit(len(sweep.failed) + len(sweep.missing))
"""


def ray_workers(pid: int) -> list[int]:
    """Ray's workers below `pid` that are doing a run."""
    found = []
    for child in descendants(pid):
        with contextlib.suppress(OSError):
            if (Path("/proc") / str(child) / "cmdline").read_bytes().startswith(b"ray::do_one"):
                found.append(child)
    return found


def sweep_command(suite: Suite, folder: Path, engine: str = "local") -> list[str]:
    """A program that runs the suite with two workers; exit code 0 if all runs are finished."""
    file = folder.parent / "suite.toml"
    file.write_text(suite.text)
    return [sys.executable, "-c", SWEEP, str(file), str(folder), engine]


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


def wait_for_more_runs(folder: Path, sweep: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
    """Until one more is finished: kills while Python is starting prove little."""
    before = len(list(folder.glob("runs/*/result.json")))
    deadline = time.monotonic() + seconds
    while sweep.poll() is None and time.monotonic() < deadline:
        if len(list(folder.glob("runs/*/result.json"))) > before:
            return
        time.sleep(0.02)


def killed_sweep(tmp_path: Path, suite: Suite, kills: int, seed: int) -> Path:
    """Runs the suite, killing the supervisor or anything below it at random moments, so many times."""
    chance = random.Random(seed)
    folder = tmp_path / "killed"
    command = sweep_command(suite, folder)
    for _ in range(kills):
        sweep = subprocess.Popen(command)
        wait_for_more_runs(folder, sweep)
        time.sleep(chance.uniform(0.0, 0.3))
        victim = sweep.pid if chance.random() < 0.5 else chance.choice([sweep.pid, *descendants(sweep.pid)])
        assert sweep.poll() is None, "it was done before it could be killed"
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
        if victim != sweep.pid:
            time.sleep(chance.uniform(0.0, 0.3))
            sweep.kill()
        sweep.wait()
    return folder


def tear_one_and_flip_a_bit_of_another(folder: Path) -> None:
    """What a disk may do to finished runs."""
    torn, flipped = sorted(folder.glob("runs/*/result.json"))[:2]
    torn.write_bytes(torn.read_bytes()[:-7])
    curve = flipped.parent / "curve.jsonl"
    content = bytearray(curve.read_bytes())
    content[len(content) // 2] ^= 1
    curve.write_bytes(bytes(content))


#: Agents of a user's own that get into trouble; written to a file that a suite can name.
TROUBLE = """
import os, resource, time
import numpy as np
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

class Eats(QLearning):
    def learn(self, *arguments, **keywords):
        self.eaten = np.ones(10**9, dtype=np.uint8)

class FillsTheDisk(QLearning):
    def learn(self, *arguments, **keywords):
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # no file of this process may grow past 100 bytes
        return super().learn(*arguments, **keywords)

class Logged(QLearning):
    def learn(self, *arguments, **keywords):
        with open(os.environ["LOGGED"], "a") as file:
            file.write("learned\\n")
        return super().learn(*arguments, **keywords)

class BackwardClock(QLearning):
    pass

if "CLOCK_GOES_BACK" in os.environ:
    seconds = iter(range(2_000_000_000, 0, -3600))
    time.time = lambda: float(next(seconds))
"""


def trouble_in(folder: Path) -> None:
    """Writes the module `trouble` there."""
    (folder / "trouble.py").write_text(TROUBLE)
