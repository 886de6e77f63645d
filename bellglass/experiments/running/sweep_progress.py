"""How far a sweep has come: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from types import TracebackType
from typing import Literal, Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ..records import RunSpec
from ..wording import counted

#: "known": another supervisor finished the run; "busy" and "died": it is still to be done.
Ended = Literal["finished", "known", "failed", "busy", "died"]

#: Seconds between two lines where there is no terminal.
LINE_EVERY = 10.0

#: A table with more environments than this would not fit; then rows say all in one number.
MOST_COLUMNS = 8


class Watcher(Protocol):
    """Who is told of what happens to runs."""

    def started(self, spec: RunSpec) -> None:
        """A process has taken up the run."""

    def ended(self, spec: RunSpec, how: Ended, seconds: float) -> None:
        """The process has ended."""

    def tick(self) -> None:
        """Time has passed."""


class Progress:
    """Shows a sweep while it runs, on standard error.

    Args:
        planned: every run of the suite.
        todo: those of them that are not done yet.
        shown: False shows nothing.
        console: where to.
    """

    def __init__(
        self,
        planned: Sequence[RunSpec],
        todo: Sequence[RunSpec],
        *,
        shown: bool = True,
        console: Console | None = None,
    ) -> None:
        self.console = console or Console(stderr=True)
        self.shown = shown and bool(todo)
        self.planned = planned
        self.agents = list(dict.fromkeys(spec.agent.name for spec in planned))
        self.environments = list(dict.fromkeys(spec.environment.name for spec in planned))
        self.total = Counter(pair(spec) for spec in planned)
        self.left = Counter(pair(spec) for spec in todo)
        self.failed: Counter[tuple[str, str]] = Counter()
        self.running: Counter[tuple[str, str]] = Counter()
        self.restarted = 0
        self.seconds: dict[tuple[str, str], list[float]] = defaultdict(list)
        self._began = time.monotonic()
        self._last_line = self._began
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self.shown and self.console.is_terminal and not self.console.is_dumb_terminal:
            self._live = Live(
                console=self.console, auto_refresh=False, transient=False, get_renderable=self.picture
            )
            self._live.start(refresh=True)
        elif self.shown:
            done = len(self.planned) - self.left.total()
            known = f", {done} of them already done" if done else ""
            self.console.print(f"{counted(len(self.planned), 'run')}{known}", highlight=False, soft_wrap=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        elif self.shown and kind is None:
            self.console.print(self.line(), highlight=False, soft_wrap=True)

    # -- what happens --------------------------------------------------------------------------------------

    def started(self, spec: RunSpec) -> None:
        """A process has taken up the run."""
        self.running[pair(spec)] += 1

    def ended(self, spec: RunSpec, how: Ended, seconds: float) -> None:
        """The process has ended."""
        self.running[pair(spec)] -= 1
        if how in ("finished", "known", "failed"):
            self.left[pair(spec)] -= 1
        if how == "failed":
            self.failed[pair(spec)] += 1
        elif how == "finished":
            self.seconds[pair(spec)].append(seconds)
        elif how == "died":
            self.restarted += 1

    def tick(self) -> None:
        """Time has passed."""
        if self._live is not None:
            self._live.refresh()
        elif self.shown and time.monotonic() - self._last_line >= LINE_EVERY:
            self._last_line = time.monotonic()
            self.console.print(self.line(), highlight=False, soft_wrap=True)

    # -- what is shown -------------------------------------------------------------------------------------

    def seconds_left(self) -> float | None:
        """An estimate from the runs that have ended, or None while there is none to go by."""
        known = [second for seconds in self.seconds.values() for second in seconds]
        if not known:
            return None
        usual = sum(known) / len(known)
        work = sum(
            count * (sum(self.seconds[key]) / len(self.seconds[key]) if self.seconds[key] else usual)
            for key, count in self.left.items()
        )
        return work / max(1, self.running.total() or os.cpu_count() or 1)

    def line(self) -> str:
        """How far it is, in a sentence."""
        done = len(self.planned) - self.left.total()
        text = f"{done} of {len(self.planned)} runs done"
        if self.failed.total():
            text += f", {self.failed.total()} failed"
        if self.restarted:
            text += f", {self.restarted} tried again"
        left = self.seconds_left()
        if self.left.total() and left is not None:
            text += f", about {duration(left)} left"
        elif not self.left.total():
            text += f" in {duration(time.monotonic() - self._began)}"
        return text

    def picture(self) -> RenderableType:
        """The table: agents down, environments across, how many of each pair's runs are done."""
        done = len(self.planned) - self.left.total()
        bar = ProgressBar(total=max(1, len(self.planned)), completed=done, width=40)
        head = Table.grid(padding=(0, 1))
        head.add_row(bar, Text(self.line()))
        if len(self.environments) > MOST_COLUMNS:
            return head
        table = Table(box=None, padding=(0, 1), header_style="dim")
        table.add_column("")
        for environment in self.environments:
            table.add_column(environment, justify="right")
        for agent in self.agents:
            table.add_row(agent, *(self.cell(agent, environment) for environment in self.environments))
        return Group(table, head)

    def cell(self, agent: str, environment: str) -> Text:
        """``3/5`` with a mark where a run is on its way and a count of failures."""
        key = agent, environment
        total = self.total[key]
        if not total:
            return Text("-", style="dim")
        done = total - self.left[key]
        style = "green" if done == total else "yellow" if self.running[key] > 0 else "dim"
        text = Text(f"{done}/{total}", style=style)
        if self.failed[key]:
            text.append(f" {self.failed[key]} failed", style="red")
        elif self.running[key] > 0:
            text.append("…", style="yellow")
        return text


def pair(spec: RunSpec) -> tuple[str, str]:
    """The cell of the table that a run belongs to."""
    return spec.agent.name, spec.environment.name


def duration(seconds: float) -> str:
    """In words that fit the size.

    >>> duration(3.2), duration(75), duration(7300)
    ('3 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
