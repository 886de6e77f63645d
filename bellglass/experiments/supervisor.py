"""Runs a suite: one process a run, and whatever happens to it, the folder stays sound.

Runs that are finished and whole are skipped; failed, damaged and missing ones are done.  A process that dies
(killed, out of memory, a crash in a library) is tried again; an error of the agent's own is not, since the
same seed would raise it again.  Several supervisors, of several hosts, may share one folder: each run is
claimed by a lock that falls with its process.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess, SpawnContext, SpawnProcess
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import cast

from .cards import cards_for, write_cards
from .catalogue import agent_class
from .config import Suite
from .progress import Progress
from .records import FailedRun, RunSpec, Sweep
from .store import Store, check_folder_for
from .worker import EXIT_CODES, process

#: One thread a run: two runs share two cores better than two threads share one run, and bits stay the same.
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
}

#: Seconds between two looks at runs that another supervisor holds, and at the clock.
TICK = 0.25
LOOK_AGAIN = 1.0

#: How much of what a dead process printed goes into its failure.
LOG_TAIL = 4000


@dataclass
class Job:
    """A run to be done."""

    spec: RunSpec
    attempt: int = 1
    not_before: float = 0.0


@dataclass
class Running:
    """A run being done."""

    job: Job
    process: ForkServerProcess | SpawnProcess
    began: float
    log: Path


def run_suite(
    suite: Suite,
    output: str | PathLike[str],
    *,
    workers: int | None = None,
    progress: bool = True,
) -> Sweep:
    """Does every run of `suite` that `output` does not hold yet, and reads the whole back.

    Args:
        suite: from `read_suite` or `suite_from`.
        output: the results folder; made if nothing lies there, gone on with if it is this suite's.
        workers: processes at a time; by default one a core.
        progress: show a live table (a line now and then where there is no terminal) on standard error.

    Raises:
        FolderError: the folder is not ours to write to; nothing in it was touched.
        SuiteError: an environment has no exact answers in its criterion; no folder was made.
        KeyboardInterrupt: after Ctrl-C, with every process ended and the folder sound.
    """
    if workers is not None and workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    check_folder_for(Path(output), suite)
    cards = cards_for(suite, output)
    store = Store.open(output, suite)
    write_cards(store.folder, cards)
    planned = suite.plan()[0]
    todo = [spec for spec in planned if not store.is_sound(spec)]
    with Progress(planned, todo, shown=progress) as shown:
        Supervisor(store, suite, workers or os.cpu_count() or 1, shown).do(todo)
    return store.sweep()


class Supervisor:
    """Keeps `workers` processes busy until every run is finished or failed.

    Args:
        store: the open results folder.
        suite: what is run, for its limits.
        workers: processes at a time.
        progress: is told of everything that happens.
    """

    def __init__(self, store: Store, suite: Suite, workers: int, progress: Progress) -> None:
        self.store = store
        self.limits = suite.limits
        self.workers = workers
        self.progress = progress
        self.running: dict[int, Running] = {}
        self.waiting: deque[Job] = deque()
        self.context = context_for(suite)
        self.logs = store.folder / "logs"

    def do(self, todo: list[RunSpec]) -> None:
        """Does these runs; returns when each has ended, here or in another supervisor's hands."""
        self.waiting.extend(Job(spec) for spec in todo)
        if not todo:
            return
        self.logs.mkdir(exist_ok=True)
        try:
            with one_thread_each():
                while self.waiting or self.running:
                    self._start_some()
                    self._end_some()
        finally:
            self._stop_all()
            with contextlib.suppress(OSError):  # others may still write there, or want to read what is there
                self.logs.rmdir()

    def _start_some(self) -> None:
        now = time.monotonic()
        for _ in range(len(self.waiting)):
            if len(self.running) >= self.workers:
                return
            job = self.waiting.popleft()
            if job.not_before > now:
                self.waiting.append(job)
                continue
            log = self.logs / f"{job.spec.run_id}.{os.getpid()}.log"
            child = self.context.Process(
                target=process, args=(self.store.folder, job.spec, job.attempt, log), daemon=True
            )
            with without_main():
                child.start()
            self.running[child.sentinel] = Running(job, child, time.monotonic(), log)
            self.progress.started(job.spec)

    def _end_some(self) -> None:
        if self.running:
            for sentinel in wait(list(self.running), timeout=TICK):
                self._end(self.running.pop(cast(int, sentinel)))
        else:  # all that is left is in other hands
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
        job = running.job
        if code == EXIT_CODES["finished"]:
            self.progress.ended(job.spec, "finished", time.monotonic() - running.began)
        elif code == EXIT_CODES["failed"]:
            self.progress.ended(job.spec, "failed", time.monotonic() - running.began)
        elif code == EXIT_CODES["busy"]:
            self.waiting.append(Job(job.spec, job.attempt, time.monotonic() + LOOK_AGAIN))
            self.progress.ended(job.spec, "busy", 0.0)
        elif job.attempt <= self.limits.retries:
            self.waiting.append(Job(job.spec, job.attempt + 1))
            self.progress.ended(job.spec, "died", 0.0)
        else:
            self._fail(running, f"ProcessDied: {cause_of(code)}, {job.attempt} times in all")
            return
        running.log.unlink(missing_ok=True)

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
        running.log.unlink(missing_ok=True)
        self.progress.ended(spec, "failed", time.monotonic() - running.began)

    def _stop_all(self) -> None:
        for running in self.running.values():
            kill(running)
            running.log.unlink(missing_ok=True)
        self.running.clear()


def kill(running: Running) -> None:
    """Ends a process that will not be waited for; the store bears it."""
    running.process.kill()
    running.process.join()
    running.process.close()


def cause_of(code: int | None) -> str:
    """What an exit code says."""
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = str(-code)
        hint = " (often: out of memory)" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit code {code}"


def context_for(suite: Suite) -> ForkServerContext | SpawnContext:
    """How processes start: where the system can, forked from a server that has imported the agents."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    modules = {agent_class(agent.class_name).__module__ for agent in suite.agents}
    context.set_forkserver_preload(["bellglass.experiments.worker", *sorted(modules)])
    return context


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Processes that start meanwhile do not import the program that called us.

    `multiprocessing` does so for functions that are defined there; ours is not.  So a user's script needs no
    ``if __name__ == "__main__":``, and a run does not wait for the command line's imports.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextlib.contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes that start meanwhile use one thread for sums."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
