"""`bellglass bench`: the checkout's benchmarks by name, with their own options and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.paths import ROOT

from bellglass.cli import bench as benchmarks
from bellglass.cli.bench import run_benchmark
from bellglass.cli.commands import main


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    script = [
        '"""Solves.',
        "",
        'More."""',
        "import sys",
        'if __name__ == "__main__":',
        "    sys.exit(len(sys.argv))",
    ]
    (tmp_path / "solvers.py").write_text("\n".join(script))
    (tmp_path / "peers.py").write_text('"""Only imported."""\n')
    return tmp_path


def test_bench_lists_what_can_be_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    folder = ROOT / "benchmarks"
    assert listed == sorted(path.stem for path in folder.glob("*.py") if "__main__" in path.read_text())


def test_only_scripts_count_and_the_first_line_tells(folder: Path) -> None:
    assert benchmarks.benchmarks(folder) == {"solvers": "Solves."}


def test_options_and_exit_code_are_the_benchmarks(folder: Path) -> None:
    assert run_benchmark("solvers", ["--rounds", "3"], folder) == 3


def test_a_benchmarks_failure_is_exit_code_one_and_its_refusal_two(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "vector", "--copies", "many"]) == 1
    assert "ValueError" in capfd.readouterr().err
    assert main(["bench", "vector", "--speed"]) == 2
    assert "--speed" in capfd.readouterr().err


def test_wrong_names_and_installations_without_benchmarks_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "vectr"]) == 2
    assert "did you mean 'vector'?" in capsys.readouterr().err
    with pytest.raises(ValueError, match="checkout of the repository"):
        run_benchmark("solvers", [], tmp_path)
