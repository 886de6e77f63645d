"""Reads a suite: from a file, a shipped one by its name, or a mapping."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from os import PathLike
from pathlib import Path
from typing import Any

from ..suite_errors import SuiteError, unknown
from ..toml import to_toml
from .assembly import assemble
from .schema import Suite


def shipped_suites() -> list[str]:
    """Names of the suites that come with the package."""
    folder = resources.files("bellglass.experiments.suite") / "shipped"
    return sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml"))


def read_suite(path_or_name: str | PathLike[str]) -> Suite:
    """Reads a suite file, or a shipped suite by its name.

    Raises:
        SuiteError: nothing lies there, it is no TOML, or it has mistakes; all of them, one a line.
    """
    path = Path(path_or_name)
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise SuiteError([f"{path}: cannot be read: {error}"]) from None
    elif str(path_or_name) in shipped_suites():
        resource = resources.files("bellglass.experiments.suite") / "shipped" / f"{path_or_name}.toml"
        text = resource.read_text(encoding="utf-8")
    else:
        raise SuiteError(
            [f"{path_or_name}: no such file; {unknown('suite', str(path_or_name), shipped_suites())}"]
        )
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SuiteError([f"{path_or_name}: no valid TOML: {error}"]) from None
    return suite_from(data, text=text)


def suite_from(data: Mapping[str, Any], *, text: str | None = None) -> Suite:
    """A suite from the mapping that its TOML file would be read as.

    >>> suite_from({"name": "x", "seedz": 3, "environments": [], "agents": [{"class": "QLearning"}]})
    Traceback (most recent call last):
    bellglass.experiments.suite_errors.SuiteError: environments: must have at least 1 item, got []
    seedz: unknown key; did you mean 'seeds'? allowed: agents, environments, limits, name, scoring, seeds

    Args:
        data: keys as in the file.
        text: the file's text; written from `data` where there is none.

    Raises:
        SuiteError: every mistake, one a line.
    """
    return assemble(data, to_toml(data) if text is None else text)
