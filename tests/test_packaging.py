"""What users install is what git holds: the wheel, made from the sdist, file by file."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from helpers.paths import ROOT


def tracked() -> list[str]:
    """The files git holds, or a skip where this is no checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("build")
    copy = folder / "copy"
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / name
        if source.is_symlink():
            (copy / name).symlink_to(source.readlink())
        else:
            (copy / name).write_bytes(source.read_bytes())
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder / "dist"), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "dist"


def test_the_wheel_holds_the_package_as_git_does_and_nothing_else(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == {name for name in tracked() if name.startswith("bellglass/")}


def test_the_sdist_can_be_tested(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {name for name in tracked() if name.startswith(("bellglass/", "tests/"))}
    beside = {"Makefile", "constraints.txt", "CHANGELOG.md", "README.md", "LICENSE", "conftest.py"}
    assert wanted | beside <= names


def in_venv(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the venv `folder`, from outside the checkout."""
    program = folder / "bin" / arguments[0]
    return subprocess.run(
        [str(program), *arguments[1:]], cwd=folder, capture_output=True, text=True, timeout=1200, check=False
    )


@pytest.fixture
def empty_venv(tmp_path: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    return tmp_path / "venv"


def install(venv: Path, what: str) -> None:
    done = in_venv(venv, "python", "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), what)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_without_the_extra_deep_the_exact_half_works(built: Path, empty_venv: Path) -> None:
    (wheel,) = built.glob("*.whl")
    install(empty_venv, str(wheel))
    solved = in_venv(empty_venv, "bellglass", "solve", "bellglass/FrozenLake-v0", "--discount", "0.99")
    assert solved.returncode == 0, solved.stderr
    assert "0.542" in solved.stdout
    asked = in_venv(empty_venv, "python", "-c", "from bellglass.agents import DQN")
    assert asked.returncode == 1
    assert "pip install 'bellglass[deep]'" in asked.stderr


@pytest.mark.slow
def test_with_the_extra_deep_the_quick_demo_runs(built: Path, empty_venv: Path) -> None:
    (wheel,) = built.glob("*.whl")
    install(empty_venv, f"bellglass[deep] @ {wheel.as_uri()}")
    done = in_venv(empty_venv, "bellglass", "demo", "--quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (empty_venv / "bellglass-results" / "quick" / "report.html").stat().st_size > 10_000
