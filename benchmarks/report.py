"""The report of 1,000 runs: `python benchmarks/report.py [--rounds N]`.

A results folder of 1,000 invented runs (10 agents, 5 environments, 20 seeds, 50 points a curve) is written through the
store, in a temporary folder; then a fresh process does what `bellglass report FOLDER` does.  Limits: 5 seconds, imports
and reading included, and 500 kB of page.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from invented_sweep import invented_sweep

from bellglass.experiments.cards.making import write_cards
from bellglass.experiments.records import Sweep
from bellglass.experiments.results.store import FORMAT, Store

ENVIRONMENTS = ("Lake", "Rooms", "Corridor", "Lake 2", "Lake 3")
COMMAND = "import sys; from bellglass.cli.commands import main; sys.exit(main(['report', sys.argv[1]]))"


def write_folder(folder: Path, *, seeds: int = 20) -> None:
    """1,000 finished runs on disk, or 50 a seed."""
    sweep, cards = invented_sweep(
        agents=tuple(f"agent {k}" for k in range(10)),
        environments=ENVIRONMENTS,
        seeds=seeds,
        failures=False,
        points=50,
    )
    marker = marker_of(sweep)
    (folder / "bellglass.json").write_text(json.dumps(marker), encoding="utf-8")
    (folder / "suite.toml").write_text(sweep.suite_text, encoding="utf-8")
    for name in ("runs", "cards", "locks"):
        (folder / name).mkdir()
    write_cards(folder, cards)
    store = Store(folder, marker)
    for run in sweep.finished:
        with store.begin(run.spec) as curve:
            for point in run.curve:
                store.append(curve, point)
            store.finish(curve, run, sweep.timings[run.spec.run_id])


def marker_of(sweep: Sweep) -> dict[str, object]:
    """What `bellglass.json` says of the invented suite."""
    return {
        "kind": "bellglass results",
        "format": FORMAT,
        "name": sweep.name,
        "seeds": sweep.seeds,
        "agents": [vars(agent) for agent in sweep.agents],
        "environments": [vars(environment) for environment in sweep.environments],
        "scoring": {name: vars(scoring) for name, scoring in sweep.scoring.items()},
        "pairs": [[agent.name, place.name] for agent in sweep.agents for place in sweep.environments],
        "skipped": [],
        "fingerprints": {run.spec.environment.name: run.fingerprint for run in sweep.finished},
        "versions": dict(sweep.versions),
    }


def cpu_of_children() -> float:
    """Seconds; on a machine that others use too they say more than the clock on the wall."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Prints a line a repetition, and the median."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="repetitions")
    repetitions = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_folder(folder)
        seconds, cpu = [], []
        for _ in range(repetitions):
            start, before = time.perf_counter(), cpu_of_children()
            subprocess.run([sys.executable, "-c", COMMAND, name], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - start)
            cpu.append(cpu_of_children() - before)
            print(f"report of 1,000 runs: {seconds[-1]:.2f} s, CPU {cpu[-1]:.2f} s")
        size = (folder / "report.html").stat().st_size
        middle = statistics.median(seconds)
        kept = "kept" if middle < 5 and size < 500_000 else "missed"
        print(
            f"median {middle:.2f} s, CPU {statistics.median(cpu):.2f} s, page {size / 1000:.0f} kB "
            f"(limits 5 s and 500 kB: {kept})"
        )


if __name__ == "__main__":
    main()
