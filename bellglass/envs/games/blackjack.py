"""Blackjack as an environment and as a picture; `blackjack_table.py` has the rules and the table.

Sutton & Barto, 2nd ed. (2018), Examples 5.1 and 5.3, Figure 5.2.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

from ..keywords import flag
from ..mdp import TabularMDP
from ..rendering.cells import INK, WHITE, Artist, RGBArray
from ..rendering.glyphs import Colour
from ..rendering.shapes import canvas, panel, polygon, words
from ..tabular import EnvSettings, TabularEnv
from .blackjack_table import blackjack

FELT: Colour = (39, 119, 92)
FELT_LINE: Colour = (70, 145, 118)
BACK: Colour = (72, 110, 173)
TAG: Colour = (240, 186, 70)


class BlackjackArtist:
    """Draws the dealer's cards above, and the player's sum below."""

    def __init__(self, mdp: TabularMDP) -> None:
        self._labels = mdp.state_labels or ()

    def text(self, state: int) -> str:
        """One line a side."""
        label = self._labels[state]
        if not isinstance(label, tuple):
            return "(end)"
        shown = {1: "A"}.get(label[1], str(label[1]))
        kind = "natural" if len(label) == 4 else "usable ace" if label[2] else "no usable ace"
        return f"dealer  {shown} ?\nplayer  {label[0]}, {kind}"

    def picture(self, state: int) -> RGBArray:
        """[320, 320, 3]."""
        image = canvas(320, 320, FELT)
        panel(image, FELT_LINE, (160, 160), (300, 300), corner=24)
        panel(image, FELT, (160, 160), (294, 294), corner=21)
        label = self._labels[state]
        dealer = label[1] if isinstance(label, tuple) else 0
        _card(image, (86, 112), {0: "", 1: "A"}.get(dealer, str(dealer)))
        _card(image, (86, 208), None)
        if not isinstance(label, tuple):
            words(image, "END", WHITE, (236, 160), dot=8)
            return image
        panel(image, (30, 36, 48), (227, 160), (92, 132), corner=16, opacity=0.25)
        panel(image, WHITE, (224, 160), (92, 132), corner=16)
        words(image, str(label[0]), INK, (224, 160), dot=11)
        if label[2]:
            kind = "NATURAL" if len(label) == 4 else "ACE"
            panel(image, TAG, (282, 160), (26, 24 + 12 * len(kind)), corner=13)
            words(image, kind, INK, (282, 160), dot=3)
        return image


def _card(image: RGBArray, centre: tuple[float, float], text: str | None) -> None:
    """A card that shows `text`, or its back."""
    y, x = centre
    panel(image, (30, 36, 48), (y + 3, x), (112, 80), corner=10, opacity=0.25)
    panel(image, WHITE, centre, (112, 80), corner=10)
    if text is None:
        panel(image, BACK, centre, (100, 68), corner=6)
        for down in range(-36, 37, 18):
            for right in range(-18, 19, 18):
                polygon(image, (104, 140, 200), _diamond(y + down, x + right, 6.0))
        return
    words(image, text, INK, (y, x), dot=9)
    for sign in (-1, 1):
        polygon(image, (205, 92, 78), _diamond(y + sign * 42, x + sign * 28, 6.0))


def _diamond(y: float, x: float, size: float) -> list[tuple[float, float]]:
    return [(y - 1.3 * size, x), (y, x + size), (y + 1.3 * size, x), (y, x - size)]


class Blackjack(TabularEnv):
    """Come nearer to 21 than the dealer, but not over.

    Args:
        sab: Sutton and Barto's rules: a natural that sticks wins, unless the dealer has one too.
        natural: without `sab`, a win by a natural pays 1.5.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, sab: bool = True, natural: bool = False, **settings: Unpack[EnvSettings]) -> None:
        mdp = blackjack(sab=flag("sab", sab), natural=flag("natural", natural))
        super().__init__(mdp, **settings)

    def decode(self, state: int) -> Hashable:
        """(sum, dealer's card, usable ace); a natural's, too, is (21, dealer's card, True)."""
        label = super().decode(state)
        return label[:3] if isinstance(label, tuple) else label

    @property
    def artist(self) -> Artist:
        """Draws the cards on the table."""
        return BlackjackArtist(self.mdp)
