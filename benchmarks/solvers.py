"""Solving tables: `bellglass.solve` against every installed peer, to a relative error of 1e-6, on one core.

    python benchmarks/solvers.py [--tables NAME ...] [--peers NAME ...] [--rounds 3] [--json FILE]
                                 [--time-limit 120] [--patience 1.5]

Each contestant has a process of its own on the same core; only one works at a time.  It builds the table, converts
it to its own form (timed, shown beside, not counted), compiles and warms up (not counted), and then forks a child for
each solve: so every solve is cold, a stuck one can be killed, and no peer starts from its last answer.

First every method of every peer is tried once.  A trial is stopped at the time limit; a peer's first also at ten
times the fastest of all peers so far, its others at PATIENCE (1.5) times that or its own fastest: they could not
lead, so a peer far behind may have a better method than the one shown.  The fastest valid method of each then takes
turns with ours, and medians of CPU seconds count; who is over three times the best peer keeps the time of the trial,
and nobody starts another round once its solves took the time limit in all.

True error: largest distance to our own solution at a tolerance of 1e-10 or tighter (as far as float64 allows), over
max(1, max|V*|); that solution's Bellman residual, summed by this script from the table's own arrays, bounds its own
error.  Above 2e-6 the tolerance is missed: the time is shown but no best peer.  Memory: what the contestant's form
and one solve take beyond the table.  Ratio: best peer's seconds over ours.
"""

from __future__ import annotations

import os
import sys

# One core, before NumPy asks; and the checkout that holds this file, whatever is installed.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
for _name in ("OMP", "OPENBLAS", "MKL", "NUMBA"):
    os.environ[f"{_name}_NUM_THREADS"] = "1"
os.sched_setaffinity(0, {int(os.environ.setdefault("BENCH_CORE", str(max(os.sched_getaffinity(0)))))})

import argparse
import contextlib
import ctypes
import gc
import json
import multiprocessing
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from peers import FORMS, Rows
from tables import TABLES, Table, garnet

import bellglass
from bellglass.envs.mdp import FloatArray, TabularMDP
from bellglass.planning.errors import ToleranceError

TOLERANCE = 1e-6
MISSED = 2.0 * TOLERANCE
MOST_BYTES = 6e9
OURS = "bellglass"
Answer = dict[str, Any]


# --- in a contestant's process -------------------------------------------------------------------------------------


def ours(mdp: TabularMDP, discount: float, tolerance: float = TOLERANCE) -> tuple[FloatArray, str]:
    found = bellglass.solve(mdp, discount, tolerance=tolerance, relative=True)
    assert found.values is not None
    return found.values, f"{found.method}, {found.iterations} iterations"


def status(field: str, pid: int | str = "self") -> int:
    """Bytes of one field of /proc/PID/status; 0 if the process is gone."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, to a hundredth of a second; 0 if it is gone."""
    with contextlib.suppress(OSError, ValueError), open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def die_with_parent() -> None:
    """Nobody goes on working for a judge that was killed."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def reset_peak() -> None:
    """VmHWM starts again from what is resident now."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")


def tidy() -> None:
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def forked(work: Callable[[], Answer], limit: float) -> Answer:
    """What `work` answers in a forked child, killed after `limit` CPU seconds or beyond the memory allowed."""
    reading, writing = os.pipe()
    before = status("RssAnon")
    child = os.fork()
    if child == 0:
        die_with_parent()
        try:
            answer = work()
        except BaseException as error:  # a peer may even call sys.exit
            answer = {"failed": f"{type(error).__name__}: {error}"[:200]}
        os.write(writing, json.dumps(answer).encode()[:4000])
        os._exit(0)
    os.close(writing)
    # No timer or CPU limit in the child: either makes Linux count its CPU time in whole ticks.
    begun, failed, late = time.perf_counter(), "", False
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        late = cpu_seconds(child) > limit
        if status("RssAnon", child) - before > MOST_BYTES:
            failed = f"over {MOST_BYTES / 1e9:.0f} GB"
        elif time.perf_counter() - begun > 4 * limit + 60:
            failed = "stuck"
        if late or failed:
            os.kill(child, signal.SIGKILL)
        time.sleep(min(0.1, 0.002 + (time.perf_counter() - begun) / 20))
    with os.fdopen(reading, "rb") as file:
        text = file.read()
    if text:
        return dict(json.loads(text))
    return {"over": limit} if late else {"failed": failed or "its process died"}


