"""A sweep as numbers: everything the report shows, worked out once, for the page, the Markdown and the JSON alike.

A failed run counts with the worst score that any run had in its environment, and never above 0, the score of uniform
random play; so an agent gains nothing by crashing.  A missing run is counted and shown, but has no score.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from .. import aggregate
from ..aggregate import FloatArray, Interval, Pair
from ..card import Card
from ..records import AgentSpec, FailedRun, RunResult, RunSpec, Sweep

Run = TypeVar("Run")

#: Share of the way from random play to the optimum that counts as "within 5 %" and "within 1 %".
LEVELS = (0.95, 0.99)
#: Thresholds of the performance profile.
THRESHOLDS = tuple(k / 100 for k in range(101))


@dataclass(frozen=True)
class Share:
    """`count` of `total`, with the Clopper-Pearson interval."""

    count: int
    total: int

    @property
    def interval(self) -> Interval | None:
        """None without runs."""
        return aggregate.clopper_pearson(self.count, self.total) if self.total else None


@dataclass(frozen=True)
class Reached:
    """Steps until a level is reached and held to the end.

    Attributes:
        level: score to reach.
        median: environment steps, over all runs that count; None if half of them or more never got there.
        missed: runs that did not reach it.
        total: runs that count (finished and failed).
    """

    level: float
    median: float | None
    missed: int
    total: int


@dataclass(frozen=True)
class Curve:
    """Mean of an agent's runs over steps, with the lowest and the highest run: [points] each."""

    steps: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Cell:
    """One agent in one environment.

    Attributes:
        agent: its name.
        environment: its name.
        planned: number of runs.
        finished: sorted by seed.
        failed: sorted by seed.
        missing: sorted by seed.
        seeds: of `scores`.
        scores: of finished runs, and the stand-in of failed ones; sorted by seed.
        mean: of `scores`; None where there are none.
        interval: betting interval of the mean, on `score_range`.
        score_range: what the scores are taken to lie in.
        within: for each of `LEVELS`.
        solved: regret below half of the smallest gap; None where the gap is not known.
        reached: for each of `LEVELS`.
        value: curve of the exact value.
        gap_regret: curve of the cumulative gap regret.
        episodic_regret: curve of it, or None where it is not exact.
        cpu_seconds: median over finished runs, or None.
    """

    agent: str
    environment: str
    planned: int
    finished: tuple[RunResult, ...]
    failed: tuple[FailedRun, ...]
    missing: tuple[RunSpec, ...]
    seeds: tuple[int, ...]
    scores: FloatArray
    mean: float | None
    interval: Interval | None
    score_range: tuple[float, float]
    within: tuple[Share, ...]
    solved: Share | None
    reached: tuple[Reached, ...]
    value: Curve | None
    gap_regret: Curve | None
    episodic_regret: Curve | None
    cpu_seconds: float | None


@dataclass(frozen=True)
class Row:
    """One agent in a ranking.

    Attributes:
        agent: its name.
        mean: over the ranking's environments.
        interval: betting interval of the mean, over seeds that have a score in each environment.
        iqm: interquartile mean.
        iqm_interval: stratified bootstrap.
        median: over environments.
        optimality_gap: what is missed to the optimum.
        within: for each of `LEVELS`.
        solved: where every gap is known.
        planned: runs.
        finished: runs.
        failed: runs.
        missing: runs.
        cpu_seconds: of a run, median.
        profile: share of runs that reach each of `THRESHOLDS`.
    """

    agent: str
    mean: float
    interval: Interval | None
    iqm: float
    iqm_interval: Interval | None
    median: float
    optimality_gap: float
    within: tuple[Share, ...]
    solved: Share | None
    planned: int
    finished: int
    failed: int
    missing: int
    cpu_seconds: float | None
    profile: tuple[float, ...]


