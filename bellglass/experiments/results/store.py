"""A results folder: one folder a run, so that nothing is lost and nothing doubled, whatever is killed when.

    FOLDER/
      bellglass.json        what was planned, table fingerprints, versions; its presence makes the folder ours
      suite.toml            the suite as it was run
      cards/NAME.json       the exact answers of each environment
      runs/RUN_ID/
        curve.jsonl         one exact score a line, appended while the agent learns
        timing.json         seconds, host, versions, attempts: what the spec does not determine
        result.json         written last and at once: the run is finished exactly if this is whole
        failed.json         instead, if it failed: the error and its traceback
      locks/RUN_ID.lock     held by the process that runs it

A result bears the digest of its curve and its own, so a cut or a flipped bit shows.  Files are replaced, not
written in place: temporary file, fsync, rename, fsync of the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import filelock

from ...atomic import written_whole
from ..records import CurvePoint, FailedRun, RunResult, RunSpec, Skipped, Sweep, Timing
from ..suite.schema import Suite
from ..suite_errors import error_message, error_text
from ..text import canonical, line_of, result_from, result_text
from .marker import (
    FORMAT,
    MARKER,
    agents_of,
    check_contents,
    environments_of,
    marker_of,
    plan_of,
    scoring_of,
    versions,
)


class FolderError(ValueError):
    """A results folder that must not or cannot be read or written, and why, in one line."""


@contextlib.contextmanager
def writable(folder: Path) -> Iterator[None]:
    """What goes wrong while a file in `folder` is written (no space, no permission) as a FolderError."""
    try:
        yield
    except OSError as error:
        raise FolderError(
            f"{folder}: cannot be written to: {error.strerror or error_message(error)}"
        ) from error


def write_whole(path: Path, text: str, *, lasting: bool = True) -> None:
    """The whole file or none of it, however the process ends.

    Args:
        path: in a folder that is there.
        text: of the file.
        lasting: wait until it is on disk; what can be made again need not.
    """
    try:
        with written_whole(path, lasting=lasting) as file:
            file.write(text.encode())
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise
        # a supervisor that has just come took us for dead, and swept
        write_whole(path, text, lasting=lasting)
    if lasting:
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` last through a loss of power (where the system knows how)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Store:
    """A results folder that is ours, open for reading and writing.

    Attributes:
        folder: where it lies.
        marker: what `bellglass.json` says.
    """

    def __init__(self, folder: Path, marker: Mapping[str, Any]) -> None:
        self.folder = folder
        self.marker = marker

    # -- opening -------------------------------------------------------------------------------------------

    @classmethod
    def read(cls, folder: str | os.PathLike[str]) -> Store:
        """Opens a folder to read from.

        Raises:
            FolderError: it is not there, not ours, of another format or damaged.
        """
        path = Path(folder)
        if not path.is_dir():
            raise FolderError(f"{path}: {'a file, no results folder' if path.exists() else 'no such folder'}")
        try:
            text = (path / MARKER).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise FolderError(f"{path}: no results folder of bellglass (it has no {MARKER})") from None
        except (OSError, UnicodeDecodeError) as error:
            raise FolderError(f"{path}: {MARKER} cannot be read: {error}") from None
        try:
            marker = json.loads(text)
            kind, number = marker["kind"], marker["format"]
        except (ValueError, KeyError, TypeError) as error:
            raise FolderError(f"{path}: {MARKER} is damaged: {error_text(error)}") from None
        if kind != "bellglass results":
            raise FolderError(f"{path}: no results folder of bellglass (its {MARKER} says {kind!r})")
        if number != FORMAT:
            raise FolderError(
                f"{path}: its results have format {number!r}; this bellglass reads and writes {FORMAT}"
            )
        try:
            check_contents(text)
        except ValueError as error:
            raise FolderError(f"{path}: {MARKER} is damaged: {error}") from None
        return cls(path, marker)

    @classmethod
    def open(cls, folder: str | os.PathLike[str], suite: Suite) -> Store:
        """Opens the folder of `suite` to write to, making it where nothing lies yet.

        A folder that holds the same suite, or one that `suite` only adds to (seeds, agents, environments), is
        gone on with.  Everything else is refused, and left as it is.

        Raises:
            FolderError: something else lies there: results of other tables, another format or another suite.
        """
        path = Path(folder)
        check_folder_for(path, suite)
        with writable(path):
            return cls._opened(path, suite)

    @classmethod
    def _opened(cls, path: Path, suite: Suite) -> Store:
        path.mkdir(parents=True, exist_ok=True)
        (path / "locks").mkdir(exist_ok=True)
        with filelock.FileLock(path / "locks" / "folder.lock"):
            check_folder_for(path, suite)  # again: another process may have been first
            marker = marker_of(suite)
            if (path / MARKER).exists():
                old = cls.read(path).marker
                marker["versions"] = old["versions"]
                if canonical(marker) != canonical(old):
                    write_whole(path / MARKER, canonical(marker) + "\n")
            else:
                write_whole(path / MARKER, canonical(marker) + "\n")
            for name in ("runs", "cards"):
                (path / name).mkdir(exist_ok=True)
                sweep_temporaries(path / name)
            sweep_temporaries(path)
            if not same_text(path / "suite.toml", suite.text):
                write_whole(path / "suite.toml", suite.text)
        return cls(path, marker)

    # -- what is planned -----------------------------------------------------------------------------------

    def planned(self) -> tuple[RunSpec, ...]:
        """Every run of the suite."""
        return plan_of(self.marker)

    # -- one run -------------------------------------------------------------------------------------------

    def run_folder(self, spec: RunSpec) -> Path:
        """Where a run's files lie."""
        return self.folder / "runs" / spec.run_id

    def _made_folder(self, spec: RunSpec) -> Path:
        if not (self.folder / MARKER).exists():  # somebody removed it: do not bring half of it back
            raise FolderError(f"{self.folder}: was removed or moved while its suite ran")
        folder = self.run_folder(spec)
        with writable(self.folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def claim(self, spec: RunSpec) -> Iterator[bool]:
        """Whether the run is ours to do now: False while another process, of any host, holds it.

        The lock falls with the process that holds it, however that ends.
        """
        lock = filelock.FileLock(self.folder / "locks" / f"{spec.run_id}.lock")
        with writable(self.folder), contextlib.suppress(filelock.Timeout):
            lock.acquire(timeout=0)
        try:
            yield lock.is_locked
        finally:
            lock.release()

    def is_claimed(self, spec: RunSpec) -> bool:
        """Whether another process was doing the run a moment ago: only a look, no promise."""
        with self.claim(spec) as ours:
            return not ours

    def begin(self, spec: RunSpec) -> IO[bytes]:
        """Clears what an earlier attempt left, and opens the curve to append to (the run must be claimed)."""
        folder = self._made_folder(spec)
        with writable(self.folder):
            sweep_temporaries(folder)
            for name in ("result.json", "failed.json", "timing.json"):
                (folder / name).unlink(missing_ok=True)
            return (folder / "curve.jsonl").open("wb", buffering=0)

    def append(self, curve: IO[bytes], point: CurvePoint) -> None:
        """Adds one point to an open curve, for whoever reads along."""
        line = line_of(point).encode()
        with writable(self.folder):
            while line:  # a disk that is nearly full takes what fits, and says why at the next try
                line = line[curve.write(line) :]

    def finish(self, curve: IO[bytes], result: RunResult, timing: Timing) -> None:
        """Ends a run: curve and timing first, and the result, which alone makes it finished, last."""
        folder = self.run_folder(result.spec)
        with writable(self.folder):
            os.fsync(curve.fileno())
            curve.close()
            written = (folder / "curve.jsonl").read_bytes()
            write_whole(folder / "timing.json", canonical({**asdict(timing), "versions": versions()}) + "\n")
            write_whole(folder / "result.json", result_text(result, written))

    def fail(self, failure: FailedRun) -> None:
        """Ends a run that failed (the run must be claimed)."""
        folder = self._made_folder(failure.spec)
        with writable(self.folder):
            write_whole(folder / "failed.json", canonical(asdict(failure)) + "\n")

    def result(self, spec: RunSpec) -> RunResult | None:
        """The finished run, or None.

        Raises:
            FolderError: its files are damaged.
        """
        path = self.run_folder(spec) / "result.json"
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise FolderError(f"{path} is damaged: {error_message(error)}") from None
        try:
            result = result_from(text, (path.parent / "curve.jsonl").read_bytes())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FolderError(f"{path} is damaged: {error_message(error)}") from None
        if result.spec.run_id != spec.run_id:
            raise FolderError(f"{path} is damaged: it holds the run {result.spec.run_id}")
        return RunResult(
            **{**vars(result), "spec": spec}
        )  # names may have changed since; they are no part of it

    def is_sound(self, spec: RunSpec) -> bool:
        """Whether the run is finished and whole."""
        try:
            return self.result(spec) is not None
        except FolderError:
            return False

    def failure(self, spec: RunSpec) -> FailedRun | None:
        """The failure of a run, or None; a damaged file counts as none, so that the run is done again."""
        try:
            data = json.loads((self.run_folder(spec) / "failed.json").read_text(encoding="utf-8"))
            return FailedRun(spec=spec, error=str(data["error"]), traceback=str(data["traceback"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def timing(self, spec: RunSpec) -> Timing | None:
        """What the run took, or None where that is not known."""
        try:
            data = json.loads((self.run_folder(spec) / "timing.json").read_text(encoding="utf-8"))
            return Timing(
                seconds=float(data["seconds"]),
                cpu_seconds=float(data["cpu_seconds"]),
                host=str(data["host"]),
                attempts=int(data["attempts"]),
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    # -- the whole -----------------------------------------------------------------------------------------

    def sweep(self, *, damaged: list[str] | None = None) -> Sweep:
        """Everything in the folder; finished + failed + missing = planned.

        Args:
            damaged: takes one line for each damaged run, which then counts as missing.

        Raises:
            FolderError: a run is damaged and no list was given.
        """
        planned = self.planned()
        finished, failed, missing = [], [], []
        timings = {}
        trouble: list[str] = []
        for spec in planned:
            try:
                result = self.result(spec)
            except FolderError as error:
                trouble.append(str(error))
                missing.append(spec)
                continue
            if result is not None:
                finished.append(result)
                timing = self.timing(spec)
                if timing is not None:
                    timings[spec.run_id] = timing
            elif (failure := self.failure(spec)) is not None:
                failed.append(failure)
            else:
                missing.append(spec)
        if damaged is not None:
            damaged += trouble
        elif trouble:
            more = f" (and {len(trouble) - 1} more)" if len(trouble) > 1 else ""
            raise FolderError(f"{trouble[0]}{more}; running the suite again does these runs again")
        try:
            suite_text = (self.folder / "suite.toml").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FolderError(f"{self.folder}: suite.toml cannot be read: {error}") from None
        return Sweep(
            folder=self.folder,
            name=self.marker["name"],
            suite_text=suite_text,
            agents=agents_of(self.marker),
            environments=environments_of(self.marker),
            scoring=scoring_of(self.marker),
            seeds=self.marker["seeds"],
            planned=planned,
            finished=tuple(finished),
            failed=tuple(failed),
            missing=tuple(missing),
            skipped=tuple(Skipped(**row) for row in self.marker["skipped"]),
            timings=timings,
            versions=self.marker["versions"],
        )


def load_sweep(folder: str | os.PathLike[str]) -> Sweep:
    """Reads a results folder whole.

    Raises:
        FolderError: (a ValueError, one line) it is not ours, of another format, or a result in it is damaged.
    """
    return Store.read(folder).sweep()


def find_damage(folder: str | os.PathLike[str]) -> tuple[Sweep, tuple[str, ...]]:
    """What is sound in a results folder, and one line for each run whose files are damaged.

    Raises:
        FolderError: it is not ours, or of another format.
    """
    damaged: list[str] = []
    sweep = Store.read(folder).sweep(damaged=damaged)
    return sweep, tuple(damaged)


def check_folder_for(path: Path, suite: Suite) -> None:
    """Refuses a folder that `suite` must not write to, and touches nothing.

    Raises:
        FolderError: with the reason.
    """
    if path.exists() and not path.is_dir():
        raise FolderError(f"{path}: is a file; results need a folder")
    if not path.exists() or is_blank(path):
        return
    if not (path / MARKER).exists():
        raise FolderError(f"{path}: holds files and is no results folder of bellglass; choose another one")
    marker = Store.read(path).marker
    made, ours = marker["versions"]["bellglass"], versions()["bellglass"]
    if made != ours:
        raise FolderError(
            f"{path}: its results were made with bellglass {made}, and this is {ours}: numbers of two versions "
            "do not belong together; choose another folder"
        )
    for name, fingerprint in marker["fingerprints"].items():
        new = suite.fingerprints.get(name, fingerprint)
        if new != fingerprint:
            raise FolderError(
                f"{path}: its results of {name} were made with another table "
                f"(fingerprint {fingerprint[:12]}, now {new[:12]}); choose another folder"
            )
    planned = {spec.run_id for spec in suite.plan()[0]}
    strange = [spec for spec in plan_of(marker) if spec.run_id not in planned]
    if strange:
        first = strange[0]
        raise FolderError(
            f"{path}: holds suite {marker['name']!r}, {len(strange)} of whose runs are not in this suite "
            f"(such as {first.agent.name} in {first.environment.name}, seed {first.seed}); "
            "choose another folder"
        )


def is_blank(path: Path) -> bool:
    """Whether nothing lies there but what a kill in our first moments leaves."""
    return all(item.name == "locks" or is_temporary(item) for item in path.iterdir())


def is_temporary(path: Path) -> bool:
    """Whether `write_whole` left it."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def sweep_temporaries(folder: Path) -> None:
    """Removes what killed writers left."""
    for item in folder.iterdir():
        if is_temporary(item):
            item.unlink(missing_ok=True)


def same_text(path: Path, text: str) -> bool:
    """Whether the file is there and says just this."""
    try:
        return path.read_text(encoding="utf-8") == text
    except (OSError, UnicodeDecodeError):
        return False
