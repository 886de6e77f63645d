"""Where the states of a card lie on paper, as plain tuples that go to JSON and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class CardLayout:
    """Where the states lie on paper (see `bellglass.envs.mdp.Layout`).

    Attributes:
        background: one string a row, one letter a cell.
        cell: [S] row and column of each state; (-1, -1) where it has no place.
        arrows: [A] a glyph for each action.
        row_labels: a caption for each row, or empty.
    """

    background: tuple[str, ...]
    cell: tuple[tuple[int, int], ...]
    arrows: tuple[str, ...]
    row_labels: tuple[str, ...] = ()


def layout_from(data: Mapping[str, Sequence[Any]]) -> CardLayout:
    """A layout from its JSON form."""
    return CardLayout(
        background=tuple(data["background"]),
        cell=tuple((int(row), int(column)) for row, column in data["cell"]),
        arrows=tuple(data["arrows"]),
        row_labels=tuple(data["row_labels"]),
    )
