"""What a sweep shows of itself."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bellglass.experiments.records import AgentSpec, EnvironmentSpec, RunSpec, ScoringSpec
from bellglass.experiments.running.sweep_progress import Progress

JUDGED = ScoringSpec(criterion="discounted", discount=0.9, horizon=None, points=1)
PLAN = [
    RunSpec(
        agent=AgentSpec(name=agent, class_name="X"),
        environment=EnvironmentSpec(id="e", name=place, steps=1),
        scoring=JUDGED,
        seed=seed,
    )
    for seed in range(2)
    for agent in ("quick", "slow")
    for place in ("lake", "maze")
]


def shown(*, terminal: bool) -> tuple[Progress, io.StringIO]:
    text = io.StringIO()
    # The environment names the terminal, so that the test means the same in every shell.
    environment = {"TERM": "xterm-256color"}
    console = Console(file=text, force_terminal=terminal, width=100, color_system=None, _environ=environment)
    return Progress(PLAN, PLAN[2:], console=console), text


def test_the_line_counts_what_was_done_before_and_what_failed() -> None:
    progress, _ = shown(terminal=False)
    for spec, how in zip(PLAN[2:5], ("finished", "failed", "died"), strict=True):
        progress.started(spec)
        progress.ended(spec, how, 2.0)  # type: ignore[arg-type]  # strict=True keeps them Literals
    assert progress.line().startswith("4 of 8 runs done, 1 failed, 1 tried again, about ")


def test_time_left_goes_by_the_pair_and_by_the_processes_at_work() -> None:
    progress, _ = shown(terminal=False)
    assert progress.seconds_left() is None
    progress.started(PLAN[2])
    progress.ended(PLAN[2], "finished", 10.0)
    for spec in PLAN[3:5]:
        progress.started(spec)
    assert progress.seconds_left() == pytest.approx(5 * 10.0 / 2)


def test_without_a_terminal_there_are_plain_lines() -> None:
    progress, text = shown(terminal=False)
    with progress:
        for spec in PLAN[2:]:
            progress.started(spec)
            progress.ended(spec, "finished", 1.0)
            progress.tick()
    assert text.getvalue() == "8 runs, 2 of them already done\n8 of 8 runs done in 0 s\n"


def test_on_a_terminal_every_pair_has_its_cell() -> None:
    progress, text = shown(terminal=True)
    with progress:
        progress.started(PLAN[2])
        progress.tick()
        progress.ended(PLAN[2], "failed", 1.0)
        progress.tick()
    last = text.getvalue()
    assert "lake" in last
    assert "1/2…" in last or "0/2…" in last
    assert "1 failed" in last


def test_nothing_is_shown_where_nothing_is_to_be_done() -> None:
    text = io.StringIO()
    with Progress(PLAN, [], console=Console(file=text)) as progress:
        progress.tick()
    assert text.getvalue() == ""


def test_what_another_supervisor_finished_counts_as_done_and_tells_nothing_of_time() -> None:
    progress, _ = shown(terminal=False)
    progress.started(PLAN[2])
    progress.ended(PLAN[2], "known", 0.0)
    assert progress.line() == "3 of 8 runs done"
    assert progress.seconds_left() is None
