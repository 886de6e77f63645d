"""How the processes of runs start and end: forked from a server, one thread each, without the caller's program."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.context import ForkServerContext, SpawnContext
from types import ModuleType

from ..records import AgentSpec
from ..suite.catalogue import agent_class

#: One thread a run: two runs share two cores better than two threads share one run, and bits stay the same.
ONE_THREAD = {
    name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
}


def context_for(agents: Sequence[AgentSpec]) -> ForkServerContext | SpawnContext:
    """How processes start: where the system can, forked from a server that has imported the agents."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    modules = {agent_class(agent.class_name).__module__ for agent in agents}
    context.set_forkserver_preload(["bellglass.experiments.running.worker", *sorted(modules)])
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
