"""README's "Add an environment" and "Add an agent", typed in word for word in a copy of the tree, pass the tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.pages import blocks_of
from helpers.paths import ROOT

README = ROOT / "README.md"
if not README.is_file() or shutil.which("make") is None:
    pytest.skip("typed in where there are a checkout and make", allow_module_level=True)

#: What the tree holds that no newcomer's clone has.
LEFT_OUT = (".venv", ".git", "__pycache__", "*.egg-info", ".pytest_cache", ".ruff_cache", "build", "dist")


def section(title: str) -> str:
    """What README says under a heading."""
    _, found, after = README.read_text(encoding="utf-8").partition(f"\n## {title}\n")
    assert found, f"README has no section {title!r}"
    return after.partition("\n## ")[0]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    copy = tmp_path / "bellglass"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_OUT))
    return copy


def in_clone(clone: Path, *command: str) -> str:
    """Runs a command as one who works in the clone: its package is the one that is found."""
    done = subprocess.run(
        command,
        cwd=clone,
        env=os.environ | {"PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout[-8000:]}{done.stderr[-4000:]}"
    return done.stdout


def make(clone: Path, target: str) -> str:
    """`make target` with this environment's programs in the place of a .venv of its own."""
    return in_clone(clone, "make", target, f"BIN={Path(sys.executable).parent}", "READY=")


def pytest_in(clone: Path, *arguments: str) -> str:
    return in_clone(clone, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments)


def type_in(clone: Path, title: str) -> tuple[str, str]:
    """Does what the section says, file and row; the class's name and the file's."""
    text = section(title)
    (code,) = blocks_of(text)
    file = re.findall(r"`(bellglass/[\w/]+\.py)`", text)[0]
    register = re.findall(r"`(bellglass/[\w/]+\.py)`", text)[1]
    (row,) = re.findall(r"^`([^`\n]+,)`$", text, flags=re.MULTILINE)
    target = clone / file
    assert not target.exists()
    target.write_text(code, encoding="utf-8")
    # among its family: below the first row that names the same folder
    family = re.search(r'"(\w+)\.\w+"', row)
    assert family is not None
    lines = (clone / register).read_text(encoding="utf-8").splitlines()
    first = min(number for number, line in enumerate(lines) if f'"{family[1]}.' in line)
    lines.insert(first + 1, f"    {row}")
    (clone / register).write_text("\n".join(lines) + "\n", encoding="utf-8")
    name = re.search(r'"(\w+)"', row)
    assert name is not None
    return name[1], target.stem


def an_environment(clone: Path) -> tuple[str, str]:
    names = type_in(clone, "Add an environment")
    for command in blocks_of(section("Add an environment"), "sh"):
        make(clone, command.removeprefix("make").strip())
    return names


#: What of the tests knows all ids, or all agents, at once: registration, names, thresholds, pages, pictures, arrows.
OF_ALL = (
    "registering_is_idempotent or every_spec_carries or tables_of_the_environments or sheet_in_the_documentation"
    " or whose_size_is_asked or what_a_page_shows or arrows_point or names_come_late or extra_is_named"
)


@pytest.mark.slow
def test_what_the_readme_adds_keeps_every_promise(clone: Path) -> None:
    """Collects every test, the slow ones too; runs the fast ones that speak of the new names or of all names."""
    names = [*an_environment(clone), *type_in(clone, "Add an agent")]
    told = pytest_in(clone, "-k", " or ".join([*names, OF_ALL]))
    passed, deselected = (int(re.findall(rf"(\d+) {word}", told)[-1]) for word in ("passed", "deselected"))
    assert passed > 50
    assert deselected > 5000
    in_clone(clone, sys.executable, "-m", "ruff", "check", ".")
    in_clone(clone, sys.executable, "-m", "ruff", "format", "--check", ".")
    in_clone(clone, sys.executable, "-m", "mypy")


@pytest.mark.slow
def test_with_both_typed_in_all_of_make_test_passes(clone: Path) -> None:
    an_environment(clone)
    type_in(clone, "Add an agent")
    make(clone, "test")
