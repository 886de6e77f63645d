"""Packages that lend names late: what type checkers read is what is lent, and every name is there."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

import bellglass
from bellglass.envs.registration import ENVIRONMENTS
from bellglass.lazy import lend

ROOT = Path(bellglass.__file__).parent

#: Every package that lends names late.
FACES = sorted(file for file in ROOT.rglob("__init__.py") if "lend(" in file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("file", FACES, ids=lambda file: str(file.parent.relative_to(ROOT.parent)))
def test_type_checkers_read_what_is_lent(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    assert ast.unparse(block.test) == "TYPE_CHECKING"
    read = {
        (node.module, alias.name)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.asname == alias.name
    }
    assert len(read) == len(block.body)
    package = import_module(".".join(file.parent.relative_to(ROOT.parent).parts))
    for module, name in read:
        assert module != name  # the name would be the module once that is imported
        assert getattr(package, name) is getattr(import_module(f"{package.__name__}.{module}"), name)
    lent = set(package.__all__) - {name for name in vars(package) if name in ("__version__", "register_envs")}
    untyped = lent - {name for _, name in read}
    assert {name for _, name in read} <= lent
    assert untyped <= {
        row.name for row in ENVIRONMENTS
    }  # an environment is lent by its row, typed by a line more
    for name in package.__all__:
        assert getattr(package, name) is not None
        assert name in dir(package)


def test_there_are_faces() -> None:
    assert ROOT / "__init__.py" in FACES
    assert len(FACES) > 5


def test_another_name_is_an_error_that_names_the_package() -> None:
    names, attribute, directory = lend("bellglass", {"extras": ["missing_extra"]}, "own")
    assert names == ["missing_extra", "own"]
    assert "missing_extra" in directory()
    with pytest.raises(AttributeError, match="module 'bellglass' has no attribute 'solv'"):
        attribute("solv")
