"""Hands the runs of a suite to a Ray cluster: workers write to the store and return ids.

A task is a supervisor of one run, the same that works without Ray; so a run has a process of its own, its
limits and its claim there too, and its bytes are the same.  Ray starts a task again whose worker or machine has
died.  All machines must see the results folder under one path.

Tokens: Ray runs whatever code it is sent, so nobody should be able to send it any.  `RAY_AUTH_MODE=token` is set
unless the environment says otherwise.  A cluster of our own lives as long as the sweep and gets a random token
that is never written down; the token of a cluster that RAY_ADDRESS names is the user's to give (RAY_AUTH_TOKEN,
RAY_AUTH_TOKEN_PATH or Ray's own file).
"""

from __future__ import annotations

import os
import platform
import secrets
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ...extras import missing_extra
from ..records import AgentSpec, FailedRun, RunSpec
from ..results.store import FolderError, Store
from ..suite.schema import Limits
from ..suite_errors import error_message
from .supervisor import Supervisor
from .sweep_progress import Ended, Watcher

#: Read by Ray when it is first imported.
SETTINGS = {
    "RAY_AUTH_MODE": "token",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

#: Seconds between two looks at the clock.
TICK = 0.5

#: Bytes of shared memory for what tasks return: ids, so the least that Ray takes.
OBJECT_STORE = 80 * 2**20


class EngineError(ValueError):
    """A cluster that cannot be used, and why, in one line."""


def ray_library() -> Any:
    """Ray itself, imported late: few want it.

    Raises:
        ImportError: it is not installed; names the extra.
    """
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise missing_extra("--engine ray", error) from error
    return ray


class Unwatched:
    """A watcher that looks away: the driver tells what happens."""

    def started(self, spec: RunSpec) -> None:
        """Nothing."""

    def ended(self, spec: RunSpec, how: Ended, seconds: float) -> None:
        """Nothing."""

    def tick(self) -> None:
        """Nothing."""


def do_one(
    folder: Path, spec: RunSpec, limits: Limits, agents: Sequence[AgentSpec], search_path: Sequence[str]
) -> str:
    """The task: does one run into the store, and returns its id.

    Args:
        folder: the results folder, by its absolute path.
        spec: the run.
        limits: what it may use.
        agents: those of the suite; their modules are imported once a worker.
        search_path: where the driver finds modules, for agents of the user's own.
    """
    sys.path.extend(place for place in search_path if place not in sys.path)
    try:
        store = Store.read(folder)
    except FolderError as error:
        raise FolderError(
            f"{error}, as {platform.node()} sees it: machines of a cluster must share the results folder"
        ) from None
    Supervisor(store, limits, agents, workers=1, progress=Unwatched()).do([spec])
    return spec.run_id


class RayCluster:
    """The cluster that RAY_ADDRESS names, the one that the program is in already, or one of our own.

    Args:
        workers: runs at a time; by default as many as the cluster has processors.
    """

    def __init__(self, workers: int | None) -> None:
        self.workers = workers
        self._ray = ray_library()
        self._ours = not self._ray.is_initialized()

    def __enter__(self) -> Self:
        """Connects.

        Raises:
            EngineError: there is no such cluster, or it refuses our token.
        """
        if not self._ours:
            return self
        ray, address = self._ray, os.environ.get("RAY_ADDRESS")
        try:
            if address:
                ray.init(address=address, log_to_driver=False, logging_level="ERROR")
            else:
                start_here(ray, self.workers)
        except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
            where = f"RAY_ADDRESS={address}" if address else "Ray on this machine"
            hint = " (is RAY_AUTH_TOKEN the cluster's token?)" if address else ""
            raise EngineError(f"{where}: {error_message(error)}{hint}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ours:
            self._ray.shutdown()

    def slots(self) -> int:
        """How many runs may be on their way now; clusters grow and shrink."""
        there = int(self._ray.cluster_resources().get("CPU", 1))
        return max(1, min(there, self.workers or there))

    def do(
        self,
        todo: Sequence[RunSpec],
        store: Store,
        limits: Limits,
        agents: Sequence[AgentSpec],
        progress: Watcher,
    ) -> None:
        """Does these runs; returns when each is finished or failed.

        Raises:
            FolderError: the folder takes no more, or some machine does not see it.
            EngineError: a machine of the cluster cannot run bellglass.
        """
        ray = self._ray
        task = ray.remote(num_cpus=1, max_retries=limits.retries)(do_one)
        shared = (store.folder.resolve(), limits, tuple(agents), tuple(sys.path))
        waiting = deque(todo)
        running: dict[Any, tuple[RunSpec, float]] = {}
        try:
            while waiting or running:
                for _ in range(min(len(waiting), self.slots() - len(running))):
                    spec = waiting.popleft()
                    running[task.remote(shared[0], spec, *shared[1:])] = spec, time.monotonic()
                    progress.started(spec)
                ended, _ = ray.wait(list(running), timeout=TICK)
                for reference in ended:
                    spec, began = running.pop(reference)
                    how = outcome_of(ray, reference, spec, store)
                    progress.ended(spec, how, time.monotonic() - began)
                progress.tick()
        finally:
            for reference in running:
                ray.cancel(reference, force=True)


def check_that_somebody_answers() -> None:
    """Looks whether anything listens at RAY_ADDRESS, since Ray itself takes minutes to give up.

    Raises:
        EngineError: nothing does.
        ImportError: Ray is not installed.
    """
    ray_library()
    address = os.environ.get("RAY_ADDRESS", "")
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if host and port.isdigit():
        try:
            socket.create_connection((host, int(port)), timeout=10.0).close()
        except (OSError, OverflowError) as error:
            raise EngineError(
                f"RAY_ADDRESS={address}: nobody answers there: {error_message(error)}"
            ) from None


def start_here(ray: Any, workers: int | None) -> None:
    """A cluster of our own, with a token that nobody else has."""
    if not os.environ.get("RAY_AUTH_TOKEN") and not os.environ.get("RAY_AUTH_TOKEN_PATH"):
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    ray.init(
        address="local",
        num_cpus=workers,
        object_store_memory=OBJECT_STORE,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="ERROR",
    )


def outcome_of(ray: Any, reference: Any, spec: RunSpec, store: Store) -> Ended:
    """What has become of a run whose task has ended.

    Raises:
        FolderError, EngineError: as `RayCluster.do`.
    """
    try:
        ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, FolderError):
            raise FolderError(str(error.cause)) from None
        raise EngineError(f"a worker could not run bellglass: {error_message(error.cause)}") from error
    except ray.exceptions.RayError as error:  # every retry has lost its worker or its machine
        with store.claim(spec) as ours:
            if ours and not store.is_sound(spec):
                said = f"ProcessDied: {type(error).__name__}: {error_message(error)}"
                store.fail(FailedRun(spec=spec, error=said, traceback=said))
    return "finished" if store.is_sound(spec) else "failed"
