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
from multiprocessing.connection import wait
from pathlib import Path
from typing import Literal

from .records import FailedRun, RunSpec, Timing
from .run import run
from .store import Store

Outcome = Literal["finished", "failed", "busy"]

#: How a process tells its supervisor; every other exit code is a death.
EXIT_CODES: dict[Outcome, int] = {"finished": 0, "failed": 81, "busy": 82}


def work(store: Store, spec: RunSpec, *, attempt: int = 1) -> Outcome:
    """Does one run unless another process holds it or has finished it.

    "failed" means that the error lies in the store; "busy" that another process is at it.
    """
    with store.claim(spec) as ours:
        if not ours:
            return "busy"
        if store.is_sound(spec):
            return "finished"
        began, cpu_began = time.monotonic(), time.process_time()
        with store.begin(spec) as curve:
            try:
                result = run(spec, lambda point: store.append(curve, point))
            except Exception as error:
                store.fail(FailedRun(spec=spec, error=told(error), traceback=traceback.format_exc()))
                return "failed"
            timing = Timing(
                seconds=time.monotonic() - began,
                cpu_seconds=time.process_time() - cpu_began,
                host=platform.node(),
                attempts=attempt,
            )
            store.finish(curve, result, timing)
    return "finished"


def told(error: BaseException) -> str:
    """``ValueError: the message`` in one line."""
    message = " ".join(str(error).split())
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def process(folder: Path, spec: RunSpec, attempt: int, log: Path) -> None:
    """The body of the process: its output goes to `log`, and it dies with its supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to handle
    speak_to(log)
    threading.Thread(target=die_with_parent, daemon=True).start()
    outcome = work(Store.read(folder), spec, attempt=attempt)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(EXIT_CODES[outcome])  # nothing is left to do, and torch takes its time to say goodbye


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
