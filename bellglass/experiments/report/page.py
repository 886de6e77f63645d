"""The page: one HTML file that asks nothing of any network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from ..wording import counted
from . import background, learned, learning, sections, words
from .comparison import Comparison
from .detail import LEVELS, LIMIT, Detail
from .drawing import STROKES
from .svg import DARK, LIGHT, marker, marks, stroke, svg

#: Before the first paint, so that dark readers see no white flash.
THEME = (
    'document.documentElement.dataset.theme=matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"'
)


def page(comparison: Comparison) -> str:
    """The whole report as HTML; the same comparison gives the same bytes."""
    text = ""
    for detail in LEVELS:
        text = page_of(comparison, detail)
        if len(text.encode()) <= LIMIT:
            break
    return text


def page_of(comparison: Comparison, detail: Detail) -> str:
    """The page at one level of detail."""
    charts: dict[str, object] = {}
    maps: dict[str, object] = {}
    parts = [
        ("Ranking", sections.ranking(comparison)),
        ("Regret", learning.regret(comparison, charts, detail)),
        ("Efficiency", learning.efficiency(comparison, charts, detail)),
        ("How sure", sections.sureness(comparison, charts)),
        ("Every seed", sections.seeds(comparison, detail)),
        ("What it learned", learned.learned(comparison, maps, detail)),
        ("Time", sections.cost(comparison)),
        ("Environments", background.hardness(comparison)),
        ("Fairness", background.fairness(comparison)),
        ("Failures", background.trouble(comparison, detail)),
        ("Reproduce", background.reproduce(comparison)),
    ]
    body = "".join(
        [
            head(comparison),
            verdict(comparison),
            sections.numbers(comparison),
            contents(parts),
            legend(comparison.agents),
            *(text for _, text in parts),
        ]
    )
    data = {"agents": list(comparison.agents), "charts": charts, "maps": maps["maps"], "strokes": STROKES}
    version = comparison.sweep.versions.get("bellglass", "")
    return document(f"{comparison.sweep.name}: agent comparison", body, data, version)


def document(title: str, body: str, data: object, version: str) -> str:
    """A page that opens from a file; `title` and `version` are plain text, `body` is HTML."""
    return (
        '<!doctype html>\n<html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title>"
        f"<script>{THEME}</script><style>{style()}</style></head><body>"
        f'<svg class="marks" aria-hidden="true">{marks()}</svg>'
        f'<a class="skip" href="#ranking">Skip to the ranking</a><main>{body}'
        f"<footer>Made by bellglass {escape(version)}. Scored against open tables.</footer></main>"
        '<div id="tip" role="status" hidden></div>'
        f'<script id="data" type="application/json">{script_text(data)}</script>'
        f"<script>{source('page.js')}</script><script>{source('maps.js')}</script></body></html>\n"
    )


def source(name: str) -> str:
    """A file that lies beside this one."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def style() -> str:
    """The style sheet with the agents' colours."""
    rows = "".join(
        f".s{k}{{stroke:var(--s{k});color:var(--s{k})}}.s{k}.fill,.s{k}.band{{fill:var(--s{k})}}"
        for k in range(len(LIGHT))
    )
    light = "".join(f"--s{k}:{colour};" for k, colour in enumerate(LIGHT))
    dark = "".join(f"--s{k}:{colour};" for k, colour in enumerate(DARK))
    text = source("page.css").replace("/*light-agents*/", light).replace("/*dark-agents*/", dark)
    return text.replace("/*agents*/", rows)


def script_text(data: object) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def contents(parts: Sequence[tuple[str, str]]) -> str:
    """Links to the sections: (short name, HTML of the section)."""
    links = "".join(
        f'<li><a href="#{text.split(chr(34), 2)[1]}">{escape(name)}</a></li>' for name, text in parts
    )
    return f'<nav aria-label="Sections"><ul>{links}</ul></nav>'


def head(comparison: Comparison) -> str:
    """Title and one line of what this is."""
    sweep = comparison.sweep
    steps = sorted({environment.steps for environment in sweep.environments})
    budget = f"{steps[0]:,} steps a run" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,} steps a run"
    return (
        f"<header><div><h1>{escape(sweep.name)}</h1><p class=lead>"
        f"{counted(len(comparison.agents), 'agent')}, "
        f"{counted(len(comparison.environments), 'environment')}, "
        f"{counted(sweep.seeds, 'seed')}, {budget}; every policy scored against the exact optimum of its table"
        '</p></div><button id="theme" type="button">Dark</button></header>'
    )


def verdict(comparison: Comparison) -> str:
    """The headline and what weakens it."""
    first, said = words.verdict(comparison)
    notes = "".join(f"<li>{escape(text)}</li>" for text in words.warnings(comparison))
    more = f"<ul>{notes}</ul>" if notes else ""
    return f'<div class="verdict"><p>{escape(first)}</p><p>{escape(" ".join(said))}</p>{more}</div>'


def legend(agents: Sequence[str]) -> str:
    """One switch an agent."""
    rows = []
    for agent, name in enumerate(agents):
        picture = svg(
            44,
            16,
            f'<path class="line s{agent % 8}"{stroke(agent)} d="M2 8H42"/>{marker(agent, 36, 8, 4)}',
            label="",
            extra=' aria-hidden="true"',
        ).replace(' role="img" aria-label=""', "")
        rows.append(f'<label><input type="checkbox" checked value="{agent}">{picture}{escape(name)}</label>')
    return f'<div class="legend" role="group" aria-label="Agents shown">{"".join(rows)}</div>'
