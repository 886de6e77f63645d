"""The report of odd scores: states hidden, scores sampled, values without bound, no episode ended."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.invented_sweep import invented_sweep, rows_of_csv

from bellglass.experiments.cards.card import Card
from bellglass.experiments.records import RunResult, Sweep
from bellglass.experiments.report import (
    ReportPaths,
    compare,
    versus,
    versus_page,
    versus_text,
    write_report,
)
from bellglass.experiments.report.background import facts
from bellglass.experiments.report.words import percent, verdict


def test_planners_are_said_to_play_nothing(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths, tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    still = [
        replace(run, curve=tuple(point._replace(episodes=0, gap_regret=0.0) for point in run.curve))
        if run.spec.agent.name == "Planner"
        else run
        for run in sweep.finished
    ]
    said = "Planner: no episode and no loss, as of planners, who play no step to learn."
    page = write_report(replace(sweep, finished=tuple(still)), cards, tmp_path).html.read_text(
        encoding="utf-8"
    )
    assert said in page
    assert "as of planners" not in written.html.read_text(encoding="utf-8")


def hidden(sweep: Sweep, cards: dict[str, Card], **ladder: float) -> tuple[Sweep, dict[str, Card]]:
    """The same with the states of Lake hidden."""
    return sweep, {**cards, "Lake": replace(cards["Lake"], observed=False, ladder=ladder)}


def test_where_states_are_hidden_0_is_the_best_value_without_memory(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    run = next(run for run in sweep.finished if run.spec.environment.name == "Lake")
    reactive = (run.random + run.optimum) / 2
    comparison = compare(*hidden(sweep, cards, reactive=reactive, memory=run.optimum))
    assert comparison.scales["Lake"](reactive) == 0.0
    assert comparison.scales["Lake"](run.optimum) == 1.0
    assert comparison.scales["Rooms"].zero == next(
        one.random for one in sweep.finished if one.spec.environment.name == "Rooms"
    )
    before = compare(sweep, cards).cells["Q-learning", "Lake"].scores
    after = comparison.cells["Q-learning", "Lake"].scores
    assert after.tolist() == pytest.approx((2 * before - 1).tolist())
    paths = write_report(*hidden(sweep, cards, reactive=reactive, memory=run.optimum), tmp_path)
    page = paths.html.read_text(encoding="utf-8")
    assert "Where states are hidden (Lake) 0 is the best policy without memory" in page
    assert "the ladder of information" in page
    row = next(
        row for row in rows_of_csv(paths.runs) if row["environment"] == "Lake" and row["status"] == "finished"
    )
    value = (float(row["final_value"]) - reactive) / (run.optimum - reactive)
    assert float(row["score"]) == pytest.approx(value)


@pytest.mark.parametrize("ladder", [{}, {"reactive": None}])
def test_where_memory_is_worth_nothing_or_not_known_0_is_random_play(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], ladder: dict[str, None]
) -> None:
    sweep, cards = sweep_and_cards
    run = next(run for run in sweep.finished if run.spec.environment.name == "Lake")
    comparison = compare(*hidden(sweep, cards, **dict.fromkeys(ladder, run.optimum)))
    assert comparison.scales["Lake"].zero == run.random


def endless(sweep: Sweep, agent: str, environment: str) -> Sweep:
    """The same sweep, where one agent's policies never end in one environment: their total is without bound."""

    def other(run: RunResult) -> RunResult:
        if (run.spec.agent.name, run.spec.environment.name) != (agent, environment) or run.spec.seed % 2:
            return run
        assert run.values is not None
        values = tuple(-math.inf if value > 0 else 0.0 for value in run.values)
        curve = tuple(point._replace(value=-math.inf, low=-math.inf, high=-math.inf) for point in run.curve)
        return replace(run, curve=curve, values=values)

    return replace(sweep, finished=tuple(other(run) for run in sweep.finished))


