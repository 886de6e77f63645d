"""Maps: the optimum beside what an agent learned, on the environment's own picture.

An arrow is wrong only where that is proved: V*(s) - q*(s, a) exceeds the certified width of the values, so no rounding
and no tie can explain it.  The shade of the learned map is V*(s) - V^pi(s): what it loses from there on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from ..card import Card, CardLayout
from ..pictures import pixel, svg
from ..records import RunResult
from .comparison import Cell, Comparison

#: Characters of all maps' data together; beyond it the page keeps fewer seeds, and says so.
BUDGET = 45_000

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


@dataclass(frozen=True)
class Learned:
    """One run on the map.

    Attributes:
        agent: number of the agent.
        seed: of the run.
        score: of its final policy.
        policy: [S] action, -1 in terminal states.
        loss: [S] V* - V^pi, 0 where rounding may explain it; None where values are not known.
        wrong: number of states whose action is provably wrong.
    """

    agent: int
    seed: int
    score: float
    policy: tuple[int, ...]
    loss: tuple[float, ...] | None
    wrong: int


@dataclass(frozen=True)
class EnvironmentMap:
    """Everything that the map of an environment shows.

    Attributes:
        environment: its name.
        card: exact answers.
        layout: where the states lie.
        runs: by agent, then by score, best first.
        left_out: runs that the size of the page has no room for.
    """

    environment: str
    card: Card
    layout: CardLayout
    runs: tuple[Learned, ...]
    left_out: int

    @property
    def side(self) -> int:
        """Pixels of a cell."""
        columns, rows = len(self.layout.background[0]), len(self.layout.background)
        return max(14, min(56, 552 // columns, 432 // rows))

    @property
    def shared(self) -> bool:
        """Whether some cell holds several states."""
        return any(len(states) > 1 for states in cells_of(self.layout).values())

    def median_of(self, agent: int) -> Learned:
        """The agent's run in the middle (the worse one of two)."""
        runs = [run for run in self.runs if run.agent == agent]
        return runs[len(runs) // 2]


def cells_of(layout: CardLayout) -> dict[tuple[int, int], list[int]]:
    """States that lie in each cell."""
    places: dict[tuple[int, int], list[int]] = defaultdict(list)
    for state, (row, column) in enumerate(layout.cell):
        if row >= 0:
            places[int(row), int(column)].append(state)
    return places


def maps_of(comparison: Comparison) -> tuple[list[EnvironmentMap], dict[str, str]]:
    """The maps that can be drawn, and why the others cannot: {environment: reason}."""
    reasons: dict[str, str] = {}
    drawable: list[tuple[str, Card, CardLayout, list[Cell]]] = []
    for name in comparison.environments:
        card = comparison.cards.get(name)
        cells = [
            comparison.cells[agent, name]
            for agent in comparison.agents
            if (agent, name) in comparison.cells and comparison.cells[agent, name].finished
        ]
        with_policy = [cell for cell in cells if any(fits(run, card) for run in cell.finished)]
        if card is None:
            reasons[name] = "its card is not in the results folder"
        elif not card.observed:
            reasons[name] = "agents see observations, not states; a map of states would not be their policy"
        elif card.layout is None:
            reasons[name] = "its states have no places on a picture"
        elif len(card.layout.background) * len(card.layout.background[0]) > 900:
            reasons[name] = "its picture has more than 900 cells"
        elif not with_policy:
            reasons[name] = "no finished run stored a policy over its states"
        else:
            drawable.append((name, card, card.layout, with_policy))
    for most in (10_000, 5, 3, 1):
        found = [
            environment_map(name, card, layout, cells, comparison, most)
            for name, card, layout, cells in drawable
        ]
        if sum(100 + len(run.policy) * 5 for one in found for run in one.runs) <= BUDGET:
            break
    return found, reasons


def fits(run: RunResult, card: Card | None) -> bool:
    """Whether the run's policy belongs to the card's table."""
    return (
        card is not None
        and run.policy is not None
        and len(run.policy) == card.num_states
        and run.fingerprint == card.fingerprint
    )


def environment_map(
    name: str, card: Card, layout: CardLayout, cells: Sequence[Cell], comparison: Comparison, most: int
) -> EnvironmentMap:
    """With at most so many runs of each agent: spread from best to worst, the median always among them."""
    runs: list[Learned] = []
    left_out = 0
    for cell in cells:
        number = comparison.agents.index(cell.agent)
        ranked = sorted(
            (learned(number, run, card) for run in cell.finished if fits(run, card)),
            key=lambda run: (-run.score, run.seed),
        )
        if len(ranked) > most:
            places = {len(ranked) // 2}
            if most > 1:
                places |= {round(k * (len(ranked) - 1) / (most - 1)) for k in range(most)}
            left_out += len(ranked) - len(places)
            ranked = [ranked[k] for k in sorted(places)]
        runs += ranked
    return EnvironmentMap(name, card, layout, tuple(runs), left_out)


def learned(agent: int, run: RunResult, card: Card) -> Learned:
    """One run, compared with the card state by state."""
    assert run.policy is not None
    loss = None
    if run.values is not None and len(run.values) == card.num_states:
        loss = tuple(_lost(card, best - value) for best, value in zip(card.values, run.values, strict=True))
    score = run.normalized(run.final.value) if run.optimum != run.random else 1.0
    wrong = sum(a >= 0 and bool(is_wrong(card, s, a)) for s, a in enumerate(run.policy))
    return Learned(agent, run.spec.seed, score, run.policy, loss, wrong)


def _lost(card: Card, loss: float) -> float:
    """The loss, or 0 where rounding and the certified width of the optimum may explain it."""
    scale = max(map(abs, card.values), default=0.0)
    return loss if loss > card.bound + 1e-12 * (1.0 + scale) else 0.0


def is_wrong(card: Card, state: int, action: int) -> bool:
    """Whether the action is proved to lose value there."""
    if not any(q is not None for q in card.q_values[state]):
        return False  # terminal
    q = card.q_values[state][action]
    return q is None or card.values[state] - q > max(card.bound, 1e-12)


def arrow(glyph: str, side: float, *, kind: str, half: bool = False) -> str:
    """An action's sign in the middle of a cell."""
    strokes = (HALVES if half else STROKES).get(glyph)
    if strokes is None:
        return (
            f'<text class="glyph {kind}" text-anchor="middle" y="{pixel(side * 0.1)}">{escape(glyph)}</text>'
        )
    return f'<path class="arrow {kind}" transform="scale({pixel(side * (0.85 if half else 1.0))})" d="{strokes}"/>'


def number(value: float) -> str:
    """A value in a cell, four characters or so."""
    if abs(value) >= 99.5:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 9.95 else f"{value:.2f}"


def ground(one: EnvironmentMap, states: dict[tuple[int, int], str], *, label: str, kind: str = "") -> str:
    """The picture: walls, letters, and what `states` says of each cell."""
    side = one.side
    rows, columns = len(one.layout.background), len(one.layout.background[0])
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
            if letter not in "# ":
                if (row, column) in states and "arrow" in inside:
                    mark = f'<text class="letter small" x="3" y="11">{escape(letter)}</text>'
                else:
                    mark = (
                        f'<text class="letter" text-anchor="middle" x="{pixel(side / 2)}" '
                        f'y="{pixel(side / 2 + 4)}">{escape(letter)}</text>'
                    )
            parts.append(
                f'<g transform="translate({x} {y})"><rect class="cell{wall}" width="{side}" height="{side}"/>'
                f"{inside}{mark}</g>"
            )
    width, height = margin + columns * side + 1, rows * side + 2
    css = f' class="{kind}"' if kind else ""
    return svg(width, height, "".join(parts), label=label, extra=f'{css} style="max-width:{width}px"')


def optimum_map(one: EnvironmentMap) -> str:
    """V* as shade and number, all optimal actions as arrows."""
    card, side = one.card, one.side
    places = cells_of(one.layout)
    live = [s for states in places.values() for s in states if not ends(card, s)]
    values = [card.values[s] for s in live]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    states: dict[tuple[int, int], str] = {}
    for place, here in places.items():
        inner = [s for s in here if not ends(card, s)]
        if not inner:
            states[place] = title(one, here)
            continue
        shown = float(np.mean([card.values[s] for s in inner]))
        depth = 0.06 + 0.54 * ((shown - low) / (high - low) if high > low else 0.5)
        body = f'<rect class="value" fill-opacity="{depth:.2f}" width="{side}" height="{side}"/>'
        if len(inner) == 1:
            best = [
                one.layout.arrows[a] for a, is_best in enumerate(card.optimal_actions[inner[0]]) if is_best
            ]
            body += signs(best, side)
        if side >= 38:
            body += (
                f'<text class="number" text-anchor="middle" x="{pixel(side / 2)}" y="{side - 4}">'
                f"{number(shown)}</text>"
            )
        states[place] = body + title(one, here)
    return ground(one, states, label=f"{one.environment}: optimal values and policy")


def signs(glyphs: Sequence[str], side: int, wrong: bool = False) -> str:
    """One action's arrow, or all of several equally good ones; glyphs that are no arrows are written."""
    lift = side * (0.43 if side >= 38 else 0.5)
    kind = "wrong" if wrong else ""
    drawn = [g for g in glyphs if g in STROKES]
    body = "".join(arrow(g, side, kind=kind, half=len(glyphs) > 1) for g in drawn)
    rest = [g for g in glyphs if g not in STROKES]
    if rest:
        most = 3 if side >= 30 else 2
        text = "".join(rest[:most]) + ("…" if len(rest) > most else "") if len(rest) > 1 else rest[0]
        body += arrow(text, side, kind=kind)
    return f'<g class="arrows" transform="translate({pixel(side / 2)} {pixel(lift)})">{body}</g>'


def ends(card: Card, state: int) -> bool:
    """Whether the state is terminal."""
    return all(q is None for q in card.q_values[state])


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


def action_name(card: Card, action: int) -> str:
    """As the card names it."""
    return str(card.action_labels[action]) if card.action_labels else str(action)


def loss_top(one: EnvironmentMap) -> float:
    """The loss that has the full shade: the largest of all runs shown, at most the spread of V*."""
    spread = max(one.card.values) - min(one.card.values)
    losses = [max(run.loss) for run in one.runs if run.loss]
    return min([max(losses, default=0.0), spread or 1.0]) or 1.0


def learned_map(one: EnvironmentMap, run: Learned, *, kind: str = "", label: str = "") -> str:
    """What the run learned: its action in each state, red where provably wrong, shaded by what it loses."""
    card, side, top = one.card, one.side, loss_top(one)
    states: dict[tuple[int, int], str] = {}
    for place, here in cells_of(one.layout).items():
        inner = [s for s in here if not ends(card, s)]
        if not inner:
            states[place] = ""
            continue
        loss = float(np.mean([run.loss[s] for s in inner])) if run.loss else 0.0
        body = f'<rect class="lost" fill-opacity="{min(1.0, loss / top) * 0.6:.2f}" width="{side}" height="{side}"/>'
        if len(inner) == 1:
            action = run.policy[inner[0]]
            if action >= 0:
                body += signs([one.layout.arrows[action]], side, is_wrong(card, inner[0], action))
        else:
            wrong = sum(run.policy[s] >= 0 and is_wrong(card, s, run.policy[s]) for s in inner)
            body += (
                f'<text class="glyph{" wrong" if wrong else ""} count" text-anchor="middle" '
                f'x="{pixel(side / 2)}" y="{pixel(side / 2)}">{wrong}</text>'
            )
        if side >= 38 and run.loss:
            shown = "" if loss < 0.005 else f"−{number(loss)}"
            body += f'<text class="number" text-anchor="middle" x="{pixel(side / 2)}" y="{side - 4}">{shown}</text>'
        states[place] = body
    return ground(one, states, label=label or f"{one.environment}: learned policy", kind=kind)


def map_data(one: EnvironmentMap) -> dict[str, object]:
    """What the page's script needs to show another run: cells in the order drawn, then a row a run."""
    places = cells_of(one.layout)
    rows, columns = len(one.layout.background), len(one.layout.background[0])
    order = [(row, column) for row in range(rows) for column in range(columns)]
    live = [[s for s in places.get(place, []) if not ends(one.card, s)] for place in order]
    count = one.card.num_actions
    wrong = [
        sum(1 << a for a in range(count) if is_wrong(one.card, s, a)) for s in range(one.card.num_states)
    ]
    return {
        "cells": live,
        "wrong": wrong if count < 31 else [],
        "arrows": [STROKES.get(glyph, "") for glyph in one.layout.arrows],
        "glyphs": list(one.layout.arrows),
        "side": one.side,
        "top": float(f"{loss_top(one):.6g}"),
        "runs": [
            {
                "a": run.agent,
                "s": run.seed,
                "v": float(f"{run.score:.5g}"),
                "w": run.wrong,
                "p": list(run.policy),
                "l": None if run.loss is None else [brief(value) for value in run.loss],
            }
            for run in one.runs
        ],
    }


def brief(value: float) -> float | int:
    """Three digits are enough for a shade and a number of two decimals."""
    rounded = float(f"{value:.3g}")
    return int(rounded) if rounded.is_integer() else rounded
