"""A line that shows how far `solve` has come: the gap of the bounds on a log scale, and the time left.

    done       =  (log first - log gap) / (log first - log allowed)
    time left  =  (log gap - log allowed) / (decrease of log gap per second)

Sweeps shrink the gap by about the same factor each, so its logarithm falls along a line; the decrease is read off
the second half of the time so far.  Nothing is shown in the first two seconds.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Protocol, TextIO

#: Seconds without a word; between two drawings on a terminal; between two lines elsewhere.
SILENCE, DRAWING, LINE = 2.0, 0.1, 5.0

#: Cells of the bar.
WIDTH = 24

#: Samples kept for the estimate; when there are more, every other one is dropped.
MOST_SAMPLES = 200


class Report(Protocol):
    """Told by a solver how far it is."""

    def __call__(
        self,
        iterations: int,
        distance: float = math.inf,
        allowed: float | None = None,
        *,
        of: int | None = None,
    ) -> None:
        """Takes the iterations so far, the greatest distance of the bounds, and the distance that is allowed.

        Where the number of iterations is known beforehand, it is `of`, and distances do not matter.
        """
        ...


class Progress:
    """Draws one line on stderr, ten times a second at most; a new line every five seconds where there is no terminal.

    Use as a context manager: it lends itself as the `Report`, or None if nothing is wanted, and ends the line.
    """

    def __init__(
        self,
        wanted: bool = True,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = perf_counter,
    ) -> None:
        self.wanted = wanted
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._began = clock()
        self._quiet_until = self._began + SILENCE
        self._first: float | None = None
        self._samples: deque[tuple[float, float]] = deque()
        self._spacing, self._next_sample = 0.02, self._began
        self._drawn = 0  # letters of the line that stands on the terminal
        self._redraws = _is_terminal(self._stream)

    def __enter__(self) -> Report | None:
        return self if self.wanted else None

    def __exit__(self, *failure: object) -> None:
        if self._drawn:
            self._write("\n")
            self._drawn = 0

    def __call__(
        self,
        iterations: int,
        distance: float = math.inf,
        allowed: float | None = None,
        *,
        of: int | None = None,
    ) -> None:
        """Notes the distance, and draws if it is time to."""
        now = self._clock()
        if now < self._next_sample and now < self._quiet_until:
            return
        if 0.0 < distance < math.inf and now >= self._next_sample:
            self._note(now, distance)
        if now >= self._quiet_until:
            self._quiet_until = now + (DRAWING if self._redraws else LINE)
            if of is None:
                self._show(self.line(iterations, distance, allowed, now))
            else:
                left = (now - self._began) * (of - iterations) / iterations
                self._show(
                    f"{_bar(iterations / of)}  step {iterations} of {of}; about {_clock_time(left)} left"
                )

    def line(self, iterations: int, distance: float, allowed: float | None, now: float) -> str:
        """What is shown of the given state."""
        text = f"iteration {iterations}"
        if distance < math.inf:
            text += f", bounds {distance:.2e} apart"
        if allowed is None or not allowed > 0.0 or not distance < math.inf:
            return f"solve: {text}, {_clock_time(now - self._began)} so far"
        left = self.seconds_left(distance, allowed)
        when = "time left unknown" if left is None else f"about {_clock_time(left)} left"
        return f"{_bar(self.share(distance, allowed))}  {text}, {allowed:.1e} asked for; {when}"

    def share(self, distance: float, allowed: float) -> float:
        """How much of the way from the first distance to `allowed` is done, in [0, 1], on a log scale."""
        if distance <= allowed:
            return 1.0
        if self._first is None or self._first <= allowed or not distance < math.inf:
            return 0.0
        done = (math.log(self._first) - math.log(distance)) / (math.log(self._first) - math.log(allowed))
        return min(1.0, max(0.0, done))

    def seconds_left(self, distance: float, allowed: float) -> float | None:
        """Seconds until the distance is `allowed`, if it goes on as in the second half; None if it does not fall."""
        if distance <= allowed:
            return 0.0
        if len(self._samples) < 2 or not distance < math.inf:
            return None
        last_time, last_log = self._samples[-1]
        middle = self._samples[0][0] + (last_time - self._samples[0][0]) / 2
        since, log = next(sample for sample in reversed(self._samples) if sample[0] <= middle)
        if last_time <= since or last_log >= log:
            return None
        return (math.log(distance) - math.log(allowed)) * (last_time - since) / (log - last_log)

    def _note(self, now: float, distance: float) -> None:
        if self._first is None:
            self._first = distance
        self._samples.append((now, math.log(distance)))
        if len(self._samples) > MOST_SAMPLES:
            self._samples = deque(list(self._samples)[::2])
            self._spacing *= 2
        self._next_sample = now + self._spacing

    def _show(self, line: str) -> None:
        if not self._redraws:
            self._write(f"{line}\n")
            return
        line = line[: max(20, shutil.get_terminal_size().columns - 1)]
        self._write(f"\r{line.ljust(self._drawn)}")
        self._drawn = len(line)

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (
            AttributeError,
            OSError,
            ValueError,
        ):  # no stderr, or it was closed: a solver does not die of that
            self._quiet_until = math.inf


def _bar(share: float) -> str:
    filled = int(share * WIDTH)
    return f"solve: [{'#' * filled}{'.' * (WIDTH - filled)}] {share:4.0%}"


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    except ValueError:  # closed
        return False


def _clock_time(seconds: float) -> str:
    """7 as "7 s", 125 as "2 min 5 s", 7300 as "2 h 1 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds // 60)} min {int(seconds % 60)} s"
    if seconds < 100 * 3600:
        return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60)} min"
    return "more than 100 h"
