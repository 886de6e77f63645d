"""Pictures of small tables that lie nowhere: states as discs on a circle, and what may happen as arrows.

Pale arrows are all that may happen, coloured by action; those of the current state are vivid, and the likelier the
thicker.  Terminal states have a double border; states where an episode may start are blue.
"""

from __future__ import annotations

from functools import cached_property
from textwrap import wrap
from typing import NamedTuple

import numpy as np

from ..mdp import FloatArray, TabularMDP
from . import letters
from .cells import AGENT, FAINT, FLOOR, INK, START, WHITE, Artist, RGBArray
from .glyphs import FONT, Colour, FloatImage, paint
from .graph_layout import Routes, on_a_circle
from .layout_artist import LayoutArtist
from .letters import caption
from .shapes import canvas, mixed, panel, polygon, ring, spot, stroke, words

#: Tables of more states are drawn as a chain of cells.
MOST_STATES = 40

#: Where there are more arrows, only those of the current state are drawn; all others are pale lines.
MOST_ARROWS = 60

#: Where there are more pairs of states, not even those.
MOST_LINES = 250

#: Where there are more actions, they are not told apart, and all arrows are of the first colour.
ACTION_COLOURS: tuple[Colour, ...] = (
    (62, 116, 196),
    (205, 92, 78),
    (46, 150, 103),
    (123, 97, 196),
    (40, 150, 170),
    (160, 112, 60),
)

BORDER: Colour = (150, 158, 174)
ENDED: Colour = (232, 235, 241)
DARK_AGENT: Colour = (202, 106, 20)

#: Pixels around the graph, and of a row of the legend.
MARGIN, LEGEND_ROW = 20, 24

#: Letters of an action's name in the legend.
LONGEST_NAME = 40


def default_artist(mdp: TabularMDP) -> Artist:
    """The layout where there is one, else a graph of the states, or a chain of cells where they are many."""
    if mdp.layout is None and mdp.num_states <= MOST_STATES:
        return StateGraphArtist(mdp)
    return LayoutArtist(mdp)


class Arrow(NamedTuple):
    """Something that may happen; `action` is 0 where actions are not told apart."""

    source: int
    target: int
    action: int
    probability: float


