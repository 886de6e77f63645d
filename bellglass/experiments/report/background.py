"""The parts of the page about what was learned, how hard it was, what went wrong, and how to do it again."""

from __future__ import annotations

import json
import math
from html import escape

from ..card import Card
from . import words
from .comparison import Comparison
from .elements import left_out, section
from .maps import EnvironmentMap, Learned, learned_map, map_data, maps_of, optimum_map

HARDNESS_NAMES = {
    "effective_horizon": "effective horizon 1/(1 − discount)",
    "min_gap": "smallest action gap",
    "sum_inverse_gaps": "sum of inverse gaps",
    "bias_span": "bias span",
    "mixing_time": "mixing time (lazy, optimal policy)",
    "laidlaw_horizon": "effective horizon (Laidlaw 2023)",
}


def learned(comparison: Comparison, data: dict[str, object]) -> str:
    """The optimum beside a learned policy, with a choice of agent and seed."""
    maps, reasons = maps_of(comparison)
    parts = []
    stored: dict[str, object] = {}
    for k, one in enumerate(maps):
        stored[str(k)] = map_data(one)
        parts.append(map_pair(comparison, one, k))
    data["maps"] = stored
    if reasons:
        items = "; ".join(f"{escape(name)}: {escape(why)}" for name, why in reasons.items())
        parts.append(f'<p class="none">No map for {items}.</p>')
    lead = (
        "Left the optimum: shade and number are V*, arrows all optimal actions. Right a learned policy: shade and "
        'number are what it loses from there on. An arrow is <b class="bad">red</b> only where it is proved wrong: '
        "it loses more than the certified error of the optimum. Ties are not wrong. Hover a cell for its exact values."
    )
    return section("learned", "What did it learn?", lead if maps else "", "".join(parts))


def first_shown(one: EnvironmentMap) -> Learned:
    """The median run of the agent that has most to learn there: the one that shows something."""
    agents = sorted({run.agent for run in one.runs})
    return min((one.median_of(agent) for agent in agents), key=lambda run: (run.score, run.agent))


def map_pair(comparison: Comparison, one: EnvironmentMap, k: int) -> str:
    """Both maps of an environment, and the choice."""
    shown = first_shown(one)
    options = []
    for agent in sorted({run.agent for run in one.runs}):
        middle = one.median_of(agent)
        group = "".join(
            f'<option value="{i}"{" selected" if run is shown else ""}>'
            f"{escape(comparison.agents[agent])}, seed {run.seed}: "
            f"{words.score(run.score)}{', median' if run is middle else ''}</option>"
            for i, run in enumerate(one.runs)
            if run.agent == agent
        )
        options.append(f'<optgroup label="{escape(comparison.agents[agent])}">{group}</optgroup>')
    said = told(comparison, shown)
    notes = []
    if one.shared:
        notes.append(
            "Several states lie in one cell: shade is their average, the number how many are provably wrong."
        )
    if one.left_out:
        notes.append(f"{words.counted(one.left_out, 'run')} left out to keep the page small.")
    note = f'<p class="note">{escape(" ".join(notes))}</p>' if notes else ""
    wide = " wide" if len(one.layout.background[0]) > 9 else ""
    return (
        f'<div class="pair{wide}" data-map="{k}"><h3>{escape(one.environment)}</h3><div class="choice">'
        f'<label for="map-{k}">Run shown</label> <select id="map-{k}">{"".join(options)}</select> '
        f'<span class="said" aria-live="polite">{escape(said)}</span></div>'
        f'<div class="maps"><figure><figcaption>Optimum</figcaption>{optimum_map(one)}</figure>'
        f"<figure><figcaption>Learned</figcaption>{learned_map(one, shown, kind='learned')}</figure></div>"
        f"{note}</div>"
    )


def told(comparison: Comparison, run: Learned) -> str:
    """One line about a run."""
    return (
        f"{comparison.agents[run.agent]}, seed {run.seed}: score {words.score(run.score)}, "
        f"{words.counted(run.wrong, 'state')} with a provably wrong action"
    )


def hardness(comparison: Comparison) -> str:
    """A card an environment."""
    shown = [
        card_text(name, comparison.cards[name])
        for name in comparison.environments
        if name in comparison.cards
    ]
    lacking = [name for name in comparison.environments if name not in comparison.cards]
    body = f'<div class="grid3 cards">{"".join(shown)}</div>' if shown else ""
    if lacking:
        body += left_out(f"No card in the results folder for {words.listed(lacking)}.")
    lead = "What each environment is, and what makes it hard; computed from its table."
    return section("hardness", "The environments", lead, body)


