"""The job array for Slurm: what sbatch reads, and what its tasks do when a shell plays Slurm."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.sweeping import bytes_of, complete, small

from bellglass.experiments.results.store import load_sweep
from bellglass.experiments.running.slurm import write_array
from bellglass.experiments.running.sweep import run_suite


def test_the_script_says_what_sbatch_needs(tmp_path: Path) -> None:
    suite = small(seeds=3, limits={"megabytes": 1_000} if sys.platform.startswith("linux") else {})
    script = write_array(suite, tmp_path / "out")
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/bash"
    assert "#SBATCH --array=1-6" in lines  # one task a run
    assert f"#SBATCH --output={tmp_path}/out/slurm/%A_%a.log" in lines
    assert (tmp_path / "out" / "slurm").is_dir()  # Slurm makes no folders for its logs
    if sys.platform.startswith("linux"):
        assert "#SBATCH --mem=1500M" in lines
    assert "#SBATCH --array=1-2" in write_array(suite, tmp_path / "out", tasks=2).read_text()
    assert len(load_sweep(tmp_path / "out").missing) == 6


def test_sbatch_reads_a_per_cent_sign_as_one(tmp_path: Path) -> None:
    lines = write_array(small(), tmp_path / "a%b").read_text().splitlines()
    assert f"#SBATCH --output={tmp_path}/a%%b/slurm/%A_%a.log" in lines
    assert lines[-1].endswith(f"--output {tmp_path}/a%b --workers 1")


@pytest.mark.slow
def test_two_tasks_at_once_do_the_whole_sweep(tmp_path: Path) -> None:
    script = write_array(small(), tmp_path / "out")
    path = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    tasks = [
        subprocess.Popen(["bash", str(script)], env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    said = [task.communicate(timeout=120)[0].decode() for task in tasks]
    assert [task.returncode for task in tasks] == [0, 0]
    assert all("4 finished + 0 failed + 0 missing = 4 planned runs" in text for text in said)
    assert complete(load_sweep(tmp_path / "out"))
    run_suite(small(), tmp_path / "here", workers=1, progress=False)
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "here")


def test_what_sbatch_cannot_read_is_refused_before_a_folder_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="takes no blanks in the path"):
        write_array(small(), tmp_path / "my results")
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        write_array(small(), tmp_path / "out", tasks=0)
    assert list(tmp_path.iterdir()) == []
