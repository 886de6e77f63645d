"""A suite: which agents play which environments, for how long, how often, and by what they are judged.

A suite is one TOML file, or the same thing as a Python mapping (`suite_from`).  Every mistake in it is told
at once, with its path and what was probably meant, before anything is run or written.

    name = "small"
    seeds = 20
    [scoring]
    criterion = "discounted"
    [[environments]]
    id = "bellglass/FrozenLake-v0"
    steps = 50_000
    [[agents]]
    class = "QLearning"
    settings = { step_size = 0.1 }
    grid = { epsilon = [0.05, 0.1, 0.3] }     # three agents, "QLearning epsilon=0.05" and so on
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from ..records import AgentSpec, Criterion, EnvironmentSpec, RunSpec, ScoringSpec, Skipped
from ..suite_errors import form, path_of, unknown


def one_line_of_text(name: str) -> str:
    """A name that tables, pictures and terminals can show.

    Raises:
        ValueError: it has line breaks, or characters that nobody sees.
    """
    if not name.isprintable():
        raise ValueError("must be one line of characters that can be printed")
    return name


Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(one_line_of_text)]
Count = Annotated[int, Field(ge=1)]
Seeds = Annotated[int, Field(ge=1, le=100_000)]
Copies = Annotated[int, Field(ge=1, le=100_000)]
Discount = Annotated[float, Field(ge=0.0, le=1.0)]


class Entry(BaseModel):
    """A table of the file: no unknown keys, no silent conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class EnvironmentScoring(Entry):
    """Where one environment is judged otherwise than the rest."""

    criterion: Criterion | None = None
    discount: Discount | None = None
    horizon: Count | None = None


class Scoring(Entry):
    """How every environment is judged unless it says otherwise."""

    #: by what: discounted, finite_horizon, total or average
    criterion: Criterion = "discounted"
    #: weight of the reward one step later; by default the environment's card's (finite_horizon: 1)
    discount: Discount | None = None
    #: steps of an episode, for finite_horizon; by default the environment's time limit
    horizon: Count | None = None
    #: at how many evenly spaced steps an exact score is taken
    points: Count = 50


class Limits(Entry):
    """What a run may use, and how often it is tried; no part of what it is."""

    #: how often a run is tried again whose process was killed
    retries: Annotated[int, Field(ge=0)] = 2
    #: seconds after which a run is stopped and counted as failed; none by default
    seconds: Annotated[float, Field(gt=0.0)] | None = None
    #: memory that a run may take for its data, in millions of bytes; what asks for more gets a MemoryError, and the
    #: run counts as failed (Linux's RLIMIT_DATA: pages of its own, not the libraries' code); none by default
    megabytes: Annotated[int, Field(ge=100)] | None = None


class Environment(Entry):
    """One environment and the steps that every agent may learn in it."""

    id: str
    #: what tables and pictures call it; by default made from the id and the keywords
    name: Name | None = None
    keywords: dict[str, Any] = {}
    #: keywords with a list of values each: every combination is an environment of its own
    grid: dict[str, Any] = {}
    steps: Count
    max_episode_steps: Count | None = None
    scoring: EnvironmentScoring = EnvironmentScoring()


class Agent(Entry):
    """One agent and its settings."""

    #: a class of `bellglass.agents`, or ``package.module:Class``
    class_name: Annotated[str, Field(alias="class")]
    #: what tables and pictures call it; by default its class
    name: Name | None = None
    settings: dict[str, Any] = {}
    #: settings with a list of values each: every combination is an agent of its own
    grid: dict[str, Any] = {}
    #: copies of the environment that step together (learners on vector environments)
    num_envs: Copies = 1
    #: names or ids of the environments it plays; by default all
    environments: Annotated[list[str], Field(min_length=1)] | None = None


class SuiteFile(Entry):
    """The whole file."""

    name: Name
    #: runs of each pair, with the seeds 0 .. seeds - 1
    seeds: Seeds = 20
    scoring: Scoring = Scoring()
    limits: Limits = Limits()
    environments: Annotated[list[Environment], Field(min_length=1)]
    agents: Annotated[list[Agent], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite without mistakes.

    Attributes:
        name: its name.
        seeds: runs of each pair.
        agents: in the order of the file.
        environments: in the order of the file.
        scoring: by name of the environment.
        pairs: (agent, environment) names that play.
        skipped: pairs that cannot play, and why.
        fingerprints: of each environment's table, by its name.
        limits: what a run may use.
        text: the file, to be kept beside the results.
    """

    name: str
    seeds: int
    agents: tuple[AgentSpec, ...]
    environments: tuple[EnvironmentSpec, ...]
    scoring: Mapping[str, ScoringSpec]
    pairs: frozenset[tuple[str, str]]
    skipped: tuple[Skipped, ...]
    fingerprints: Mapping[str, str]
    limits: Limits
    text: str

    def plan(self) -> tuple[tuple[RunSpec, ...], tuple[Skipped, ...]]:
        """Every run, seed by seed so that early results cover all pairs, and the pairs that cannot play."""
        return planned_runs(
            self.agents, self.environments, self.scoring, self.pairs, self.seeds
        ), self.skipped


def planned_runs(
    agents: tuple[AgentSpec, ...],
    environments: tuple[EnvironmentSpec, ...],
    scoring: Mapping[str, ScoringSpec],
    pairs: frozenset[tuple[str, str]],
    seeds: int,
) -> tuple[RunSpec, ...]:
    """Seeds x environments x agents, of the pairs that play."""
    return tuple(
        RunSpec(agent=agent, environment=environment, scoring=scoring[environment.name], seed=seed)
        for seed in range(seeds)
        for environment in environments
        for agent in agents
        if (agent.name, environment.name) in pairs
    )


#: Which tables of the file may hold which keys, by the path without its numbers.
TABLES: Mapping[tuple[str, ...], type[Entry]] = {
    (): SuiteFile,
    ("scoring",): Scoring,
    ("limits",): Limits,
    ("environments",): Environment,
    ("environments", "scoring"): EnvironmentScoring,
    ("agents",): Agent,
}


def keys_of(entry: type[Entry]) -> list[str]:
    """The keys as the file spells them."""
    return [field.alias or name for name, field in entry.model_fields.items()]


def mistakes_in_form(error: ValidationError) -> list[str]:
    """Pydantic's findings, in our words."""
    lines = []
    for found in error.errors(include_url=False):
        *table, key = location = found["loc"] or ("suite",)
        if found["type"] == "extra_forbidden":
            here = TABLES[tuple(part for part in table if isinstance(part, str))]
            says = unknown("key", str(key), keys_of(here))
        else:
            says = form(found)
            says += "" if says == "is missing" else f", got {found['input']!r}"
        lines.append(f"{path_of(location)}: {says}")
    return lines
