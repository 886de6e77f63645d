"""A line that shows how far `learn` has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_line(shown: bool, total: int, title: str) -> Iterator[Callable[[int], None]]:
    """Lends a function to be called with the steps taken so far; draws nothing unless `shown`."""
    if not shown:
        yield lambda steps: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(title, total=total)
        yield lambda steps: progress.update(task, completed=min(steps, total))
