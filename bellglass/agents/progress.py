"""What a person sees, and may do, while an agent learns: a line that shows how far it has come, and Ctrl-C.

Ctrl-C comes between two steps, never within one: what is learned, counted and remembered stays consistent.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


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


class Interrupts:
    """While entered, the first Ctrl-C only sets `asked`; a second one raises KeyboardInterrupt at once.

    Only where Ctrl-C would raise KeyboardInterrupt by Python's own handler, in the main thread: whoever handles or
    ignores it otherwise, such as the workers of a sweep, goes on doing so.

    Attributes:
        asked: whether Ctrl-C was pressed.
    """

    def __init__(self) -> None:
        self.asked = False
        self._entered = False

    def __enter__(self) -> Interrupts:
        self.asked = False
        usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if usual and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._note)
            self._entered = True
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        self._leave()

    def _leave(self) -> None:
        if self._entered:
            self._entered = False
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: TracebackType | None) -> None:
        self._leave()
