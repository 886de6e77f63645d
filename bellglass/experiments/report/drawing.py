"""Maps as SVG: the optimum, and what a run has learned, on the environment's own picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from .maps import EnvironmentMap, Moment, action_name, cells_of, ends
from .svg import clipped, pixel, stops, svg, typeset

#: Glyphs that are drawn as strokes, as paths from the middle of a cell of side 1.
STROKES = {
    "↑": "M0 .26V-.26M-.13-.11L0-.26L.13-.11",
    "↓": "M0-.26V.26M-.13 .11L0 .26L.13 .11",
    "←": "M.26 0H-.26M-.11-.13L-.26 0L-.11 .13",
    "→": "M-.26 0H.26M.11-.13L.26 0L.11 .13",
}
#: The same from the middle outwards, for ties.
HALVES = {
    "↑": "M0 0V-.3M-.1-.19L0-.3L.1-.19",
    "↓": "M0 0V.3M-.1 .19L0 .3L.1 .19",
    "←": "M0 0H-.3M-.19-.1L-.3 0L-.19 .1",
    "→": "M0 0H.3M.19-.1L.3 0L.19 .1",
}


def arrow(glyph: str, side: float, *, kind: str, half: bool = False) -> str:
    """An action's sign in the middle of a cell."""
    strokes = (HALVES if half else STROKES).get(glyph)
    if strokes is None:
        return f'<text class="glyph{kind}" y="{pixel(side * 0.1)}">{escape(glyph)}</text>'
    size = pixel(side * (0.85 if half else 1.0))
    return f'<path class="arrow{kind}" transform="scale({size})" d="{strokes}"/>'


def shaded(kind: str, depth: float, side: int) -> str:
    """A live cell; the line around it stays whatever the shade."""
    return f'<rect class="cell {kind}" fill-opacity="{depth:.2f}" width="{side}" height="{side}"/>'


def number(value: float) -> str:
    """A value in a cell, four characters or so."""
    if not math.isfinite(value):
        return typeset(str(value))
    if abs(value) >= 99.5:
        return typeset(f"{value:.0f}")
    return typeset(f"{value:.1f}" if abs(value) >= 9.95 else f"{value:.2f}")


