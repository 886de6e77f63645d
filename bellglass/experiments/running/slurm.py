"""A job array for Slurm: every task is one more supervisor on the same folder, and claims share the runs out."""

from __future__ import annotations

import os
import re
import shlex
import sys
from os import PathLike
from pathlib import Path

from ..results.store import writable, write_whole
from ..suite.schema import Suite
from .sweep import check_ways, prepared_store

#: Tasks of the array unless asked otherwise, and no more than there are runs.
MOST_TASKS = 100

SCRIPT = """\
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array=1-{tasks}
#SBATCH --cpus-per-task=1{memory}
#SBATCH --output={logs}/%A_%a.log
# Written by bellglass.  Give --partition, --time and the like to sbatch, or add them here.
# Tasks may start, end, be killed or be sent again at any moment and in any number.
cd {here} || exit
exec {python} -m bellglass run {folder}/suite.toml --output {folder} --workers 1
"""


def write_array(suite: Suite, output: str | PathLike[str], *, tasks: int | None = None) -> Path:
    """Prepares the results folder and writes ``slurm.sh`` into it, to be handed to ``sbatch``.

    Args:
        suite: what is run.
        output: the results folder, on storage that all machines share.
        tasks: of the array; by default one a run, at most 100.

    Raises:
        FolderError, SuiteError: as `run_suite`.
        ValueError: fewer than one task, or a path that sbatch cannot read.
    """
    check_ways(tasks, "local", suite.limits)
    folder = Path(output).resolve()
    if re.search(r"\s", str(folder)):
        raise ValueError(f"{folder}: sbatch takes no blanks in the path of its logs; choose another folder")
    store = prepared_store(suite, folder)
    limit = suite.limits.megabytes
    text = SCRIPT.format(
        name=re.sub(r"[^A-Za-z0-9_.-]+", "-", suite.name),
        tasks=min(tasks or MOST_TASKS, len(suite.plan()[0])),
        memory="" if limit is None else f"\n#SBATCH --mem={limit + 500}M",  # and what libraries take
        folder=shlex.quote(str(folder)),
        logs=shlex.quote(str(folder / "slurm")).replace("%", "%%"),  # as sbatch reads it
        here=shlex.quote(os.getcwd()),
        python=shlex.quote(sys.executable),
    )
    with writable(store.folder):
        (folder / "slurm").mkdir(exist_ok=True)
        write_whole(folder / "slurm.sh", text)
    return folder / "slurm.sh"
