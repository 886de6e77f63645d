"""Runs a whole suite into a folder: on this machine, or on a Ray cluster."""

from __future__ import annotations

import os
import sys
from os import PathLike
from pathlib import Path
from typing import Literal, get_args

from ..cards.making import cards_for, write_cards
from ..records import Sweep
from ..results.store import FolderError, Store, check_folder_for, writable
from ..suite.schema import Limits, Suite
from ..suite_errors import unknown
from .ray_engine import RayCluster, check_that_somebody_answers
from .supervisor import Supervisor
from .sweep_progress import Progress

#: Where processes run: on this machine, or wherever a Ray cluster has room.
Engine = Literal["local", "ray"]


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
        check_that_somebody_answers()  # says at once if Ray is missing
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
