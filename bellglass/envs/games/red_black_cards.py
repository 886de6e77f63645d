"""RedBlackCards: turn over a shuffled deck, win a unit for red, lose one for black, and stop when you like.

    state (reds left, blacks left)       action 0 stop: ends
    start (r, b), end (0, 0)             action 1 turn the next card: red +1 with chance reds / (reds + blacks)

Whoever stops puts the rest of the deck away, so stopping leads to (0, 0) too.  Undiscounted

    v(0, y)  =  0            (only losses left)
    v(x, y)  =  max(0,  x / (x + y) * (1 + v(x - 1, y)) + y / (x + y) * (v(x, y - 1) - 1))

which is at least x - y, since turning all cards earns that.  26 and 26 are worth 2.62 (folklore).

Folklore.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import FloatArray, TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import FAINT, INK, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, polygon, words
from ..tabular import EnvSettings, TabularEnv

STOP, TURN = 0, 1


def red_black_cards(r: int, b: int) -> TabularMDP:
    """The table: (0, 0), (0, 1), .., (0, b), (1, 0), .., (r, b)."""
    num_states = (r + 1) * (b + 1)
    require_memory_to_make(num_states, 2, 3 * num_states, {"r": r, "b": b})
    live = np.arange(1, num_states)
    reds, blacks = live // (b + 1), live % (b + 1)
    cards = reds + blacks
    last = cards == 1
    red, black = np.maximum(live - (b + 1), 0), live - 1
    return TabularMDP(
        **sorted_outcomes(
            2 * num_states,
            pair=np.stack([2 * live, 2 * live + 1, 2 * live + 1]),
            probability=np.stack([np.ones(len(live)), reds / cards, blacks / cards]),
            next_state=np.stack([np.zeros_like(live), red, black]),
            reward=np.array([[0.0], [1.0], [-1.0]]),
            terminated=np.stack([np.ones_like(last), last, last]),
        ),
        initial=np.arange(num_states) == num_states - 1,
        state_labels=[(x, y) for x in range(r + 1) for y in range(b + 1)],
        action_labels=("stop", "turn"),
    )


def closed_form_values(r: int, b: int) -> FloatArray:
    """[r + 1, b + 1] undiscounted values: the recursion above."""
    values = np.zeros((r + 1, b + 1))
    for x in range(1, r + 1):
        values[x, 0] = x
        for y in range(1, b + 1):
            turned = x * (1.0 + values[x - 1, y]) + y * (values[x, y - 1] - 1.0)
            values[x, y] = max(0.0, turned / (x + y))
    return values


RED: Colour = (205, 92, 78)
BLACK: Colour = (58, 65, 81)
CARD_LINE: Colour = (226, 229, 235)


class RedBlackCardsArtist:
    """Draws what is left of the red and of the black cards as two fans."""

    def __init__(self, r: int, b: int) -> None:
        self._r, self._b = r, b

    def text(self, state: int) -> str:
        """One line."""
        reds, blacks = divmod(state, self._b + 1)
        return f"{reds} of {self._r} red, {blacks} of {self._b} black left"

    def picture(self, state: int) -> RGBArray:
        """[320, 480, 3]."""
        image = canvas(320, 480)
        reds, blacks = divmod(state, self._b + 1)
        for row, (left, of, colour) in enumerate(((reds, self._r, RED), (blacks, self._b, BLACK))):
            y = 84.0 + 152.0 * row
            step = min(24.0, 300.0 / max(of, 1))
            for card in range(of):
                x = 50.0 + step * card
                if card >= left:
                    panel(image, CARD_LINE, (y, x), (4, min(4.0, step)), corner=1)
                    continue
                panel(image, CARD_LINE, (y, x + 1), (112, 72), corner=9)
                panel(image, WHITE, (y, x), (110, 70), corner=9)
                panel(image, colour, (y, x - 29), (94, 5), corner=2)
            if left:
                x = 50.0 + step * (left - 1)
                _pip(image, colour, (y, x + 3), suit=row)
            words(image, str(left), colour if left else FAINT, (y, 436), dot=8 if left < 100 else 5)
        panel(image, INK, (160, 240), (1, 440), opacity=0.15)
        return image


def _pip(image: RGBArray, colour: Colour, centre: tuple[float, float], *, suit: int) -> None:
    """A diamond for red; for black a spade's point upon a foot."""
    y, x = centre
    polygon(image, colour, [(y - 24, x), (y, x + 17), (y + 24, x), (y, x - 17)])
    if suit:
        polygon(image, colour, [(y + 8, x), (y + 30, x + 12), (y + 30, x - 12)])


class RedBlackCards(TabularEnv):
    """Stop while you are ahead.

    Args:
        r: red cards in the deck, at least 0.
        b: black cards in the deck, at least 0; one card at least.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, r: int = 26, b: int = 26, **settings: Unpack[EnvSettings]) -> None:
        self._deck = whole("r", r, 0), whole("b", b, 0)
        if self._deck == (0, 0):
            raise ValueError("r + b must be at least 1 card, got r=0 and b=0")
        super().__init__(red_black_cards(*self._deck), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the cards that are left."""
        return RedBlackCardsArtist(*self._deck)