def contestant(pipe: Connection, name: str, table_name: str, reference: str) -> None:
    """Builds, converts, then answers (method, limit, scale) until told None."""
    die_with_parent()
    quiet = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(quiet, stream)
    table = next(t for t in TABLES if t.name == table_name)
    mdp = table.build()
    tiny = garnet(50)
    if name == OURS:
        # Our kernels compile on the table itself (at the second call, if it is small: the first is NumPy's); then a
        # fresh table, or caches would help every solve after.
        for _ in range(3):
            ours(mdp, table.discount)
        del mdp
        mdp = table.build()
        names, seconds, form = ["auto"], 0.0, 0
        methods: dict[str, Callable[[float], tuple[FloatArray, str]]] = {
            "auto": lambda _: ours(mdp, table.discount)
        }
        warm: Callable[[], Any] = lambda: ours(tiny, 0.9)  # noqa: E731
    else:
        convert = FORMS[name].convert
        few = convert(Rows.of(tiny), 0.9)
        label = next(iter(few))
        warm = lambda: few[label](1e-3)  # noqa: E731
        warm()
        tidy()
        before = status("RssAnon")
        reset_peak()
        begun = time.process_time()
        theirs = convert(Rows.of(mdp), table.discount)
        seconds = time.process_time() - begun
        methods = {key: (lambda tol, run=run: (run(tol), "")) for key, run in theirs.items()}  # type: ignore[misc]
        names = list(methods)
        tidy()
        form = max(0, status("RssAnon") - before)
        del mdp
    tidy()  # or what was freed before would hide what a solve takes
    gc.freeze()
    pipe.send({"methods": names, "conversion": seconds, "form": form})
    while (order := pipe.recv()) is not None:
        method, limit, scale = order

        def work(method: str = method, scale: float = scale) -> Answer:
            warm()
            gc.disable()
            reset_peak()
            resident = status("VmRSS")
            begun = time.process_time()
            values, note = methods[method](TOLERANCE * scale)
            spent = time.process_time() - begun
            peak = status("VmHWM") - resident
            truth = np.load(reference)
            error = float(np.abs(values - truth).max() / scale)
            return {
                "seconds": spent,
                "peak": peak,
                "note": note,
                "error": error if np.isfinite(error) else 1e99,
            }

        pipe.send(forked(work, limit))


def solve_closely(pipe: Connection, table_name: str, reference: str) -> None:
    """The reference, its certified width and its residual."""
    die_with_parent()
    table = next(t for t in TABLES if t.name == table_name)
    mdp = table.build()
    begun = time.process_time()
    for tolerance in (1e-11, 1e-10, 1e-9, 1e-8):
        try:
            found = bellglass.solve(mdp, table.discount, tolerance=tolerance, relative=True)
            break
        except ToleranceError:
            continue
    else:
        raise RuntimeError(f"{table_name}: not even 1e-8 could be certified")
    assert found.values is not None
    np.save(reference, found.values)
    scale = max(1.0, float(np.abs(found.values).max()))
    pipe.send(
        {
            "states": mdp.num_states,
            "pairs": int(mdp.action_mask.sum()),
            "outcomes": mdp.num_outcomes,
            "bytes": sum(
                getattr(mdp, key).nbytes
                for key in ("first_outcome", "probability", "next_state", "reward", "terminated")
            ),
            "scale": scale,
            "width": tolerance,
            "residual": Rows.of(mdp).residual(found.values, table.discount) / scale,
            "seconds": time.process_time() - begun,
        }
    )


# --- the judge -----------------------------------------------------------------------------------------------------


