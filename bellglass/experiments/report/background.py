"""The parts of the page behind the numbers: how hard it was, how fair, what went wrong, how to do it again."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Sequence
from html import escape

from ..cards.card import Card
from ..records import AgentSpec, EnvironmentSpec, FailedRun, RunSpec, Sweep
from ..wording import counted, ranges
from . import words
from .comparison import Comparison
from .detail import Detail
from .elements import left_out, named, section, table
from .table_cells import Cell

#: What is said of the measures of hardness where an environment hides its states.
HARDNESS_UNSEEN = "what makes it hard is measured on the hidden states, as if they were seen"


def hardness(comparison: Comparison) -> str:
    """A card an environment."""
    shown = [
        card_text(environment, comparison.cards[environment.name])
        for environment in comparison.sweep.environments
        if environment.name in comparison.cards
    ]
    lacking = [name for name in comparison.environments if name not in comparison.cards]
    body = f'<div class="grid3 cards">{"".join(shown)}</div>' if shown else ""
    if lacking:
        body += left_out(f"No card in the results folder for {words.listed(lacking)}.")
    lead = "What each environment is, and what makes it hard; computed from its table."
    return section("hardness", "The environments", lead, body)


def card_text(environment: EnvironmentSpec, card: Card) -> str:
    """Facts of one environment."""
    rows = facts(environment, card)
    body = "".join(f"<div><dt>{escape(what)}</dt><dd>{escape(much)}</dd></div>" for what, much in rows)
    notes = [
        *(source.removesuffix(".") for source in card.sources),
        *(f"known answer: {with_minus(answer)}" for answer in card.known),
    ]
    notes += [] if card.observed else [HARDNESS_UNSEEN]
    source = f'<p class="note">{escape("; ".join(notes))}</p>' if notes else ""
    return f'<article class="card"><h3>{escape(environment.name)}</h3><dl>{body}</dl>{source}</article>'


def facts(environment: EnvironmentSpec, card: Card) -> list[tuple[str, str]]:
    """How it was played and what its card says, as (what, how much); without sources and known answers."""
    rows = [("scored by", words.CRITERIA[card.criterion])]
    if environment.max_episode_steps is not None:
        rows.append(("episodes while learning", f"at most {environment.max_episode_steps:,} steps"))
    told = [(what, much) for what, much in card.lines() if what not in ("source", "known answer", "hardness")]
    return rows + [(what, with_minus(much)) for what, much in told]


def with_minus(text: str) -> str:
    """A true minus before each number; hyphens between words and numbers stay.

    >>> with_minus("-1.5, 0.5 by Figures 17.1-17.3")
    '−1.5, 0.5 by Figures 17.1-17.3'
    """
    return re.sub(r"(?<!\w)-(?=\d)", "−", text)


def fairness(comparison: Comparison) -> str:
    """What each agent was given: experience, settings, tuning."""
    sweep = comparison.sweep
    rows, kinds = [], []
    floors = any(cell.regret is not None and cell.regret.floor > 0 for cell in comparison.cells.values())
    heads = ["Agent", "Class", "Settings given", "Tuning", "Seeds", "Environments at once"]
    heads += ["Criterion floor"] if floors else []
    for number, agent in enumerate(sweep.agents):
        cells = [cell for cell in comparison.cells.values() if cell.agent == agent.name]
        row = [
            named(number, agent.name),
            f"<code>{escape(agent.class_name)}</code>",
            f'<span class="said">{escape(given(agent))}</span>',
            escape(tuning(agent, sweep.agents)),
            words.range_text([cell.planned for cell in cells]),
            f"{agent.num_envs}",
        ]
        row += [floor_of(cells)] if floors else []
        rows.append(row)
        kinds.append(f"a{number}")
    body = table(heads, rows, label="What each agent was given", kind="fair", kinds=kinds, numbers=4)
    return section("fairness", "Fairness of tuning", escape(equal_terms(sweep)), body)


def equal_terms(sweep: Sweep) -> str:
    """What was the same for all, and what nobody can tell from this folder."""
    said = (
        "Every agent learns from the same tables for the same number of environment steps, with the same seeds, and is "
        "scored in the same way. Settings that the suite does not name are the class’s defaults. No search for "
        "settings on other seeds is recorded in this folder, and an agent that was tuned beats one that was not: who "
        "learns better is told only by agents tuned with equally many trials, on seeds of their own."
    )
    if any(variants(agent, sweep.agents) > 1 for agent in sweep.agents):
        said += (
            " Where several variants of a class are tried here, the best of them was found on the very seeds that it "
            "is scored on, which flatters it."
        )
    return said


def tuning(agent: AgentSpec, agents: Sequence[AgentSpec]) -> str:
    """How its settings were found, as far as this folder tells."""
    alike, settings = variants(agent, agents), number_of(own_settings(agent))
    if alike > 1:
        return f"one of {alike} variants tried here"
    return f"{counted(settings, 'setting')} chosen, no search recorded" if settings else "defaults"


def variants(agent: AgentSpec, agents: Sequence[AgentSpec]) -> int:
    """How many agents of its kind there are, itself included."""
    kinds = [(other.class_name, other.settings.get("algorithm")) for other in agents]
    return kinds.count((agent.class_name, agent.settings.get("algorithm")))


def own_settings(agent: AgentSpec) -> dict[str, object]:
    """Its settings, but for the word that says which of an adapter's algorithms it is."""
    return {key: value for key, value in agent.settings.items() if key != "algorithm"}