def test_sampled_scores_are_marked_wherever_they_stand(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths, tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    lake = [run.spec.environment.name == "Lake" and run.spec.agent.name == "Memory" for run in sweep.finished]
    runs = [replace(run, exact=not chosen) for run, chosen in zip(sweep.finished, lake, strict=True)]
    paths = write_report(replace(sweep, finished=tuple(runs)), cards, tmp_path)
    page, text = (file.read_text(encoding="utf-8") for file in (paths.html, paths.markdown))
    for said in ("5 scores of Memory: sampled in episodes, not exact", "sampled, not exact: Memory"):
        assert said in page
        assert said in text
    assert page.count(", sampled</title>") == 5
    assert "<b>5 sampled</b>" in page
    assert "no evaluation noise, but where “sampled” is said" in page
    assert "5/5, 5 sampled" in text
    summary = json.loads(paths.summary.read_text(encoding="utf-8"))
    assert (summary["exact"], summary["sampled"]) == (False, 5)
    sampled = {(cell["agent"], cell["environment"]): cell["sampled"] for cell in summary["cells"]}
    assert sampled.pop(("Memory", "Lake")) == 5
    assert set(sampled.values()) == {0}
    rows = [row for ranking in summary["rankings"] for row in ranking["rows"]]
    assert {row["agent"] for row in rows if row["sampled"]} == {"Memory"}
    assert [row["exact"] for row in rows_of_csv(paths.runs) if row["status"] == "finished"] == [
        str(run.exact) for run in runs
    ]
    assert "sampled" not in written.html.read_text(encoding="utf-8")


def test_solved_and_gaps_are_told_of_states_that_are_seen_only(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    """The gap of a card is that of the planner who sees the states."""
    sweep, cards = sweep_and_cards
    seen = compare(sweep, cards).cells["Planner", "Lake"].solved
    assert seen is not None
    assert (seen.count, seen.total) == (5, 5)
    assert compare(*hidden(sweep, cards)).cells["Planner", "Lake"].solved is None
    lake = dict(facts(sweep.environments[0], hidden(sweep, cards)[1]["Lake"]))
    assert "gaps" in dict(facts(sweep.environments[0], cards["Lake"]))["1 % regret"]
    assert "gaps" not in lake["1 % regret"]
    paths = write_report(*hidden(sweep, cards), tmp_path)
    said = "what makes it hard is measured on the hidden states, as if they were seen"
    assert paths.html.read_text(encoding="utf-8").count(said) == 1
    assert f"Lake: {said}." in paths.markdown.read_text(encoding="utf-8")


def test_a_time_limit_of_the_suite_is_told(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    lake, *rest = sweep.environments
    paths = write_report(
        replace(sweep, environments=(replace(lake, max_episode_steps=50), *rest)), cards, tmp_path
    )
    page = paths.html.read_text(encoding="utf-8")
    assert "<dt>episodes while learning</dt><dd>at most 50 steps</dd>" in page
    assert "bellglass/Lake-v0 {}, 50,000 steps, 50 an episode" in page
    assert "| episodes while learning | at most 50 steps | – | – |" in paths.markdown.read_text(
        encoding="utf-8"
    )


def test_where_states_are_hidden_the_page_says_what_gap_regret_is_against(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths, tmp_path: Path
) -> None:
    said = "Where states are hidden V* and q* are of who sees them"
    paths = write_report(*hidden(*sweep_and_cards), tmp_path)
    assert said in paths.html.read_text(encoding="utf-8")
    assert said in paths.markdown.read_text(encoding="utf-8").replace("\\*", "*")
    assert said not in written.html.read_text(encoding="utf-8")
    assert "is larger than gap regret" in written.html.read_text(encoding="utf-8").replace("\n", " ")
    assert "episodic regret is larger than gap regret" in written.markdown.read_text(encoding="utf-8")


def test_a_policy_that_never_ends_has_a_score_without_bound_and_a_page(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    without = endless(sweep, "Q-learning", "Rooms")
    cell = compare(without, cards).cells["Q-learning", "Rooms"]
    assert [math.isinf(score) for score in cell.scores] == [True, False, True, False, True]
    assert cell.mean == -math.inf
    assert cell.interval is None
    paths = write_report(without, cards, tmp_path)
    page = paths.html.read_text(encoding="utf-8")
    text = paths.markdown.read_text(encoding="utf-8")
    summary = json.loads(paths.summary.read_text(encoding="utf-8"))
    assert "<b>−∞</b>" in page
    assert "| Q-learning | −∞ |" in text
    assert (
        next(row for row in summary["rankings"][0]["rows"] if row["agent"] == "Q-learning")["mean"] == "-inf"
    )
    for written in (page, text, *(file.read_text(encoding="utf-8") for file in paths.figures)):
        assert not re.search(r"\b(nan|inf)\b", written)
    both = versus(compare(sweep, cards), compare(without, cards))
    change = next(one for one in both.changes if (one.agent, one.environment) == ("Q-learning", "Rooms"))
    assert change.interval is None
    assert change.verdict == "no telling"
    assert "−∞" in versus_page(both)
    assert "nan" not in versus_text(
        versus(compare(without, cards), compare(endless(sweep, "DQN", "Lake"), cards))
    )


def test_without_a_bound_on_random_play_there_is_no_score(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    runs = [
        replace(run, random=-math.inf) if run.spec.environment.name == "Rooms" else run
        for run in sweep.finished
    ]
    comparison = compare(replace(sweep, finished=tuple(runs)), cards)
    assert comparison.unscored == ("Rooms",)
    assert comparison.rankings[0].environments == ("Lake", "Corridor")
    page = write_report(replace(sweep, finished=tuple(runs)), cards, tmp_path).html.read_text(
        encoding="utf-8"
    )
    assert "Random play is already optimal, or its value has no bound, in Rooms" in page


def bottomless(sweep: Sweep, *, seeds: int) -> Sweep:
    """The same sweep, where the policies of the first seeds never end in Rooms."""
    runs = [
        replace(run, curve=tuple(point._replace(value=-math.inf, low=-math.inf) for point in run.curve))
        if run.spec.environment.name == "Rooms" and run.spec.seed < seeds
        else run
        for run in sweep.finished
    ]
    return replace(sweep, finished=tuple(runs))


def test_where_every_mean_is_without_bound_the_verdict_goes_by_the_interquartile_mean() -> None:
    sweep, cards = invented_sweep(agents=("Planner", "Q-learning", "DQN"), seeds=12, failures=False)
    comparison = compare(bottomless(sweep, seeds=1), cards)
    rows = comparison.rankings[0].rows
    assert [row.mean for row in rows] == [-math.inf] * 3
    first = max(rows, key=lambda row: row.iqm)
    headline, said = verdict(comparison)
    best = f"{percent(first.iqm)} of the way"
    assert headline.startswith(
        f"{first.agent} comes first of 3 agents: it reaches by the interquartile mean {best}"
    )
    assert said[0].startswith("No mean has a bound: every agent has runs that never end")
    assert not any("Nobody is behind" in sentence for sentence in said)
    headline, _ = verdict(compare(bottomless(sweep, seeds=12), cards))
    assert headline == "No score of any agent has a bound, averaged over Lake, Rooms and Corridor."
    alone, cards = invented_sweep(agents=("DQN",), seeds=3, failures=False)
    headline, said = verdict(compare(bottomless(alone, seeds=1), cards))
    assert headline.startswith("DQN reaches by the interquartile mean ")
    assert said[0].startswith("No mean has a bound: DQN has runs that never end")


def test_an_episodic_regret_of_no_episode_is_called_so(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths, tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    runs = [
        replace(run, curve=tuple(p._replace(episodes=0, episodic_regret=0.0) for p in run.curve))
        if (run.spec.agent.name, run.spec.environment.name) == ("Q-learning", "Rooms")
        else run
        for run in sweep.finished
    ]
    paths = write_report(replace(sweep, finished=tuple(runs)), cards, tmp_path)
    page, text = (file.read_text(encoding="utf-8") for file in (paths.html, paths.markdown))
    assert page.count(">no episode ended<") == text.count("| no episode ended |") == 1
    assert "no episode ever ended for Q-learning, so there is nothing to add up" in page
    assert "no episode" not in written.html.read_text(encoding="utf-8")