def ground(one: EnvironmentMap, states: dict[tuple[int, int], str], *, label: str, kind: str = "") -> str:
    """The picture: walls, letters, and what `states` says of each cell."""
    side = one.side
    rows, columns = len(one.layout.background), len(one.layout.background[0])
    labels = {place: one.labels[s[0]] for place, s in cells_of(one.layout).items()} if one.labels else {}
    margin = (
        8 + 6 * max((len(text) for text in one.layout.row_labels), default=0) if one.layout.row_labels else 1
    )
    parts = []
    for row, letters in enumerate(one.layout.background):
        if one.layout.row_labels:
            parts.append(
                f'<text class="tick" text-anchor="end" x="{margin - 6}" y="{pixel((row + 0.5) * side + 4)}">'
                f"{escape(one.layout.row_labels[row])}</text>"
            )
        for column, letter in enumerate(letters):
            x, y = margin + column * side, 1 + row * side
            wall = " wall" if letter == "#" else ""
            inside = states.get((row, column), "")
            mark = ""
            if labels.get((row, column)):
                name = clipped(labels[row, column], max(3, side // 7))
                mark = f'<text class="letter small" x="3" y="11">{escape(name)}</text>'
            if letter not in "# ∅":
                if (row, column) in states and "arrow" in inside:
                    mark = f'<text class="letter small" x="3" y="11">{escape(letter)}</text>'
                else:
                    mark = (
                        f'<text class="letter" text-anchor="middle" x="{pixel(side / 2)}" '
                        f'y="{pixel(side / 2 + 4)}">{escape(letter)}</text>'
                    )
            square = (
                ""
                if inside.startswith("<rect") or letter == "∅"
                else f'<rect class="cell{wall}" width="{side}" height="{side}"/>'
            )
            parts.append(f'<g transform="translate({x} {y})">{square}{inside}{mark}</g>')
    walk = stops(":scope>g", columns)
    width, height = margin + columns * side + 1, rows * side + 2
    css = f' class="{kind}"' if kind else ""
    return svg(width, height, "".join(parts), label=label, extra=f'{css}{walk} style="max-width:{width}px"')


def optimum_map(one: EnvironmentMap) -> str:
    """V* as shade and number, all optimal actions as arrows."""
    card, side = one.card, one.side
    places = cells_of(one.layout)
    live = [s for states in places.values() for s in states if not ends(card, s)]
    values = [card.values[s] for s in live if math.isfinite(card.values[s])]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    states: dict[tuple[int, int], str] = {}
    for place, here in places.items():
        inner = [s for s in here if not ends(card, s)]
        if not inner:
            states[place] = title(one, here)
            continue
        shown = float(np.mean([card.values[s] for s in inner]))
        depth = 0.06 + 0.54 * ((max(low, shown) - low) / (high - low) if high > low else 0.5)
        body = shaded("value", depth, side)
        if len(inner) == 1:
            best = [
                one.layout.arrows[a] for a, is_best in enumerate(card.optimal_actions[inner[0]]) if is_best
            ]
            body += signs(best, side)
        if side >= 38:
            body += f'<text class="number" x="{pixel(side / 2)}" y="{side - 4}">{number(shown)}</text>'
        states[place] = body + title(one, here)
    return ground(one, states, label=f"{one.environment}: optimal values and policy")


def signs(glyphs: Sequence[str], side: int, wrong: bool = False) -> str:
    """One action's arrow, or all of several equally good ones; glyphs that are no arrows are written."""
    lift = side * (0.43 if side >= 38 else 0.5)
    kind = " wrong" if wrong else ""
    drawn = [g for g in glyphs if g in STROKES]
    body = "".join(arrow(g, side, kind=kind, half=len(glyphs) > 1) for g in drawn)
    rest = [g for g in glyphs if g not in STROKES]
    if rest:
        most = 3 if side >= 30 else 2
        text = "".join(rest[:most]) + ("…" if len(rest) > most else "") if len(rest) > 1 else rest[0]
        body += arrow(text, side, kind=kind)
    return f'<g class="arrows" transform="translate({pixel(side / 2)} {pixel(lift)})">{body}</g>'


def title(one: EnvironmentMap, states: Sequence[int]) -> str:
    """Exact numbers of a cell's first states, for the pointer."""
    card = one.card
    lines = []
    for s in states[:4]:
        label = card.state_labels[s] if card.state_labels else str(s)
        lines.append(f"state {s} ({label})" if label != str(s) else f"state {s}")
        if ends(card, s):
            lines.append("terminal")
            continue
        lines.append(f"V* {card.values[s]:.6g}")
        for a, q in enumerate(card.q_values[s]):
            if q is not None:
                lines.append(f"q*({action_name(card, a)}) {q:.6g}")
    if len(states) > 4:
        lines.append(f"and {len(states) - 4} more states")
    return f"<title>{escape(chr(10).join(lines))}</title>"


def learned_map(one: EnvironmentMap, moment: Moment, *, kind: str = "", label: str = "") -> str:
    """What was learned: the action in each state, red where provably wrong, shaded by what it loses."""
    card, side, top = one.card, one.side, one.losses[0]
    states: dict[tuple[int, int], str] = {}
    for place, here in cells_of(one.layout).items():
        inner = [s for s in here if not ends(card, s)]
        if not inner:
            states[place] = ""
            continue
        loss = float(np.mean([moment.loss[s] for s in inner])) if moment.loss else 0.0
        body = shaded("lost", math.sqrt(min(1.0, loss / top)) * 0.6, side)
        if len(inner) == 1:
            action = moment.policy[inner[0]]
            if action >= 0:
                body += signs([one.layout.arrows[action]], side, action in one.wrong[inner[0]])
        else:
            wrong = sum(moment.policy[s] in one.wrong[s] for s in inner)
            body += (
                f'<text class="glyph{" wrong" if wrong else ""} count" '
                f'x="{pixel(side / 2)}" y="{pixel(side / 2)}">{wrong}</text>'
            )
        if side >= 38 and moment.loss:
            shown = "" if loss < 0.005 else f"−{number(loss)}"
            body += f'<text class="number" x="{pixel(side / 2)}" y="{side - 4}">{shown}</text>'
        states[place] = body
    return ground(one, states, label=label or f"{one.environment}: learned policy", kind=kind)
