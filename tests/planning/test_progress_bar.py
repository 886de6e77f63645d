"""The line that `solve` draws, on a clock that the test turns."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

from bellglass.envs.mdp import TabularMDP
from bellglass.planning import solve
from bellglass.planning.progress_bar import MOST_SAMPLES, Progress


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return True


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")


def run(stream: io.StringIO, seconds: float, *, step: float = 0.01, allowed: float | None = 1e-8) -> Progress:
    """Reports a gap that falls from 1 by a factor of ten a second."""
    clock = Clock()
    progress = Progress(stream=stream, clock=clock)
    with progress as report:
        assert report is not None
        for k in range(round(seconds / step) + 1):
            clock.now = 100.0 + k * step
            report(k, 10.0 ** (-k * step), allowed)
    return progress


def test_nothing_is_shown_in_the_first_two_seconds() -> None:
    stream = Terminal()
    run(stream, 1.99)
    assert stream.getvalue() == ""


def test_a_terminal_is_drawn_at_most_ten_times_a_second_and_ends_with_a_new_line() -> None:
    stream = Terminal()
    run(stream, 4.0)
    text = stream.getvalue()
    assert 15 <= text.count("\r") <= 21
    assert text.count("\n") == 1
    assert text.endswith("\n")


def test_the_bar_and_the_time_left_are_on_a_log_scale() -> None:
    """After four of eight decades, at one decade a second: half full, four seconds left."""
    stream = Terminal()
    progress = run(stream, 4.0)
    assert progress.share(1e-4, 1e-8) == pytest.approx(0.5)
    assert progress.seconds_left(1e-4, 1e-8) == pytest.approx(4.0)
    last = stream.getvalue().split("\r")[-1]
    assert "[############............]" in last or "[###########.............]" in last
    assert "about 4 s left" in last
    assert "1.0e-08 asked for" in last


def test_the_estimate_goes_by_the_second_half() -> None:
    """Ten seconds in which nothing falls, then ten at a decade a second: the first ten do not count."""
    clock = Clock()
    progress = Progress(stream=Terminal(), clock=clock)
    for k in range(201):
        clock.now = 100.0 + k / 10
        progress(k, 10.0 ** -max(0.0, k / 10 - 10))
    assert progress.seconds_left(1e-10, 1e-12) == pytest.approx(2.0, rel=0.05)


def test_where_there_is_no_terminal_a_line_comes_every_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, term in ((io.StringIO(), "xterm"), (Terminal(), "dumb")):
        monkeypatch.setenv("TERM", term)
        run(stream, 13.0)
        lines = stream.getvalue().splitlines()
        assert len(lines) == 3  # after 2, 7 and 12 seconds
        assert "\r" not in stream.getvalue()
        assert all(line.startswith("solve: [") for line in lines)


def test_without_an_allowed_distance_there_is_no_bar() -> None:
    stream = Terminal()
    run(stream, 3.0, allowed=None)
    last = stream.getvalue().split("\r")[-1]
    assert "[" not in last
    assert "3 s so far" in last


def test_odd_distances_do_no_harm() -> None:
    clock = Clock()
    stream = Terminal()
    progress = Progress(stream=stream, clock=clock)
    for k, distance in enumerate([math.inf, math.nan, 0.0, -1.0, 1.0, 2.0, math.inf, 1e-9]):
        clock.now += 3.0
        progress(k, distance, 1e-8)
    text = stream.getvalue()
    assert "time left unknown" in text
    assert "100%" in text.split("\r")[-1]
    assert progress.seconds_left(math.inf, 1e-8) is None


def test_a_long_run_keeps_few_samples() -> None:
    progress = run(io.StringIO(), 2000.0, step=0.5, allowed=1e-300)
    assert len(progress._samples) <= MOST_SAMPLES
    assert progress.seconds_left(1e-200, 1e-201) == pytest.approx(1.0, rel=0.1)


def test_a_short_terminal_cuts_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    run(stream, 3.0)
    assert max(map(len, stream.getvalue().strip("\n").split("\r"))) == 39


def test_a_closed_stream_does_not_stop_the_solver() -> None:
    clock = Clock()
    stream = Terminal()
    progress = Progress(stream=stream, clock=clock)
    stream.close()
    clock.now += 3.0
    with progress:
        progress(1, 0.5, 1e-8)


def test_solve_lends_the_report_only_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(False) as report:
        assert report is None
    mdp = TabularMDP.from_arrays(np.ones((1, 1, 1)), [1.0], initial=[1.0])
    assert solve(mdp, 0.5, progress_bar=True).start_value == pytest.approx(2.0)
    assert capsys.readouterr().err == ""


def test_steps_that_are_counted_beforehand_are_shown_as_such() -> None:
    """Three of twelve steps took three seconds: nine are left."""
    clock, stream = Clock(), Terminal()
    with Progress(stream=stream, clock=clock) as report:
        assert report is not None
        clock.now += 3.0
        report(3, of=12)
    assert "[######..................]  25%  step 3 of 12; about 9 s left" in stream.getvalue()


def test_a_solver_that_knows_no_distance_yet_says_how_long_it_has_worked() -> None:
    clock, stream = Clock(), Terminal()
    with Progress(stream=stream, clock=clock) as report:
        assert report is not None
        clock.now += 4.0
        report(7)
    assert "solve: iteration 7, 4 s so far" in stream.getvalue()


@pytest.mark.parametrize(
    ("criterion", "horizon", "method"),
    [
        ("discounted", None, "value_iteration"),
        ("finite_horizon", 9, "auto"),
        ("total", None, "value_iteration"),
        ("total", None, "policy_iteration"),
        ("average", None, "relative_value_iteration"),
        ("average", None, "policy_iteration"),
    ],
)
def test_every_criterion_tells_how_far_it_is(
    criterion: str,
    horizon: int | None,
    method: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("bellglass.planning.progress_bar.SILENCE", 0.0)
    P = {
        0: {0: [(0.5, 1, 1.0, False), (0.5, 0, 0.0, False)], 1: [(1.0, 1, -1.0, False)]},
        1: {0: [(0.9, 0, -2.0, False), (0.1, 1, 0.0, criterion == "total")]},
    }
    solve(
        TabularMDP.from_P(P, initial=[1.0, 0.0]),
        0.9 if criterion == "discounted" else None,
        criterion=criterion,  # type: ignore[arg-type] # one of four names
        horizon=horizon,
        method=method,  # type: ignore[arg-type] # a name
        progress_bar=True,
    )
    assert "solve: " in capsys.readouterr().err
