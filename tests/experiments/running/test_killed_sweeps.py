"""kill -9 at any moment, torn files, flipped bits: nothing lost, nothing doubled, the same bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from helpers.sweeping import (
    bytes_of,
    complete,
    killed_sweep,
    sixty_runs,
    small,
    sweep_command,
    tear_one_and_flip_a_bit_of_another,
)

from bellglass.experiments.results.store import find_damage, load_sweep
from bellglass.experiments.running.soundness import examine_folder
from bellglass.experiments.running.sweep import run_suite

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc to find the processes"
)


def test_killed_sweeps_end_like_one_that_was_not(tmp_path: Path) -> None:
    suite = small(seeds=6)
    assert complete(run_suite(suite, tmp_path / "calm", workers=1, progress=False))
    folder = killed_sweep(tmp_path, suite, kills=2, seed=1)
    assert subprocess.run(sweep_command(suite, folder), timeout=300, check=False).returncode == 0
    assert complete(load_sweep(folder))
    assert bytes_of(folder) == bytes_of(tmp_path / "calm")
    assert not list(folder.rglob("*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_sixty_runs_killed_ten_times_with_a_torn_and_a_flipped_file(tmp_path: Path, seed: int) -> None:
    suite = sixty_runs()
    calm = tmp_path / "calm"
    assert complete(run_suite(suite, calm, workers=2, progress=False))
    folder = killed_sweep(tmp_path, suite, kills=10, seed=seed)
    tear_one_and_flip_a_bit_of_another(folder)
    assert len(find_damage(folder)[1]) == 2
    assert subprocess.run(sweep_command(suite, folder), timeout=300, check=False).returncode == 0
    sweep = load_sweep(folder)
    assert complete(sweep)
    assert len(sweep.finished) == len(list((folder / "runs").iterdir())) == 60
    assert bytes_of(folder) == bytes_of(calm)
    assert examine_folder(folder, again=3)
