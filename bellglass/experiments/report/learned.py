"""The part of the page about what was learned: the optimum beside any run, at any time."""

from __future__ import annotations

from html import escape

from ..wording import counted
from . import charts, words
from .comparison import Comparison
from .detail import Detail
from .drawing import learned_map, optimum_map
from .elements import figure, section
from .learning import sampled
from .maps import EnvironmentMap, Learned, map_data, maps_of


def learned(comparison: Comparison, data: dict[str, object], detail: Detail) -> str:
    """The optimum beside a learned policy, with a choice of run and of time."""
    maps, reasons = maps_of(comparison, detail)
    data["maps"] = {str(k): map_data(one, comparison) for k, one in enumerate(maps)}
    body = "".join(map_pair(comparison, one, k) for k, one in enumerate(maps))
    if body:
        body = f'<div class="pairs">{body}</div>'
    steps = "".join(
        figure(name, picture, "; ".join(sampled(comparison, name))) for name, picture in ladders(comparison)
    )
    if steps:
        body += (
            '<h3>Where states are hidden: the ladder of information</h3><p class="lead">The best values without memory '
            "(reactive), with memory, and for one who sees the states; a sign is an agent’s mean final value, the line "
            f'goes from its worst to its best run.</p><div class="grid3">{steps}</div>'
        )
    reasons = {name: why for name, why in reasons.items() if name not in dict(ladders(comparison))}
    if reasons:
        whose: dict[str, list[str]] = {}
        for name, why in reasons.items():
            whose.setdefault(why, []).append(name)
        items = "; ".join(f"{escape(words.listed(names))}: {escape(why)}" for why, names in whose.items())
        body += f'<p class="none">No map for {items}.</p>'
    lead = (
        "Optimum: shade and number are V*, arrows all optimal actions. Learned, of one run: the number is its regret "
        "by cell, V* − V<sup>π</sup>, what it loses from there on; the shade is its square root. "
        'An arrow is <b class="bad">red</b> only where it is proved wrong: it loses more than the certified error of '
        "the optimum; ties are not wrong. The slider goes back in time; point at a cell, or walk with the arrow keys, "
        "for its exact values."
    )
    return section("learned", "What did it learn?", lead if maps else "", body)


def ladders(comparison: Comparison) -> list[tuple[str, str]]:
    """For each environment that hides its states: its name, and a picture of who stands how high."""
    found = []
    for name in comparison.environments:
        card = comparison.cards.get(name)
        rows = []
        for number, agent in enumerate(comparison.agents):
            cell = comparison.cells.get((agent, name))
            if cell is not None and cell.finished:
                values = [run.final.value for run in cell.finished]
                rows.append((number, agent, min(values), sum(values) / len(values), max(values)))
        if card is not None and card.ladder and rows:
            rungs = [("random", card.random[card.criterion])] if card.criterion in card.random else []
            rungs += list(card.ladder.items())
            rungs.sort(key=lambda rung: rung[1])
            label = (
                f"{name}: values without memory, with memory and for who sees the states, and each agent's"
            )
            found.append((name, charts.ladder(rows, rungs, label=label)))
    return found


def first_shown(one: EnvironmentMap) -> Learned:
    """The median run of the agent that has most to learn there, or that changed its mind most often."""
    agents = sorted({run.agent for run in one.runs})
    return min((one.median_of(agent) for agent in agents), key=told_by)


def told_by(run: Learned) -> tuple[float, int, int]:
    """The smaller, the more there is to see."""
    return round(run.final.score, 9), -len(run.moments), run.agent


def map_pair(comparison: Comparison, one: EnvironmentMap, k: int) -> str:
    """Both maps of an environment, and the choice."""
    shown = first_shown(one)
    notes = []
    if one.shared:
        notes.append(
            "Several states lie in one cell: shade is their average, the number how many are provably wrong."
        )
    if any(run.final.loss is None for run in one.runs):
        notes.append(
            "Under average reward the optimum’s numbers are its bias, and of runs only the arrows are known."
        )
    if one.left_out:
        notes.append(f"{counted(one.left_out, 'run')} left out to keep the page small.")
    if one.thinned:
        notes.append("Some runs show their end only, to keep the page small.")
    note = f'<p class="note">{escape(" ".join(notes))}</p>' if notes else ""
    wide = " wide" if one.side * len(one.layout.background[0]) > 260 else ""
    return (
        f'<div class="pair{wide}" data-map="{k}"><h3>{escape(one.environment)}</h3>'
        f'<div class="choice"><label for="map-{k}">Run</label> <select id="map-{k}">{options(comparison, one, shown)}'
        f"</select></div>{slider(one, k)}"
        f'<p class="said" role="status">{escape(told(comparison, shown))}</p>'
        f'<div class="maps"><figure><figcaption>Optimum</figcaption>{optimum_map(one)}</figure>'
        f"<figure><figcaption>Learned</figcaption>{learned_map(one, shown.final, kind='learned')}</figure></div>"
        f"{note}</div>"
    )


def options(comparison: Comparison, one: EnvironmentMap, shown: Learned) -> str:
    """The runs to choose from."""
    groups = []
    for agent in sorted({run.agent for run in one.runs}):
        middle = one.median_of(agent)
        name = escape(comparison.agents[agent])
        group = "".join(
            f'<option value="{i}"{" selected" if run is shown else ""}>{name}, seed {run.seed}: '
            f"{words.score(run.final.score)}{', median' if run is middle else ''}</option>"
            for i, run in enumerate(one.runs)
            if run.agent == agent
        )
        groups.append(f'<optgroup label="{name}">{group}</optgroup>')
    return "".join(groups)


def slider(one: EnvironmentMap, k: int) -> str:
    """Training time, where some run has kept its way."""
    last = len(one.steps) - 1
    if last < 1:
        return ""
    return (
        f'<div class="time"><button type="button" class="play" aria-label="Play training time of '
        f'{escape(one.environment)}">▶</button><label for="time-{k}">Steps</label>'
        f'<input id="time-{k}" type="range" min="0" max="{last}" value="{last}" '
        f'aria-valuetext="{one.steps[-1]:,} steps">'
        f'<output for="time-{k}">{one.steps[-1]:,}</output></div>'
    )


def told(comparison: Comparison, run: Learned) -> str:
    """One line about a run at its end."""
    return (
        f"{comparison.agents[run.agent]}, seed {run.seed}, after {run.final.steps:,} steps: score "
        f"{words.score(run.final.score)}, {counted(run.final.wrong, 'state')} with a provably wrong action"
    )
