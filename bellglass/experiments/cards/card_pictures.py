"""The optimal policy of a card as text: arrows on the map, a list of states, or scenes of an episode."""

from __future__ import annotations

from collections.abc import Sequence

from .card_layout import CardLayout

#: Columns of a card in the terminal; pictures of wide maps may need more, but no more than these and so many lines.
WIDTH, WIDEST, LONGEST = 100, 160, 64

#: Columns and lines of a scene, and the columns between two of them.
SCENE_WIDTH, SCENE_LINES, BETWEEN = 60, 12, 3

#: Arrows that need no legend.
SELF_EVIDENT = "←↑→↓↖↗↘↙"


def policy_map(layout: CardLayout, policy: Sequence[int]) -> str | None:
    """The best actions on the map; None where it is too large for a terminal.

    In a cell in which several states lie, the arrows of all of them stand side by side.
    """
    if len(layout.background) > LONGEST:
        return None
    glyphs: dict[tuple[int, int], list[str]] = {}
    for place, a in zip(layout.cell, policy, strict=True):
        if place != (-1, -1) and a >= 0:
            arrow = layout.arrows[a]
            here = glyphs.setdefault(place, [])
            if arrow not in here:
                here.append(arrow)
    width = max([1, *(sum(map(len, here)) for here in glyphs.values())])
    labels = layout.row_labels or ("",) * len(layout.background)
    margin = max(map(len, labels))
    if margin + (width + 1) * len(layout.background[0]) > WIDEST:
        return None
    floor = {" ": "·", "∅": " "}
    lines = []
    for i, row in enumerate(layout.background):
        cells = ["".join(glyphs.get((i, j), [floor.get(letter, letter)])) for j, letter in enumerate(row)]
        lines.append(f"{labels[i]:>{margin}}" + " " * bool(margin) + " ".join(f"{c:^{width}}" for c in cells))
    return "\n".join(line.rstrip() for line in lines)


def legend(glyphs: Sequence[str], names: Sequence[str]) -> str:
    """What the actions' signs on the map stand for, where they are not the actions' own names or arrows.

    >>> legend("AR→", ("admit", "reject", "right")), legend(("1", "2", "3"), ("stake 1", "stake 2", "stake 3"))
    ('A admit, R reject', 'numbers: stake')
    """
    told = {
        glyph: name for glyph, name in zip(glyphs, names, strict=True) if glyph not in {name, *SELF_EVIDENT}
    }
    kinds = {
        name.removesuffix(glyph).strip() if glyph.lstrip("-").isdigit() else ""
        for glyph, name in told.items()
    }
    if len(told) > 2 and len(kinds) == 1 and "" not in kinds:
        return f"numbers: {kinds.pop()}"
    return ", ".join(f"{glyph} {name}" for glyph, name in told.items())


def scene_fits(text: str) -> bool:
    """Whether a picture as text is small enough for a scene."""
    lines = text.splitlines()
    return len(lines) <= SCENE_LINES and max(map(len, lines)) <= SCENE_WIDTH


def strip_of(scenes: Sequence[tuple[str, str]], width: int) -> str:
    """Scenes (picture as text, action taken there) one beside the other, in as many rows as they need.

    >>> print(strip_of([("o.", "right"), (".o", "")], 40))
    o.         .o
    right ->
    """
    blocks = []
    for picture, action in scenes:
        lines = picture.splitlines()
        blocks.append([*lines, *([f"{action} ->"] if action else [])])
    rows: list[list[list[str]]] = []
    used = 0
    for block in blocks:
        needed = max(map(len, block))
        if not rows or used + BETWEEN + needed > width:
            rows.append([])
            used = -BETWEEN
        rows[-1].append(block)
        used += BETWEEN + needed
    return "\n\n".join(_beside(row) for row in rows)


def _beside(blocks: Sequence[Sequence[str]]) -> str:
    """Blocks of lines side by side, their first lines at the same height."""
    height = max(map(len, blocks))
    widths = [max(map(len, block)) for block in blocks]
    lines = [
        (" " * BETWEEN).join(
            f"{block[k] if k < len(block) else '':<{width}}"
            for block, width in zip(blocks, widths, strict=True)
        )
        for k in range(height)
    ]
    return "\n".join(line.rstrip() for line in lines)