@dataclass(frozen=True)
class Ranking:
    """Agents that all have runs in the same environments, best mean first.

    Attributes:
        environments: what it compares on.
        rows: best first; IQM second.
        pairs: every agent against every other.
        score_range: of the mean, for the betting interval.
        seeds: fewest seeds with a score of any agent in any of the environments.
    """

    environments: tuple[str, ...]
    rows: tuple[Row, ...]
    pairs: Mapping[tuple[str, str], Pair]
    score_range: tuple[float, float]
    seeds: int

    def separated(self, first: str, second: str) -> bool:
        """Whether the two differ, Holm-adjusted over all pairs, at 5 %."""
        return self.pairs[first, second].adjusted < 0.05


@dataclass(frozen=True)
class Comparison:
    """Everything worked out.

    Attributes:
        sweep: where it comes from.
        cards: {environment name: card}; may lack some.
        agents: in the order of the suite.
        environments: in the order of the suite.
        cells: by (agent, environment), where runs are planned.
        rankings: the widest first; every agent with a score is in at least one.
        unscored: environments in which random play is optimal, so that scores mean nothing.
    """

    sweep: Sweep
    cards: Mapping[str, Card]
    agents: tuple[str, ...]
    environments: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    rankings: tuple[Ranking, ...]
    unscored: tuple[str, ...]

    @property
    def cpu_seconds(self) -> float | None:
        """CPU time of all finished runs together; None where nothing is known."""
        known = [timing.cpu_seconds for timing in self.sweep.timings.values()]
        return math.fsum(known) if known else None

    @property
    def exact(self) -> bool:
        """Whether no score is sampled."""
        return all(result.exact for result in self.sweep.finished)


def compare(sweep: Sweep, cards: Mapping[str, Card], *, replications: int = 10_000) -> Comparison:
    """Works out everything; the same sweep gives the same bits.

    Raises:
        ValueError: finished + failed + missing is not planned.
    """
    if len(sweep.finished) + len(sweep.failed) + len(sweep.missing) != len(sweep.planned):
        raise ValueError(
            f"{len(sweep.finished)} finished + {len(sweep.failed)} failed + {len(sweep.missing)} missing runs "
            f"are not the {len(sweep.planned)} planned"
        )
    environments = tuple(environment.name for environment in sweep.environments)
    agents = tuple(agent.name for agent in sweep.agents)
    finished, failed, missing = (
        by_cell([(run.spec, run) for run in sweep.finished]),
        by_cell([(run.spec, run) for run in sweep.failed]),
        by_cell([(spec, spec) for spec in sweep.missing]),
    )
    unscored = tuple(
        name
        for name in environments
        if any(run.optimum == run.random for run in sweep.finished if run.spec.environment.name == name)
    )
    worst = {
        name: min(
            [0.0]
            + [
                score_of(run)
                for run in sweep.finished
                if run.spec.environment.name == name and name not in unscored
            ]
        )
        for name in environments
    }
    cells: dict[tuple[str, str], Cell] = {}
    for agent, name in itertools.product(agents, environments):
        key = (agent, name)
        if finished[key] or failed[key] or missing[key]:
            cells[key] = cell_of(
                key,
                finished[key],
                failed[key],
                missing[key],
                worst[name],
                None if name in unscored else cards.get(name),
                sweep,
                scored=name not in unscored,
            )
    rankings = tuple(
        ranking_of(some, where, cells, replications)
        for some, where in leagues(agents, [name for name in environments if name not in unscored], cells)
    )
    return Comparison(sweep, cards, agents, environments, cells, rankings, unscored)


def by_cell(runs: Sequence[tuple[RunSpec, Run]]) -> dict[tuple[str, str], tuple[Run, ...]]:
    """Runs by (agent, environment), sorted by seed."""
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for spec, run in sorted(runs, key=lambda pair: pair[0].seed):
        groups[spec.agent.name, spec.environment.name].append(run)
    return defaultdict(tuple, {key: tuple(group) for key, group in groups.items()})


