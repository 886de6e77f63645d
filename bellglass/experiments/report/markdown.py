"""The same comparison for GitHub: Markdown with pictures in files, in the order of the page."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..wording import counted
from . import charts, words
from . import svg as pictures
from .background import (
    HARDNESS_UNSEEN,
    commands_of,
    equal_terms,
    facts,
    failures,
    given,
    missing_lines,
    tuning,
    where,
)
from .charts import Series
from .comparison import Comparison, Ranking
from .detail import LEVELS
from .drawing import learned_map, optimum_map
from .learned import first_shown, ladders, told
from .learning import (
    GAP_HIDDEN,
    amount_text,
    episodic_text,
    gap_of,
    hides_states,
    lines,
    sampled,
    value_picture,
)
from .maps import maps_of
from .sections import profile_picture, seed_dots, time_picture, timed
from .table_cells import Cell, Curve

Figures = dict[str, str]


def markdown(comparison: Comparison) -> tuple[str, Figures]:
    """`report.md`, and the pictures it shows: {file name: SVG}."""
    figures: Figures = {}
    text = heading_text(comparison)
    text += ["## Ranking", ""]
    for k, one in enumerate(comparison.rankings):
        text += ranking_text(comparison, one, k, figures)
    text += ["### Environment by environment", ""]
    text += grid_of(["agent", *comparison.environments], environment_rows(comparison))
    text += regret_text(comparison, figures)
    text += efficiency_text(comparison, figures)
    text += sureness_text(comparison, figures)
    text += seeds_text(comparison, figures)
    text += map_text(comparison, figures)
    text += cost_text(comparison, figures)
    text += hardness_text(comparison)
    text += fairness_text(comparison)
    text += trouble_text(comparison)
    text += reproduce_text(comparison)
    return "\n".join(text), figures


def heading_text(comparison: Comparison) -> list[str]:
    """Verdict, warnings, counts."""
    sweep = comparison.sweep
    first, said = words.verdict(comparison)
    return [
        f"# {cellsafe(sweep.name)}",
        "",
        f"**{cellsafe(first)}** {cellsafe(' '.join(said))}",
        "",
        *(f"- {cellsafe(warning)}" for warning in words.warnings(comparison)),
        "",
        f"{len(sweep.finished):,} finished + {len(sweep.failed):,} failed + {len(sweep.missing):,} missing = "
        f"{len(sweep.planned):,} planned runs; {counted(sweep.seeds, 'seed')}; CPU time "
        f"{words.seconds(comparison.cpu_seconds)}. Score: {cellsafe(words.meaning(comparison))} "
        "[report.html](report.html) shows more: exact numbers under the pointer, every run's policy at any time.",
        "",
    ]


def ranking_text(comparison: Comparison, one: Ranking, k: int, figures: dict[str, str]) -> list[str]:
    """A ranking as picture and table."""
    where = words.listed(list(one.environments))
    label = f"Mean score on {where}"
    picture = charts.interval_chart(
        [(comparison.agents.index(row.agent), row.agent, row.mean, row.interval) for row in one.rows],
        label=label,
    )
    rows = [
        [
            str(place),
            row.agent,
            words.score(row.mean),
            words.interval(row.interval),
            words.score(row.iqm),
            words.score(row.optimality_gap),
            words.share(row.within[1]),
            f"{row.finished}/{row.planned}"
            + "".join(
                f", {number} {what}"
                for number, what in (
                    (row.failed, "failed"),
                    (row.missing, "missing"),
                    (row.sampled, "sampled"),
                )
                if number
            ),
        ]
        for place, row in enumerate(one.rows, 1)
    ]
    heads = ["", "agent", "mean", "95 % interval", "IQM", "optimality gap", "within 1 %", "runs"]
    return [
        *shown(figures, f"ranking-{k}", f"Compared on {where}", picture, label),
        *grid_of(heads, rows),
        f"Betting interval for scores from {cellsafe(words.range_of(one))}.",
        "",
    ]


def environment_rows(comparison: Comparison) -> list[list[str]]:
    """Mean score of each agent in each environment."""
    rows = []
    for name in comparison.agents:
        row = [name]
        for environment in comparison.environments:
            cell = comparison.cells.get((name, environment))
            if cell is None:
                row.append("does not play")
            else:
                notes = [note for note in (words.lost(cell), words.sampled(cell)) if note]
                row.append(words.score(cell.mean) + (f" ({', '.join(notes)})" if notes else ""))
        rows.append(row)
    return rows


def regret_text(comparison: Comparison, figures: Figures) -> list[str]:
    """Cumulative regret, exact where it can be, and what is left at the end."""
    drawn = []
    for k, name in enumerate(comparison.environments):
        series = chosen_lines(comparison, name, gap_of)
        if series:
            label = f"{name}: cumulative gap regret against steps"
            picture = charts.line_chart(series, label=label, x_label="environment steps")
            picture = charts.with_legend(picture, series)
            drawn.append(Drawn(f"regret-{k}", f"{name}, gap regret", picture, label))
    text = ["## Exact regret while learning", "", *side_by_side(figures, drawn)]
    rows = [
        [
            cell.environment,
            cell.agent,
            amount_text(cell.regret.final) + (f" ({words.sampled(cell)})" if cell.sampled else ""),
            amount_text(cell.regret.floor),
            amount_text(cell.regret.learning),
            episodic_text(cell.regret),
            amount_text(cell.regret.gap),
        ]
        for name in comparison.environments
        for agent in comparison.agents
        if (cell := comparison.cells.get((agent, name))) is not None and cell.regret is not None
    ]
    heads = ["environment", "agent", "final regret", "of it criterion floor", "of it learning"]
    heads += ["episodic regret, all episodes", "gap regret, all steps"]
    return [
        *text,
        "Means over finished runs, in reward units; never added up over environments. Where a time limit (other "
        "than the criterion's own horizon) cuts episodes short, episodic regret is larger than gap regret: it counts "
        "every episode as if it were played to its end."
        + (cellsafe(GAP_HIDDEN) if hides_states(comparison) else ""),
        "",
        *grid_of(heads, rows),
    ]


def chosen_lines(comparison: Comparison, name: str, pick: Callable[[Cell], Curve | None]) -> list[Series]:
    """Lines at the finest detail of the page."""
    return lines(comparison, name, pick, LEVELS[0])


def efficiency_text(comparison: Comparison, figures: Figures) -> list[str]:
    """Exact value against steps, and the steps until within 5 % of the optimum."""
    drawn = [value_drawn(comparison, name, k) for k, name in enumerate(comparison.environments)]
    text = ["## Sample efficiency", "", *side_by_side(figures, [one for one in drawn if one is not None])]
    rows = []
    for agent in comparison.agents:
        row = [agent]
        for name in comparison.environments:
            cell = comparison.cells.get((agent, name))
            row.append("–" if cell is None or not cell.reached else words.reached(cell.reached[0]))
        rows.append(row)
    return [
        *text,
        "Environment steps until the score is within 5 % of the optimum and stays there: median over seeds, runs that "
        "never got there counted as later than all others, and its 95 % interval by order statistics (from 6 runs on).",
        "",
        *grid_of(["agent", *comparison.environments], rows),
    ]


def value_drawn(comparison: Comparison, name: str, k: int) -> Drawn | None:
    """Exact value against steps."""
    series = chosen_lines(comparison, name, lambda cell: cell.value)
    if not series:
        return None
    picture, notes = value_picture(comparison, name, series)
    label = f"{name}: value against steps"
    return Drawn(f"value-{k}", name, charts.with_legend(picture, series), label, "; ".join(notes))


def sureness_text(comparison: Comparison, figures: Figures) -> list[str]:
    """Who beats whom how often, and the performance profile."""
    if not comparison.rankings or len(comparison.rankings[0].rows) < 2:
        return []
    one = comparison.rankings[0]
    names = [row.agent for row in one.rows]
    rows = []
    for name in names:
        row = [name]
        for other in names:
            pair = one.pairs.get((name, other))
            sure = "" if pair is None or pair.adjusted >= 0.05 else "**"
            row.append("·" if pair is None else f"{sure}{pair.probability:.2f}{sure}")
        rows.append(row)
    picture, series = profile_picture(comparison, one)
    label = "Performance profile: share of runs that reach each score"
    return [
        "## How sure is the ranking?",
        "",
        "Chance that a run of the row beats one of the column, ties halved; bold: the two differ at 5 %, by a "
        "permutation test with Holm's correction over all pairs.",
        "",
        *grid_of(["beats →", *names], rows, bold=True),
        *shown(figures, "profile", "Performance profile", charts.with_legend(picture, series), label),
        "Failed runs reach nothing; band (of up to five agents): Clopper-Pearson, 95 % at each score by itself.",
        "",
    ]


def seeds_text(comparison: Comparison, figures: Figures) -> list[str]:
    """A dot a finished run."""
    drawn = []
    for k, name in enumerate(comparison.environments):
        rows = [
            (agent, agent_name, seed_dots(cell))
            for agent, agent_name in enumerate(comparison.agents)
            if (cell := comparison.cells.get((agent_name, name))) is not None and name in comparison.scales
        ]
        if any(runs for *_, runs in rows):
            low = max(-1.0, min([0.0] + [score for *_, runs in rows for _, score in runs]))
            label = f"{name}: score of every run"
            drawn.append(Drawn(f"seeds-{k}", name, charts.dot_strip(rows, label=label, low=low), label))
    return ["## Every seed", "", *side_by_side(figures, drawn)]


def map_text(comparison: Comparison, figures: Figures) -> list[str]:
    """The optimum beside the run that the page shows first, where it has room for all of them."""
    found, _ = maps_of(comparison, LEVELS[0])
    steps = ladders(comparison)
    text = ["## What did it learn?", ""] if found or steps else []
    text += side_by_side(
        figures,
        [
            Drawn(
                f"ladder-{k}",
                name,
                picture,
                f"{name}: what information is worth",
                "; ".join(sampled(comparison, name)),
            )
            for k, (name, picture) in enumerate(steps)
        ],
    )
    for k, one in enumerate(found):
        run, name = first_shown(one), one.environment
        optimum = Drawn(f"map-{k}-optimum", f"{name}: the optimum", optimum_map(one), f"{name}: the optimum")
        learned = Drawn(
            f"map-{k}-learned",
            "What was learned",
            learned_map(one, run.final),
            f"{name}: what was learned",
            told(comparison, run),
        )
        text += side_by_side(figures, [optimum, learned])
    return text


def cost_text(comparison: Comparison, figures: Figures) -> list[str]:
    """Quality against CPU time."""
    points = timed(comparison)
    if not points:
        return []
    label = "Mean score against CPU seconds a run"
    return ["## Quality against time", "", *shown(figures, "time", label, time_picture(points), label)]


def hardness_text(comparison: Comparison) -> list[str]:
    """A column an environment."""
    known = {
        environment.name: dict(facts(environment, comparison.cards[environment.name]))
        for environment in comparison.sweep.environments
        if environment.name in comparison.cards
    }
    if not known:
        return []
    whats = list(dict.fromkeys(what for card in known.values() for what in card))
    rows = [[what, *(card.get(what, "–") for card in known.values())] for what in whats]
    unseen = [name for name in known if not comparison.cards[name].observed]
    note = [cellsafe(f"{words.listed(unseen)}: {HARDNESS_UNSEEN}."), ""] if unseen else []
    return ["## The environments", "", *grid_of(["", *known], rows), *note]


def fairness_text(comparison: Comparison) -> list[str]:
    """What each agent was given."""
    agents = comparison.sweep.agents
    rows = [
        [agent.name, agent.class_name, given(agent), tuning(agent, agents), str(agent.num_envs)]
        for agent in agents
    ]
    return [
        "## Fairness of tuning",
        "",
        cellsafe(equal_terms(comparison.sweep)),
        "",
        *grid_of(["agent", "class", "settings given", "tuning", "environments at once"], rows),
    ]


def trouble_text(comparison: Comparison) -> list[str]:
    """Failed and missing runs, and pairs that cannot play."""
    sweep = comparison.sweep
    text = []
    if sweep.failed:
        text += ["## Failed runs", ""]
        text += [
            f"- {cellsafe(agent)}, {counted(len(runs), 'run')} ({cellsafe(where(run.spec for run in runs))}): "
            f"{cellsafe(error)}"
            for (agent, error), runs in failures(sweep.failed)
        ]
        text.append("")
    if sweep.missing:
        text += ["## Missing runs", "", *(f"- {cellsafe(line)}" for line in missing_lines(sweep)), ""]
    if sweep.skipped:
        text += ["## Pairs that cannot play", ""]
        text += [
            f"- {cellsafe(pair.agent)} on {cellsafe(pair.environment)}: {cellsafe(pair.reason)}"
            for pair in sweep.skipped
        ]
        text.append("")
    return text


def reproduce_text(comparison: Comparison) -> list[str]:
    """Command, versions, and the suite itself."""
    sweep = comparison.sweep
    text = ["## How to reproduce", "", "```", commands_of(sweep), ""]
    text += [", ".join(f"{name} {version}" for name, version in sorted(sweep.versions.items())), "```", ""]
    if sweep.suite_text:
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", sweep.suite_text)), default=0))
        text += [f"{fence}toml", sweep.suite_text.rstrip(), fence, ""]
    return text


class Drawn(NamedTuple):
    """A picture, and what is said of it.

    Attributes:
        file: its name, without ending.
        heading: above it.
        picture: SVG.
        label: for who does not see it.
        note: below the heading, or nothing.
    """

    file: str
    heading: str
    picture: str
    label: str
    note: str = ""

    def head(self, *, bold: bool) -> str:
        """Heading and note; the first row of a table is bold by itself."""
        name = cellsafe(self.heading)
        return (f"**{name}**" if bold else name) + (f"<br>{cellsafe(self.note)}" if self.note else "")


def side_by_side(figures: dict[str, str], drawn: Sequence[Drawn]) -> list[str]:
    """Keeps the pictures as files, and shows them two in a row."""
    text = []
    for k in range(0, len(drawn), 2):
        pair = drawn[k : k + 2]
        text += [line_of([one.head(bold=k > 0) for one in pair])]
        text += ["|" + " --- |" * len(pair)] if k == 0 else []
        figures.update({f"{one.file}.svg": pictures.standalone(one.picture) for one in pair})
        text += [line_of([f"![{cellsafe(one.label)}](figures/{one.file}.svg)" for one in pair])]
    return [*text, ""] if text else []


def line_of(cells: Sequence[str]) -> str:
    """A row of a Markdown table."""
    return f"| {' | '.join(cells)} |"


def shown(figures: dict[str, str], name: str, heading: str, picture: str, label: str) -> list[str]:
    """Keeps the picture as a file, and shows it."""
    figures[f"{name}.svg"] = pictures.standalone(picture)
    return [f"**{cellsafe(heading)}**", "", f"![{cellsafe(label)}](figures/{name}.svg)", ""]


def grid_of(heads: list[str], rows: list[list[str]], *, bold: bool = False) -> list[str]:
    """A Markdown table; with `bold`, cells in two stars are bold."""
    text = [line_of([*map(cellsafe, heads)]), "|" + " --- |" * len(heads)]
    for row in rows:
        cells = [
            f"**{cellsafe(cell[2:-2])}**" if bold and cell.startswith("**") else cellsafe(cell)
            for cell in row
        ]
        text.append(line_of(cells))
    return [*text, ""]


def cellsafe(text: str) -> str:
    r"""Text that neither ends a table's cell nor turns into HTML or emphasis.

    >>> cellsafe("a|b <i>")
    'a\\|b &lt;i&gt;'
    """
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\\", "\\\\")
    text = re.sub(r"([|*`\[\]])", r"\\\1", text)
    return re.sub(r"\s+", " ", text)