class Worker:
    """A contestant's process, as the judge sees it."""

    def __init__(self, target: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=target, args=(other, *arguments), daemon=True)
        self.process.start()
        other.close()

    def answer(self, patience: float) -> Answer:
        """What it says next, or why it says nothing."""
        try:
            if self.pipe.poll(patience):
                return dict(self.pipe.recv())
            return {"failed": f"no answer in {patience:.0f} s"}
        except (EOFError, ConnectionError):
            self.process.join()
            return {"failed": f"its process ended with {self.process.exitcode}"}

    def solve(self, method: str, limit: float, scale: float) -> Answer:
        """One solve, of at most `limit` CPU seconds."""
        try:
            self.pipe.send((method, limit, scale))
        except OSError:
            return {"failed": "its process is gone"}
        return self.answer(8 * limit + 300)

    def close(self) -> None:
        """Ends the process."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)
        self.process.join(2)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()


def valid(entry: Answer) -> bool:
    return "seconds" in entry and entry["error"] <= MISSED


def contest(
    table: Table, names: list[str], rounds: int, time_limit: float, patience: float, folder: str
) -> Answer:
    """Everything about one table."""
    reference = os.path.join(folder, "reference.npy")
    closely = Worker(solve_closely, table.name, reference)
    facts = closely.answer(3600)
    closely.close()
    result: Answer = {"table": table.name, "discount": table.discount, "facts": facts, "contestants": {}}
    if "failed" in facts:
        return result
    print(
        f"\n{table.name}, discount {table.discount}: {facts['states']:,} states, {facts['outcomes']:,} outcomes, "
        f"{facts['bytes'] / 1e6:.0f} MB; reference within {facts['width']:.0e} "
        f"(residual bound {facts['residual']:.0e}), {facts['seconds']:.1f} s",
        flush=True,
    )
    workers: dict[str, Worker] = {}
    best: dict[str, Answer] = {}
    fastest = np.inf
    try:
        for name in names:
            entry: Answer = {"trials": {}}
            result["contestants"][name] = entry
            if name != OURS:
                form = FORMS[name]
                cells = facts["pairs"] * facts["states"]
                if name == "QuantEcon dense" and (cells > 1e8 or facts["outcomes"] < 0.02 * cells):
                    continue
                size = form.size(facts["states"], facts["pairs"], facts["outcomes"])
                if size > MOST_BYTES:
                    entry["failed"] = f"skipped: its form would take about {size / 1e9:.1f} GB"
                    show(name, entry)
                    continue
            worker = Worker(contestant, name, table.name, reference)
            hello = worker.answer(time_limit + 600)
            entry.update(hello)
            if "failed" in hello:
                worker.close()
                show(name, entry)
                continue
            workers[name] = worker
            own = np.inf
            for method in hello["methods"]:
                # A first method may show how far behind a peer is; the others only matter if they can lead.
                bound = patience * min(own, fastest) + 0.05 if entry["trials"] else 10.0 * fastest + 1.0
                limit = 3600.0 if name == OURS else min(time_limit, bound)
                trial = worker.solve(method, limit, facts["scale"])
                entry["trials"][method] = trial
                if valid(trial) and trial["seconds"] < own:
                    own = trial["seconds"]
                    best[name] = trial | {"method": method, "times": [own]}
            if name not in best:  # the most accurate of the wrong ones, if there is any
                wrong = [t | {"method": m} for m, t in entry["trials"].items() if "seconds" in t]
                if wrong:
                    entry["chosen"] = min(wrong, key=lambda t: float(t["error"]))
            elif name != OURS:
                fastest = min(fastest, own)
            if name not in best or (name != OURS and own > 3.0 * fastest):
                workers.pop(name).close()
        quick = all(best[name]["seconds"] < 0.1 for name in workers if name in best)
        for _ in range(rounds * (3 if quick else 1)):
            for name in workers:
                if name != OURS and best[name]["seconds"] > 3.0 * fastest:
                    continue
                if sum(best[name]["times"]) > time_limit:
                    continue
                again = workers[name].solve(best[name]["method"], 3600.0, facts["scale"])
                if "seconds" in again:
                    best[name]["times"].append(again["seconds"])
    finally:
        for worker in workers.values():
            worker.close()
    for name, entry in result["contestants"].items():
        if name in best:
            times = best[name]["times"]
            # The trial was the first of a kind; it counts only where there is nothing else.
            best[name]["seconds"] = statistics.median(times[1:] or times)
            entry["chosen"] = best[name]
    for name, entry in result["contestants"].items():
        if "failed" not in entry and (entry["trials"] or "chosen" in entry):
            show(name, entry)
    rivals = {n: b["seconds"] for n, b in best.items() if n != OURS}
    if rivals and OURS in best:
        result["best_peer"] = min(rivals, key=rivals.__getitem__)
        result["ratio"] = rivals[result["best_peer"]] / best[OURS]["seconds"]
        print(f"  ratio {result['ratio']:.2f} (best peer {result['best_peer']})", flush=True)
    return result


def show(name: str, entry: Answer) -> None:
    if "failed" in entry:
        print(f"  {name:16} {entry['failed']}", flush=True)
        return
    others = []
    chosen = entry.get("chosen")
    for method, trial in entry["trials"].items():
        if chosen and method == chosen["method"]:
            continue
        if "over" in trial:
            others.append(f"{method} > {trial['over']:.2g} s")
        elif "failed" in trial:
            others.append(f"{method} failed: {trial['failed'][:60]}")
        else:
            wrong = "" if valid(trial) else f" (error {trial['error']:.0e})"
            others.append(f"{method} {trial['seconds']:.3g} s{wrong}")
    if chosen:
        memory = (entry["form"] + chosen["peak"]) / 1e6
        print(
            f"  {name:16} {chosen['seconds']:9.4g} s  conversion {entry['conversion']:6.2f} s  {memory:7.0f} MB  "
            f"error {chosen['error']:.1e}  {chosen['note'] or chosen['method']}"
            + ("" if valid(chosen) else "  MISSED THE TOLERANCE"),
            flush=True,
        )
    else:
        print(f"  {name:16} no answer; conversion {entry['conversion']:.2f} s", flush=True)
    if others:
        print(f"  {'':16}   also tried: {'; '.join(others)}", flush=True)


def verdict(results: list[Answer]) -> None:
    ratios = {r["table"]: r["ratio"] for r in results if "ratio" in r}
    print("\nratio = best valid peer / ours")
    for result in results:
        if "ratio" in result:
            print(f"  {result['table']:30} {result['ratio']:7.2f}  {result['best_peer']}")
        else:
            why = result["facts"].get("failed", "no valid peer, or we failed")
            print(f"  {result['table']:30}       -  {why}")
    if not ratios:
        return
    slower = [name for name, ratio in ratios.items() if ratio < 1]
    print(
        f"min {min(ratios.values()):.2f}, median {statistics.median(ratios.values()):.2f}, "
        f"{len(slower)} of {len(ratios)} below 1{': ' + ', '.join(slower) if slower else ''}"
    )
    large = {r["table"] for r in results if r["facts"].get("outcomes", 0) >= 1e5}
    missed = [name for name, ratio in ratios.items() if name in large and ratio < 2]
    print(f"2x from 1e5 outcomes on: {'missed by ' + ', '.join(missed) if missed else 'kept by all'}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--tables", nargs="+", metavar="NAME", help="or the beginning of a name; default: all"
    )
    parser.add_argument("--peers", nargs="*", metavar="NAME", help=f"of {', '.join(FORMS)}; default: all")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument(
        "--time-limit", type=float, default=120.0, help="CPU seconds a solve of a peer may take"
    )
    parser.add_argument("--patience", type=float, default=1.5, help="times the fastest that a trial may take")
    parser.add_argument(
        "--peers-only", action="store_true", help="their times alone; ours still makes the reference"
    )
    options = parser.parse_args()
    wanted = options.tables or [t.name for t in TABLES]
    chosen = [t for t in TABLES if any(t.name.startswith(w) for w in wanted)]
    if not chosen:
        parser.error(f"no table {wanted}; there are {', '.join(t.name for t in TABLES)}")
    names = [
        n for n, f in FORMS.items() if options.peers is None or n in options.peers or f.peer in options.peers
    ]
    for package in sorted({FORMS[n].package for n in names if not FORMS[n].installed}):
        print(f"not installed: {package}  (pip install {package})")
    names = [n for n in names if FORMS[n].installed]
    print(
        f"bellglass from {os.path.dirname(bellglass.__file__)}, core {os.environ['BENCH_CORE']}, relative tolerance "
        f"{TOLERANCE:.0e}, CPU seconds; compiling and converting are not counted"
    )
    results = []
    with tempfile.TemporaryDirectory() as folder:
        for table in chosen:
            results.append(
                contest(
                    table,
                    names if options.peers_only else [*names, OURS],
                    options.rounds,
                    options.time_limit,
                    options.patience,
                    folder,
                )
            )
            if options.json:
                with open(options.json, "w") as file:
                    json.dump(results, file, indent=1)
    if not options.peers_only:
        verdict(results)


if __name__ == "__main__":
    main()
