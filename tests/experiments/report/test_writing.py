"""The report: every run in it, every sum right, nothing from outside the page, the same bytes again."""

from __future__ import annotations

import html
import html.parser
import json
import math
import re
import xml.etree.ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.invented_sweep import invented_sweep, rows_of_csv

from bellglass.experiments.cards.card import Card
from bellglass.experiments.records import FailedRun, Sweep
from bellglass.experiments.report import (
    ReportPaths,
    compare,
    write_report,
)
from bellglass.experiments.report.background import tuning
from bellglass.experiments.report.maps import FULL, LETTERS, loss_text
from bellglass.experiments.report.sections import profile_picture
from bellglass.experiments.statistics.aggregate import clopper_pearson

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Balanced(html.parser.HTMLParser):
    """Raises where an element is not closed in its place; keeps all attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element opens."""
        self.attributes += attrs
        self.ids += [value for key, value in attrs if key == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element is empty."""
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        assert self.open.pop() == tag


def test_every_planned_run_is_in_the_table_and_the_counts_add_up(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths
) -> None:
    sweep, _ = sweep_and_cards
    rows = rows_of_csv(written.runs)
    assert [row["run_id"] for row in rows] == [spec.run_id for spec in sweep.planned]
    summary = json.loads(written.summary.read_text(encoding="utf-8"))
    assert summary["finished"] + summary["failed"] + summary["missing"] == summary["planned"] == len(rows)
    for status in ("finished", "failed", "missing"):
        assert sum(row["status"] == status for row in rows) == summary[status]
        assert sum(cell[status] for cell in summary["cells"]) == summary[status]
    assert sum(cell["planned"] for cell in summary["cells"]) == summary["planned"]
    page = written.html.read_text(encoding="utf-8")
    assert "78 finished + 1 failed + 1 missing = 80 planned." in page


def test_every_finished_run_is_a_dot(written: ReportPaths) -> None:
    page = written.html.read_text(encoding="utf-8")
    for row in rows_of_csv(written.runs):
        if row["status"] == "finished":
            score = f"{float(row['score']):.6g}".replace("-", "−")
            assert f"<title>seed {row['seed']}: {score}</title>" in page


def test_a_ranking_compares_on_environments_that_all_its_agents_play(
    sweep_and_cards: tuple[Sweep, dict[str, Card]],
) -> None:
    comparison = compare(*sweep_and_cards)
    first, second = comparison.rankings
    assert first.environments == ("Lake", "Rooms", "Corridor")
    assert "Memory" not in {row.agent for row in first.rows}
    assert second.environments == ("Lake",)
    assert "Memory" in {row.agent for row in second.rows}
    means = [row.mean for row in first.rows]
    assert means == sorted(means, reverse=True)


def test_a_failed_run_never_helps(sweep_and_cards: tuple[Sweep, dict[str, Card]]) -> None:
    sweep, cards = sweep_and_cards
    worst = min(
        (run for run in sweep.finished if run.spec.environment.name == "Lake"),
        key=lambda run: run.normalized(run.final.value),
    )
    comparison = compare(sweep, cards)
    cell = comparison.cells["DQN", "Lake"]
    assert cell.seeds == (0, 1, 2, 3, 4)
    assert cell.scores[1] == min(0.0, worst.normalized(worst.final.value))
    assert [part.total for part in cell.within] == [5, 5]


def test_a_cell_agrees_with_sums_done_by_hand(sweep_and_cards: tuple[Sweep, dict[str, Card]]) -> None:
    sweep, cards = sweep_and_cards
    cell = compare(sweep, cards).cells["Q-learning", "Rooms"]
    runs = [
        run
        for run in sweep.finished
        if (run.spec.agent.name, run.spec.environment.name) == ("Q-learning", "Rooms")
    ]
    scores = [
        (run.curve[-1].value - run.random) / (run.optimum - run.random)
        for run in sorted(runs, key=lambda run: run.spec.seed)
    ]
    assert cell.scores.tolist() == pytest.approx(scores, abs=1e-12)
    assert cell.mean == pytest.approx(sum(scores) / 5)
    assert cell.within[1].count == sum(score >= 0.99 for score in scores)
    assert cell.reached[0].missed == sum(score < 0.95 for score in scores)
    assert cell.reached[0].total == 5
    assert cell.value is not None
    assert cell.value.mean[-1] == pytest.approx(sum(run.curve[-1].value for run in runs) / 5)


def test_steps_to_a_level_are_a_censored_median_with_its_interval(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    """Seven runs, whose times are known by construction; the seventh loses the level at its last point."""
    sweep, cards = invented_sweep(agents=("a",), environments=("Lake",), seeds=8, failures=False, points=10)
    runs = []
    for k, run in enumerate(sweep.finished[:7]):
        good = [point._replace(value=run.optimum) for point in run.curve]
        bad = [point._replace(value=run.random) for point in run.curve]
        runs.append(
            replace(run, curve=tuple([*bad[: k + 1], *good[k + 1 :]] if k < 6 else [*good[:9], bad[9]]))
        )
    failed = FailedRun(spec=sweep.planned[7], error="broke", traceback="")
    broken = replace(sweep, finished=tuple(runs), failed=(failed,))
    reached = compare(broken, cards).cells["a", "Lake"].reached[0]
    # reached at 10,000 15,000 20,000 25,000 30,000 35,000 and twice never
    assert reached.median == 27_500.0
    assert (reached.missed, reached.total) == (2, 8)
    assert reached.interval == (
        5_000.0,
        math.inf,
    )  # the smallest `after`, the greatest `until`: P(Bin(8, 1/2) < 1)
    paths = write_report(broken, cards, tmp_path)
    assert "27.5k" in paths.html.read_text(encoding="utf-8")
    assert "27.5k [5k, ∞] (not reached by 2 of 8)" in paths.markdown.read_text(encoding="utf-8").replace(
        "\\", ""
    )
    told = json.loads(paths.summary.read_text(encoding="utf-8"))["cells"][0]["reached"][0]
    assert told == {"level": 0.95, "median": 27_500.0, "interval": [5_000.0, "inf"], "missed": 2, "total": 8}


def test_counts_that_do_not_add_up_are_refused(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    with pytest.raises(ValueError, match="are not the 80 planned"):
        write_report(replace(sweep, missing=()), cards, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_the_page_is_well_formed_small_and_asks_nothing_of_a_network(written: ReportPaths) -> None:
    page = written.html.read_text(encoding="utf-8")
    assert written.html.stat().st_size < 500_000
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    for key, value in reader.attributes:
        if key in ("href", "src"):
            assert value is not None
            assert value.startswith(("#", "data:"))
    assert "http:" not in page.replace('"http" + ', "")
    assert "https:" not in page
    assert "url(" not in page
    assert "@import" not in page


def test_every_picture_is_well_formed_xml_and_has_a_name(written: ReportPaths) -> None:
    page = written.html.read_text(encoding="utf-8")
    pictures = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    assert len(pictures) > 20
    for picture in pictures:
        root = xml.etree.ElementTree.fromstring(picture)
        assert root.get("aria-label") or root.get("aria-hidden")
        assert "nan" not in picture
        assert "inf " not in picture
    assert written.figures
    shown = written.markdown.read_text(encoding="utf-8")
    for file in written.figures:
        assert xml.etree.ElementTree.parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert f"(figures/{file.name})" in shown


def test_names_and_errors_are_text_whatever_they_hold(tmp_path: Path) -> None:
    evil = '</script><img src=x onerror="alert(1)">|`&\'"'
    sweep, cards = invented_sweep(
        agents=(evil, "b", "c", "d"), environments=(evil, "Lake"), seeds=3, name=evil
    )
    paths = write_report(sweep, cards, tmp_path)
    page = paths.html.read_text(encoding="utf-8")
    reader = Balanced()
    reader.feed(page)
    assert reader.open == []
    assert "onerror" not in {key for key, _ in reader.attributes}
    assert page.count("</script>") == 4
    assert "<img" not in page
    assert "<img" not in paths.markdown.read_text(encoding="utf-8")
    for file in paths.figures:
        xml.etree.ElementTree.parse(file)
    agents = {row["agent"] for row in rows_of_csv(paths.runs)}
    assert evil in agents


def test_the_same_sweep_gives_the_same_bytes(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths, tmp_path: Path
) -> None:
    again = write_report(*sweep_and_cards, tmp_path)
    for first, second in zip([*written[:4], *written.figures], [*again[:4], *again.figures], strict=True):
        assert first.read_bytes() == second.read_bytes()
    assert not list(tmp_path.rglob("*.tmp"))


def test_arrows_are_red_only_where_value_is_lost(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths
) -> None:
    sweep, cards = sweep_and_cards
    page = written.html.read_text(encoding="utf-8")
    data = json.loads(page.split('type="application/json">', 1)[1].split("</script>", 1)[0])
    for k, name in enumerate(cards):
        card = cards[name]
        for run in data["maps"][str(k)]["runs"]:
            for _, _, told, letters, _ in run["m"]:
                wrong = 0
                for s, letter in enumerate(letters):
                    q = None if letter == "~" else card.q_values[s][LETTERS.index(letter)]
                    wrong += q is not None and card.values[s] - q > card.bound
                assert told == wrong
    planner = [run for run in data["maps"]["0"]["runs"] if run["a"] == 0]
    assert len(planner) == 5
    assert all(run["m"][-1][2] == 0 for run in planner)
    assert len(sweep.agents) == len(data["agents"])


@pytest.mark.parametrize("kept", ["nothing", "one run", "two seeds"])
def test_a_sweep_that_has_hardly_begun_has_a_page_too(kept: str, tmp_path: Path) -> None:
    sweep, cards = invented_sweep(agents=("a", "b"), environments=("Lake",), seeds=2, failures=False)
    count = {"nothing": 0, "one run": 1, "two seeds": 4}[kept]
    ids = {run.spec.run_id for run in sweep.finished[:count]}
    sweep = replace(
        sweep,
        finished=sweep.finished[:count],
        missing=tuple(spec for spec in sweep.planned if spec.run_id not in ids),
        timings={},
    )
    page = write_report(sweep, cards, tmp_path).html.read_text(encoding="utf-8")
    assert f"{count} finished + 0 failed + {4 - count} missing = 4 planned." in page
    assert "No timings in the results folder." in page
    if kept == "two seeds":
        assert "below 3 seeds a mean has no interval" in page
        assert not re.search(r"95 % interval \d", page)


def test_without_cards_the_page_says_what_it_lacks(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    page = write_report(sweep_and_cards[0], {}, tmp_path).html.read_text(encoding="utf-8")
    assert "its card is not in the results folder" in page
    assert "No card in the results folder for Lake, Rooms and Corridor." in page


def test_a_thousand_runs_take_less_than_500_kilobytes(tmp_path: Path) -> None:
    sweep, cards = invented_sweep(
        agents=tuple(f"agent {k}" for k in range(10)),
        environments=("Lake", "Rooms", "Corridor", "Lake 2", "Lake 3"),
        seeds=20,
        failures=False,
        points=50,
    )
    assert len(sweep.finished) == 1_000
    paths = write_report(sweep, cards, tmp_path)
    assert paths.html.stat().st_size < 500_000


def test_every_output_says_that_finished_failed_and_missing_are_planned(written: ReportPaths) -> None:
    page = written.html.read_text(encoding="utf-8")
    text = written.markdown.read_text(encoding="utf-8")
    summary = json.loads(written.summary.read_text(encoding="utf-8"))
    said = "78 finished + 1 failed + 1 missing = 80 planned"
    assert said in page
    assert said in text
    assert [summary[key] for key in ("finished", "failed", "missing", "planned")] == [78, 1, 1, 80]


def test_both_reports_say_which_runs_are_missing_and_how_to_go_on(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    spaced = replace(sweep, folder=Path("my results"))
    paths = write_report(spaced, cards, tmp_path)
    for file in (paths.html, paths.markdown):
        text = html.unescape(file.read_text(encoding="utf-8"))
        assert "SB3 DQN on Corridor: seed 4" in text
        assert "bellglass run 'my results/suite.toml' --output 'my results'" in text
        assert "bellglass report 'my results'" in text


def test_the_sections_come_in_the_order_of_the_design(written: ReportPaths) -> None:
    page = written.html.read_text(encoding="utf-8")
    sections = re.findall(r'<section id="([a-z]+)"', page)
    assert sections == [
        "ranking",
        "regret",
        "efficiency",
        "sure",
        "seeds",
        "learned",
        "cost",
        "hardness",
        "fairness",
        "trouble",
        "reproduce",
    ]
    assert page.index('class="verdict"') < page.index('class="numbers"') < page.index('<section id="ranking"')
    headings = re.findall(r"^## (.*)$", written.markdown.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [
        "Ranking",
        "Exact regret while learning",
        "Sample efficiency",
        "How sure is the ranking?",
        "Every seed",
        "What did it learn?",
        "Quality against time",
        "The environments",
        "Fairness of tuning",
        "Failed runs",
        "Missing runs",
        "Pairs that cannot play",
        "How to reproduce",
    ]


def test_losses_survive_the_way_through_three_letters() -> None:
    for share in (1.0, 0.5, 1e-3, 1e-6):
        number = 0
        for letter in loss_text(7.0 * share, 7.0):
            number = 64 * number + LETTERS.index(letter)
        assert 7.0 * (number / FULL) ** 3 == pytest.approx(7.0 * share, rel=1e-3)


def test_the_final_regret_is_floor_and_learning_together(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    floored = replace(sweep, finished=tuple(replace(run, floor=0.01) for run in sweep.finished))
    regret = compare(floored, cards).cells["DQN", "Rooms"].regret
    assert regret is not None
    runs = [
        run for run in sweep.finished if (run.spec.agent.name, run.spec.environment.name) == ("DQN", "Rooms")
    ]
    assert regret.final == pytest.approx(sum(run.optimum - run.final.value for run in runs) / len(runs))
    assert regret.floor == pytest.approx(0.01)
    assert regret.floor + regret.learning == pytest.approx(regret.final)
    assert "of it criterion floor" in write_report(floored, cards, tmp_path).html.read_text(encoding="utf-8")


def test_many_seeds_still_make_a_small_page_that_says_what_it_left_out(tmp_path: Path) -> None:
    sweep, cards = invented_sweep(
        agents=("a", "b", "c", "d"), environments=("Lake", "Corridor"), seeds=250, points=50
    )
    paths = write_report(sweep, cards, tmp_path)
    assert paths.html.stat().st_size < 500_000
    assert len(rows_of_csv(paths.runs)) == len(sweep.planned) == 1_750
    page = paths.html.read_text(encoding="utf-8")
    assert "of 250 runs, from worst to best" in page


def test_fairness_says_of_each_agent_how_its_settings_were_found(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    given: list[dict[str, object]] = [
        {},
        {"algorithm": "DQN"},
        {"algorithm": "PPO", "settings": {"n_steps": 8, "batch_size": 4}},
        {"epsilon": 0.1},
        {"epsilon": 0.2},
        {"step_size": 0.5},
    ]
    classes = ["ValueIteration", "StableBaselines3", "StableBaselines3", "QLearning", "QLearning", "Sarsa"]
    agents = [
        replace(agent, class_name=name, settings=settings)
        for agent, name, settings in zip(sweep.agents, classes, given, strict=True)
    ]
    said = [tuning(agent, agents) for agent in agents]
    assert said == [
        "defaults",
        "defaults",
        "2 settings chosen, no search recorded",
        "one of 2 variants tried here",
        "one of 2 variants tried here",
        "1 setting chosen, no search recorded",
    ]
    paths = write_report(replace(sweep, agents=tuple(agents)), cards, tmp_path)
    for file in (paths.html, paths.markdown):
        text = file.read_text(encoding="utf-8")
        assert all(text.count(word) >= said.count(word) for word in said)
        assert "the best of them was found on the very seeds" in text


def test_curves_are_written_as_csv_where_asked_for(
    sweep_and_cards: tuple[Sweep, dict[str, Card]], written: ReportPaths, tmp_path: Path
) -> None:
    sweep, cards = sweep_and_cards
    assert written.curves is None
    paths = write_report(sweep, cards, tmp_path, curves=True)
    assert paths.curves == tmp_path / "curves.csv"
    rows = rows_of_csv(paths.curves)
    assert len(rows) == sum(len(run.curve) for run in sweep.finished)
    runs = {run.spec.run_id: run for run in sweep.finished}
    for row in rows:
        run = runs[row["run_id"]]
        point = next(point for point in run.curve if point.steps == int(row["steps"]))
        assert (row["agent"], int(row["seed"])) == (run.spec.agent.name, run.spec.seed)
        for key, value in point._asdict().items():
            assert row[key] == ("" if value is None else str(value))
    last = {row["run_id"]: row["score"] for row in rows}
    assert last == {row["run_id"]: row["score"] for row in rows_of_csv(paths.runs) if row["score"]}


def test_with_more_environments_than_agents_they_are_the_rows(tmp_path: Path) -> None:
    places = ("Lake", "Rooms", "Corridor", "Lake 2", "Lake 3", "Rooms 2", "Rooms 3")
    sweep, cards = invented_sweep(agents=("Planner", "DQN"), environments=places, seeds=3)
    page = write_report(sweep, cards, tmp_path).html.read_text(encoding="utf-8")
    heads = re.findall(r'<thead><tr><th scope="col">Environment</th>(.*?)</tr>', page)
    assert heads == ['<th scope="col" class="n a0">Planner</th><th scope="col" class="n a1">DQN</th>'] * 2
    scores = page.partition('aria-label="Mean score by environment"')[2].partition("</table>")[0]
    assert re.findall(r'<th scope="row">([^<]*)', scores) == list(places)
    assert len(re.findall(r'<td class="n a1" data-l="DQN">', scores)) == len(places)


def test_every_share_of_a_profile_has_its_interval(sweep_and_cards: tuple[Sweep, dict[str, Card]]) -> None:
    comparison = compare(*sweep_and_cards)
    _, lines = profile_picture(comparison, comparison.rankings[0])
    for row, line in zip(comparison.rankings[0].rows, lines, strict=True):
        assert line.low is not None
        assert line.high is not None
        assert (line.low < line.high).all()
        assert ((line.low <= line.y) & (line.y <= line.high)).all()
        assert {share.total for share in row.profile} == {row.finished + row.failed}
        low, high = clopper_pearson(row.profile[50].count, row.profile[50].total)
        assert (line.low[50], line.high[50]) == (low, high)


def test_the_markdown_shows_the_run_that_the_page_shows_first(written: ReportPaths) -> None:
    page = written.html.read_text(encoding="utf-8")
    text = written.markdown.read_text(encoding="utf-8")
    first = re.findall(r'<p class="said" role="status">([^<]*)</p>', page)
    assert len(first) == 3
    assert all(f"What was learned<br>{said}" in text for said in first)
