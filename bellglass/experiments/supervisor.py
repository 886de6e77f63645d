"""Runs a suite: one process a run, and whatever happens to it, the folder stays sound.

Runs that are finished and whole are skipped; failed, damaged and missing ones are done.  A process that dies
(killed, out of memory, a crash in a library) is tried again; an error of the agent's own is not, since the
same seed would raise it again.  Several supervisors, of several hosts, may share one folder: each run is
claimed by a lock that falls with its process.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess, SpawnProcess
from os import PathLike
from pathlib import Path
from typing import Literal, cast, get_args

from .cards import cards_for, write_cards
from .config import Limits, Suite
from .mistakes import unknown
from .processes import cause_of, context_for, one_thread_each, without_main
from .progress import Progress, Watcher
from .records import AgentSpec, FailedRun, RunSpec, Sweep
from .store import FolderError, Store, check_folder_for, writable
from .worker import Ending, Job, process

#: Where processes run: on this machine, or wherever a Ray cluster has room.
Engine = Literal["local", "ray"]

#: Seconds between two looks at runs that another supervisor holds, and at the clock.
TICK = 0.25
LOOK_AGAIN = 1.0

#: How much of what a dead process printed goes into its failure.
LOG_TAIL = 4000


@dataclass
class Waiting:
    """A run to be done, but not before the clock says so."""

    job: Job
    not_before: float = 0.0


@dataclass
class Running:
    """A run being done."""

    job: Job
    process: ForkServerProcess | SpawnProcess
    ending: Connection
    began: float
    log: Path


def run_suite(
    suite: Suite,
    output: str | PathLike[str],
    *,
    workers: int | None = None,
    engine: Engine = "local",
    progress: bool = True,
) -> Sweep:
    """Does every run of `suite` that `output` does not hold yet, and reads the whole back.

    Args:
        suite: from `read_suite` or `suite_from`.
        output: the results folder; made if nothing lies there, gone on with if it is this suite's.
        workers: runs at a time; by default one a core (of the cluster, with Ray).
        engine: "local" starts processes here; "ray" hands the runs to a Ray cluster: the one that RAY_ADDRESS names,
            else one of its own on this machine.
        progress: show a live table (a line now and then where there is no terminal) on standard error.

    Raises:
        FolderError: the folder is not ours to write to, and nothing in it was touched; or it took no more (a full
            disk), and what is finished stays.
        SuiteError: an environment has no exact answers in its criterion; no folder was made.
        EngineError: the cluster cannot be reached or refuses us.
        ImportError: Ray is not installed.
        KeyboardInterrupt: after Ctrl-C, with every process ended and the folder sound.
    """
    check_ways(workers, engine, suite.limits)
    if engine == "ray":
        from .ray_engine import RayCluster, check_that_somebody_answers  # says at once if Ray is missing

        check_that_somebody_answers()
    store = prepared_store(suite, output)
    planned = suite.plan()[0]
    todo = [spec for spec in planned if not store.is_sound(spec)]
    try:
        with Progress(planned, todo, shown=progress) as shown:
            if engine == "ray" and todo:
                with RayCluster(workers) as cluster:
                    cluster.do(todo, store, suite.limits, suite.agents, shown)
            else:
                Supervisor(store, suite.limits, suite.agents, workers or os.cpu_count() or 1, shown).do(todo)
    except FolderError as error:
        kept = sum(store.is_sound(spec) for spec in planned)
        raise FolderError(
            f"{error}; {kept} of {len(planned)} runs are finished and kept, and the same command goes on from there"
        ) from None
    return store.sweep()


def prepared_store(suite: Suite, output: str | PathLike[str]) -> Store:
    """The results folder of a suite, with its cards, ready for runs.

    Raises:
        FolderError, SuiteError: as `run_suite`.
    """
    check_folder_for(Path(output), suite)
    cards = cards_for(suite, output)
    store = Store.open(output, suite)
    with writable(store.folder):
        write_cards(store.folder, cards)
    return store


def check_ways(workers: int | None, engine: str, limits: Limits) -> None:
    """Refuses what cannot be done, before anything is.

    Raises:
        ValueError: no workers, no such engine, or a limit that this system does not know.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    if engine not in get_args(Engine):
        raise ValueError(f"engine {engine!r}: {unknown('engine', engine, get_args(Engine))}")
    if limits.megabytes is not None and not sys.platform.startswith("linux"):
        raise ValueError(f"limits.megabytes: only Linux can hold a process to it, and this is {sys.platform}")


