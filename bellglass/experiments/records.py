"""What a sweep leaves behind, as plain records: specs, points of a curve, results, failures.

Everything here is determined by the spec alone; seconds, hosts and attempts are kept apart (`Timing`), so
that two machines write the same bytes.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

Criterion = Literal["discounted", "finite_horizon", "total", "average"]


@dataclass(frozen=True, kw_only=True)
class AgentSpec:
    """Which agent: `class_name` is looked up in `bellglass.agents`, `settings` are its keyword arguments."""

    name: str
    class_name: str
    settings: Mapping[str, object] = field(default_factory=dict)
    num_envs: int = 1


@dataclass(frozen=True, kw_only=True)
class EnvironmentSpec:
    """Which environment, and for how many environment steps an agent may learn in it.

    `max_episode_steps` replaces the time limit of the id while agents learn (None: the id's own); scores know
    of no time limit but `ScoringSpec.horizon`.
    """

    id: str
    name: str
    keywords: Mapping[str, object] = field(default_factory=dict)
    steps: int
    max_episode_steps: int | None = None


@dataclass(frozen=True, kw_only=True)
class ScoringSpec:
    """The one criterion by which every agent of an environment is scored.

    `discount` is None unless the criterion is discounted or finite_horizon; `horizon` for the latter alone.
    `points` counts the grid of steps at which the exact score is taken.
    """

    criterion: Criterion
    discount: float | None
    horizon: int | None
    points: int


@dataclass(frozen=True, kw_only=True)
class RunSpec:
    """One run: one agent, one environment, one seed.  Its id is the digest of its canonical text."""

    agent: AgentSpec
    environment: EnvironmentSpec
    scoring: ScoringSpec
    seed: int

    def canonical(self) -> str:
        """JSON with sorted keys and no blanks: equal exactly for equal specs.

        Names that only label rows and columns do not count.
        """
        spec = asdict(self)
        del spec["agent"]["name"], spec["environment"]["name"]
        return json.dumps(spec, sort_keys=True, separators=(",", ":"))

    @functools.cached_property
    def run_id(self) -> str:
        """The first 16 hex digits of the SHA-256 of `canonical()`."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()[:16]


class CurvePoint(NamedTuple):
    """The exact score after `steps` environment steps.

    Attributes:
        steps: environment steps learned from so far.
        value: start value of the policy that the agent believes best, in the criterion of the suite.
        exploring_value: start value of the policy that it plays while it learns; None if that is not exact.
        episodic_regret: sum over the episodes finished so far of V*(s0) - V^pi(s0), each with the mean of V^pi over
            the exploring policies of the points before and after it; None where these are not exact.
        gap_regret: sum over the steps so far of discount**t * (V*(s_t) - q*(s_t, a_t)).
        episodes: episodes finished so far.
        low: certified lower bound of `value` (equal to it where the score is a linear solve); lower end at 95 % where
            episodes were sampled (`RunResult.exact` is False).
        high: upper bound likewise.
    """

    steps: int
    value: float
    exploring_value: float | None
    episodic_regret: float | None
    gap_regret: float
    episodes: int
    low: float
    high: float


class Snapshot(NamedTuple):
    """What an agent believed best on its way, for the slider on the report's maps.

    Attributes:
        steps: environment steps learned from so far.
        policy: [S] the action it believed best in each state, -1 in terminal states.
        values: [S] exact value of the policy it believed best, six digits; None where `RunResult.values` is.
    """

    steps: int
    policy: tuple[int, ...]
    values: tuple[float, ...] | None


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """A finished run.

    Attributes:
        spec: what was run.
        fingerprint: of the table it was scored against.
        optimum: the best start value in the criterion (partially observed: with memory).
        random: the start value of the uniform random policy.
        floor: start value lost by a perfect planner with this agent's own discount (criterion floor, >= 0).
        curve: one point for each step of the grid; the last one is the final score.
        policy: [S] the action it believes best in each state, -1 in terminal states; None for agents with
            memory.
        exact: False where scores are sampled.
        values: [S] exact value of the final policy in each state, in the criterion of the suite (with the
            whole horizon left under a finite one); None for agents with memory, and under the average
            criterion.
        snapshots: policies on the way, the earliest first, the final one left out; each differs from the one
            before.  Empty for agents with memory and for large tables.
    """

    spec: RunSpec
    fingerprint: str
    optimum: float
    random: float
    floor: float
    curve: tuple[CurvePoint, ...]
    policy: tuple[int, ...] | None
    exact: bool
    values: tuple[float, ...] | None = None
    snapshots: tuple[Snapshot, ...] = ()

    @property
    def final(self) -> CurvePoint:
        """The last point of the curve."""
        return self.curve[-1]

    def normalized(self, value: float) -> float:
        """0 for the uniform random policy, 1 for the optimum."""
        return (value - self.random) / (self.optimum - self.random)


@dataclass(frozen=True, kw_only=True)
class FailedRun:
    """A run that raised, was killed or ran out of time."""

    spec: RunSpec
    error: str
    traceback: str


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What a spec does not determine."""

    seconds: float
    cpu_seconds: float
    host: str
    attempts: int


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A pair that cannot play, and why."""

    agent: str
    environment: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Everything in a results folder; finished + failed + missing = planned.

    Attributes:
        folder: where it lies.
        name: the suite's name.
        suite_text: the suite file as it was run.
        agents: in the order of the suite.
        environments: in the order of the suite.
        seeds: 0 .. seeds - 1.
        versions: of bellglass, python, numpy, gymnasium, torch, stable-baselines3 (those installed).
        timings: by run id, of finished runs.
    """

    folder: Path
    name: str
    suite_text: str
    agents: tuple[AgentSpec, ...]
    environments: tuple[EnvironmentSpec, ...]
    scoring: Mapping[str, ScoringSpec]  # by name of the environment
    seeds: int
    planned: tuple[RunSpec, ...]
    finished: tuple[RunResult, ...]
    failed: tuple[FailedRun, ...]
    missing: tuple[RunSpec, ...]
    skipped: tuple[Skipped, ...]
    timings: Mapping[str, Timing]
    versions: Mapping[str, str]
