"""The parts of the page that compare agents, in the order in which one asks."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import numpy as np

from .. import pictures
from ..pictures import Series
from . import words
from .comparison import THRESHOLDS, Cell, Comparison, Curve, Ranking
from .elements import figure, left_out, named, section, table

#: No more points a line than this (the eye sees no more in 300 pixels), and in all lines of a kind together.
POINTS, ALL_POINTS = 60, 1_250


def numbers(comparison: Comparison) -> str:
    """The key numbers as a row of cards."""
    sweep = comparison.sweep
    scorings = list(dict.fromkeys(scoring.criterion for scoring in sweep.scoring.values()))
    lost = len(sweep.failed) + len(sweep.missing)
    cards = [
        (f"{len(sweep.finished):,}", f"of {len(sweep.planned):,} planned runs finished", ""),
        (f"{len(sweep.failed):,}", f"failed, {len(sweep.missing):,} missing", "bad" if lost else ""),
        (f"{sweep.seeds:,}", "seeds, the same for all agents", ""),
        (
            f"{len(comparison.agents)} × {len(comparison.environments)}",
            "agents × environments"
            + (f", {words.counted(len(sweep.skipped), 'pair')} cannot play" if sweep.skipped else ""),
            "",
        ),
        (words.seconds(comparison.cpu_seconds), "CPU time in all", ""),
        (
            "exact" if comparison.exact else "partly sampled",
            "scores: " + ", ".join(words.CRITERIA[criterion] for criterion in scorings),
            "",
        ),
    ]
    body = "".join(
        f'<div class="{kind}"><b>{escape(big)}</b><span>{escape(small)}</span></div>'
        for big, small, kind in cards
    )
    return f'<div class="numbers">{body}</div>'


def ranking(comparison: Comparison) -> str:
    """Every ranking, then every agent in every environment."""
    body = []
    for k, one in enumerate(comparison.rankings):
        where = words.listed(list(one.environments))
        if k or len(comparison.rankings) > 1 or len(one.environments) < len(comparison.environments):
            body.append(f"<h3>{'Also compared' if k else 'Compared'} on {escape(where)}</h3>")
        body.append(ranking_table(comparison, one))
        said = f"Interval of the mean: betting, for scores from {words.range_of(one)}."
        if k == 0:
            said += (
                " It is valid at any number of seeds; few seeds prove little, even where all agree: then it stays wide."
                " IQM: stratified bootstrap. Shares: Clopper–Pearson."
            )
        body.append(f'<p class="note">{escape(said)}</p>')
    if not comparison.rankings:
        body.append(left_out("No run has finished, so there is nothing to rank."))
    body.append("<h3>Environment by environment</h3>" + by_environment(comparison))
    lead = (
        "Score of the final policy, from the table itself: 0 is uniform random play, 1 the optimum. "
        "No evaluation episodes, so no evaluation noise. Ranked by mean over environments all of these agents play, "
        "IQM second."
    )
    return section("ranking", "Ranking", lead, "".join(body))


def ranking_table(comparison: Comparison, one: Ranking) -> str:
    """Agents with their intervals, best first."""
    low = min(
        [0.0]
        + [row.mean for row in one.rows]
        + [row.interval.low for row in one.rows if row.interval is not None]
    )
    rows, kinds = [], []
    for place, row in enumerate(one.rows, 1):
        agent = comparison.agents.index(row.agent)
        solved, within_1, within_5 = (
            stacked(*words.share_apart(part)) for part in (row.solved, row.within[1], row.within[0])
        )
        runs = f"{row.finished}/{row.planned}"
        if row.failed:
            runs += f'<span class="bad under">{row.failed} failed</span>'
        if row.missing:
            runs += f'<span class="bad under">{row.missing} missing</span>'
        rows.append(
            [
                f'<span class="place">{place}</span>{named(agent, row.agent)}',
                f"<b>{words.score(row.mean)}</b>",
                f'<span class="soft">{words.interval(row.interval)}</span>',
                pictures.interval_bar(agent, row.mean, row.interval, low),
                stacked(words.score(row.iqm), words.interval(row.iqm_interval)),
                words.score(row.median),
                words.score(row.optimality_gap),
                solved,
                within_1,
                within_5,
                words.seconds(row.cpu_seconds),
                runs,
            ]
        )
        kinds.append(f"a{agent}")
    heads = [
        "Agent",
        "Mean",
        "95 % interval",
        f"{low:.2g} to 1",
        "IQM",
        "Median",
        "Optimality gap",
        "Solved",
        "Within 1\u00a0%",
        "Within 5\u00a0%",
        "CPU a run",
        "Runs",
    ]
    heads[3] = heads[3].replace("-", "−")
    keep = [True] * len(heads)
    keep[7] = any(row.solved is not None for row in one.rows)
    chosen = [[cell for cell, kept in zip(row, keep, strict=True) if kept] for row in rows]
    return table(
        [head for head, kept in zip(heads, keep, strict=True) if kept],
        chosen,
        label="Ranking",
        kind="ranking",
        kinds=kinds,
    )


def stacked(above: str, below: str) -> str:
    """A number, and its interval in small print under it."""
    return escape(above) + (f'<span class="soft under">{escape(below)}</span>' if below != "–" else "")


def by_environment(comparison: Comparison) -> str:
    """Mean scores, one row an agent, one column an environment."""
    rows, kinds = [], []
    for agent, name in enumerate(comparison.agents):
        row = [named(agent, name)]
        for environment in comparison.environments:
            row.append(cell_text(comparison.cells.get((name, environment))))
        rows.append(row)
        kinds.append(f"a{agent}")
    return table(
        ["Agent", *comparison.environments], rows, label="Mean score by environment", kind="heat", kinds=kinds
    )


def cell_text(cell: Cell | None) -> str:
    """Mean score and interval; why not, where there is none."""
    if cell is None:
        return '<span class="soft">does not play</span>'
    notes = []
    if cell.failed:
        notes.append(f"{len(cell.failed)} failed")
    if cell.missing:
        notes.append(f"{len(cell.missing)} missing")
    if any(not run.exact for run in cell.finished):
        notes.append("sampled")
    more = f'<span class="bad under">{", ".join(notes)}</span>' if notes else ""
    if cell.mean is None:
        return f'<span class="soft">no score</span>{more}'
    shade = round(100 * min(1.0, max(0.0, cell.mean)))
    return (
        f'<span class="heat" style="--v:{shade}%">{words.score(cell.mean)}'
        f"{stacked('', words.interval(cell.interval))}</span>{more}"
    )


def curves(comparison: Comparison, data: dict[str, object]) -> str:
    """Exact value and gap regret against steps, a chart an environment."""
    values, regrets = [], []
    for k, name in enumerate(comparison.environments):
        known = [run for run in comparison.sweep.finished if run.spec.environment.name == name]
        if not known:
            continue
        optimum, random = known[0].optimum, known[0].random
        series = lines(comparison, name, lambda cell: cell.value)
        key = f"v{k}"
        data[key] = chart_data(series)
        floor = random - 1.0 * abs(optimum - random) if optimum != random else None
        worst = min([optimum] + [float((line.y if line.low is None else line.low).min()) for line in series])
        cut = floor is not None and worst < floor
        notes = [f"optimum {optimum:.6g}", f"random {random:.6g}"]
        references = [("optimum", optimum), ("random", random)]
        if optimum - random > 3 * (optimum - worst) > 0:  # all are far better: the line would flatten them
            references.pop()
            notes.append("(below the picture)")
        if cut:
            notes.append("(what is worse by as much again is cut off)")
        values.append(
            figure(
                name,
                pictures.line_chart(
                    series,
                    label=f"{name}: exact value of the policy against environment steps; optimum {optimum:.6g}, "
                    f"random {random:.6g}",
                    x_label="environment steps",
                    references=references,
                    floor=floor,
                    key=key,
                ),
                ", ".join(notes[:2]) + " ".join(["", *notes[2:]]),
            )
        )
        costs = lines(comparison, name, lambda cell: cell.gap_regret)
        if costs:
            key = f"g{k}"
            data[key] = chart_data(costs)
            regrets.append(
                figure(
                    name,
                    pictures.line_chart(
                        costs,
                        label=f"{name}: cumulative gap regret against environment steps",
                        x_label="environment steps",
                        key=key,
                    ),
                    "reward units",
                )
            )
    if not values:
        return section("curves", "While learning", "", left_out("No finished run, so there is no curve."))
    body = (
        "<h3>Value of the policy it believes best</h3>"
        '<p class="lead">Exact start value, in the units of the reward; mean over seeds, band from the lowest to '
        f'the highest seed.</p><div class="grid3">{"".join(values)}</div>'
    )
    if regrets:
        body += (
            "<h3>What learning cost: gap regret</h3>"
            '<p class="lead">Sum over all steps taken of what the action really played loses against the best one, '
            "V*(s) − q*(s, a), discounted within the episode. Lower is better; flat means it plays optimally.</p>"
            f'<div class="grid3">{"".join(regrets)}</div>'
        )
    return section("curves", "Exact regret while learning", "", body)


def lines(comparison: Comparison, name: str, pick: Callable[[Cell], Curve | None]) -> list[Series]:
    """One line an agent that has runs there."""
    found = []
    for agent, agent_name in enumerate(comparison.agents):
        cell = comparison.cells.get((agent_name, name))
        curve = pick(cell) if cell is not None else None
        if curve is not None:
            most = min(POINTS, max(24, ALL_POINTS // len(comparison.cells)), len(curve.steps))
            keep = np.unique(np.linspace(0, len(curve.steps) - 1, most).round().astype(int))
            found.append(
                Series(
                    agent, agent_name, curve.steps[keep], curve.mean[keep], curve.low[keep], curve.high[keep]
                )
            )
    return found


def chart_data(series: list[Series]) -> dict[str, object]:
    """The numbers behind a chart, five digits each, for the pointer."""

    def digits(row: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None) -> list[float | int] | None:
        return None if row is None else [tidy(value) for value in row.tolist()]

    grids: list[list[float | int]] = []
    rows = []
    for line in series:
        grid = digits(line.x) or []
        if grid not in grids:
            grids.append(grid)
        rows.append(
            {
                "a": line.agent,
                "x": grids.index(grid),
                "m": digits(line.y),
                "l": digits(line.low),
                "h": digits(line.high),
            }
        )
    return {"x": grids, "s": rows}


def tidy(value: float) -> float | int:
    """Five digits."""
    rounded = float(f"{value:.5g}")
    return int(rounded) if rounded.is_integer() else rounded


def efficiency(comparison: Comparison) -> str:
    """Steps until within 5 % and 1 % of the optimum."""
    if not any(cell.reached for cell in comparison.cells.values()):
        return section("efficiency", "Sample efficiency", "", left_out("No scored run."))
    rows, kinds = [], []
    for agent, name in enumerate(comparison.agents):
        row = [named(agent, name)]
        for environment in comparison.environments:
            cell = comparison.cells.get((name, environment))
            if cell is None or not cell.reached or not cell.reached[0].total:
                row.append('<span class="soft">–</span>')
            else:
                row.append(
                    f"{escape(words.reached(cell.reached[0]))}"
                    f'<span class="soft under">1 %: {escape(words.reached(cell.reached[1]))}</span>'
                )
        rows.append(row)
        kinds.append(f"a{agent}")
    lead = (
        "Environment steps until the exact score is within 5 % of the optimum, and stays there to the end; median over "
        "seeds, runs that never got there counted as late. Below it the same for 1 %."
    )
    body = table(
        ["Agent", *comparison.environments], rows, label="Steps to within 5 %", kind="heat", kinds=kinds
    )
    return section("efficiency", "Sample efficiency", lead, body)


def sureness(comparison: Comparison, data: dict[str, object]) -> str:
    """Probability of improvement and performance profile, on the first ranking."""
    heading = "How sure is the ranking?"
    if not comparison.rankings or len(comparison.rankings[0].rows) < 2:
        return section("sure", heading, "", left_out("Fewer than two agents share an environment."))
    one = comparison.rankings[0]
    names = [row.agent for row in one.rows]
    rows = []
    for name in names:
        row = [named(comparison.agents.index(name), name)]
        for other in names:
            if name == other:
                row.append('<span class="self">·</span>')
                continue
            pair = one.pairs[name, other]
            sure = " sure" if pair.adjusted < 0.05 else ""
            about = f"interval {words.interval(pair.interval)}, p = {pair.adjusted:.2g} after Holm"
            row.append(
                f'<span class="chance{sure}" style="--v:{round(100 * abs(2 * pair.probability - 1))}%;'
                f'--c:var(--{"above" if pair.probability > 0.5 else "under"})" title="{escape(about)}">'
                f"{pair.probability:.2f}</span>"
            )
        rows.append(row)
    matrix = table(["beats →", *names], rows, label="Probability of improvement", kind="matrix")
    profile = [
        Series(comparison.agents.index(row.agent), row.agent, np.array(THRESHOLDS), np.array(row.profile))
        for row in one.rows
    ]
    data["profile"] = chart_data(profile)
    chart = pictures.line_chart(
        profile,
        label="Performance profile: share of runs that reach each score",
        x_label="score to reach (0 = random play, 1 = optimum)",
        y_range=(0.0, 1.04),
        size=(440, 280),
        key="profile",
    )
    body = (
        '<div class="grid2"><div><h3>Chance that a run of the row beats one of the column</h3>'
        '<p class="lead">Ties count half. <b>Bold with a ring</b>: the two differ at 5 %, by a permutation test '
        f"with Holm’s correction over all pairs. Hover for intervals.</p>{matrix}</div>"
        '<div><h3>Performance profile</h3><p class="lead">Share of runs whose final score is at least as high; '
        f"failed runs reach nothing.</p>{chart}</div></div>"
    )
    where = f"On {escape(words.listed(list(one.environments)))}."
    return section("sure", heading, where, body)


def seeds(comparison: Comparison) -> str:
    """Every run as a dot."""
    shown = []
    for name in comparison.environments:
        rows = []
        low = 0.0
        for agent, agent_name in enumerate(comparison.agents):
            cell = comparison.cells.get((agent_name, name))
            if cell is None or name in comparison.unscored:
                continue
            runs = [
                (f"seed {run.spec.seed}: {run.normalized(run.final.value):.6g}", score)
                for run, score in zip(cell.finished, ran(cell), strict=True)
            ]
            low = min([low] + [score for _, score in runs])
            rows.append((agent, agent_name, runs))
        if any(runs for *_, runs in rows):
            picture = pictures.dot_strip(
                rows, label=f"{name}: score of every run", low=max(low, -1.0) if low < 0 else 0.0
            )
            note = "dots at the left edge lie below −1" if low < -1 else ""
            shown.append(figure(name, picture, note))
    body = f'<div class="grid3">{"".join(shown)}</div>' if shown else left_out("No scored run.")
    lead = "One dot a finished run, the bar is the median. Hover a dot for its seed and score."
    return section("seeds", "Every seed", lead, body)


def ran(cell: Cell) -> list[float]:
    """Scores of the finished runs alone."""
    table_of = dict(zip(cell.seeds, cell.scores.tolist(), strict=True))
    return [table_of[run.spec.seed] for run in cell.finished]


def cost(comparison: Comparison) -> str:
    """Quality against CPU time."""
    heading = "Quality against time"
    points = []
    if comparison.rankings:
        points = [
            (comparison.agents.index(row.agent), row.agent, row.cpu_seconds, row.mean)
            for row in comparison.rankings[0].rows
            if row.cpu_seconds is not None and row.cpu_seconds > 0
        ]
    if not points:
        return section("cost", heading, "", left_out("No timings in the results folder."))
    chart = pictures.scatter(
        points,
        label="Mean score against CPU seconds a run",
        x_label="CPU seconds a run, median (logarithmic)",
    )
    hosts = {timing.host for timing in comparison.sweep.timings.values()}
    lead = "Mean score of the first ranking against the CPU time of a run" + (
        f"; runs come from {len(hosts)} hosts, so times are only a rough guide." if len(hosts) > 1 else "."
    )
    return section("cost", heading, lead, f'<div class="medium">{chart}</div>')
