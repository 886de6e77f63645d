"""One agent in one environment: its scores, its regrets, its curves.

A score is 0 at `Scale.zero` and 1 at the optimum.  A failed run counts with the worst score that any run had in its
environment, and never above 0, so an agent gains nothing by crashing.  A missing run is counted and shown, but has no
score.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..cards.card import Card
from ..records import FailedRun, RunResult, RunSpec, Sweep
from ..statistics import aggregate
from ..statistics.aggregate import CensoredMedian, FloatArray, Interval

#: Share of the way from random play to the optimum that counts as "within 5 %" and "within 1 %".
LEVELS = (0.95, 0.99)


@dataclass(frozen=True)
class Scale:
    """What counts as 0 and as 1 in an environment.

    Attributes:
        zero: start value of the uniform random policy; where states are hidden, of the best policy without memory.
        one: the optimum; where states are hidden, with memory.
        reactive: whether `zero` is that of the best policy without memory.
    """

    zero: float
    one: float
    reactive: bool = False

    def __call__(self, value: float) -> float:
        """The score of a start value; rounding above the optimum is not kept."""
        score = (value - self.zero) / (self.one - self.zero)
        return 1.0 if 1.0 < score < 1.0 + 1e-6 else score

    def of(self, run: RunResult) -> float:
        """The final score of a run."""
        return self(run.final.value)


def scale_of(run: RunResult, card: Card | None) -> Scale | None:
    """The scale of the environment that `run` was scored in; None where 0 and 1 are the same, or 0 is without bound.

    The best value without memory is the 0 where it is known and memory is worth something.
    """
    if card is not None and not card.observed and card.fingerprint == run.fingerprint:
        reactive = card.ladder.get("reactive")
        if reactive is not None and run.optimum - reactive > 1e-6 * max(1.0, abs(run.optimum)):
            return Scale(reactive, run.optimum, reactive=True)
    return Scale(run.random, run.optimum) if run.optimum != run.random and math.isfinite(run.random) else None


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
class Curve:
    """Mean of an agent's runs over steps, with the lowest and the highest run: [points] each."""

    steps: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True)
class Regret:
    """Three regrets at the end of a run, averaged over finished runs; in reward units, never added to one another.

    Attributes:
        final: what the final policy still misses of the optimum.
        floor: the part of it that a perfect planner with the agent's own discount would miss too.
        episodic: sum over the episodes played of V*(s0) - V^pi(s0); None where that is not exact.
        gap: sum over the steps played of discount^t * (V*(s_t) - q*(s_t, a_t)).
        episodes: that ended.
    """

    final: float
    floor: float
    episodic: float | None
    gap: float
    episodes: float

    @property
    def endless(self) -> bool:
        """Whether steps were played and no episode ever ended: an episodic regret of 0 then says nothing."""
        return self.episodes == 0 and self.gap > 0

    @property
    def learning(self) -> float:
        """What is left of the final regret for learning to answer for."""
        return self.final - self.floor


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
        solved: regret below half of the smallest gap; None where the gap is not known, as where states are hidden.
        reached: steps until each of `LEVELS` is reached and held to the end; empty without scores.
        value: curve of the exact value.
        gap_regret: curve of the cumulative gap regret.
        episodic_regret: curve of it, or None where it is not exact.
        regret: at the end; None without finished runs.
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
    reached: tuple[CensoredMedian, ...]
    value: Curve | None
    gap_regret: Curve | None
    episodic_regret: Curve | None
    regret: Regret | None
    cpu_seconds: float | None

    @property
    def sampled(self) -> int:
        """How many of the finished runs have a score from episodes, not an exact one or a certified interval."""
        return sum(not run.exact for run in self.finished)


def cell_of(
    key: tuple[str, str],
    finished: tuple[RunResult, ...],
    failed: tuple[FailedRun, ...],
    missing: tuple[RunSpec, ...],
    worst: float,
    card: Card | None,
    sweep: Sweep,
    scale: Scale | None,
) -> Cell:
    """One agent in one environment."""
    scores: FloatArray = np.zeros(0)
    seeds: tuple[int, ...] = ()
    if scale is not None:
        known = [(run.spec.seed, scale.of(run)) for run in finished]
        known += [(run.spec.seed, worst) for run in failed]
        known.sort()
        seeds = tuple(seed for seed, _ in known)
        scores = np.array([score for _, score in known])
    top = max(1.0, float(scores.max(initial=1.0)))
    total = len(scores)
    gap = card.gap if card is not None and card.observed else None  # else it is of who sees the states
    solved = None
    if scale is not None and gap is not None and math.isfinite(gap):
        solved = Share(sum(run.optimum - run.final.value < gap / 2 for run in finished), total)
    cpu = [sweep.timings[run.spec.run_id].cpu_seconds for run in finished if run.spec.run_id in sweep.timings]
    ran = [] if scale is None else [scale.of(run) for run in finished]
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
        reached=tuple(reached_of(finished, failed, scale, level) for level in LEVELS)
        if scale and total
        else (),
        value=curve_of(finished, "value"),
        gap_regret=curve_of(finished, "gap_regret"),
        episodic_regret=curve_of(finished, "episodic_regret"),
        regret=regret_of(finished),
        cpu_seconds=float(np.median(cpu)) if cpu else None,
    )


def reached_of(
    finished: Sequence[RunResult], failed: Sequence[FailedRun], scale: Scale, level: float
) -> CensoredMedian:
    """Steps until every score from there on is at least `level`; runs that failed never get there."""
    times = [held_since(run, scale, level) for run in finished]
    times += [(float(run.spec.environment.steps), math.inf) for run in failed]
    return aggregate.censored_median([after for after, _ in times], [until for _, until in times])


def held_since(run: RunResult, scale: Scale, level: float) -> tuple[float, float]:
    """The last point of the curve below `level` (0: none), and the first of those after it (inf: none)."""
    after, until = 0.0, math.inf
    for point in run.curve:
        if scale(point.value) < level:
            after, until = float(point.steps), math.inf
        else:
            until = min(until, float(point.steps))
    return after, until


def regret_of(runs: Sequence[RunResult]) -> Regret | None:
    """Averages over runs."""
    if not runs:
        return None
    episodic = [run.final.episodic_regret for run in runs]
    known = [loss for loss in episodic if loss is not None]
    return Regret(
        final=float(np.mean([run.optimum - run.final.value for run in runs])),
        floor=float(np.mean([run.floor for run in runs])),
        episodic=float(np.mean(known)) if len(known) == len(runs) else None,
        gap=float(np.mean([run.final.gap_regret for run in runs])),
        episodes=float(np.mean([run.final.episodes for run in runs])),
    )


def curve_of(runs: Sequence[RunResult], column: str) -> Curve | None:
    """Mean, lowest and highest run at each step of the grid; a run keeps its last score between its points.

    A value without a bound (of a policy that never ends, by its total reward) is -inf; a regret has no curve then.
    """
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
    if np.isnan(stack).any() or (stack == np.inf).any():
        return None
    return Curve(grid.astype(np.float64), stack.mean(axis=0), stack.min(axis=0), stack.max(axis=0))


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
