"""What a process of its own does for one run: claim it, do it, and leave it finished or failed on disk."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import platform
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Literal, NamedTuple

from ..records import FailedRun, RunSpec, Timing
from ..results.store import FolderError, Store
from ..suite_errors import error_text
from .run import run


@dataclass(frozen=True)
class Job:
    """A run to be done: for the how-manieth time, with how much memory."""

    spec: RunSpec
    attempt: int = 1
    megabytes: int | None = None


#: What became of a run: done here; done already, by another process; an error, which lies in the store; held by
#: another process; or not to be written down, because the folder takes no more.
Outcome = Literal["finished", "known", "failed", "busy", "unwritable"]


class Ending(NamedTuple):
    """What a process tells its supervisor at its end; one that tells nothing has died."""

    outcome: Outcome
    reason: str = ""


def work(store: Store, spec: RunSpec, *, attempt: int = 1) -> Outcome:
    """Does one run unless another process holds it or has finished it.

    Raises:
        FolderError: the folder cannot be written to; the run counts as missing.
    """
    with store.claim(spec) as ours:
        if not ours:
            return "busy"
        if store.is_sound(spec):
            return "known"
        began, cpu_began = time.monotonic(), time.process_time()
        with store.begin(spec) as curve:
            try:
                result = run(spec, lambda point: store.append(curve, point))
            except FolderError:
                raise
            except Exception as error:
                store.fail(FailedRun(spec=spec, error=error_text(error), traceback=traceback.format_exc()))
                return "failed"
            timing = Timing(
                seconds=time.monotonic() - began,
                cpu_seconds=time.process_time() - cpu_began,
                host=platform.node(),
                attempts=attempt,
            )
            store.finish(curve, result, timing)
    return "finished"


def process(job: Job, folder: Path, log: Path, tell: Connection) -> None:
    """The body of the process: its output goes to `log`, its end to `tell`, and it dies with its supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to handle
    speak_to(log)
    threading.Thread(target=die_with_parent, daemon=True).start()
    take_at_most(job.megabytes)
    try:
        ending = Ending(work(Store.read(folder), job.spec, attempt=job.attempt))
    except FolderError as error:
        ending = Ending("unwritable", str(error))
    tell.send(ending)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # nothing is left to do, and torch takes its time to say goodbye


def take_at_most(megabytes: int | None) -> None:
    """Makes this process raise MemoryError where it would take more memory of its own than that.

    RLIMIT_DATA counts private pages that can be written, and no code or files that are mapped; so torch's
    libraries do not count, and what agents, tables and replay buffers take does.
    """
    if megabytes is not None:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * 10**6, hard))


def speak_to(log: Path) -> None:
    """Sends what this process and its libraries print to a file, away from the table of progress."""
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(handle, stream)
    os.close(handle)
    faulthandler.enable()


def die_with_parent() -> None:
    """Ends this process when the supervisor has ended, however that happened."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
