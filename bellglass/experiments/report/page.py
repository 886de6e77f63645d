"""The page: one HTML file that asks nothing of any network."""

from __future__ import annotations

import json
from html import escape
from importlib.resources import files

from ..pictures import DARK, DASHES, LIGHT, marker, svg
from . import background, sections, words
from .comparison import Comparison

#: Before the first paint, so that dark readers see no white flash.
THEME = (
    'document.documentElement.dataset.theme=matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"'
)


def page(comparison: Comparison) -> str:
    """The whole report as HTML; the same comparison gives the same bytes."""
    charts: dict[str, object] = {}
    maps: dict[str, object] = {}
    body = "".join(
        [
            head(comparison),
            verdict(comparison),
            sections.numbers(comparison),
            legend(comparison),
            sections.ranking(comparison),
            sections.curves(comparison, charts),
            sections.efficiency(comparison),
            sections.sureness(comparison, charts),
            sections.seeds(comparison),
            background.learned(comparison, maps),
            sections.cost(comparison),
            background.hardness(comparison),
            background.trouble(comparison),
            background.reproduce(comparison),
        ]
    )
    data = script_text({"agents": list(comparison.agents), "charts": charts, "maps": maps["maps"]})
    return (
        '<!doctype html>\n<html lang="en" data-theme="light"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(comparison.sweep.name)}: agent comparison</title>"
        f"<script>{THEME}</script><style>{style()}</style></head><body>"
        f'<a class="skip" href="#ranking">Skip to the ranking</a><main>{body}'
        f"<footer>Made by bellglass {escape(comparison.sweep.versions.get('bellglass', ''))}. "
        "Exact scores from open tables.</footer></main>"
        f'<div id="tip" role="status" hidden></div><script id="data" type="application/json">{data}</script>'
        f"<script>{source('page.js')}</script></body></html>\n"
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


def head(comparison: Comparison) -> str:
    """Title and one line of what this is."""
    sweep = comparison.sweep
    steps = sorted({environment.steps for environment in sweep.environments})
    budget = f"{steps[0]:,} steps a run" if len(steps) == 1 else f"{steps[0]:,} to {steps[-1]:,} steps a run"
    return (
        f"<header><div><h1>{escape(sweep.name)}</h1><p class=lead>"
        f"{words.counted(len(comparison.agents), 'agent')}, "
        f"{words.counted(len(comparison.environments), 'environment')}, "
        f"{words.counted(sweep.seeds, 'seed')}, {budget}; every policy scored against the exact optimum of its table"
        '</p></div><button id="theme" type="button">Dark</button></header>'
    )


def verdict(comparison: Comparison) -> str:
    """The headline and what weakens it."""
    first, said = words.verdict(comparison)
    notes = "".join(f"<li>{escape(text)}</li>" for text in words.warnings(comparison))
    more = f"<ul>{notes}</ul>" if notes else ""
    return f'<div class="verdict"><p>{escape(first)}</p><p>{escape(" ".join(said))}</p>{more}</div>'


def legend(comparison: Comparison) -> str:
    """One switch an agent."""
    rows = []
    for agent, name in enumerate(comparison.agents):
        dash = DASHES[agent % len(DASHES)]
        stroke = f' stroke-dasharray="{dash}"' if dash else ""
        picture = svg(
            44,
            16,
            f'<path class="line s{agent % 8}"{stroke} d="M2 8H42"/>{marker(agent, 36, 8, 4)}',
            label="",
            extra=' aria-hidden="true"',
        ).replace(' role="img" aria-label=""', "")
        rows.append(f'<label><input type="checkbox" checked value="{agent}">{picture}{escape(name)}</label>')
    return f'<div class="legend" role="group" aria-label="Agents shown">{"".join(rows)}</div>'