def score_of(run: RunResult) -> float:
    """The final score; rounding above the optimum is not kept."""
    score = run.normalized(run.final.value)
    return 1.0 if 1.0 < score < 1.0 + 1e-6 else score


def cell_of(
    key: tuple[str, str],
    finished: tuple[RunResult, ...],
    failed: tuple[FailedRun, ...],
    missing: tuple[RunSpec, ...],
    worst: float,
    card: Card | None,
    sweep: Sweep,
    *,
    scored: bool,
) -> Cell:
    """One agent in one environment."""
    scores: FloatArray = np.zeros(0)
    seeds: tuple[int, ...] = ()
    if scored:
        known = [(run.spec.seed, score_of(run)) for run in finished]
        known += [(run.spec.seed, worst) for run in failed]
        known.sort()
        seeds = tuple(seed for seed, _ in known)
        scores = np.array([score for _, score in known])
    top = max(1.0, float(scores.max(initial=1.0)))
    total = len(scores)
    gap = card.gap if card is not None else None
    solved = None
    if scored and gap is not None and math.isfinite(gap):
        solved = Share(sum(run.optimum - run.final.value < gap / 2 for run in finished), total)
    cpu = [sweep.timings[run.spec.run_id].cpu_seconds for run in finished if run.spec.run_id in sweep.timings]
    ran = [score_of(run) for run in finished] if scored else []
    return Cell(
        agent=key[0],
        environment=key[1],
        planned=len(finished) + len(failed) + len(missing),
        finished=finished,
        failed=failed,
        missing=missing,
        seeds=seeds,
        scores=scores,
        mean=float(scores.mean()) if total else None,
        interval=aggregate.betting_interval(scores, worst, top),
        score_range=(worst, top),
        within=tuple(Share(sum(score >= level for score in ran), total) for level in LEVELS),
        solved=solved,
        reached=tuple(reached_of(finished, level, total) for level in LEVELS) if scored else (),
        value=curve_of(finished, "value"),
        gap_regret=curve_of(finished, "gap_regret"),
        episodic_regret=curve_of(finished, "episodic_regret"),
        cpu_seconds=float(np.median(cpu)) if cpu else None,
    )


