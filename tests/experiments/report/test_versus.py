"""Two results folders: what changed, in what, and what of it is more than chance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.invented_sweep import invented_sweep

from bellglass.cli.commands import main
from bellglass.experiments.cards.card import Card
from bellglass.experiments.records import RunResult, Sweep
from bellglass.experiments.report import compare, versus, versus_page, versus_text
from bellglass.experiments.report.versus import Versus, verdict_of

Pair = tuple[Sweep, dict[str, Card]]


@pytest.fixture(scope="module")
def sweep_and_cards() -> Pair:
    return invented_sweep(
        agents=("Planner", "Slow"), environments=("Lake", "Rooms"), seeds=20, failures=False
    )


def changed(sweep: Sweep, agent: str, environment: str, loss: float) -> Sweep:
    """The same sweep, where one agent loses `loss` of its value in one environment."""

    def other(run: RunResult) -> RunResult:
        if (run.spec.agent.name, run.spec.environment.name) != (agent, environment):
            return run
        last = run.final._replace(value=run.final.value - loss * (run.optimum - run.random))
        return replace(run, curve=(*run.curve[:-1], last))

    return replace(sweep, finished=tuple(other(run) for run in sweep.finished))


def both(before: Sweep, after: Sweep, cards: dict[str, Card]) -> Versus:
    return versus(*(compare(sweep, cards, replications=100) for sweep in (before, after)))


def test_a_folder_is_identical_to_itself(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    found = both(sweep, sweep, cards)
    assert {change.verdict for change in found.changes} == {"identical"}
    assert all(change.difference == 0 and change.interval is None for change in found.changes)
    assert found.setup == found.left_out == ()
    assert verdict_of(found)[0] == "Nothing changed: all 80 runs in common are equal to the last bit."


def test_one_run_in_common_is_told_in_the_singular() -> None:
    one, more = (
        invented_sweep(agents=("DQN",), environments=("Lake",), seeds=n, failures=False) for n in (1, 3)
    )
    both = versus(compare(*one), compare(*more))
    assert verdict_of(both)[0] == "Nothing changed: the one run in common is equal to the last bit."
    page = versus_page(both)
    assert "excludes 0 with 95 %;" in page
    assert "comparisons" not in page


def test_a_loss_is_told_where_it_is_and_nowhere_else(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    found = both(sweep, changed(sweep, "Planner", "Rooms", 0.9), cards)
    verdicts = {(change.agent, change.environment): change.verdict for change in found.changes}
    assert verdicts["Planner", "Rooms"] == "worse"
    assert verdicts["Planner", "Lake"] == verdicts["Slow", "Rooms"] == verdicts["Slow", "all"] == "identical"
    change = next(one for one in found.changes if (one.agent, one.environment) == ("Planner", "Rooms"))
    assert change.difference == pytest.approx(-0.9)
    assert change.interval is not None
    assert change.interval.low < -0.9 < change.interval.high < 0
    assert "Worse: Planner on Rooms (−0.900)" in verdict_of(found)[0]


def test_a_tiny_loss_is_not_called_one(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    found = both(sweep, changed(sweep, "Planner", "Rooms", 0.001), cards)
    change = next(one for one in found.changes if (one.agent, one.environment) == ("Planner", "Rooms"))
    assert change.verdict == "no telling"
    assert change.same == 0
    assert verdict_of(found)[0] == "No change can be told from chance."


def test_what_was_set_up_otherwise_is_told(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    agents = (sweep.agents[0], replace(sweep.agents[1], settings={"pace": 7}))
    after = replace(sweep, agents=agents, versions={**sweep.versions, "numpy": "3.0"})
    assert both(sweep, after, cards).setup == (
        "numpy 2.0 -> 3.0",
        "agent Slow: settings {pace = 1} -> {pace = 7}",
    )


def test_another_table_or_criterion_is_not_compared(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    finished = tuple(
        replace(run, fingerprint="f" * 64) if run.spec.environment.name == "Rooms" else run
        for run in sweep.finished
    )
    found = both(sweep, replace(sweep, finished=finished), cards)
    assert {change.environment for change in found.changes} == {"Lake"}
    assert "Rooms: its table has changed" in found.left_out[0]
    scoring = {**sweep.scoring, "Lake": replace(sweep.scoring["Lake"], discount=0.5)}
    found = both(sweep, replace(sweep, scoring=scoring), cards)
    assert {change.environment for change in found.changes} == {"Rooms"}
    assert found.left_out == ("Lake: scored otherwise (discount 0.95 and 0.5)",)


def test_failed_runs_count_with_the_worst_score_of_both(sweep_and_cards: Pair) -> None:
    _, cards = sweep_and_cards
    with_failures, _ = invented_sweep(
        agents=("Planner", "Slow", "x", "Planner 2"), environments=("Lake", "Rooms"), seeds=20
    )
    found = both(with_failures, changed(with_failures, "Slow", "Lake", 3.0), cards)
    change = next(one for one in found.changes if (one.agent, one.environment) == ("Planner 2", "Lake"))
    assert change.failed == (1, 1)
    assert change.verdict == "identical"
    assert change.before == pytest.approx(change.after)
    assert change.before < compare(with_failures, cards).cells["Planner 2", "Lake"].scores.mean()


def test_sampled_scores_are_told(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    after = changed(sweep, "Planner", "Rooms", 0.9)
    lake = [
        run.spec.environment.name == "Rooms" and run.spec.agent.name == "Planner" for run in after.finished
    ]
    runs = tuple(replace(run, exact=not chosen) for run, chosen in zip(after.finished, lake, strict=True))
    told = verdict_of(both(sweep, replace(after, finished=runs), cards))[1]
    assert "Scores are sampled, not exact, for Planner on Rooms." in told
    assert not any("sampled" in line for line in verdict_of(both(sweep, after, cards))[1])


def test_seeds_that_no_two_environments_share_make_no_average(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    kept = tuple(
        run for run in sweep.finished if (run.spec.seed < 10) == (run.spec.environment.name == "Lake")
    )
    known = {run.spec.run_id for run in kept}
    half = replace(
        sweep, finished=kept, missing=tuple(spec for spec in sweep.planned if spec.run_id not in known)
    )
    found = both(half, changed(half, "Planner", "Rooms", 0.9), cards)
    assert {change.environment for change in found.changes} == {"Lake", "Rooms"}
    assert "nan" not in versus_text(found)


def test_runs_that_fail_alike_have_not_changed() -> None:
    broken, cards = invented_sweep(agents=("a", "b", "c", "d"), environments=("Lake",), seeds=4)
    first, told = verdict_of(both(broken, broken, cards))
    assert first.startswith("Nothing changed: all 16 runs in common")
    assert told == ["1 run among them failed, with the same error in both."]
    otherwise = replace(broken, failed=tuple(replace(run, error="KeyError: 1") for run in broken.failed))
    change = next(one for one in both(broken, otherwise, cards).changes if one.agent == "d")
    assert (change.same, change.seeds, change.verdict) == (3, 4, "no telling")


def test_nothing_in_common_is_refused(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    other, other_cards = invented_sweep(agents=("a", "b"), environments=("Corridor",), seeds=3)
    with pytest.raises(ValueError, match="nothing in common to compare"):
        versus(compare(sweep, cards, replications=100), compare(other, other_cards, replications=100))


def test_a_folder_without_a_finished_run_is_refused(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    begun = replace(sweep, finished=(), missing=sweep.planned, timings={})
    with pytest.raises(ValueError, match="invented has no finished run, so there is nothing to compare"):
        both(sweep, begun, cards)


def test_text_and_page_say_the_same(sweep_and_cards: Pair) -> None:
    sweep, cards = sweep_and_cards
    found = both(sweep, changed(sweep, "Planner", "Rooms", 0.9), cards)
    text, page = versus_text(found), versus_page(found)
    for said in ("Worse: Planner on Rooms (−0.900)", "−0.900", "worse", "Slow on Lake and Rooms"):
        assert said in text
        assert said in page
    assert "\n\n\n" not in text
    assert "http:" not in page.replace('"http" + ', "")


def test_the_command_refuses_what_is_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert capsys.readouterr().err == f"bellglass: {tmp_path / 'a'}: no such folder\n"
    (tmp_path / "a").write_text("")
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    assert capsys.readouterr().err == f"bellglass: {tmp_path / 'a'}: a file, no results folder\n"
    assert main(["compare", "a", "b", "--output", "page.txt"]) == 2
    assert "--output takes a file that ends in .html, got 'page.txt'" in capsys.readouterr().err
