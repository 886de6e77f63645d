"""Maps drawn as text: read, and checked letter by letter.

    #  wall          S  start         G  goal         ~  ice
    .  floor         H  pit           ^ > v <  wind (or the arrows themselves)
    a a, b b, ...    portals, in pairs of one lower-case letter (not v, which is a wind)

Any other letter is floor that someone has given a reward.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from .moves import Cell

WINDS = "^>v<"
KNOWN = "#.SGH~" + WINDS

#: Other ways to write a letter.
SYNONYMS = str.maketrans({" ": ".", "↑": "^", "→": ">", "↓": "v", "←": "<"})

LEGEND = (
    "use # wall, . floor, S start, G goal, H pit, ~ ice, ^ > v < wind, pairs of lower-case letters for portals, "
    "or give the letter a reward"
)


def is_portal(letter: str) -> bool:
    """Whether the letter stands for one end of a portal."""
    return len(letter) == 1 and "a" <= letter <= "z" and letter not in WINDS


def rows_of(drawing: str | Sequence[str] | None, path: str | None, default: Sequence[str]) -> tuple[str, ...]:
    """The rows of a map: of a text, of a list of rows, or of a text file; indentation and empty edges are cut off.

    Raises:
        TypeError: neither text nor rows.
        ValueError: both `drawing` and `path` are given, or the file is no text.
    """
    if drawing is not None and path is not None:
        raise ValueError(f"give drawing or path, not both; got path {path!r} besides a drawing")
    if path is not None:
        if not isinstance(path, str):
            raise TypeError(f"path must be the name of a text file, got {path!r}")
        try:
            drawing = Path(path).read_text(encoding="utf-8-sig")  # editors may leave a mark
        except ValueError as error:
            raise ValueError(
                f"path must be the name of a text file in UTF-8, got {path!r}: {error}"
            ) from None
    if drawing is None:
        drawing = default
    if isinstance(drawing, str):
        drawing = rows_of_text(drawing)
    if not isinstance(drawing, Sequence) or not all(isinstance(row, str) for row in drawing):
        raise TypeError(f"drawing must be a text or a list of rows such as ['S.', '.G'], got {drawing!r}")
    return tuple(row.translate(SYNONYMS) for row in drawing)


def rows_of_text(text: str) -> list[str]:
    """Its lines without the indentation that all share and without blank ones at the edges.

    >>> rows_of_text(chr(10).join(["", "  S .", "     ", "  . G", ""]))
    ['S .', '   ', '. G']
    """
    lines = text.splitlines()
    drawn = [number for number, line in enumerate(lines) if line.strip()]
    if not drawn:
        return []
    margin = min(len(lines[number]) - len(lines[number].lstrip()) for number in drawn)
    return [line[margin:] for line in lines[drawn[0] : drawn[-1] + 1]]


def begun(row: str) -> str:
    """A row in quotes, or how a long one begins.

    >>> begun("S.G"), begun("S" + 99 * ".")
    ("'S.G'", "'S.......................................' ...")
    """
    return repr(row) if len(row) <= 40 else f"{row[:40]!r} ..."


def checked_letters(rows: Sequence[str], others: Container[str]) -> npt.NDArray[np.str_]:
    """[R, C] the letters of a map.

    Args:
        rows: the map.
        others: letters besides the known ones that may be used.

    Raises:
        ValueError: no rows, rows of different lengths, an unknown letter, no start, a portal without its partner;
            the message names row and column.
    """
    if not rows or not rows[0]:
        raise ValueError("the map is empty: it needs at least a start S")
    for row, letters in enumerate(rows):
        if len(letters) != len(rows[0]):
            raise ValueError(
                f"row {row} of the map has {len(letters)} columns, row 0 has {len(rows[0])}: {begun(letters)}"
            )
        for column, letter in enumerate(letters):
            if letter not in KNOWN and not is_portal(letter) and letter not in others:
                raise ValueError(
                    f"row {row}, column {column} of the map: unknown letter {letter!r} in "
                    f"{begun(letters)}; {LEGEND}"
                )
    if not any("S" in letters for letters in rows):
        raise ValueError(
            f"the map has no start: none of its {len(rows)} rows has an S, the first is {begun(rows[0])}"
        )
    portals(rows)
    return np.array([list(letters) for letters in rows])


def portals(rows: Sequence[str]) -> dict[str, tuple[Cell, Cell]]:
    """Both cells of each portal.

    Raises:
        ValueError: a portal letter that does not occur exactly twice.
    """
    ends: dict[str, list[Cell]] = defaultdict(list)
    for row, letters in enumerate(rows):
        for column, letter in enumerate(letters):
            if is_portal(letter):
                ends[letter].append((row, column))
    for letter, cells in ends.items():
        if len(cells) != 2:
            places = ", ".join(f"row {row}, column {column}" for row, column in cells)
            raise ValueError(f"portal {letter!r} needs two ends, got {len(cells)}: {places}")
    return {letter: (cells[0], cells[1]) for letter, cells in ends.items()}
