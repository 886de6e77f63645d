"""What a suite would run, and the arithmetic of how long."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers.sweeping import LAKE, SWIM, small, trouble_in

from bellglass.experiments.results.store import FolderError, Store
from bellglass.experiments.running import dry_run
from bellglass.experiments.running.dry_run import Stopwatch, forecast, format_plan, look_ahead
from bellglass.experiments.running.sweep import run_suite
from bellglass.experiments.suite_errors import SuiteError
from bellglass.experiments.wording import ranges


def test_the_steps_that_are_left_go_as_fast_as_the_second_half_of_the_trial(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Slow at first: 100 steps in .3 s, then 300 in .3 s: the 600 left take .6 s."""
    clock = iter((0.0, 0.3, 0.45, 0.6))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    watch = Stopwatch()
    going = [watch(SimpleNamespace(num_timesteps=steps)) for steps in (100, 250, 400)]
    assert going == [True, True, False]
    assert watch.next_timestep == 400 + round(400 / 0.6 * dry_run.LOOK)
    assert watch.seconds_for(1_000) == pytest.approx(0.6 + 0.6)


def test_what_ends_within_the_trial_takes_what_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("time.perf_counter", lambda: now)
    watch = Stopwatch()
    now = 0.2
    assert watch.seconds_for(1_000) == 0.2  # a planner: no step was taken
    watch(SimpleNamespace(num_timesteps=1_000))
    now = 0.25
    assert watch.seconds_for(1_000) == 0.25


def test_neighbours_are_joined() -> None:
    assert ranges(range(20)) == "0-19"
    assert ranges([3]) == "3"
    assert ranges([]) == ""


def test_what_lies_finished_is_not_listed_and_tells_how_long_the_rest_takes(tmp_path: Path) -> None:
    run_suite(small(seeds=1), tmp_path / "out", workers=2, progress=False)
    suite = small(seeds=3)
    outlook = look_ahead(suite, tmp_path / "out")
    assert {key: [run.seed for run in runs] for key, runs in outlook.left.items()} == {
        ("QLearning", "RiverSwim"): [1, 2],
        ("QLearning", "FrozenLake"): [1, 2],
    }
    store = Store.read(tmp_path / "out")
    for run in store.planned():
        timing = store.timing(run)
        assert timing is not None
        told = outlook.forecasts[run.agent.name, run.environment.name]
        assert told.seconds == pytest.approx(dry_run.START + timing.seconds)
    text = format_plan(suite, tmp_path / "out", workers=2).splitlines()
    assert text[0].split() == ["agent", "environment", "runs", "seeds", "steps", "each", "time", "each"]
    assert text[1].split()[:5] == ["QLearning", "RiverSwim", "2", "1-2", "1,000"]
    assert text[-1].startswith("4 runs, 4,000 environment steps in all; 2 more lie finished in ")
    assert text[-1].endswith("with 2 workers")
    done = format_plan(small(seeds=1), tmp_path / "out", workers=1)
    assert done == f"0 runs, 0 environment steps in all; 2 more lie finished in {tmp_path / 'out'}"


def test_a_trial_leaves_no_folder_and_refuses_where_the_run_would(tmp_path: Path) -> None:
    text = format_plan(small(seeds=1), tmp_path / "new", workers=1)
    assert "about" in text.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(FolderError, match="no results folder"):
        format_plan(small(), tmp_path / "mine", workers=1)
    endless = small(environments=[{**SWIM, "scoring": {"criterion": "total"}}])
    with pytest.raises(SuiteError, match=r"environments\[0\]\.scoring: the total reward is infinite"):
        format_plan(endless, tmp_path / "new", workers=1)


def test_pairs_that_cannot_play_and_agents_that_raise_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble_in(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    maze = {"id": "bellglass/TMaze-v0", "steps": 100}
    suite = small(
        agents=[{"class": "trouble:Raises"}, {"class": "ValueIteration"}], environments=[SWIM, maze]
    )
    lines = format_plan(suite, tmp_path / "out", workers=1).splitlines()
    assert lines[1].endswith("fails: ArithmeticError: no luck")
    assert any(line.startswith("not planned: ValueIteration in TMaze: TMaze hides") for line in lines)


def test_a_long_run_is_stopped_after_its_trial() -> None:
    """Two hundred million steps through Python are no matter of seconds, and the test does not take them."""
    (run,) = small(seeds=1, environments=[{**LAKE, "steps": 200_000_000}]).plan()[0]
    told = forecast(run)
    assert told.trouble == ""
    assert told.seconds > 10 * dry_run.TRIAL
