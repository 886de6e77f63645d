"""Two results folders: what changed between them, and what of it is more than chance.

Runs are compared seed by seed where both folders solved the same problem: same agent name, same table, same criterion.
The interval is a betting interval of the mean difference of scores, valid at any number of seeds; a change counts as
shown only where the interval still excludes 0 at a level divided by the number of comparisons (Bonferroni).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ..records import Sweep
from ..statistics import aggregate
from ..statistics.aggregate import FloatArray, Interval
from ..wording import counted
from .comparison import Comparison
from .table_cells import Cell, Scale
from .words import listed, three


@dataclass(frozen=True)
class Change:
    """One agent in one environment, in both folders.

    Attributes:
        agent: its name.
        environment: its name; "all" for the average over the environments compared.
        before: mean score over the seeds in common.
        after: the same in the second folder.
        seeds: runs in common, failed ones among them.
        same: of these, runs that are equal to the last bit, or failed with the same error.
        interval: of `after - before`, 95 %; None below 3 seeds, where all runs are the same, and where a score is -inf.
        shown: whether the change is more than chance, over all comparisons together.
        failed: of the runs in common, before and after.
        sampled: whether some score is sampled, not exact.
        cpu: median CPU time of a run after, divided by that before; None where not known.
    """

    agent: str
    environment: str
    before: float
    after: float
    seeds: int
    same: int
    interval: Interval | None
    shown: bool
    failed: tuple[int, int]
    sampled: bool
    cpu: float | None

    @property
    def difference(self) -> float:
        """Of the means; positive is better, nan where both are without bound."""
        return self.after - self.before

    @property
    def verdict(self) -> str:
        """In one word or three."""
        if self.same == self.seeds:
            return "identical"
        if self.shown:
            return "better" if self.difference > 0 else "worse"
        return "no telling"


@dataclass(frozen=True)
class Versus:
    """Both folders, what differs in how they were made, and what came out.

    Attributes:
        before: the first folder.
        after: the second one.
        setup: one line for each thing that was set up otherwise.
        changes: by environment, then by agent; those over all environments last.
        left_out: one line for each pair that cannot be compared.
    """

    before: Sweep
    after: Sweep
    setup: tuple[str, ...]
    changes: tuple[Change, ...]
    left_out: tuple[str, ...]

    @property
    def moved(self) -> tuple[Change, ...]:
        """Changes with some run that is not the same."""
        return tuple(change for change in self.changes if change.verdict != "identical")

    @property
    def identical(self) -> list[str]:
        """One line for each agent: where all of its runs are the same."""
        where: dict[str, list[str]] = {}
        for change in self.changes:
            if change.verdict == "identical" and change.environment != "all":
                where.setdefault(change.agent, []).append(change.environment)
        return [f"{agent} on {listed(names)}" for agent, names in where.items()]


class Paired:
    """Scores of the seeds in common of one agent in one environment."""

    def __init__(self, before: Cell, after: Cell) -> None:
        self.cells = before, after
        self.low = min(before.score_range[0], after.score_range[0])
        self.high = max(before.score_range[1], after.score_range[1])
        tables = [self._table(cell) for cell in self.cells]
        self.seeds = sorted(tables[0].keys() & tables[1].keys())
        self.failed = [sum(run.spec.seed in self.seeds for run in cell.failed) for cell in self.cells]
        self.before, self.after = (np.array([table[seed] for seed in self.seeds]) for table in tables)
        ends = [ends_of(cell) for cell in self.cells]
        self.same = sum(ends[0][seed] == ends[1][seed] for seed in self.seeds)

    @property
    def cpu(self) -> float | None:
        """CPU time of a run after, divided by that before; None where not known."""
        before, after = (cell.cpu_seconds for cell in self.cells)
        return after / before if before and after else None

    def _table(self, cell: Cell) -> dict[int, float]:
        """Score by seed; a failed run counts with the worst score of either folder."""
        failed = {run.spec.seed for run in cell.failed}
        return {
            seed: self.low if seed in failed else float(score)
            for seed, score in zip(cell.seeds, cell.scores, strict=True)
        }


def ends_of(cell: Cell) -> dict[int, object]:
    """By seed, what two runs have in common that are the same to the last bit, or failed with the same error."""
    finished = {run.spec.seed: (run.curve, run.policy) for run in cell.finished}
    return {**finished, **{run.spec.seed: run.error for run in cell.failed}}


def versus(before: Comparison, after: Comparison) -> Versus:
    """What changed from one folder to the other.

    Raises:
        ValueError: they have no agent in common that plays an environment in both.
    """
    for sweep in (before.sweep, after.sweep):
        if not sweep.finished:
            raise ValueError(f"{sweep.folder} has no finished run, so there is nothing to compare")
    pairs, left_out = pairs_of(before, after)
    if not pairs:
        reasons = f" ({'; '.join(left_out)})" if left_out else ""
        raise ValueError(
            f"{before.sweep.folder} and {after.sweep.folder} have nothing in common to compare{reasons}"
        )
    agents = [agent for agent in before.agents if any(name == agent for name, _ in pairs)]
    own = {agent: [pair for (name, _), pair in pairs.items() if name == agent] for agent in agents}
    wide = [agent for agent in agents if len(own[agent]) > 1 and shared(own[agent])]
    number = len(pairs) + len(wide)
    changes = [change_of(agent, name, [pair], number) for (agent, name), pair in pairs.items()]
    changes += [change_of(agent, "all", own[agent], number) for agent in wide]
    return Versus(
        before.sweep, after.sweep, tuple(setup_of(before.sweep, after.sweep)), tuple(changes), tuple(left_out)
    )


def pairs_of(before: Comparison, after: Comparison) -> tuple[dict[tuple[str, str], Paired], list[str]]:
    """What can be compared, and one line for each agent in an environment that cannot."""
    pairs: dict[tuple[str, str], Paired] = {}
    left_out = []
    both = [name for name in before.environments if name in after.environments]
    for name in both:
        reason = difference_of_problem(before, after, name)
        if reason:
            left_out.append(f"{name}: {reason}")
            continue
        for agent in before.agents:
            cells = before.cells.get((agent, name)), after.cells.get((agent, name))
            if cells[0] is None or cells[1] is None:
                continue
            pair = Paired(cells[0], cells[1])
            if pair.seeds:
                pairs[agent, name] = pair
            else:
                left_out.append(f"{agent} on {name}: no seed has a score in both folders")
    for what, some, others in (
        ("environments", before.environments, after.environments),
        ("agents", before.agents, after.agents),
    ):
        for only, where in (
            ([name for name in some if name not in others], "first"),
            ([name for name in others if name not in some], "second"),
        ):
            if only:
                left_out.append(f"{what} in the {where} folder only: {listed(only)}")
    return pairs, left_out


def difference_of_problem(before: Comparison, after: Comparison, name: str) -> str:
    """Why scores of an environment mean different things in the two folders; empty where they mean the same."""
    if before.sweep.scoring[name] != after.sweep.scoring[name]:
        one, other = before.sweep.scoring[name], after.sweep.scoring[name]
        changed = [
            f"{key} {asdict(one)[key]} and {value}"
            for key, value in asdict(other).items()
            if asdict(one)[key] != value
        ]
        if changed and not all(text.startswith("points ") for text in changed):
            return f"scored otherwise ({', '.join(changed)})"
    prints = [
        {run.fingerprint for run in sweep.finished if run.spec.environment.name == name}
        for sweep in (before.sweep, after.sweep)
    ]
    if prints[0] and prints[1] and prints[0] != prints[1]:
        one_print, other_print = (sorted(found)[0][:12] for found in prints)
        return f"its table has changed (fingerprint {one_print}, then {other_print})"
    scales = before.scales.get(name), after.scales.get(name)
    if name in before.unscored or name in after.unscored:
        return "random play is optimal there, or without bound, so it has no score"
    if all(scales) and not same_scale(scales):
        return "0 and 1 of its score differ"
    return ""


def same_scale(scales: Sequence[Scale | None]) -> bool:
    """Whether two scales agree up to rounding."""
    one, other = scales
    if one is None or other is None:
        return False
    return bool(np.allclose([one.zero, one.one], [other.zero, other.one], rtol=1e-7, atol=1e-9))


def change_of(agent: str, environment: str, pairs: Sequence[Paired], number: int) -> Change:
    """The change over one environment, or averaged over several, one of `number` comparisons."""
    seeds = shared(pairs)
    before, after = (
        mean_by_seed([(pair.seeds, pair.before if k == 0 else pair.after) for pair in pairs], seeds)
        for k in (0, 1)
    )
    width = float(np.mean([pair.high - pair.low for pair in pairs]))
    interval = strict = None
    same = sum(pair.same for pair in pairs)
    total = sum(len(pair.seeds) for pair in pairs)
    if len(seeds) >= aggregate.FEWEST and same < total and math.isfinite(width):
        interval = aggregate.betting_interval(after - before, -width, width)
        strict = aggregate.betting_interval(
            after - before, -width, width, 1 - (1 - aggregate.CONFIDENCE) / number
        )
    cpu = [ratio for pair in pairs if (ratio := pair.cpu) is not None]
    return Change(
        agent=agent,
        environment=environment,
        before=float(before.mean()),
        after=float(after.mean()),
        seeds=total,
        same=same,
        interval=interval,
        shown=strict is not None and (strict.low > 0 or strict.high < 0),
        failed=(
            sum(pair.failed[0] for pair in pairs),
            sum(pair.failed[1] for pair in pairs),
        ),
        sampled=any(cell.sampled for pair in pairs for cell in pair.cells),
        cpu=float(np.exp(np.mean(np.log(cpu)))) if len(cpu) == len(pairs) else None,
    )


def shared(pairs: Sequence[Paired]) -> list[int]:
    """Seeds that have a score in both folders in every one of the environments."""
    return sorted(set.intersection(*(set(pair.seeds) for pair in pairs)))


def mean_by_seed(tables: Sequence[tuple[Sequence[int], FloatArray]], seeds: Sequence[int]) -> FloatArray:
    """[seeds] average over environments."""
    rows = [[dict(zip(own, scores, strict=True))[seed] for seed in seeds] for own, scores in tables]
    return np.asarray(np.mean(rows, axis=0), dtype=np.float64)


def setup_of(before: Sweep, after: Sweep) -> list[str]:
    """What was set up otherwise, one line each."""
    lines = []
    for name in sorted({*before.versions, *after.versions}):
        one, other = before.versions.get(name, "none"), after.versions.get(name, "none")
        if one != other:
            lines.append(f"{name} {one} -> {other}")
    if before.seeds != after.seeds:
        lines.append(f"seeds {before.seeds} -> {after.seeds}")
    for kind, some, others in (
        ("agent", before.agents, after.agents),
        ("environment", before.environments, after.environments),
    ):
        known = {entry.name: asdict(entry) for entry in others}
        for entry in some:
            for key, value in asdict(entry).items():
                new = known.get(entry.name, asdict(entry))[key]
                if new != value:
                    lines.append(f"{kind} {entry.name}: {key} {said(value)} -> {said(new)}")
    for name, scoring in before.scoring.items():
        for key, value in asdict(scoring).items():
            new = asdict(after.scoring.get(name, scoring))[key]
            if new != value:
                lines.append(f"scoring of {name}: {key} {said(value)} -> {said(new)}")
    counts = [(len(s.finished), len(s.failed), len(s.missing), len(s.planned)) for s in (before, after)]
    if counts[0] != counts[1]:
        lines.append(
            "runs " + " -> ".join(f"{a} finished + {b} failed + {c} missing = {d}" for a, b, c, d in counts)
        )
    return lines


def said(value: object) -> str:
    """A setting in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {item!r}" for key, item in sorted(value.items())) + "}"
    return str(value)


