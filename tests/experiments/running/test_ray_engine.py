"""Ray as the engine: the same bytes, whatever dies; and nobody gets in without the token."""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from helpers.sweeping import (
    SWIM,
    bytes_of,
    complete,
    descendants,
    ray_workers,
    sixty_runs,
    small,
    sweep_command,
    tear_one_and_flip_a_bit_of_another,
    trouble_in,
    wait_for_more_runs,
)

from bellglass.experiments.results.store import load_sweep
from bellglass.experiments.running.sweep import run_suite

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="needs the extra 'ray': pip install 'bellglass[ray]'"
)
needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="needs /proc to find the processes"
)

#: The command line, where no Ray can be imported.
WITHOUT_RAY = (
    "import sys; sys.modules['ray'] = None; from bellglass.cli import main; sys.exit(main(sys.argv[1:]))"
)


def run_with_ray(tmp_path: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`bellglass run suite.toml --engine ray` in `tmp_path`."""
    path = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    return subprocess.run(
        [sys.executable, "-m", "bellglass", "run", "suite.toml", "--engine", "ray", "--output", "out", *more],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_without_ray_one_line_tells_the_extra_and_no_folder_is_made(tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(small().text)
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_RAY, "run", "suite.toml", "--engine", "ray", "--output", "out"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "bellglass: --engine ray needs the extra 'ray': pip install 'bellglass[ray]'\n"
    assert not (tmp_path / "out").exists()


@needs_ray
def test_where_nobody_answers_one_line_tells_it_and_no_folder_is_made(tmp_path: Path) -> None:
    (tmp_path / "suite.toml").write_text(small().text)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run_with_ray(tmp_path, RAY_ADDRESS=address)
    assert done.returncode == 2
    assert done.stderr.startswith(f"bellglass: RAY_ADDRESS={address}: nobody answers there: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@needs_ray
@pytest.mark.slow
def test_one_process_two_processes_and_ray_write_the_same_bytes_and_failures_are_kept(tmp_path: Path) -> None:
    trouble_in(tmp_path)
    suite = small(seeds=3)
    for workers in (1, 2):
        assert complete(run_suite(suite, tmp_path / str(workers), workers=workers, progress=False))
    agents = '[[agents]]\nclass = "QLearning"\n[[agents]]\nclass = "trouble:Raises"\n'
    text = suite.text.replace('[[agents]]\nclass = "QLearning"\n', agents)
    assert text != suite.text
    (tmp_path / "suite.toml").write_text(text + "[limits]\nseconds = 50.0\n")
    done = run_with_ray(tmp_path, "--workers", "2")
    assert done.returncode == 1
    assert "6 finished + 6 failed + 0 missing = 12 planned runs" in done.stdout
    assert bytes_of(tmp_path / "1") == bytes_of(tmp_path / "2")
    right = bytes_of(tmp_path / "1")
    ours = bytes_of(tmp_path / "out")
    assert {name: ours[name] for name in right} == right
    failed = load_sweep(tmp_path / "out").failed
    assert {failure.error for failure in failed} == {"ArithmeticError: no luck"}
    assert all("in learn" in failure.traceback for failure in failed)


@needs_ray
@needs_proc
@pytest.mark.slow
def test_sixty_runs_with_a_worker_a_run_and_the_driver_killed_and_files_damaged(tmp_path: Path) -> None:
    """Ray starts the killed worker's task again; after the driver's end a rerun goes on, beside what still dies."""
    chance = random.Random(4)
    suite = sixty_runs()
    assert complete(run_suite(suite, tmp_path / "calm", workers=2, progress=False))
    folder = tmp_path / "killed"
    command = sweep_command(suite, folder, "ray")
    sweep = subprocess.Popen(command)
    for kind in ("worker", "run", "driver"):
        wait_for_more_runs(folder, sweep, seconds=300.0)  # Ray takes its time on a busy machine
        time.sleep(chance.uniform(0.0, 0.5))
        workers = ray_workers(sweep.pid)
        while not workers:
            workers = ray_workers(sweep.pid)
        below = [child for worker in workers for child in descendants(worker)]
        victim = {"worker": chance.choice(workers), "run": max(below), "driver": sweep.pid}[kind]
        assert sweep.poll() is None, "it was done before it could be killed"
        os.kill(victim, signal.SIGKILL)
    sweep.wait()
    tear_one_and_flip_a_bit_of_another(folder)
    assert subprocess.run(command, timeout=400, check=False).returncode == 0
    done = load_sweep(folder)
    assert complete(done)
    assert len(done.finished) == len(list((folder / "runs").iterdir())) == 60
    assert bytes_of(folder) == bytes_of(tmp_path / "calm")


@needs_ray
@needs_proc
@pytest.mark.slow
def test_one_killed_worker_is_no_matter(tmp_path: Path) -> None:
    suite = sixty_runs()
    assert complete(run_suite(suite, tmp_path / "calm", workers=2, progress=False))
    folder = tmp_path / "killed"
    sweep = subprocess.Popen(sweep_command(suite, folder, "ray"))
    wait_for_more_runs(folder, sweep)
    workers = ray_workers(sweep.pid)
    while not workers:
        workers = ray_workers(sweep.pid)
    os.kill(workers[0], signal.SIGKILL)
    assert sweep.wait(timeout=300) == 0
    assert complete(load_sweep(folder))
    assert bytes_of(folder) == bytes_of(tmp_path / "calm")


@needs_ray
@pytest.mark.slow
def test_a_cluster_with_a_token_takes_ours_and_no_other(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    right = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "a" * 48}
    ray = [sys.executable, "-c", "from ray.scripts.scripts import main; main()"]
    head = subprocess.Popen(
        [*ray, "start", "--head", "--block", f"--port={port}", "--num-cpus=2", "--include-dashboard=false"],
        env=os.environ | right | {"RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
                break
            except OSError:
                time.sleep(0.5)
        (tmp_path / "suite.toml").write_text(small(seeds=1, environments=[SWIM]).text)
        address = f"127.0.0.1:{port}"
        wrong = run_with_ray(tmp_path, RAY_ADDRESS=address, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="b" * 48)
        assert wrong.returncode == 2
        assert "is RAY_AUTH_TOKEN the cluster's token?" in wrong.stderr.splitlines()[-1]
        assert not bytes_of(tmp_path / "out")
        taken = run_with_ray(tmp_path, RAY_ADDRESS=address, **right)
        assert taken.returncode == 0, taken.stderr
        assert complete(load_sweep(tmp_path / "out"))
    finally:
        head.terminate()
        head.wait(timeout=60)