def number_of(settings: object) -> int:
    """How many settings there are, those inside tables counted one by one."""
    return sum(map(number_of, settings.values())) if isinstance(settings, dict) else 1


def floor_of(cells: Sequence[Cell]) -> str:
    """Where an agent's own discount costs it something however well it learns."""
    known = [cell.regret.floor > 0 for cell in cells if cell.regret is not None]
    if not known:
        return '<span class="soft">not known</span>'
    return f"in {sum(known)} of {len(known)}" if any(known) else "none"


def given(agent: AgentSpec) -> str:
    """The settings that the suite names."""
    said = ", ".join(
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in agent.settings.items()
    )
    return said or "none: all defaults"


def trouble(comparison: Comparison, detail: Detail) -> str:
    """Failed, missing and skipped runs by name."""
    sweep = comparison.sweep
    parts = []
    if sweep.failed:
        kinds = failures(sweep.failed)
        items = "".join(
            f"<details><summary>{escape(agent)}, {counted(len(runs), 'run')}: {escape(error)}</summary>"
            f"<p>{escape(where(run.spec for run in runs))}; the first traceback:</p>"
            f"<pre tabindex=0>{escape(runs[0].traceback[-4_000:])}</pre></details>"
            for (agent, error), runs in kinds[: detail.failures]
        )
        parts.append(f"<h3>Failed: {len(sweep.failed)}</h3>{items}")
        if len(kinds) > detail.failures:
            parts.append(
                left_out(f"and {len(kinds) - detail.failures} more kinds; runs.csv lists every run.")
            )
    if sweep.missing:
        items = "".join(f"<li>{escape(line)}</li>" for line in missing_lines(sweep))
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


def failures(failed: Sequence[FailedRun]) -> list[tuple[tuple[str, str], list[FailedRun]]]:
    """Failed runs by agent and first line of the error."""
    kinds: dict[tuple[str, str], list[FailedRun]] = {}
    for run in failed:
        kinds.setdefault((run.spec.agent.name, first_line(run.error)), []).append(run)
    return list(kinds.items())


def missing_lines(sweep: Sweep) -> list[str]:
    """What is not done yet, one line an agent."""
    agents: dict[str, list[RunSpec]] = {}
    for spec in sweep.missing:
        agents.setdefault(spec.agent.name, []).append(spec)
    return [f"{agent} on {where(specs)}" for agent, specs in agents.items()]


def where(specs: Iterable[RunSpec]) -> str:
    """Environments and seeds of some runs."""
    seeds: dict[str, list[int]] = {}
    for spec in specs:
        seeds.setdefault(spec.environment.name, []).append(spec.seed)
    return "; ".join(
        f"{name}: {'seed' if len(some) == 1 else 'seeds'} {ranges(sorted(some))}"
        for name, some in seeds.items()
    )


def first_line(text: str) -> str:
    """The first line of an error, not too long."""
    line = text.strip().split("\n", 1)[0]
    return line if len(line) <= 160 else line[:159] + "…"


def commands_of(sweep: Sweep) -> str:
    """What to type beside the results folder."""
    name = sweep.folder.name or "results"
    folder, suite = shlex.quote(name), shlex.quote(f"{name}/suite.toml")
    return (
        f"bellglass run {suite} --output {folder}    # finishes what is missing, does nothing twice\n"
        f"bellglass report {folder}    # draws this report again from the stored runs"
    )


def reproduce(comparison: Comparison) -> str:
    """Commands, versions, fingerprints, agents and the suite itself."""
    sweep = comparison.sweep
    commands = commands_of(sweep)
    versions = "   ".join(f"{name} {version}" for name, version in sorted(sweep.versions.items()))
    prints: dict[str, set[str]] = {}
    for run in sweep.finished:
        prints.setdefault(run.spec.environment.name, set()).add(run.fingerprint)
    tables = "\n".join(
        f"{name}: {', '.join(sorted(prints[name]))}" for name in comparison.environments if name in prints
    )
    steps = "\n".join(
        f"{environment.name}: {environment.id} {json.dumps(dict(environment.keywords), sort_keys=True)}, "
        f"{environment.steps:,} steps"
        + ("" if environment.max_episode_steps is None else f", {environment.max_episode_steps:,} an episode")
        for environment in sweep.environments
    )
    blocks = [
        ("Commands", commands),
        ("Versions", versions),
        ("Environments", steps),
        ("Tables (SHA-256)", tables),
    ]
    body = "".join(f"<h3>{name}</h3><pre tabindex=0>{escape(text)}</pre>" for name, text in blocks if text)
    if sweep.suite_text:
        body += f"<details><summary>The suite file</summary><pre tabindex=0>{escape(sweep.suite_text)}</pre></details>"
    lead = "Data of this page: <code>summary.json</code> and <code>runs.csv</code> (a row a run) in the same folder."
    return section("reproduce", "How to reproduce", lead, body)
