"""A sweep as numbers: everything the report shows, worked out once, for the page, the Markdown and the JSON alike.

Like is compared with like: agents are ranked on environments that all of them have scores in.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from ..cards.card import Card
from ..records import RunSpec, Sweep
from ..statistics import aggregate
from ..statistics.aggregate import FloatArray, Interval, Pair
from .table_cells import LEVELS, Cell, Scale, Share, added, cell_of, scale_of, seed_means

Run = TypeVar("Run")

#: Thresholds of the performance profile.
THRESHOLDS = tuple(k / 100 for k in range(101))


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
        sampled: runs whose score is sampled.
        cpu_seconds: of a run, median.
        profile: share of runs that reach each of `THRESHOLDS`, for each threshold by itself.
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
    sampled: int
    cpu_seconds: float | None
    profile: tuple[Share, ...]


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
        unscored: environments in which random play is optimal or without bound, so that scores mean nothing.
        scales: {environment name: what 0 and 1 are}, where there is a finished run and a score.
    """

    sweep: Sweep
    cards: Mapping[str, Card]
    agents: tuple[str, ...]
    environments: tuple[str, ...]
    cells: Mapping[tuple[str, str], Cell]
    rankings: tuple[Ranking, ...]
    unscored: tuple[str, ...]
    scales: Mapping[str, Scale]

    @property
    def cpu_seconds(self) -> float | None:
        """CPU time of all finished runs together; None where nothing is known."""
        known = [timing.cpu_seconds for timing in self.sweep.timings.values()]
        return math.fsum(known) if known else None

    @property
    def sampled(self) -> int:
        """How many scores are sampled."""
        return sum(cell.sampled for cell in self.cells.values())

    @property
    def exact(self) -> bool:
        """Whether no score is sampled."""
        return not self.sampled


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
    scales = {
        run.spec.environment.name: scale_of(run, cards.get(run.spec.environment.name))
        for run in reversed(sweep.finished)
    }
    unscored = tuple(name for name in environments if scales.get(name, True) is None)
    known = {name: scale for name, scale in scales.items() if scale is not None}
    worst = dict.fromkeys(environments, 0.0)
    for run in sweep.finished:
        name = run.spec.environment.name
        if name in known:
            worst[name] = min(worst[name], known[name].of(run))
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
                known.get(name, Scale(0.0, 1.0)) if name not in unscored else None,
            )
    rankings = tuple(
        ranking_of(some, where, cells, replications)
        for some, where in leagues(agents, [name for name in environments if name not in unscored], cells)
    )
    return Comparison(sweep, cards, agents, environments, cells, rankings, unscored, known)


def profile_of(ran: Sequence[FloatArray], failed: int) -> tuple[Share, ...]:
    """The performance profile of finished runs, and of failed ones, which reach nothing."""
    total = sum(len(scores) for scores in ran) + failed
    shares = aggregate.performance_profile(ran, THRESHOLDS, failed)
    return tuple(Share(round(share * total), total) for share in shares)


def by_cell(runs: Sequence[tuple[RunSpec, Run]]) -> dict[tuple[str, str], tuple[Run, ...]]:
    """Runs by (agent, environment), sorted by seed."""
    groups: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for spec, run in sorted(runs, key=lambda pair: pair[0].seed):
        groups[spec.agent.name, spec.environment.name].append(run)
    return defaultdict(tuple, {key: tuple(group) for key, group in groups.items()})


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
                sampled=sum(cell.sampled for cell in row),
                cpu_seconds=float(np.median(cpu)) if cpu else None,
                profile=profile_of(ran, failed),
            )
        )
    rows.sort(key=lambda row: (-round(row.mean, 12), -round(row.iqm, 12)))
    ordered = {row.agent: [cells[row.agent, name].scores for name in environments] for row in rows}
    seeds = min(len(scores) for strata in ordered.values() for scores in strata)
    return Ranking(tuple(environments), tuple(rows), aggregate.compare_all(ordered), (low, high), seeds)
