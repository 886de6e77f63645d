"""What the runner costs beside the learning.

    python benchmarks/overhead.py [--rounds 5]

Start: seconds from the start of a run's process to its agent's first step, with tables, exact answers and imports
in between; the first run of a sweep also waits for the server that later ones are forked from.  Writing: the share
of a run of Q-learning through Gymnasium's `step` that goes into curve, timing and result, fsync included, and into
exact scores.  Wall-clock seconds; the medians of the rounds (writing: of all runs).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bellglass.agents import QLearning
from bellglass.experiments.records import RunSpec
from bellglass.experiments.results.store import Store
from bellglass.experiments.running import worker
from bellglass.experiments.scoring.scores import Scorer
from bellglass.experiments.suite.reading import suite_from

#: Of a run whose writing is measured: a shorter one has more of it.
STEPS = 50_000

PLACES = ("bellglass/FrozenLake-v0", "bellglass/CliffWalking-v0", "bellglass/Taxi-v0")


class Stamped(QLearning):
    """Notes when its process began and when it is about to take its first step."""

    def learn(self, *arguments: Any, **keywords: Any) -> Stamped:
        """Learns, and writes both seconds since the machine's start to the file that STAMPS names."""
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        row = [ticks / os.sysconf("SC_CLK_TCK"), time.clock_gettime(time.CLOCK_BOOTTIME)]
        with open(os.environ["STAMPS"], "a") as file:
            file.write(json.dumps(row) + "\n")
        super().learn(*arguments, **keywords)
        return self


#: A sweep in a fresh interpreter, as `bellglass run` starts one: prints when its first process is asked for.
SWEEP = """
import sys, time
from bellglass.experiments.suite.reading import suite_from
from bellglass.experiments.running.sweep_progress import Progress
from bellglass.experiments.running.supervisor import Supervisor, prepared_store
environments = [{"id": place, "steps": 1_000} for place in sys.argv[2:]]
agents = [{"class": "overhead:Stamped"}]
suite = suite_from({"name": "start", "seeds": 4, "environments": environments, "agents": agents})
store, runs = prepared_store(suite, sys.argv[1]), suite.plan()[0]
with Progress(runs, runs, shown=False) as unseen:
    supervisor = Supervisor(store, suite.limits, suite.agents, workers=1, progress=unseen)
    print(time.clock_gettime(time.CLOCK_BOOTTIME))
    supervisor.do(runs)
"""


def seconds_to_first_step() -> tuple[float, list[float]]:
    """(of the sweep's first run, of each later one)."""
    with tempfile.TemporaryDirectory() as place:
        stamps = Path(place) / "stamps"
        here = str(Path(__file__).parent)
        path = os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])
        said = subprocess.run(
            [sys.executable, "-c", SWEEP, f"{place}/results", *PLACES],
            env=os.environ | {"STAMPS": str(stamps), "PYTHONPATH": path},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        rows = [json.loads(line) for line in stamps.read_text().splitlines()]
    (_, first), *later = rows
    return first - float(said), [stepped - began for began, stepped in later]


class Clock:
    """Seconds spent in the functions that it wraps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, timed."""

        def timed(*arguments: Any, **keywords: Any) -> Any:
            began = time.perf_counter()
            try:
                return function(*arguments, **keywords)
            finally:
                self.seconds += time.perf_counter() - began

        return timed


def shares(spec: RunSpec, store: Store) -> tuple[float, float, float]:
    """(seconds of the whole run, share of writing, share of exact scores)."""
    writing, scoring = Clock(), Clock()
    timed = [(Store, name, writing) for name in ("begin", "append", "finish")] + [(Scorer, "score", scoring)]
    with ExitStack() as stack:
        for owner, name, clock in timed:
            stack.enter_context(patch.object(owner, name, clock.around(getattr(owner, name))))
        began = time.perf_counter()
        assert worker.work(store, spec) == "finished"
        seconds = time.perf_counter() - began
    return seconds, writing.seconds / seconds, scoring.seconds / seconds


def main() -> None:
    """Prints the medians, and the worst."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    starts = [seconds_to_first_step() for _ in range(rounds)]
    firsts = [first for first, _ in starts]
    laters = [second for _, later in starts for second in later]
    for name, seconds in (("first run of a sweep", firsts), ("later runs", laters)):
        print(
            f"{name + ', process start to first step':52} median {statistics.median(seconds):.3f} s, "
            f"worst of {len(seconds)} {max(seconds):.3f} s"
        )
    environments = [{"id": place, "steps": STEPS} for place in PLACES]
    agents = [{"class": "QLearning"}]
    suite = suite_from({"name": "writing", "seeds": rounds, "environments": environments, "agents": agents})
    with tempfile.TemporaryDirectory(dir=".") as folder:  # a real disk; /tmp may be none
        store = Store.open(folder, suite)
        rows = {place: [shares(spec, store) for spec in suite.plan()[0] if spec.environment.id == place]
                for place in PLACES}  # fmt: skip
    for place, found in rows.items():
        run, writing, scoring = (statistics.median(column) for column in zip(*found, strict=True))
        print(
            f"{place + f', {STEPS:,} steps by step()':52} {run:.2f} s, of which writing {100 * writing:.2f} %, "
            f"50 exact scores {100 * scoring:.1f} %"
        )


if __name__ == "__main__":
    main()
