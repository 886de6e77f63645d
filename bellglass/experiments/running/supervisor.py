"""Runs a suite: one process a run, and whatever happens to it, the folder stays sound.

Runs that are finished and whole are skipped; failed, damaged and missing ones are done.  A process that dies
(killed, out of memory, a crash in a library) is tried again; an error of the agent's own is not, since the
same seed would raise it again.  Several supervisors, of several hosts, may share one folder: each run is
claimed by a lock that falls with its process.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess, SpawnProcess
from pathlib import Path
from typing import cast

from ..records import AgentSpec, FailedRun, RunSpec
from ..results.store import FolderError, Store
from ..suite.schema import Limits
from .processes import cause_of, context_for, one_thread_each, without_main
from .sweep_progress import Watcher
from .worker import Ending, Job, process

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
