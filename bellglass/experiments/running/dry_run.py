"""What a suite would run, and how long that may take, without running it.

How long: runs of the pair that lie in the results folder say it; else the pair is tried for about half a second.

    a run  =  start of a process + making, solving and the first score + learning + points * one exact score
    learning  =  what the trial took  +  steps left / steps per second in the trial's second half
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from ..cards.making import cards_for
from ..records import RunSpec
from ..results.store import FolderError, Store, check_folder_for
from ..suite.schema import Suite
from ..suite_errors import error_text
from ..wording import counted, ranges
from .run import learn, make_setup
from .sweep_progress import duration, pair

#: Seconds for which a pair is tried, and between two looks at the clock.
TRIAL, LOOK = 0.5, 0.02

#: Seconds in which a process starts, forked from its server.
START = 0.2


class Forecast(NamedTuple):
    """Seconds that a run may take, or why nobody can tell."""

    seconds: float
    trouble: str = ""


class Stopwatch:
    """A callback that stops learning once it has seen for long enough how fast it goes.

    Attributes:
        next_timestep: of the next look at the clock.
        marks: (seconds, steps) at every look.
    """

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.marks: list[tuple[float, int]] = [(0.0, 0)]
        self.next_timestep = 1

    def __call__(self, agent: Any) -> bool:
        """Looks at the clock."""
        seconds, steps = time.perf_counter() - self.began, int(agent.num_timesteps)
        self.marks.append((seconds, steps))
        self.next_timestep = steps + max(1, round(steps / seconds * LOOK))
        return seconds < TRIAL

    def seconds_for(self, steps: int) -> float:
        """Of learning from so many steps, once it has ended or was stopped."""
        seconds, done = self.marks[-1]
        if done >= steps or not done:  # it was quick, or a planner, which takes no steps
            return time.perf_counter() - self.began
        half, done_by_half = next(mark for mark in reversed(self.marks) if mark[0] <= seconds / 2)
        return seconds + (steps - done) * (seconds - half) / (done - done_by_half)


def forecast(spec: RunSpec) -> Forecast:
    """Tries a run for about half a second."""
    began = time.perf_counter()
    try:
        stage = make_setup(spec)
        stage.scorer.score(stage.agent)  # the first one makes what the others share
        made = time.perf_counter() - began
        watch = Stopwatch()
        learn(stage.agent, spec.environment.steps, watch)
        learning = watch.seconds_for(spec.environment.steps)
        scored = time.perf_counter()
        stage.scorer.score(stage.agent)
        score = time.perf_counter() - scored
        stage.close()
    except Exception as error:  # whatever an agent raises: its runs will fail, and that is worth knowing now
        return Forecast(0.0, error_text(error))
    return Forecast(START + made + learning + spec.scoring.points * score)


class Outlook(NamedTuple):
    """What is left to do.

    Attributes:
        left: runs, by (agent, environment) names in the order planned.
        planned: how many each pair has in all.
        forecasts: of one run of each pair that has some left.
    """

    left: dict[tuple[str, str], list[RunSpec]]
    planned: dict[tuple[str, str], int]
    forecasts: dict[tuple[str, str], Forecast]

    @property
    def seconds(self) -> float:
        """Of all that is left, one run after the other."""
        return sum(self.forecasts[key].seconds * len(runs) for key, runs in self.left.items() if runs)


def look_ahead(suite: Suite, folder: Path) -> Outlook:
    """What is left of a suite in its results folder (all of it, where there is none), and how long it may take.

    Raises:
        FolderError, SuiteError: as `run_suite`.
    """
    check_folder_for(folder, suite)
    cards_for(suite, folder)  # a run writes them first, and refuses what has no exact answer
    try:
        store = Store.read(folder)
    except FolderError:
        store = None
    left: dict[tuple[str, str], list[RunSpec]] = defaultdict(list)
    planned: dict[tuple[str, str], int] = defaultdict(int)
    took: dict[tuple[str, str], list[float]] = defaultdict(list)
    for spec in suite.plan()[0]:
        key = pair(spec)
        planned[key] += 1
        runs = left[key]
        if store is None or not store.is_sound(spec):
            runs.append(spec)
        elif (timing := store.timing(spec)) is not None:
            took[key].append(timing.seconds)
    forecasts = {
        key: Forecast(START + fmean(took[key])) if took[key] else forecast(runs[0])
        for key, runs in left.items()
        if runs
    }
    return Outlook(dict(left), dict(planned), forecasts)


def format_plan(suite: Suite, folder: Path, workers: int) -> str:
    """One line for each pair with something left to do, the pairs that cannot play, and the sums."""
    outlook = look_ahead(suite, folder)
    rows = [["agent", "environment", "runs", "seeds", "steps each", "time each"]]
    for (agent, environment), runs in outlook.left.items():
        if runs:
            one = outlook.forecasts[agent, environment]
            time_each = f"about {one.seconds:.2g} s" if one.seconds < 10 else f"about {duration(one.seconds)}"
            rows.append(
                [
                    agent,
                    environment,
                    str(len(runs)),
                    ranges(run.seed for run in runs),
                    f"{runs[0].environment.steps:,}",
                    f"fails: {one.trouble}" if one.trouble else time_each,
                ]
            )
    lines = columns(rows) if len(rows) > 1 else []
    lines += [f"not planned: {skip.agent} in {skip.environment}: {skip.reason}" for skip in suite.skipped]
    runs = [run for some in outlook.left.values() for run in some]
    known = sum(outlook.planned.values()) - len(runs)
    steps = sum(run.environment.steps for run in runs)
    says = f"{len(runs)} runs, {steps:,} environment steps in all"
    if known:
        says += f"; {known} more lie finished in {folder}"
    if runs:
        says += (
            f"; about {duration(outlook.seconds / min(workers, len(runs)))} with {counted(workers, 'worker')}"
        )
    return "\n".join([*lines, says])


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines with their cells below one another."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
