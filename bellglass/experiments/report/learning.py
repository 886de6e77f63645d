"""The parts of the page about learning: what it cost, what is left at the end, and how fast it went."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np

from . import charts, words
from .charts import Series
from .comparison import Comparison
from .detail import Detail
from .elements import crossed, figure, grouped_table, left_out, named, section
from .svg import short, typeset
from .table_cells import Cell, Curve, Regret

#: Fewest points of a line, however many lines there are.
FEWEST_POINTS = 8

EPISODIC = (
    "Sum over the episodes played of V*(s₀) − V<sup>π</sup>(s₀): what the policy played, exploration included, is "
    "expected to lose against the optimum. Its values are exact, but read at the points of the curve only: an episode "
    "is charged with the mean of the policies at the points before and after it ended. Every episode counts as if it "
    "were played to its end: where a time limit (other than the criterion’s own horizon) cuts it short, this is larger "
    "than gap regret, which counts only what was lost until then."
)
GAP = (
    "Sum over the steps played of γᵗ (V*(sₜ) − q*(sₜ, aₜ)): what each action really taken loses. In expectation "
    "the episodic regret, where no clock cuts episodes short; known for every agent, those with memory too."
)
#: What is said besides where an environment hides its states.
GAP_HIDDEN = (
    " Where states are hidden V* and q* are of who sees them: no line there need become flat, not even that of best "
    "play with memory."
)


def regret(comparison: Comparison, data: dict[str, object], detail: Detail) -> str:
    """Cumulative regret against steps, exact where it can be, and what is left at the end."""
    kinds: list[tuple[str, str, str, list[str]]] = []
    for key, heading, lead, pick in (
        ("g", "Gap regret", GAP + (GAP_HIDDEN if hides_states(comparison) else ""), gap_of),
        ("e", "Episodic regret", EPISODIC, episodic_of),
    ):
        shown = regret_figures(comparison, data, detail, key, pick)
        if shown:
            kinds.append((key, heading, lead, shown))
    heading = "Exact regret while learning"
    if not kinds:
        return section("regret", heading, "", left_out("No finished run, so there is no curve."))
    parts = []
    for place, (key, _, lead, shown) in enumerate(kinds):
        hidden = " hidden" if place else ""
        parts.append(
            f'<div class="choose" data-choice="{key}"{hidden}><p class="lead">{lead}</p>'
            f'<div class="grid3">{"".join(shown)}</div></div>'
        )
    choice = ""
    if len(kinds) > 1:
        choice = (
            '<div class="switch" role="radiogroup" aria-label="Kind of regret">'
            + "".join(
                f'<label><input type="radio" name="regret" value="{key}"{"" if place else " checked"}>'
                f"{name}</label>"
                for place, (key, name, *_) in enumerate(kinds)
            )
            + "</div>"
        )
    lead = (
        f"In reward units of each environment, mean over seeds, {band(comparison)}. Lower is better; optimal play is "
        f"a flat line.{escape(idle(comparison))}"
    )
    return section("regret", heading, lead, choice + "".join(parts) + left_at_the_end(comparison))


def idle(comparison: Comparison) -> str:
    """Whose lines are 0 although nothing was played."""
    names = [
        agent
        for agent in comparison.agents
        if (own := [run.final for run in comparison.sweep.finished if run.spec.agent.name == agent])
        and not any(point.episodes or point.gap_regret for point in own)
    ]
    if not names:
        return ""
    return f" {words.capital(words.listed(names))}: no episode and no loss, as of planners, who play no step to learn."


def hides_states(comparison: Comparison) -> bool:
    """Whether some environment shows its agents something else than its states."""
    return any(not card.observed for card in comparison.cards.values())


def episodic_of(cell: Cell) -> Curve | None:
    """Exact; not known for agents with memory."""
    return cell.episodic_regret


def gap_of(cell: Cell) -> Curve | None:
    """Known for every agent."""
    return cell.gap_regret


def band(comparison: Comparison) -> str:
    """What the band around a line is, and when it shows."""
    shown = "band from the lowest to the highest seed"
    if len(comparison.agents) <= charts.FEW:
        return shown
    return f"{shown} (where more than five agents meet, only while you point at an agent’s name above)"


def regret_figures(
    comparison: Comparison,
    data: dict[str, object],
    detail: Detail,
    key: str,
    pick: Callable[[Cell], Curve | None],
) -> list[str]:
    """A chart an environment."""
    shown = []
    for k, name in enumerate(comparison.environments):
        series = lines(comparison, name, pick, detail)
        if not series:
            continue
        chart = f"{key}{k}"
        data[chart] = chart_data(series)
        kind = "episodic" if key == "e" else "gap"
        lacking = [
            agent
            for agent in comparison.agents
            if (cell := comparison.cells.get((agent, name))) is not None
            and cell.finished
            and pick(cell) is None
        ]
        notes = incomplete(comparison, name)
        if key == "e" and (still := endless(comparison, name)):
            notes.append(f"no episode ever ended for {words.listed(still)}, so there is nothing to add up")
        if lacking:
            notes.append(f"not known, or without bound, for {words.listed(lacking)}")
        shown.append(
            figure(
                name,
                charts.line_chart(
                    series,
                    label=f"{name}: cumulative {kind} regret against environment steps; at the end "
                    + ", ".join(f"{line.label} {short(float(line.y[-1]))}" for line in series),
                    x_label="environment steps",
                    key=chart,
                ),
                "; ".join(notes),
            )
        )
    return shown


def endless(comparison: Comparison, name: str) -> list[str]:
    """Whose runs have played without ever ending an episode."""
    return [
        agent
        for agent in comparison.agents
        if (cell := comparison.cells.get((agent, name))) is not None
        and cell.regret is not None
        and cell.regret.endless
    ]


def incomplete(comparison: Comparison, name: str) -> list[str]:
    """Whose curves are of fewer runs than planned."""
    few = [
        f"{agent} {len(cell.finished)} of {cell.planned} runs"
        for agent in comparison.agents
        if (cell := comparison.cells.get((agent, name))) is not None and len(cell.finished) < cell.planned
    ]
    return ["finished runs only: " + ", ".join(few)] if few else []


def sampled(comparison: Comparison, name: str) -> list[str]:
    """Whose scores are no exact ones."""
    few = [
        agent
        for agent in comparison.agents
        if (cell := comparison.cells.get((agent, name))) is not None and cell.sampled
    ]
    return [f"sampled, not exact: {words.listed(few)}"] if few else []


def left_at_the_end(comparison: Comparison) -> str:
    """The three regrets of each agent, environment by environment."""
    floors = any(cell.regret is not None and cell.regret.floor > 0 for cell in comparison.cells.values())
    groups = []
    for name in comparison.environments:
        rows = []
        for agent, agent_name in enumerate(comparison.agents):
            cell = comparison.cells.get((agent_name, name))
            if cell is not None and cell.regret is not None:
                first, *rest = regret_cells(cell.regret, floors)
                note = f'<span class="soft under">{words.sampled(cell)}</span>' if cell.sampled else ""
                rows.append((f"a{agent}", [named(agent, agent_name), first + note, *rest]))
        if rows:
            groups.append((name, rows))
    heads = ["Agent", "Final regret"]
    if floors:
        heads += ["of it criterion floor", "of it learning"]
    heads += ["Episodic regret, all episodes", "Gap regret, all steps"]
    lead = "The final policy’s regret is what one episode (or step, under average reward) of it still loses."
    lead += (
        " Its criterion floor is what a perfect planner with the agent’s own discount loses too; the rest is "
        "learning’s."
        if floors
        else " Criterion floor: 0, every agent plans for the criterion it is judged by; all of it is learning’s."
    )
    lead += " Means over finished runs, in reward units; never added up over environments."
    body = grouped_table(heads, groups, label="Regret at the end")
    return f'<h3>What is left at the end</h3><p class="lead">{lead}</p>{body}'


def regret_cells(of: Regret, floors: bool) -> list[str]:
    """One row."""
    cells = [f"<b>{amount_text(of.final)}</b>"]
    if floors:
        cells += [amount_text(of.floor), amount_text(of.learning)]
    episodic = episodic_text(of)
    soft = episodic[-1].isalpha()
    return [*cells, f'<span class="soft">{episodic}</span>' if soft else episodic, amount_text(of.gap)]


def episodic_text(of: Regret) -> str:
    """The episodic regret, or why there is none."""
    return "no episode ended" if of.endless else amount_text(of.episodic)


def amount_text(value: float | None) -> str:
    """Four digits; what only rounding keeps from 0 is 0.

    >>> amount_text(12_345.6), amount_text(-1e-12), amount_text(float("inf")), amount_text(None)
    ('12,350', '0', '∞', 'not known')
    """
    if value is None:
        return "not known"
    if abs(value) < 1e-9:
        return "0"
    rounded = float(f"{value:.4g}")
    return typeset(f"{rounded:,.0f}" if abs(rounded) >= 1_000 else f"{rounded:g}")


def efficiency(comparison: Comparison, data: dict[str, object], detail: Detail) -> str:
    """Exact value against steps, and the steps until within 5 % and 1 % of the optimum."""
    shown = [
        value_figure(comparison, name, f"v{k}", data, detail)
        for k, name in enumerate(comparison.environments)
    ]
    if not any(shown):
        return section("efficiency", "Sample efficiency", "", left_out("No finished run."))
    body = f'<div class="grid3">{"".join(shown)}</div>' + reached_table(comparison)
    lead = (
        f"{'Start' if comparison.sampled else 'Exact start'} value of the policy that the agent believes best, in the "
        f"units of the reward, after each number of steps; mean over seeds, {band(comparison)}."
    )
    return section("efficiency", "Sample efficiency", lead, body)


def value_figure(comparison: Comparison, name: str, key: str, data: dict[str, object], detail: Detail) -> str:
    """One environment, or nothing where no run has finished."""
    series = lines(comparison, name, lambda cell: cell.value, detail)
    if not series:
        return ""
    data[key] = chart_data(series)
    picture, notes = value_picture(comparison, name, series, key=key)
    return figure(name, picture, "; ".join(notes))


def value_picture(
    comparison: Comparison, name: str, series: Sequence[Series], *, key: str = ""
) -> tuple[str, list[str]]:
    """The chart of one environment, and what one must know beside it."""
    run = next(run for run in comparison.sweep.finished if run.spec.environment.name == name)
    scale = comparison.scales.get(name)
    zero, optimum = (scale.zero if scale else run.random), run.optimum
    under = "without memory" if scale is not None and scale.reactive else "random"
    floor = lowest_shown(series, zero, optimum)
    worst = min([optimum] + [float((line.y if line.low is None else line.low).min()) for line in series])
    said = typeset(f"optimum {optimum:.6g}, {under} {zero:.6g}")
    references = [("optimum", optimum), (under, zero)]
    notes = [said]
    bottom = worst if floor is None else max(worst, floor)
    if optimum - zero > 1.5 * (optimum - bottom) > 0:  # all are far better: the line would flatten them
        references.pop()
        notes.append(f"{under} lies below the picture")
    if floor is not None and worst < floor:
        notes.append("the worst are cut off")
    picture = charts.line_chart(
        series,
        label=f"{name}: value of the policy against environment steps; {said}; at the end "
        + ", ".join(f"{line.label} {short(float(line.y[-1]))}" for line in series),
        x_label="environment steps",
        references=references,
        floor=floor,
        key=key,
    )
    return picture, [*notes, *sampled(comparison, name), *incomplete(comparison, name)]


def lowest_shown(series: Sequence[Series], zero: float, optimum: float) -> float | None:
    """What lies below is cut off, so that bad starts flatten nothing.

    As far again below the value of score 0 as the optimum is above it, or, where that is higher, half as far again
    below the lowest mean in the last three quarters of the steps.
    """
    late = min(float(line.y[line.x >= line.x[-1] / 4].min()) for line in series)
    floors = [zero - abs(optimum - zero)] if optimum != zero and math.isfinite(zero) else []
    if math.isfinite(late) and optimum - late > 1e-9 * (1 + abs(optimum)):
        floors.append(optimum - 1.5 * (optimum - late))
    endless = any(np.isneginf(line.y if line.low is None else line.low).any() for line in series)
    return max(floors, default=optimum - max(1.0, abs(optimum)) if endless else None)


def reached_table(comparison: Comparison) -> str:
    """Steps until within 5 % and 1 %."""
    if not any(cell.reached for cell in comparison.cells.values()):
        return left_out("No scored run.")
    grid = min(scoring.points for scoring in comparison.sweep.scoring.values())
    lead = (
        "Environment steps until the score is within 5 % of the optimum and stays there to the end; below it the same "
        f"for 1 %. Median over seeds, runs that never got there counted as later than all others; in brackets its 95 % "
        f"interval by order statistics, from 6 runs on. Read off {grid} points, so a run may have been there up to one "
        "point earlier; the intervals allow for that."
    )
    body = crossed(
        comparison.agents,
        comparison.environments,
        lambda agent, name: reached_cell(comparison.cells.get((agent, name))),
        label="Steps to within 5 %",
    )
    return f'<h3>Steps to within 5 % and 1 %</h3><p class="lead">{lead}</p>{body}'


def reached_cell(cell: Cell | None) -> str:
    """Steps of one agent in one environment, with what is uncertain about them in small print."""
    if cell is None:
        return '<span class="soft">does not play</span>'
    if not cell.reached:
        return '<span class="soft">no score</span>'
    (first, *rest), (one, ends, late) = (words.reached_parts(some) for some in cell.reached)
    apart = cell.reached[1].median is None  # then the headline is long
    notes = [*rest, f"1 %: {one}" if apart else f"1 %: {one} {ends}", ends if apart else "", late]
    return first + "".join(f'<span class="soft under">{note}</span>' for note in notes if note)


def lines(
    comparison: Comparison, name: str, pick: Callable[[Cell], Curve | None], detail: Detail
) -> list[Series]:
    """One line an agent that has runs there."""
    found = []
    share = detail.all_points // max(1, len(comparison.cells))
    for agent, agent_name in enumerate(comparison.agents):
        cell = comparison.cells.get((agent_name, name))
        curve = pick(cell) if cell is not None else None
        if curve is not None:
            most = min(detail.points, max(FEWEST_POINTS, share), len(curve.steps))
            keep = np.unique(np.linspace(0, len(curve.steps) - 1, most).round().astype(int))
            found.append(
                Series(
                    agent, agent_name, curve.steps[keep], curve.mean[keep], curve.low[keep], curve.high[keep]
                )
            )
    return found


def chart_data(series: list[Series]) -> dict[str, object]:
    """The numbers behind a chart, five digits each, for the pointer."""

    def digits(
        row: np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None,
    ) -> list[float | int | None] | None:
        return None if row is None else [tidy(value) for value in row.tolist()]

    grids: list[list[float | int | None]] = []
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


def tidy(value: float) -> float | int | None:
    """Five digits; None for -inf."""
    if math.isinf(value):
        return None
    rounded = float(f"{value:.5g}")
    return int(rounded) if rounded.is_integer() else rounded