def verdict_of(both: Versus) -> tuple[str, list[str]]:
    """The headline, and what one must know beside it."""
    single = [change for change in both.changes if change.environment != "all"]
    runs, same = sum(change.seeds for change in single), sum(change.same for change in single)
    if same == runs:
        failed = sum(change.failed[0] for change in single)
        told = [f"{counted(failed, 'run')} among them failed, with the same error in both."] if failed else []
        all_of_them = f"all {runs:,} runs in common are" if runs > 1 else "the one run in common is"
        return f"Nothing changed: {all_of_them} equal to the last bit.", told
    better = [change for change in both.changes if change.verdict == "better"]
    worse = [change for change in both.changes if change.verdict == "worse"]
    rest = len(single) - sum(change.environment != "all" for change in (*better, *worse))
    parts = [
        f"{word}: {'; '.join(place_of(change) for change in some)}"
        for word, some in (("Better", better), ("Worse", worse))
        if some
    ]
    first = ". ".join(parts) + "." if parts else "No change can be told from chance."
    told = []
    if not parts:
        finite = [change for change in single if math.isfinite(change.difference)]
        if finite:
            largest = max(finite, key=lambda change: abs(change.difference))
            told.append(f"The largest one: {place_of(largest)}.")
    same_pairs = sum(change.verdict == "identical" for change in single)
    if rest - same_pairs > 0 and parts:
        told.append(
            f"For {counted(rest - same_pairs, 'pair')} of agent and environment the seeds cannot tell."
        )
    told.append(f"Equal to the last bit: {same:,} of {counted(runs, 'run')} in common.")
    doubtful = [f"{change.agent} on {change.environment}" for change in single if change.sampled]
    if doubtful:
        told.append(f"Scores are sampled, not exact, for {listed(doubtful)}.")
    new = sum(change.failed[1] - change.failed[0] for change in single)
    if new:
        told.append(f"{counted(abs(new), 'run')} {'more' if new > 0 else 'fewer'} failed.")
    return first, told


def place_of(change: Change) -> str:
    """Who, where, and by how much."""
    where = "all environments" if change.environment == "all" else change.environment
    return f"{change.agent} on {where} ({three(change.difference, signed=True)})"