class Supervisor:
    """Keeps `workers` processes busy until every run is finished or failed.

    Args:
        store: the open results folder.
        limits: what a run may use.
        agents: those that play; their modules are imported once for all processes.
        workers: processes at a time.
        progress: is told of everything that happens.
    """

    def __init__(
        self, store: Store, limits: Limits, agents: Sequence[AgentSpec], workers: int, progress: Watcher
    ) -> None:
        self.store = store
        self.limits = limits
        self.workers = workers
        self.progress = progress
        self.running: dict[int, Running] = {}
        self.waiting: deque[Waiting] = deque()
        self.context = context_for(agents)

    def do(self, todo: Sequence[RunSpec]) -> None:
        """Does these runs; returns when each has ended, here or in another supervisor's hands.

        Raises:
            FolderError: the folder takes no more.
        """
        self.waiting.extend(Waiting(Job(spec, megabytes=self.limits.megabytes)) for spec in todo)
        with tempfile.TemporaryDirectory(prefix="bellglass-") as logs:
            try:
                with one_thread_each():
                    while self.waiting or self.running:
                        self._start_some(Path(logs))
                        self._end_some()
            finally:
                self._stop_all()

    def _start_some(self, logs: Path) -> None:
        now = time.monotonic()
        for _ in range(len(self.waiting)):
            if len(self.running) >= self.workers:
                return
            next_one = self.waiting.popleft()
            if next_one.not_before > now:
                self.waiting.append(next_one)
            elif self.store.is_claimed(next_one.job.spec):
                self.waiting.append(Waiting(next_one.job, now + LOOK_AGAIN))
            elif self.store.is_sound(next_one.job.spec):  # another supervisor was here
                self.progress.started(next_one.job.spec)
                self.progress.ended(next_one.job.spec, "known", 0.0)
            else:
                self._start(next_one.job, logs)

    def _start(self, job: Job, logs: Path) -> None:
        log = logs / f"{job.spec.run_id}.{job.attempt}.log"
        ending, tell = self.context.Pipe(duplex=False)
        child = self.context.Process(target=process, args=(job, self.store.folder, log, tell), daemon=True)
        began = time.monotonic()
        with without_main():
            child.start()
        tell.close()
        self.running[child.sentinel] = Running(job, child, ending, began, log)
        self.progress.started(job.spec)

    def _end_some(self) -> None:
        if self.running:
            for sentinel in wait(list(self.running), timeout=TICK):
                self._end(self.running.pop(cast(int, sentinel)))
        elif self.waiting:  # all that is left is in other hands
            time.sleep(TICK)
        if self.limits.seconds is not None:
            for sentinel, running in list(self.running.items()):
                if time.monotonic() - running.began > self.limits.seconds:
                    del self.running[sentinel]
                    kill(running)
                    self._fail(running, f"TimeoutError: took longer than {self.limits.seconds:g} seconds")
        self.progress.tick()

    def _end(self, running: Running) -> None:
        """One process has ended, in one way or another."""
        running.process.join()
        code = running.process.exitcode
        running.process.close()
        ending = ending_of(running)
        job = running.job
        if ending is None and job.attempt > self.limits.retries:
            self._fail(running, f"ProcessDied: {cause_of(code)}, {job.attempt} times in all")
        elif ending is None:
            self.waiting.append(Waiting(replace(job, attempt=job.attempt + 1)))
            self.progress.ended(job.spec, "died", 0.0)
        elif ending.outcome == "unwritable":
            raise FolderError(ending.reason)
        else:
            if ending.outcome == "busy":
                self.waiting.append(Waiting(job, time.monotonic() + LOOK_AGAIN))
            self.progress.ended(job.spec, ending.outcome, time.monotonic() - running.began)

    def _fail(self, running: Running, error: str) -> None:
        """Writes down a failure that the process could not write down itself."""
        spec = running.job.spec
        try:
            said = running.log.read_bytes()[-LOG_TAIL:].decode(errors="replace")
        except OSError:
            said = ""
        with self.store.claim(spec) as ours:
            if ours and not self.store.is_sound(spec):
                self.store.fail(
                    FailedRun(spec=spec, error=error, traceback=f"{said.rstrip()}\n{error}".lstrip())
                )
        self.progress.ended(spec, "failed", time.monotonic() - running.began)

    def _stop_all(self) -> None:
        for running in self.running.values():
            kill(running)
        self.running.clear()


def ending_of(running: Running) -> Ending | None:
    """What an ended process has told; None if it died before."""
    with contextlib.closing(running.ending) as ending:
        try:
            return cast(Ending, ending.recv()) if ending.poll() else None
        except (EOFError, OSError):
            return None


def kill(running: Running) -> None:
    """Ends a process that will not be waited for; the store bears it."""
    running.process.kill()
    running.process.join()
    running.process.close()
    running.ending.close()
