"""Proves a results folder sound, or names every file that is not.

every run    its digest and its curve's fit; it is one that was planned, in its own folder; its curve has every
             step of the grid; regret never falls; no value lies outside its bounds, and no certified one lies above
             the optimum
every table  made anew, it has the fingerprint that stands in the folder, in its card and in every result
the plan     the suite's file still means the runs that the folder says it planned
the sum      finished + failed + missing = planned
again        as many runs as asked for are done again, and give the same bytes
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from ...envs.tables import table_of
from ..cards.making import Card, load_cards
from ..records import RunResult, RunSpec, Sweep
from ..results.marker import environments_of, versions
from ..results.store import FolderError, Store, is_temporary
from ..suite.catalogue import make_environment
from ..suite.reading import read_suite
from ..suite.schema import Suite
from ..suite_errors import SuiteError, error_text
from .run import grid_of
from .supervisor import Supervisor
from .sweep_progress import Progress

#: How far a value may lie above the optimum: that is certified to 1e-8 of its size.
SLACK = 1e-6


@dataclass(frozen=True, kw_only=True)
class Soundness:
    """What was found; true where nothing is wrong.

    Attributes:
        sweep: what is whole.
        wrong: one line for each fault.
        notes: what is no fault, and worth knowing.
        again: runs that were done again, and gave the same bytes.
    """

    sweep: Sweep
    wrong: tuple[str, ...]
    notes: tuple[str, ...]
    again: int

    def __bool__(self) -> bool:
        return not self.wrong

    def __str__(self) -> str:
        sweep = self.sweep
        finished, failed, missing = len(sweep.finished), len(sweep.failed), len(sweep.missing)
        counts = (
            f"{finished} finished + {failed} failed + {missing} missing = {len(sweep.planned)} planned runs"
        )
        verdict = (
            f"{len(self.wrong)} wrong; running the suite again mends damaged runs" if self.wrong else "sound"
        )
        again = f", {self.again} done again with the same bytes" if self.again else ""
        return "\n".join([*self.wrong, *self.notes, counts, f"{sweep.folder}: {verdict}{again}"])


def examine_folder(folder: str | PathLike[str], *, again: int = 0) -> Soundness:
    """Looks at every file of a results folder; writes nothing there.

    Args:
        folder: what `run_suite` wrote.
        again: how many finished runs to do again, evenly chosen, to compare their bytes.

    Raises:
        FolderError: it is no results folder, of another format, or its suite cannot be run here `again`.
        ValueError: `again` is negative.
    """
    if again < 0:
        raise ValueError(f"again must be at least 0, got {again}")
    store = Store.read(folder)
    wrong: list[str] = []
    sweep = store.sweep(damaged=wrong)
    notes = other_versions(store)
    wrong += wrong_tables(store)
    wrong += [
        f"{store.run_folder(run.spec)}: {says}" for run in sweep.finished for says in faults(run, store)
    ]
    wrong += strangers(store)
    notes += leftovers(store.folder)
    suite = None
    try:
        suite = read_suite(store.folder / "suite.toml")
    except (SuiteError, ImportError) as error:
        if again:
            raise FolderError(
                f"{folder}: no run can be done again, since suite.toml cannot be read here: {error_text(error)}"
            ) from None
        notes.append(
            f"suite.toml cannot be read here, so the plan is taken as it stands: {error_text(error)}"
        )
    if suite is not None and {run.run_id for run in suite.plan()[0]} != {run.run_id for run in sweep.planned}:
        wrong.append(f"{store.folder / 'suite.toml'}: means other runs than those that were planned")
    compared = 0
    if again and suite is not None:
        chosen = evenly([run.spec for run in sweep.finished], again)
        differing = differing_runs(store, suite, chosen)
        compared = len(chosen) - len(differing)
        wrong += [f"{store.run_folder(spec)}: done again, its bytes differ" for spec in differing]
    return Soundness(sweep=sweep, wrong=tuple(wrong), notes=tuple(notes), again=compared)


def other_versions(store: Store) -> list[str]:
    """Packages that have changed since the folder was made."""
    here, there = versions(), store.marker["versions"]
    changed = [
        f"{name} {there[name]}, here {here.get(name, 'none')}"
        for name in there
        if there[name] != here.get(name)
    ]
    return (
        [f"made with {'; '.join(changed)}: runs done here may differ in their last digits"] if changed else []
    )


def wrong_tables(store: Store) -> list[str]:
    """Environments whose table, made anew, is another one, or whose card is missing or of another one."""
    lines = []
    try:
        cards: dict[str, Card] | None = load_cards(store.folder)
    except FolderError as error:
        cards = None
        lines.append(str(error))
    for spec in environments_of(store.marker):
        claimed = store.marker["fingerprints"][spec.name]
        try:
            env = make_environment(spec)
            made = table_of(env).fingerprint
            env.close()
        except (ValueError, TypeError, ImportError) as error:
            lines.append(f"{spec.name}: cannot be made anew: {error_text(error)}")
            continue
        if made != claimed:
            lines.append(
                f"{spec.name}: its table is now {made[:12]}; the folder was made with {claimed[:12]}"
            )
        if cards is not None and spec.name not in cards:
            lines.append(f"{spec.name}: its card is missing; running the suite writes it again")
        elif cards is not None and cards[spec.name].fingerprint != claimed:
            lines.append(f"{spec.name}: its card is of the table {cards[spec.name].fingerprint[:12]}")
    return lines


def faults(run: RunResult, store: Store) -> list[str]:
    """What cannot be in a result that a run has written."""
    spec = run.spec
    found = []
    claimed = store.marker["fingerprints"][spec.environment.name]
    if run.fingerprint != claimed:
        found.append(
            f"scored against the table {run.fingerprint[:12]}; the folder was made with {claimed[:12]}"
        )
    if tuple(point.steps for point in run.curve) != grid_of(spec.environment.steps, spec.scoring.points):
        found.append("its curve has other steps than the grid")
    slack = SLACK * max(1.0, abs(run.optimum))
    # A certified interval may reach beyond the optimum, not lie beyond it; samples prove nothing.
    certain = [min(point.low, point.value) for point in run.curve] if run.exact else []
    if any(value > run.optimum + slack for value in certain):
        found.append("a value of its curve lies above the optimum")
    if any(not point.low <= point.value <= point.high for point in run.curve):
        found.append("a value of its curve lies outside its own bounds")
    for before, after in zip(run.curve, run.curve[1:], strict=False):
        if after.gap_regret < before.gap_regret or after.episodes < before.episodes:
            found.append(f"its regret or its episodes fall after step {before.steps}")
            break
    return found


def strangers(store: Store) -> list[str]:
    """Folders of runs that nobody planned."""
    planned = {spec.run_id for spec in store.planned()}
    return [
        f"{path}: no run of this suite"
        for path in sorted((store.folder / "runs").glob("*"))
        if path.name not in planned
    ]


def leftovers(folder: Path) -> list[str]:
    """What killed writers left; the next run of the suite sweeps it."""
    return [
        f"{path}: left by a writer that was killed"
        for path in sorted(folder.rglob(".*.tmp"))
        if is_temporary(path)
    ]


def evenly(runs: Sequence[RunSpec], count: int) -> list[RunSpec]:
    """At most `count` of them, spread over the whole."""
    count = min(count, len(runs))
    return [runs[k * len(runs) // count] for k in range(count)]


def differing_runs(store: Store, suite: Suite, runs: Sequence[RunSpec]) -> list[RunSpec]:
    """Does the runs again elsewhere; those whose bytes are not the same."""
    with tempfile.TemporaryDirectory(prefix="bellglass-") as place:
        other = Store.open(place, suite)
        with Progress(runs, runs, shown=False) as unseen:
            Supervisor(other, suite.limits, suite.agents, workers=1, progress=unseen).do(runs)
        return [spec for spec in runs if bytes_of(other, spec) != bytes_of(store, spec)]


def bytes_of(store: Store, spec: RunSpec) -> list[bytes]:
    """The files of a run that its spec determines (none where it failed)."""
    folder = store.run_folder(spec)
    return [path.read_bytes() for name in ("result.json", "curve.jsonl") if (path := folder / name).is_file()]
