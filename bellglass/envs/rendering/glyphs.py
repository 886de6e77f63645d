"""Shapes and letters for the pictures, in plain NumPy.

A shape is the signed distance d(x, y) of each pixel to its border, in pixels and negative inside; painting it
covers a pixel by  clip(1/2 - d, 0, 1),  which draws smooth edges without any library.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

#: Letters of 3 x 5 dots, row by row from the top.
FONT = {
    "0": "111 101 101 101 111",
    "1": "010 110 010 010 111",
    "2": "111 001 111 100 111",
    "3": "111 001 111 001 111",
    "4": "101 101 111 001 001",
    "5": "111 100 111 001 111",
    "6": "111 100 111 101 111",
    "7": "111 001 001 010 010",
    "8": "111 101 111 101 111",
    "9": "111 101 111 001 111",
    "A": "010 101 111 101 101",
    "B": "110 101 110 101 110",
    "C": "011 100 100 100 011",
    "D": "110 101 101 101 110",
    "E": "111 100 110 100 111",
    "F": "111 100 110 100 100",
    "G": "011 100 101 101 011",
    "H": "101 101 111 101 101",
    "I": "111 010 010 010 111",
    "J": "001 001 001 101 010",
    "K": "101 110 100 110 101",
    "L": "100 100 100 100 111",
    "M": "101 111 111 101 101",
    "N": "110 101 101 101 101",
    "O": "010 101 101 101 010",
    "P": "110 101 110 100 100",
    "Q": "010 101 101 111 011",
    "R": "110 101 110 101 101",
    "S": "011 100 010 001 110",
    "T": "111 010 010 010 010",
    "U": "101 101 101 101 111",
    "V": "101 101 101 101 010",
    "W": "101 101 111 111 101",
    "X": "101 101 010 101 101",
    "Y": "101 101 010 010 010",
    "Z": "111 001 010 100 111",
    "-": "000 000 111 000 000",
    "+": "000 010 111 010 000",
    ".": "000 000 000 000 010",
    "$": "011 110 010 011 110",
    ",": "000 000 000 010 100",
    ":": "000 010 000 010 000",
    "/": "001 001 010 100 100",
    "=": "000 111 000 111 000",
    "_": "000 000 000 000 111",
    "(": "001 010 010 010 001",
    ")": "100 010 010 010 100",
    "'": "010 010 000 000 000",
    "!": "010 010 010 000 010",
    "?": "110 001 010 000 010",
}

#: The direction (down, right) in which an arrow points.
DIRECTIONS = {
    "↑": (-1.0, 0.0),
    "→": (0.0, 1.0),
    "↓": (1.0, 0.0),
    "←": (0.0, -1.0),
    "↖": (-(0.5**0.5), -(0.5**0.5)),
    "↗": (-(0.5**0.5), 0.5**0.5),
    "↘": (0.5**0.5, 0.5**0.5),
    "↙": (0.5**0.5, -(0.5**0.5)),
}


def pixels(size: int) -> tuple[FloatImage, FloatImage]:
    """([size, 1], [1, size]) y and x of pixel centres, counted from the middle of a square."""
    axis: FloatImage = np.arange(size, dtype=np.float64) - (size - 1) / 2
    return axis[:, None], axis[None, :]


def disc(size: int, radius: float, centre: tuple[float, float] = (0.0, 0.0)) -> FloatImage:
    """A filled circle; `centre` (down, right) is counted from the middle."""
    y, x = pixels(size)
    distance: FloatImage = np.hypot(y - centre[0], x - centre[1]) - radius
    return distance


def rounded_box(
    size: int, half: tuple[float, float], corner: float, centre: tuple[float, float] = (0.0, 0.0)
) -> FloatImage:
    """A rectangle of half height and half width `half` with round corners."""
    y, x = pixels(size)
    dy, dx = np.abs(y - centre[0]) - half[0] + corner, np.abs(x - centre[1]) - half[1] + corner
    outside = np.hypot(np.maximum(dy, 0.0), np.maximum(dx, 0.0))
    distance: FloatImage = outside + np.minimum(np.maximum(dy, dx), 0.0) - corner
    return distance


def arrow(
    size: int, direction: tuple[float, float], length: float, centre: tuple[float, float] = (0.0, 0.0)
) -> FloatImage:
    """A triangle on a short shaft, `length` pixels from tail to tip; `centre` is counted from the middle."""
    y, x = pixels(size)
    y, x = y - centre[0], x - centre[1]
    along = y * direction[0] + x * direction[1]
    across = np.abs(x * direction[0] - y * direction[1])
    neck = length * 0.02
    # the head's slanted side: from (neck, 0.30 length) to (length / 2, 0)
    run, rise = length / 2 - neck, 0.30 * length
    slanted = (rise * (along - neck) + run * (across - rise)) / np.hypot(rise, run)
    head = np.maximum(neck - along, slanted)
    shaft = np.maximum(np.maximum(-length / 2 - along, along - neck - 1), across - 0.08 * length)
    distance: FloatImage = np.minimum(head, shaft)
    return distance


def paint(image: npt.NDArray[np.uint8], distance: FloatImage, colour: Colour, opacity: float = 1.0) -> None:
    """Lays the colour over `image` [h, w, 3], in place."""
    cover = (np.clip(0.5 - distance, 0.0, 1.0) * opacity)[..., None]
    image[:] = np.rint(image * (1.0 - cover) + np.array(colour) * cover).astype(np.uint8)


def text_mask(text: str) -> npt.NDArray[np.bool_]:
    """[5, 4 * len(text) - 1] the dots of the text; a letter that the font lacks is a blank."""
    columns = []
    for letter in text.upper():
        dots = FONT.get(letter, "000 000 000 000 000").split()
        columns.append(np.array([[dot == "1" for dot in row] for row in dots]))
        columns.append(np.zeros((5, 1), dtype=np.bool_))
    mask: npt.NDArray[np.bool_] = np.concatenate(columns[:-1], axis=1)
    return mask


def write(image: npt.NDArray[np.uint8], text: str, colour: Colour, *, dot: int, top: int, left: int) -> None:
    """Writes on `image` [h, w, 3], in place, `dot` pixels a dot; what does not fit is cut off."""
    if not text or dot < 1:
        return
    mask = text_mask(text).repeat(dot, axis=0).repeat(dot, axis=1)
    there = image[max(top, 0) : top + mask.shape[0], max(left, 0) : left + mask.shape[1]]
    there[mask[max(-top, 0) :, max(-left, 0) :][: there.shape[0], : there.shape[1]]] = colour


def write_centred(image: npt.NDArray[np.uint8], text: str, colour: Colour, *, height: float) -> None:
    """Writes in the middle of `image` [h, w, 3], about `height` pixels high or as wide as fits."""
    dot = int(max(min(height / 5, (image.shape[1] - 2) / (4 * len(text) - 1)), 1))
    top = (image.shape[0] - 5 * dot) // 2
    left = (image.shape[1] - (4 * len(text) - 1) * dot + 1) // 2
    write(image, text, colour, dot=dot, top=top, left=left)