def reached_of(runs: Sequence[RunResult], level: float, total: int) -> Reached:
    """Steps of the first point from which on every score is at least `level`; those that never get there are late."""
    times: list[float] = []
    for run in runs:
        held = math.inf
        for point in reversed(run.curve):
            if run.normalized(point.value) < level:
                break
            held = float(point.steps)
        times.append(held)
    missed = sum(time == math.inf for time in times) + total - len(times)
    times += [math.inf] * (total - len(times))
    middle = sorted(times)[(total - 1) // 2 : total // 2 + 1]
    finite = bool(middle) and math.inf not in middle
    return Reached(level, sum(middle) / len(middle) if finite else None, missed, total)


def curve_of(runs: Sequence[RunResult], column: str) -> Curve | None:
    """Mean, lowest and highest run at each step of the grid; a run keeps its last score between its points."""
    if not runs:
        return None
    grid = np.unique([point.steps for run in runs for point in run.curve])
    rows = []
    for run in runs:
        steps = np.array([point.steps for point in run.curve])
        numbers = [getattr(point, column) for point in run.curve]
        if any(number is None for number in numbers):
            return None
        at = np.maximum(np.searchsorted(steps, grid, side="right") - 1, 0)
        rows.append(np.array(numbers, dtype=np.float64)[at])
    stack = np.stack(rows)
    if not np.isfinite(stack).all():
        return None
    return Curve(grid.astype(np.float64), stack.mean(axis=0), stack.min(axis=0), stack.max(axis=0))


def leagues(
    agents: Sequence[str], environments: Sequence[str], cells: Mapping[tuple[str, str], Cell]
) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Groups of agents with the environments that all of them have scores in: like is compared with like.

    The first has the most (agent, environment) pairs; the next ones are the widest with an agent not yet ranked.
    """
    plays = {
        agent: frozenset(
            name for name in environments if (agent, name) in cells and len(cells[agent, name].scores)
        )
        for agent in agents
    }
    # every set of environments that some agents have in common is an intersection of what they play
    candidates = {where for where in plays.values() if where}
    while True:
        grown = candidates | {a & b for a, b in itertools.combinations(candidates, 2) if a & b}
        if len(grown) == len(candidates) or len(grown) > 2_000:
            break
        candidates = grown
    groups = {where: tuple(agent for agent in agents if where <= plays[agent]) for where in candidates}
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    waiting = {agent for agent in agents if plays[agent]}
    while waiting:
        where = max(
            (where for where in groups if waiting & set(groups[where])),
            key=lambda where: (
                len(groups[where]) > 1,
                len(groups[where]) * len(where),
                len(where),
                sorted(where),
            ),
        )
        found.append((groups[where], tuple(name for name in environments if name in where)))
        waiting -= set(groups[where])
    return found


def ranking_of(
    agents: Sequence[str],
    environments: Sequence[str],
    cells: Mapping[tuple[str, str], Cell],
    replications: int,
) -> Ranking:
    """Ranks by mean, IQM second."""
    low = float(np.mean([cells[agents[0], name].score_range[0] for name in environments]))
    high = max(
        float(np.mean([cells[agent, name].score_range[1] for name in environments])) for agent in agents
    )
    rows = []
    for agent in agents:
        row = [cells[agent, name] for name in environments]
        strata = [cell.scores for cell in row]
        cpu = [cell.cpu_seconds for cell in row if cell.cpu_seconds is not None]
        failed = sum(len(cell.failed) for cell in row)
        ran = [
            cell.scores[[seed in {run.spec.seed for run in cell.finished} for seed in cell.seeds]]
            for cell in row
        ]
        rows.append(
            Row(
                agent=agent,
                mean=aggregate.mean(strata),
                interval=aggregate.betting_interval(seed_means(row), low, high),
                iqm=aggregate.interquartile_mean(strata),
                iqm_interval=aggregate.bootstrap(
                    strata, aggregate.interquartile_mean_of, seed=0, replications=replications
                ),
                median=aggregate.median(strata),
                optimality_gap=aggregate.optimality_gap(strata),
                within=tuple(
                    Share(
                        sum(cell.within[k].count for cell in row), sum(cell.within[k].total for cell in row)
                    )
                    for k in range(len(LEVELS))
                ),
                solved=added([cell.solved for cell in row]),
                planned=sum(cell.planned for cell in row),
                finished=sum(len(cell.finished) for cell in row),
                failed=failed,
                missing=sum(len(cell.missing) for cell in row),
                cpu_seconds=float(np.median(cpu)) if cpu else None,
                profile=tuple(aggregate.performance_profile(ran, THRESHOLDS, failed)),
            )
        )
    rows.sort(key=lambda row: (-round(row.mean, 12), -round(row.iqm, 12)))
    ordered = {row.agent: [cells[row.agent, name].scores for name in environments] for row in rows}
    seeds = min(len(scores) for strata in ordered.values() for scores in strata)
    return Ranking(tuple(environments), tuple(rows), aggregate.compare_all(ordered), (low, high), seeds)


def seed_means(row: Sequence[Cell]) -> npt.NDArray[np.float64]:
    """[seeds] average over environments for each seed that has a score in all of them: independent numbers."""
    tables = [dict(zip(cell.seeds, cell.scores, strict=True)) for cell in row]
    shared = sorted(set.intersection(*(set(table) for table in tables)))
    return np.array([np.mean([table[seed] for table in tables]) for seed in shared], dtype=np.float64)


def added(shares: Sequence[Share | None]) -> Share | None:
    """All together, or None if one is not known."""
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    return Share(sum(share.count for share in known), sum(share.total for share in known))


def agent_specs(sweep: Sweep) -> dict[str, AgentSpec]:
    """By name."""
    return {agent.name: agent for agent in sweep.agents}
