"""The parts of the page that compare agents, in the order in which one asks."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from ..statistics.aggregate import Interval
from ..wording import counted
from . import charts, words
from .charts import Series
from .comparison import THRESHOLDS, Comparison, Ranking
from .detail import Detail
from .elements import crossed, figure, left_out, named, section, table
from .learning import chart_data
from .svg import typeset
from .table_cells import Cell


def numbers(comparison: Comparison) -> str:
    """The key numbers as a row of cards."""
    sweep = comparison.sweep
    scorings = list(dict.fromkeys(scoring.criterion for scoring in sweep.scoring.values()))
    lost = len(sweep.failed) + len(sweep.missing)
    cards = [
        (f"{len(sweep.finished):,}", f"of {len(sweep.planned):,} planned runs finished", ""),
        (f"{len(sweep.failed):,}", f"failed, {len(sweep.missing):,} missing", "lost" if lost else ""),
        (f"{sweep.seeds:,}", f"seed{'' if sweep.seeds == 1 else 's'}, the same for all agents", ""),
        (
            f"{len(comparison.agents)} × {len(comparison.environments)}",
            "agents × environments"
            + (f", {counted(len(sweep.skipped), 'pair')} cannot play" if sweep.skipped else ""),
            "",
        ),
        (words.seconds(comparison.cpu_seconds), "CPU time in all", ""),
        (
            f"{comparison.sampled:,} sampled" if comparison.sampled else "exact",
            (f"of {len(sweep.finished):,} scores, the rest exact: " if comparison.sampled else "scores: ")
            + ", ".join(words.CRITERIA[criterion] for criterion in scorings),
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
        "Score of the final policy, computed from the table: no evaluation episodes, so no evaluation noise"
        f"{', but where “sampled” is said' if comparison.sampled else ''}. {escape(words.meaning(comparison))} "
        "Ranked by the mean over environments that all of these agents play, "
        "the interquartile mean (IQM) second."
    )
    return section("ranking", "Ranking", lead, "".join(body))


def ranking_table(comparison: Comparison, one: Ranking) -> str:
    """Agents with their intervals, best first."""
    low = charts.lowest((row.mean, row.interval) for row in one.rows)
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
        if row.sampled:
            runs += f'<span class="soft under">{row.sampled} sampled</span>'
        rows.append(
            [
                f'<span class="place">{place}</span>{named(agent, row.agent)}',
                f"<b>{words.score(row.mean)}</b>",
                f'<span class="soft">{words.interval(row.interval)}</span>',
                charts.interval_bar(agent, row.mean, row.interval, low),
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
    heads[3] = typeset(heads[3])
    keep = [True] * len(heads)
    keep[7] = any(row.solved is not None for row in one.rows)
    chosen = [[cell for cell, kept in zip(row, keep, strict=True) if kept] for row in rows]
    return table(
        [head for head, kept in zip(heads, keep, strict=True) if kept],
        chosen,
        label=f"Ranking on {words.listed(list(one.environments))}",
        kind="ranking",
        kinds=kinds,
    )


def stacked(above: str, below: str) -> str:
    """A number, and its interval in small print under it."""
    return escape(above) + (f'<span class="soft under">{escape(below)}</span>' if below != "–" else "")


def by_environment(comparison: Comparison) -> str:
    """Mean scores of every agent in every environment."""
    return crossed(
        comparison.agents,
        comparison.environments,
        lambda agent, name: cell_text(comparison.cells.get((agent, name))),
        label="Mean score by environment",
    )


def cell_text(cell: Cell | None) -> str:
    """Mean score and interval; why not, where there is none."""
    if cell is None:
        return '<span class="soft">does not play</span>'
    notes = (("bad", words.lost(cell)), ("soft", words.sampled(cell)))
    more = "".join(f'<span class="{kind} under">{note}</span>' for kind, note in notes if note)
    if cell.mean is None:
        return f'<span class="soft">no score</span>{more}'
    shade = round(100 * min(1.0, max(0.0, cell.mean)))
    return (
        f'<span class="heat" style="--v:{shade}%">{words.score(cell.mean)}'
        f"{stacked('', words.interval(cell.interval))}</span>{more}"
    )


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
            about = (
                f"{name} beats {other}: {pair.probability:.3f}\n95 % interval {words.interval(pair.interval)}\n"
                f"p = {pair.adjusted:.2g} after Holm: {'they differ' if sure else 'cannot be told apart'}"
            )
            row.append(
                f'<span class="chance{sure}" style="--v:{round(100 * abs(2 * pair.probability - 1))}%;'
                f'--c:var(--{"above" if pair.probability > 0.5 else "under"})" data-say="{escape(about)}">'
                f"{pair.probability:.2f}</span>"
            )
        rows.append(row)
    matrix = table(
        ["beats →", *names],
        rows,
        label="Probability of improvement",
        kind="matrix many" if len(names) > 4 else "matrix few",
        stops=(".chance", len(names) - 1),
    )
    chart, profile = profile_picture(comparison, one, size=(440, 280), key="profile")
    data["profile"] = chart_data(profile)
    number = len(names) * (len(names) - 1) // 2
    body = (
        f'<div class="grid2{" one" if len(names) > 9 else ""}"><div>'
        "<h3>Chance that a run of the row beats one of the column</h3>"
        '<p class="lead">Ties count half. <b>Bold with a ring</b>: the two differ at 5 %, by a permutation test '
        f"with Holm’s correction over {counted(number, 'pair')}. Point at a number for its interval.</p>"
        f"{matrix}</div>"
        '<div><h3>Performance profile</h3><p class="lead">Share of runs whose final score is at least as high; '
        f"failed runs reach nothing. {escape(profile_band(one))}</p>"
        f'<div class="medium">{chart}</div></div></div>'
    )
    where = f"On {escape(words.listed(list(one.environments)))}."
    return section("sure", heading, where, body)


def profile_band(one: Ranking) -> str:
    """What the band around a line of the profile is, and when it shows."""
    when = "" if len(one.rows) <= charts.FEW else ", shown while you point at an agent’s name above"
    return f"Band: Clopper–Pearson, 95 % at each score by itself{when}."


def profile_picture(
    comparison: Comparison, one: Ranking, *, size: tuple[int, int] = charts.CHART, key: str = ""
) -> tuple[str, list[Series]]:
    """The performance profile, and its lines."""
    profile = []
    for row in one.rows:
        ends = {share: share.interval or Interval(0.0, 1.0) for share in set(row.profile)}
        profile.append(
            Series(
                comparison.agents.index(row.agent),
                row.agent,
                np.array(THRESHOLDS),
                np.array([share.count / share.total for share in row.profile]),
                np.array([ends[share].low for share in row.profile]),
                np.array([ends[share].high for share in row.profile]),
            )
        )
    picture = charts.line_chart(
        profile,
        label="Performance profile: share of runs that reach each score",
        x_label="score to reach",
        y_range=(0.0, 1.04),
        size=size,
        key=key,
    )
    return picture, profile


def seeds(comparison: Comparison, detail: Detail) -> str:
    """Every run as a dot."""
    shown = []
    for name in comparison.environments:
        rows = []
        low = 0.0
        notes = []
        for agent, agent_name in enumerate(comparison.agents):
            cell = comparison.cells.get((agent_name, name))
            if cell is None or name not in comparison.scales:
                continue
            runs = seed_dots(cell)
            low = min([low] + [score for _, score in runs])
            if cell.failed or cell.missing:
                notes.append(f"{agent_name}: {words.lost(cell)}")
            if len(runs) > detail.dots:
                places = np.linspace(0, len(runs) - 1, detail.dots).round().astype(int)
                ranked = sorted(runs, key=lambda run: run[1])
                notes.append(f"{agent_name}: {detail.dots} of {len(runs)} runs, from worst to best")
                runs = [ranked[k] for k in places.tolist()]
            rows.append((agent, agent_name, runs))
        if low < -1:
            notes.append("dots at the left edge lie below −1")
        if any(runs for *_, runs in rows):
            picture = charts.dot_strip(rows, label=f"{name}: score of every run", low=max(low, -1.0))
            shown.append(figure(name, picture, "; ".join(notes)))
    body = f'<div class="grid3">{"".join(shown)}</div>' if shown else left_out("No scored run.")
    lead = "One dot a finished run, the bar is their median. Point at a dot for its seed and score."
    return section("seeds", "Every seed", lead, body)


def seed_dots(cell: Cell) -> list[tuple[str, float]]:
    """What to say of each finished run, and its score."""
    scores = dict(zip(cell.seeds, cell.scores.tolist(), strict=True))
    dots = []
    for run in cell.finished:
        score = scores[run.spec.seed]
        said = f"seed {run.spec.seed}: {typeset(f'{score:.6g}')}"
        dots.append((said if run.exact else f"{said}, sampled", score))
    return dots


def timed(comparison: Comparison) -> list[tuple[int, str, float, float]]:
    """Agents of the first ranking whose CPU time is known: (number, name, seconds a run, mean score), fastest first."""
    rows = comparison.rankings[0].rows if comparison.rankings else ()
    known = [(row, row.cpu_seconds) for row in rows if row.cpu_seconds is not None and row.cpu_seconds > 0]
    known.sort(key=lambda pair: pair[1])
    return [(comparison.agents.index(row.agent), row.agent, seconds, row.mean) for row, seconds in known]


def time_picture(points: Sequence[tuple[int, str, float, float]]) -> str:
    """Mean score against CPU time."""
    return charts.scatter(
        points,
        label="Mean score against CPU seconds a run",
        x_label="CPU seconds a run, median (logarithmic)",
    )


def cost(comparison: Comparison) -> str:
    """Quality against CPU time."""
    heading = "Quality against time"
    points = timed(comparison)
    if not points:
        return section("cost", heading, "", left_out("No timings in the results folder."))
    fastest = points[0][2]
    times = table(
        ["Agent", "CPU a run", "Against the fastest", "Mean score"],
        [
            [named(agent, name), words.seconds(seconds), f"{seconds / fastest:,.3g} ×", words.score(mean)]
            for agent, name, seconds, mean in points
        ],
        label="CPU time a run",
        kind="short",
        kinds=[f"a{agent}" for agent, *_ in points],
    )
    hosts = {timing.host for timing in comparison.sweep.timings.values()}
    many = f"; runs come from {len(hosts)} hosts, so times are only a rough guide" if len(hosts) > 1 else ""
    lead = (
        f"Mean score of the first ranking against the CPU time of a run, learning and scoring together{many}."
    )
    body = f'<div class="grid2"><div class="medium">{time_picture(points)}</div><div>{times}</div></div>'
    return section("cost", heading, lead, body)
