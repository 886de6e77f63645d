"""What `bellglass.json` says of a results folder: the plan, the tables' fingerprints, the versions."""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ..records import AgentSpec, EnvironmentSpec, RunSpec, ScoringSpec, Skipped
from ..suite.schema import Seeds, Suite, planned_runs
from ..suite_errors import form, path_of

#: Raised with every change that older code could not read.
FORMAT = 1

MARKER = "bellglass.json"
PACKAGES = ("bellglass", "numpy", "scipy", "numba", "gymnasium", "torch", "stable-baselines3")


def versions() -> dict[str, str]:
    """What is installed here."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    if "bellglass" not in found:
        found["bellglass"] = str(sys.modules[__name__.partition(".")[0]].__version__)
    return found


def marker_of(suite: Suite) -> dict[str, Any]:
    """What `bellglass.json` says of a suite."""
    return {
        "kind": "bellglass results",
        "format": FORMAT,
        "name": suite.name,
        "seeds": suite.seeds,
        "agents": [asdict(agent) for agent in suite.agents],
        "environments": [asdict(environment) for environment in suite.environments],
        "scoring": {name: asdict(scoring) for name, scoring in suite.scoring.items()},
        "pairs": sorted(suite.pairs),
        "skipped": [asdict(skip) for skip in suite.skipped],
        "fingerprints": dict(suite.fingerprints),
        "versions": versions(),
    }


class Contents(BaseModel):
    """What must stand in the file, besides its kind and its format."""

    model_config = ConfigDict(strict=True)

    name: str
    seeds: Seeds
    agents: list[AgentSpec]
    environments: list[EnvironmentSpec]
    scoring: dict[str, ScoringSpec]
    pairs: list[tuple[str, str]]
    skipped: list[Skipped]
    fingerprints: dict[str, str]
    versions: dict[str, str]


def check_contents(text: str) -> None:
    """Whether everything is there that is read of a marker.

    Raises:
        ValueError: with the first thing that is not.
    """
    try:
        found = Contents.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{path_of(first['loc'])}: {form(first)}") from None
    for environment in found.environments:
        for key, table in (("scoring", found.scoring), ("fingerprints", found.fingerprints)):
            if environment.name not in table:
                raise ValueError(f"{key}: nothing is said of {environment.name!r}")


def agents_of(marker: Mapping[str, Any]) -> tuple[AgentSpec, ...]:
    """The agents of a suite."""
    return tuple(AgentSpec(**agent) for agent in marker["agents"])


def environments_of(marker: Mapping[str, Any]) -> tuple[EnvironmentSpec, ...]:
    """The environments of a suite."""
    return tuple(EnvironmentSpec(**environment) for environment in marker["environments"])


def scoring_of(marker: Mapping[str, Any]) -> dict[str, ScoringSpec]:
    """The criterion of each environment, by its name."""
    return {name: ScoringSpec(**scoring) for name, scoring in marker["scoring"].items()}


def plan_of(marker: Mapping[str, Any]) -> tuple[RunSpec, ...]:
    """Every run of a suite."""
    pairs = frozenset((agent, environment) for agent, environment in marker["pairs"])
    return planned_runs(
        agents_of(marker), environments_of(marker), scoring_of(marker), pairs, marker["seeds"]
    )