def card_text(name: str, card: Card) -> str:
    """Facts of one environment."""
    best, random = card.optimum.get(card.criterion), card.random.get(card.criterion)
    rows: list[tuple[str, str]] = [
        ("id", card.id),
        ("states, actions, outcomes", f"{card.num_states:,}, {card.num_actions}, {card.num_outcomes:,}"),
        ("criterion", words.CRITERIA.get(card.criterion, card.criterion)),
    ]
    if card.criterion == "discounted":
        rows.append(("discount", f"{card.discount:g}"))
    if card.criterion == "finite_horizon" and card.horizon is not None:
        rows.append(("time limit", f"{card.horizon:,}"))
    if best is not None:
        rows.append(("optimum", f"{best:.8g}"))
    if random is not None:
        rows.append(("uniform random play", f"{random:.6g}"))
    if best is not None and random is not None and math.isfinite(best - random):
        one_percent = f"{0.01 * (best - random):.3g} in reward"
        if card.gap is not None and 0 < card.gap < math.inf:
            one_percent += f", {0.01 * (best - random) / card.gap:.3g} gaps"
        rows.append(("1 % of regret", one_percent))
    rows += [(f"best value, {kind}", f"{value:.6g}") for kind, value in card.ladder.items()]
    for key, value in card.hardness.items():
        if value is not None:
            rows.append(
                (HARDNESS_NAMES.get(key, key.replace("_", " ")), "∞" if math.isinf(value) else f"{value:.4g}")
            )
    rows.append(("fingerprint", card.fingerprint[:16]))
    body = "".join(f"<div><dt>{escape(what)}</dt><dd>{escape(much)}</dd></div>" for what, much in rows)
    source = f'<p class="note">{escape("; ".join(card.sources))}</p>' if card.sources else ""
    return f'<article class="card"><h3>{escape(name)}</h3><dl>{body}</dl>{source}</article>'


def trouble(comparison: Comparison) -> str:
    """Failed, missing and skipped runs by name."""
    sweep = comparison.sweep
    parts = []
    if sweep.failed:
        items = "".join(
            f"<details><summary>{escape(run.spec.agent.name)} on {escape(run.spec.environment.name)}, seed "
            f"{run.spec.seed}: {escape(first_line(run.error))}</summary>"
            f"<pre>{escape(run.traceback[-6_000:])}</pre></details>"
            for run in sweep.failed[:100]
        )
        more = len(sweep.failed) - 100
        parts.append(f"<h3>Failed: {len(sweep.failed)}</h3>{items}")
        if more > 0:
            parts.append(left_out(f"and {more} more; runs.csv lists every one."))
    if sweep.missing:
        groups: dict[tuple[str, str], list[int]] = {}
        for spec in sweep.missing:
            groups.setdefault((spec.agent.name, spec.environment.name), []).append(spec.seed)
        items = "".join(
            f"<li>{escape(agent)} on {escape(name)}: {'seed' if len(some) == 1 else 'seeds'} "
            f"{', '.join(map(str, sorted(some)))}</li>"
            for (agent, name), some in groups.items()
        )
        parts.append(f"<h3>Missing: {len(sweep.missing)}</h3><ul>{items}</ul>")
    if sweep.skipped:
        items = "".join(
            f"<li>{escape(pair.agent)} on {escape(pair.environment)}: {escape(pair.reason)}</li>"
            for pair in sweep.skipped
        )
        parts.append(f"<h3>Pairs that cannot play: {len(sweep.skipped)}</h3><ul>{items}</ul>")
    count = (
        f"{len(sweep.finished):,} finished + {len(sweep.failed):,} failed + {len(sweep.missing):,} missing = "
        f"{len(sweep.planned):,} planned."
    )
    return section("trouble", "Failed, missing and skipped", escape(count), "".join(parts))


def first_line(text: str) -> str:
    """The first line of an error, not too long."""
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= 160 else line[:159] + "…"


def reproduce(comparison: Comparison) -> str:
    """Commands, versions, fingerprints, agents and the suite itself."""
    sweep = comparison.sweep
    folder = sweep.folder.name or "results"
    commands = (
        f"bellglass run {folder}/suite.toml --output {folder}    # finishes what is missing, does nothing twice\n"
        f"bellglass report {folder}    # draws this page again from the stored runs"
    )
    versions = "   ".join(f"{name} {version}" for name, version in sorted(sweep.versions.items()))
    prints: dict[str, set[str]] = {}
    for run in sweep.finished:
        prints.setdefault(run.spec.environment.name, set()).add(run.fingerprint)
    tables = "\n".join(
        f"{name}: {', '.join(sorted(prints[name]))}" for name in comparison.environments if name in prints
    )
    agents = "\n".join(
        f"{agent.name}: {agent.class_name}({', '.join(f'{key}={value!r}' for key, value in agent.settings.items())})"
        + (f", {agent.num_envs} environments at once" if agent.num_envs > 1 else "")
        for agent in sweep.agents
    )
    steps = "\n".join(
        f"{environment.name}: {environment.id} {json.dumps(dict(environment.keywords), sort_keys=True)}, "
        f"{environment.steps:,} steps"
        for environment in sweep.environments
    )
    blocks = [
        ("Commands", commands),
        ("Versions", versions),
        ("Agents", agents),
        ("Environments", steps),
        ("Tables (SHA-256)", tables),
    ]
    body = "".join(f"<h3>{name}</h3><pre tabindex=0>{escape(text)}</pre>" for name, text in blocks if text)
    if sweep.suite_text:
        body += f"<details><summary>The suite file</summary><pre tabindex=0>{escape(sweep.suite_text)}</pre></details>"
    lead = "Data of this page: <code>summary.json</code> and <code>runs.csv</code> (a row a run) in the same folder."
    return section("reproduce", "How to reproduce", lead, body)
