"""The comparison of two results folders, for a terminal and as a page."""

from __future__ import annotations

import math
from html import escape

from . import charts, words
from .elements import left_out, section, table
from .page import document
from .versus import Change, Versus, verdict_of

HEADS = (
    "agent",
    "environment",
    "before",
    "after",
    "change",
    "95 % interval",
    "verdict",
    "same runs",
    "failed",
    "CPU",
)


def row_of(change: Change) -> list[str]:
    """A change in plain words."""
    one, other = change.failed
    return [
        change.agent,
        change.environment,
        words.score(change.before),
        words.score(change.after),
        words.three(change.difference, signed=True),
        words.interval(change.interval),
        change.verdict,
        f"{change.same}/{change.seeds}",
        f"{one}" if one == other else f"{one} -> {other}",
        "–" if change.cpu is None else f"{change.cpu:.2f} ×",
    ]


def versus_text(both: Versus) -> str:
    """What to print."""
    first, told = verdict_of(both)
    blocks = [[f"{both.before.folder} -> {both.after.folder}"], [first, *told]]
    if both.setup:
        blocks.append(["set up otherwise:", *(f"  {line}" for line in both.setup)])
    rows = [list(HEADS), *(row_of(change) for change in both.moved)]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADS))]
    if both.moved:
        padded = (
            [
                cell.ljust(w) if k < 2 else cell.rjust(w)
                for k, (cell, w) in enumerate(zip(row, widths, strict=True))
            ]
            for row in rows
        )
        blocks.append(["  ".join(cells).rstrip() for cells in padded])
    if both.identical:
        blocks.append(["equal to the last bit in both:", *(f"  {line}" for line in both.identical)])
    if both.left_out:
        blocks.append(["not compared:", *(f"  {line}" for line in both.left_out)])
    return "\n\n".join("\n".join(block) for block in blocks)


def versus_page(both: Versus) -> str:
    """The same as one HTML file that asks nothing of any network."""
    first, told = verdict_of(both)
    names = escape(f"{both.before.folder.name} → {both.after.folder.name}")
    head = (
        f"<header><div><h1>{names}</h1><p class=lead>What changed between two results folders, seed by seed, against "
        'the same exact optimum</p></div><button id="theme" type="button">Dark</button></header>'
        f'<div class="verdict"><p>{escape(first)}</p><p>{escape(" ".join(told))}</p></div>'
    )
    setup = "".join(f"<li>{escape(line.replace('->', '→'))}</li>" for line in both.setup)
    body = section("setup", "Set up otherwise", "", f"<ul>{setup}</ul>" if setup else left_out("Nothing."))
    number = len(both.changes)
    together = f" for all {number} comparisons together" if number > 1 else ""
    lead = (
        "Mean score over the seeds in common; 0 is random play (where states are hidden, the best play without "
        "memory), 1 the optimum. The interval of the change is a betting interval over seeds. Better or worse is "
        f"written only where it excludes 0 with 95 %{together}; “no telling” is no proof that nothing changed."
    )
    table_or_not = (
        changes_table(both) if both.moved else left_out("No pair of agent and environment changed.")
    )
    if both.identical:
        items = "".join(f"<li>{escape(line)}</li>" for line in both.identical)
        table_or_not += f"<h3>Equal to the last bit in both</h3><ul>{items}</ul>"
    body = section("ranking", "Agent by agent", lead, table_or_not) + body
    if both.left_out:
        items = "".join(f"<li>{escape(line)}</li>" for line in both.left_out)
        body += section("left-out", "Not compared", "", f"<ul>{items}</ul>")
    data: dict[str, object] = {"agents": [], "charts": {}, "maps": {}, "strokes": {}}
    title = f"{both.before.folder.name} and {both.after.folder.name}: what changed"
    return document(title, head + body, data, both.after.versions.get("bellglass", ""))


def changes_table(both: Versus) -> str:
    """A row a change, with its interval on a line."""
    ends = [abs(end) for change in both.moved for end in change.interval or (change.difference,)]
    span = max([end for end in ends if math.isfinite(end)] + [1e-6])
    rows = []
    for change in both.moved:
        agent, environment, before, after, difference, interval, verdict, same, failed, cpu = row_of(change)
        css = {"better": "good", "worse": "bad"}.get(verdict, "soft")
        finite = math.isfinite(change.difference)
        bar = charts.difference_bar(change.difference, change.interval, span) if finite else ""
        rows.append(
            [
                escape(agent),
                escape(environment),
                before,
                after,
                f"<b>{difference}</b>",
                f'<span class="soft">{interval}</span>',
                bar,
                f'<span class="{css}">{verdict}</span>',
                same,
                escape(failed.replace("->", "→")),
                cpu,
            ]
        )
    heads = [head[:1].upper() + head[1:] for head in HEADS]
    heads.insert(6, f"−{span:.2g} to {span:.2g}")
    return table(heads, rows, label="Changes", kind="ranking versus", numbers=2)