class StateGraphArtist:
    """Draws the states of a table as a graph.

    Args:
        mdp: the table, best of at most 40 states.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        self.mdp = mdp

    def text(self, state: int) -> str:
        """The state in brackets, and below it what each action may do: chance, next state and reward.

        >>> P = {0: {0: [(0.5, 0, 2.0, False), (0.5, 1, 2.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
        >>> mdp = TabularMDP.from_P(P, initial=[1, 0], state_labels=["in", "out"], action_labels=["roll"])
        >>> print(StateGraphArtist(mdp).text(0))
        [in]
          roll:  0.5 in (+2)  0.5 out (+2, end)
        """
        lines = [f"[{self.mdp.decode(state)}]" + (" the end" if self.mdp.terminal[state] else "")]
        for a in np.flatnonzero(self.mdp.action_mask[state]).tolist():
            rows = sorted(self.mdp.P[state][a], key=lambda row: -row[0])
            told = [
                f"{p:.3g} {self.mdp.decode(next_s)} ({r:+g}{', end' if ends else ''})"
                for p, next_s, r, ends in rows[:6]
            ]
            more = [f"and {len(rows) - 6} more"] if len(rows) > 6 else []
            lines.append(f"  {self.mdp.action_name(a)}:  " + "  ".join(told + more))
        return "\n".join(lines)

    def picture(self, state: int) -> RGBArray:
        """[height, width, 3] the graph, the current state orange and its arrows vivid."""
        scene = self._scene
        image = scene.background.copy()
        for arrow, way in scene.arrows_from(state):
            scene.draw_arrow(image, arrow, way, vivid=True)
        scene.draw_disc(image, state, current=True)
        scene.draw_legend(image, state)
        return image

    @cached_property
    def _scene(self) -> _Scene:
        return _Scene(self.mdp)


class _Scene:
    """All of a table's picture that does not depend on the current state."""

    def __init__(self, mdp: TabularMDP) -> None:
        self.mdp = mdp
        self.told_apart = mdp.num_actions <= len(ACTION_COLOURS)
        self.arrows = arrows_of(mdp, self.told_apart)
        self.crowded = len(self.arrows) > MOST_ARROWS
        self.places, self.radius = on_a_circle(mdp.num_states)
        self.texts, self.dot = texts_on_discs([label_of(mdp, s) for s in range(mdp.num_states)], self.radius)
        loops = [sum(arrow[:2] == (s, s) for arrow in self.arrows) for s in range(mdp.num_states)]
        self.routes = Routes(self.places, self.radius, loops)
        self.ways = [] if self.crowded else self.routes.of([arrow[:3] for arrow in self.arrows])

        legend = (
            [mdp.action_name(a)[:LONGEST_NAME] for a in range(mdp.num_actions)] if self.told_apart else []
        )
        points = np.concatenate(
            [*self.ways, *self.routes.loops, self.places - self.radius, self.places + self.radius]
        )
        top, left = points.min(axis=0) - MARGIN
        bottom, right = points.max(axis=0) + MARGIN
        width = max(right - left, max((entry_width(name) for name in legend), default=0) + 2 * MARGIN)
        self.width = int(width) // 2 * 2 + 2
        self.rows = rows_of_legend(legend, self.width - 2 * MARGIN)
        self.legend_top = int(bottom - top)
        self.height = (
            self.legend_top + len(self.rows) * LEGEND_ROW + (MARGIN if self.rows else 0)
        ) // 2 * 2 + 2
        #: Where (0, 0), the middle of the circle, lies on the picture.
        self.origin = np.array([-top, (self.width - left - right) / 2])

    @cached_property
    def background(self) -> RGBArray:
        """[height, width, 3] no state is the current one."""
        image = canvas(self.height, self.width)
        if self.crowded:
            self.draw_lines(image)
        for arrow, way in zip(self.arrows, self.ways, strict=False):
            self.draw_arrow(image, arrow, way, vivid=False)
        for s in range(self.mdp.num_states):
            self.draw_disc(image, s, current=False)
        return image

    def arrows_from(self, state: int) -> list[tuple[Arrow, FloatArray]]:
        """The state's arrows and their ways, the likeliest last."""
        if self.crowded:
            own = [arrow for arrow in self.arrows if arrow.source == state]
            drawn = list(zip(own, self.routes.of([arrow[:3] for arrow in own]), strict=True))
        else:
            drawn = [pair for pair in zip(self.arrows, self.ways, strict=True) if pair[0].source == state]
        return sorted(drawn, key=lambda pair: pair[0].probability)

    def draw_arrow(self, image: RGBArray, arrow: Arrow, way: FloatArray, *, vivid: bool) -> None:
        """A line with a head at its end."""
        if len(way) < 2:
            return
        scale = min(max(self.radius / 40, 0.6), 1.0)
        thickness = scale * (1.4 + 3.2 * arrow.probability if vivid else 1.2 + 1.2 * arrow.probability)
        colour = mixed(
            ACTION_COLOURS[arrow.action], FLOOR, 0.3 * (1.0 - arrow.probability) if vivid else 0.66
        )
        way = way + self.origin
        length = 5.0 * scale + 2.0 * thickness
        to_tip = np.hypot(*(way - way[-1]).T)
        behind = np.flatnonzero(to_tip >= length)
        neck = way[behind[-1]] if behind.size else way[0]
        line(image, way[to_tip >= 0.7 * length], colour, thickness)
        along = (way[-1] - neck) / max(float(np.hypot(*(way[-1] - neck))), 1e-9)
        across = np.array([along[1], -along[0]]) * (0.42 * length)
        back = way[-1] - along * length
        polygon(image, colour, [tuple(way[-1]), tuple(back + across), tuple(back - across)])

    def draw_lines(self, image: RGBArray) -> None:
        """A pale line between any two states of which one may lead to the other."""
        pairs = {(min(arrow[:2]), max(arrow[:2])) for arrow in self.arrows}
        ends = self.places + self.origin
        for one, other in sorted(pairs) if len(pairs) <= MOST_LINES else ():
            if one != other:
                stroke(image, mixed(BORDER, FLOOR, 0.8), tuple(ends[one]), tuple(ends[other]), 1.0)

    def draw_disc(self, image: RGBArray, s: int, *, current: bool) -> None:
        """The state's disc and its name."""
        place = (float(self.places[s, 0] + self.origin[0]), float(self.places[s, 1] + self.origin[1]))
        ended = bool(self.mdp.terminal[s])
        fill = AGENT if current else ENDED if ended else START if self.mdp.initial[s] > 0 else WHITE
        border = DARK_AGENT if current else BORDER
        spot(image, border, place, self.radius)
        spot(image, fill, place, self.radius - 1.6)
        if ended:
            ring(image, border, place, self.radius * 0.88, 1.6)
        texts = self.texts[s]
        for row, text in enumerate(texts):
            down = (row - (len(texts) - 1) / 2) * 7 * self.dot
            words(image, text, WHITE if current else INK, (place[0] + down, place[1]), dot=self.dot)

    def draw_legend(self, image: RGBArray, state: int) -> None:
        """The names of the actions; pale where they are not available in the state."""
        for row, entries in enumerate(self.rows):
            middle = self.legend_top + row * LEGEND_ROW + LEGEND_ROW / 2
            left = (self.width - sum(entry_width(name) for _, name in entries)) / 2
            for a, name in entries:
                there = bool(self.mdp.action_mask[state, a])
                colour = ACTION_COLOURS[a] if there else mixed(ACTION_COLOURS[a], FLOOR, 0.66)
                panel(image, colour, (middle, left + 18), (6, 20), corner=3)
                ink = INK if there else mixed(FAINT, FLOOR, 0.4)
                caption(image, name, ink, (middle, left + 36 + letters.width(name, 2) / 2))
                left += entry_width(name)


def arrows_of(mdp: TabularMDP, told_apart: bool) -> list[Arrow]:
    """What may happen; of several outcomes that lead to one state the chances are added."""
    S, A = mdp.num_states, mdp.num_actions
    chances = np.zeros((S * A, S))
    np.add.at(chances, (mdp.row_of_outcome, mdp.next_state), mdp.normalised_probability)
    by_action = chances.reshape(S, A, S)
    if not told_apart:
        by_action = by_action.max(axis=1, keepdims=True)
    return [
        Arrow(source, target, action, float(by_action[source, action, target]))
        for source, action, target in np.argwhere(by_action > 0).tolist()
    ]


def label_of(mdp: TabularMDP, state: int) -> str:
    """The state's name in letters of the font; the parts of a tuple are set apart by commas."""
    label = mdp.decode(state)
    name = ",".join(map(str, label)) if isinstance(label, tuple) else str(label)
    return "".join(letter for letter in name.upper() if letter in FONT or letter == " ").strip()


def texts_on_discs(names: list[str], radius: float) -> tuple[list[list[str]], int]:
    """Each name in a few lines, and the pixels a dot: as large as all names fit, or else cut short or numbers."""

    def fits(lines: list[str], dot: int) -> bool:
        height, width = 7 * len(lines) - 2, max(4 * len(text) - 1 for text in lines)
        return float(np.hypot(height, width)) * dot / 2 <= 0.88 * radius

    if len(set(names)) == len(names) and all(names):
        broken = [
            [wrap(name, width, break_long_words=False) for width in range(len(name), 0, -1)] for name in names
        ]
        for dot in (4, 3, 2):
            fitting = [[lines for lines in options if fits(lines, dot)] for options in broken]
            if all(fitting):
                return [options[0] for options in fitting], dot
        for dot in (2, 1):
            letters = next((n for n in range(20, 2, -1) if fits(["M" * n], dot)), 0)
            cut = [name if len(name) <= letters else name[: letters - 1].strip() + "." for name in names]
            if letters and len(set(cut)) == len(cut):
                return [[text] for text in cut], dot
    numbers = [[str(s)] for s in range(len(names))]
    return numbers, next((dot for dot in (4, 3, 2) if all(fits(lines, dot) for lines in numbers)), 1)


def entry_width(name: str) -> int:
    """Pixels of an action in the legend: a dash, its name, and a gap."""
    return 36 + letters.width(name, 2) + 16


def rows_of_legend(names: list[str], width: int) -> list[list[tuple[int, str]]]:
    """Actions and their names, as many in a row as there is room for."""
    rows: list[list[tuple[int, str]]] = []
    used = width + 1
    for a, name in enumerate(names):
        if used + entry_width(name) > width:
            rows.append([])
            used = 0
        rows[-1].append((a, name))
        used += entry_width(name)
    return rows


def line(image: RGBArray, points: FloatArray, colour: Colour, thickness: float) -> None:
    """A smooth curve through the points [n, 2], a signed distance as in `glyphs`, computed piece by piece."""
    reach = thickness / 2 + 2
    top, left = np.maximum(np.floor(points.min(axis=0) - reach), 0).astype(int).tolist()
    bottom, right = np.ceil(points.max(axis=0) + reach).astype(int).tolist()
    part = image[top:bottom, left:right]
    distance: FloatImage = np.full(part.shape[:2], 9.0)
    for (y0, x0), (y1, x1) in zip(
        (points[:-1] - (top, left)).tolist(), (points[1:] - (top, left)).tolist(), strict=True
    ):
        rows = slice(max(int(min(y0, y1) - reach), 0), int(max(y0, y1) + reach) + 1)
        columns = slice(max(int(min(x0, x1) - reach), 0), int(max(x0, x1) + reach) + 1)
        there = distance[rows, columns]
        y = np.arange(there.shape[0])[:, None] + (rows.start + 0.5 - y0)
        x = np.arange(there.shape[1])[None, :] + (columns.start + 0.5 - x0)
        along = np.clip(
            (y * (y1 - y0) + x * (x1 - x0)) / max((y1 - y0) ** 2 + (x1 - x0) ** 2, 1e-9), 0.0, 1.0
        )
        away = np.hypot(y - along * (y1 - y0), x - along * (x1 - x0)) - thickness / 2
        np.minimum(there, away, out=there)
    paint(part, distance, colour)
