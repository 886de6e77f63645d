"""Pictures of the world of Knobs: its rings as columns, the first one once more (pale) on the right.

Lines lead where each action leads if nothing goes astray (left out where they are many); those of the place where the
agent stands are coloured by action, with thin ones to where it may be led astray.  Below, what has been earned and is
not paid yet, the next payment on the left.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ..mdp import FloatArray, IntArray, TabularMDP
from ..rendering.cells import AGENT, FAINT, FLOOR, GOAL, INK, LINE, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.letters import caption, width
from ..rendering.shapes import canvas, mixed, polygon, spot, stroke
from ..rendering.state_graph import ACTION_COLOURS, BORDER, StateGraphArtist, default_artist

#: Rings and places in a ring of the largest world that is drawn so.
MOST_RINGS, MOST_PLACES = 24, 24

#: More lines than these are a grey cloud: only those of the current place are drawn then.
MOST_LINES = 500

MARGIN, FOOT = 28, 40

PALE: Colour = mixed(BORDER, FLOOR, 0.7)


def knobs_artist(mdp: TabularMDP, leads: IntArray, delay: int) -> Artist:
    """Draws the rings where they fit on a picture, else what any table gets.

    Args:
        mdp: the table.
        leads: [places, A] where each action leads if nothing goes astray.
        delay: steps between earning and payment.
    """
    places, num_actions = leads.shape
    if places // num_actions > MOST_RINGS or num_actions > MOST_PLACES:
        return default_artist(mdp)
    return KnobsArtist(mdp, leads, delay)


class KnobsArtist(StateGraphArtist):
    """Draws places in columns; its text is that of any graph."""

    def __init__(self, mdp: TabularMDP, leads: IntArray, delay: int) -> None:
        super().__init__(mdp)
        self._leads, self._delay = leads, delay
        places, self._num_actions = leads.shape
        rings = places // self._num_actions
        across = min(max(640 / (rings + 1), 30.0), 130.0)
        down = min(max(420 / self._num_actions, 18.0), 84.0)
        self._radius = min(0.3 * down, 0.24 * across)
        widest = f"{rings - 1},{self._num_actions - 1}".replace("1", "0")
        #: Pixels a dot of the names, 0 where they would not fit.
        self._dot = next((dot for dot in (3, 2, 1) if width(widest, dot) <= 1.65 * self._radius), 0)
        #: [rings + 1, A, 2] where the discs lie, the first ring once more at the end.
        self._at: FloatArray = np.stack(
            np.meshgrid(
                MARGIN + (np.arange(rings + 1) + 0.5) * across,
                MARGIN + (np.arange(self._num_actions) + 0.5) * down,
                indexing="ij",
            )[::-1],
            axis=-1,
        )
        legend = self._num_actions <= len(ACTION_COLOURS)
        self._foot = 2 * MARGIN + down * self._num_actions
        rows = int(legend) + int(delay > 0)
        self._size = (
            int(self._foot + rows * FOOT) // 2 * 2,
            int(max(2 * MARGIN + across * (rings + 1), 320)) // 2 * 2,
        )
        self._at[..., 1] += (self._size[1] - 2 * MARGIN - across * (rings + 1)) / 2
        self._actions = list(range(self._num_actions)) if legend else []

    def picture(self, state: int) -> RGBArray:
        """[height, width, 3] the rings, the ways from here in colours, and what is still to be paid."""
        image = self._ground.copy()
        place, pending = divmod(state, 2**self._delay)
        for chance, action, target in self._ways(state):
            self._arrow(image, place, target, action, chance)
        self._disc(image, place, AGENT)
        if self._delay:
            self._draw_pending(image, pending)
        return image

    def _ways(self, state: int) -> list[tuple[float, int, int]]:
        """(chance, action, place) of all that may happen, the likeliest last."""
        mdp = self.mdp
        chances: dict[tuple[int, int], float] = {}
        for action in range(self._num_actions):
            row = state * self._num_actions + action
            for k in range(mdp.first_outcome[row], mdp.first_outcome[row + 1]):
                way = (action, int(mdp.next_state[k]) // 2**self._delay)
                chances[way] = chances.get(way, 0.0) + float(mdp.probability[k])
        return sorted((p, action, place) for (action, place), p in chances.items())

    @cached_property
    def _ground(self) -> RGBArray:
        image = canvas(*self._size)
        crowded = self._leads.size > MOST_LINES
        for place, targets in enumerate([] if crowded else self._leads.tolist()):
            for target in set(targets):
                start, end = self._ends(place, target)
                stroke(image, PALE, start, end, 1.2)
        for number in range(self._num_actions):
            self._draw_disc(image, tuple(self._at[-1, number]), mixed(WHITE, FLOOR, 0.5), LINE, str(number))
        for place in range(len(self._leads)):
            self._disc(image, place, WHITE)
        if self._actions:
            self._draw_legend(image)
        return image

    def _ends(self, place: int, target: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the line between the borders of two discs begins and ends."""
        ring, number = divmod(place, self._num_actions)
        start, end = self._at[ring, number], self._at[ring + 1, target % self._num_actions]
        unit = (end - start) / np.hypot(*(end - start))
        begun, ended = start + (self._radius + 1) * unit, end - (self._radius + 3) * unit
        return (float(begun[0]), float(begun[1])), (float(ended[0]), float(ended[1]))

    def _arrow(self, image: RGBArray, place: int, target: int, action: int, chance: float) -> None:
        start, end = self._ends(place, target)
        colour = ACTION_COLOURS[action] if self._actions else INK
        colour = mixed(colour, FLOOR, 0.5 * (1.0 - chance))
        head = max(0.35 * self._radius, 4.0)
        unit = (np.array(end) - start) / max(float(np.hypot(end[0] - start[0], end[1] - start[1])), 1e-9)
        side = np.array([unit[1], -unit[0]]) * 0.5 * head
        back = np.array(end) - head * unit
        stroke(image, colour, start, (float(back[0]), float(back[1])), 0.8 + 2.0 * chance)
        corners = (np.array(end), back + side, back - side)
        polygon(image, colour, [(float(y), float(x)) for y, x in corners])

    def _disc(self, image: RGBArray, place: int, fill: Colour) -> None:
        ring, number = divmod(place, self._num_actions)
        name = f"{ring},{number}"
        self._draw_disc(image, tuple(self._at[ring, number]), fill, BORDER, name)

    def _draw_disc(
        self, image: RGBArray, at: tuple[float, float], fill: Colour, border: Colour, name: str
    ) -> None:
        spot(image, border, at, self._radius)
        spot(image, fill, at, self._radius - 1.5)
        ink = WHITE if fill == AGENT else FAINT if border == LINE else INK
        if self._dot:
            caption(image, name, ink, at, dot=self._dot)

    def _draw_legend(self, image: RGBArray) -> None:
        names = [self.mdp.action_name(a) for a in self._actions]
        step = max(width(name, 2) for name in names) + 44
        left = (image.shape[1] - step * len(names)) / 2
        for a, name in enumerate(names):
            middle = left + step * a
            stroke(image, ACTION_COLOURS[a], (self._foot, middle + 6), (self._foot, middle + 20), 5)
            caption(image, name, INK, (self._foot, middle + 32 + width(name, 2) / 2))

    def _draw_pending(self, image: RGBArray, pending: int) -> None:
        down = self._size[0] - FOOT * 0.75
        step = min(28.0, (image.shape[1] - 2 * MARGIN - 90) / self._delay)
        left = (image.shape[1] - 90 - step * self._delay) / 2
        caption(image, "to come", FAINT, (down, left + 40))
        for k in range(self._delay):
            at = (down, left + 90 + step * (k + 0.5))
            earned = pending >> (self._delay - 1 - k) & 1
            spot(image, GOAL if earned else BORDER, at, 0.36 * step)
            if not earned:
                spot(image, WHITE, at, 0.36 * step - 1.5)
