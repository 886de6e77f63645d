"""Shapes on a picture of any size, for artists that draw more than a layout; in plain NumPy.

Places are (down, right) in pixels from the top left corner.  Each shape is a signed distance as in `glyphs`, and
is computed only where the shape lies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from .cells import FLOOR, RGBArray
from .glyphs import Colour, FloatImage, paint, write

Place = tuple[float, float]


def canvas(height: int, width: int, colour: Colour = FLOOR) -> RGBArray:
    """[height, width, 3] of one colour."""
    image: RGBArray = np.empty((height, width, 3), dtype=np.uint8)
    image[:] = colour
    return image


def panel(
    image: RGBArray,
    colour: Colour,
    centre: Place,
    size: tuple[float, float],
    *,
    corner: float = 0.0,
    opacity: float = 1.0,
) -> None:
    """A rectangle of `size` (height, width) with round corners."""

    def distance(y: FloatImage, x: FloatImage) -> FloatImage:
        dy = np.abs(y - centre[0]) - size[0] / 2 + corner
        dx = np.abs(x - centre[1]) - size[1] / 2 + corner
        outside = np.hypot(np.maximum(dy, 0.0), np.maximum(dx, 0.0))
        return np.asarray(outside + np.minimum(np.maximum(dy, dx), 0.0) - corner)

    _paint_within(image, colour, distance, centre, max(size) / 2, opacity)


def spot(image: RGBArray, colour: Colour, centre: Place, radius: float, *, opacity: float = 1.0) -> None:
    """A filled circle."""

    def distance(y: FloatImage, x: FloatImage) -> FloatImage:
        return np.asarray(np.hypot(y - centre[0], x - centre[1]) - radius)

    _paint_within(image, colour, distance, centre, radius, opacity)


def ring(image: RGBArray, colour: Colour, centre: Place, radius: float, thickness: float) -> None:
    """A circle of a line `thickness` wide."""

    def distance(y: FloatImage, x: FloatImage) -> FloatImage:
        return np.asarray(np.abs(np.hypot(y - centre[0], x - centre[1]) - radius) - thickness / 2)

    _paint_within(image, colour, distance, centre, radius + thickness, 1.0)


def stroke(image: RGBArray, colour: Colour, start: Place, end: Place, thickness: float) -> None:
    """A line with round ends."""
    way = (end[0] - start[0], end[1] - start[1])
    length = max(way[0] ** 2 + way[1] ** 2, 1e-9)

    def distance(y: FloatImage, x: FloatImage) -> FloatImage:
        along = np.clip(((y - start[0]) * way[0] + (x - start[1]) * way[1]) / length, 0.0, 1.0)
        across = np.hypot(y - start[0] - along * way[0], x - start[1] - along * way[1])
        return np.asarray(across - thickness / 2)

    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    _paint_within(image, colour, distance, middle, length**0.5 / 2 + thickness, 1.0)


def polygon(image: RGBArray, colour: Colour, corners: Sequence[Place]) -> None:
    """A convex polygon, its corners in order."""
    sides = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    way_round = np.sign(sum(x0 * y1 - x1 * y0 for (y0, x0), (y1, x1) in sides))

    def distance(y: FloatImage, x: FloatImage) -> FloatImage:
        farthest = np.full(np.broadcast_shapes(y.shape, x.shape), -np.inf)
        for (y0, x0), (y1, x1) in sides:
            side = (x - x0) * (y1 - y0) - (y - y0) * (x1 - x0)
            side *= way_round / np.hypot(y1 - y0, x1 - x0)
            farthest = np.maximum(farthest, side)
        return farthest

    y, x = [corner[0] for corner in corners], [corner[1] for corner in corners]
    middle = ((min(y) + max(y)) / 2, (min(x) + max(x)) / 2)
    _paint_within(image, colour, distance, middle, max(max(y) - min(y), max(x) - min(x)) / 2, 1.0)


def words(image: RGBArray, text: str, colour: Colour, centre: Place, *, dot: int = 2) -> None:
    """A line of text around `centre`, `dot` pixels a dot of the font."""
    top = round(centre[0] - 2.5 * dot)
    left = round(centre[1] - (4 * len(text) - 1) * dot / 2)
    write(image, text, colour, dot=dot, top=top, left=left)


def shrunk(image: RGBArray, height: int, width: int) -> RGBArray:
    """The picture no larger than `height` x `width`, its shape kept; a pixel is the mean of what it covers."""
    scale = min(height / image.shape[0], width / image.shape[1])
    if scale >= 1.0:
        return image
    down, right = (_shares(length, max(round(length * scale), 1)) for length in image.shape[:2])
    smaller = np.tensordot(down, image.astype(np.float32), 1)  # [new height, old width, 3]
    small: RGBArray = np.rint(np.einsum("ywc,xw->yxc", smaller, right, optimize=True)).astype(np.uint8)
    return small


def _shares(old: int, new: int) -> npt.NDArray[np.float32]:
    """[new, old] how much of each old pixel's length goes into a new one; rows sum to 1."""
    edges = np.arange(new + 1) * (old / new)
    pixels = np.arange(old)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: npt.NDArray[np.float32] = (np.clip(covered, 0.0, None) * (new / old)).astype(np.float32)
    return shares


def mixed(one: Colour, other: Colour, share: float) -> Colour:
    """The colour between two, `share` of the way to the other."""
    return (
        round(one[0] + share * (other[0] - one[0])),
        round(one[1] + share * (other[1] - one[1])),
        round(one[2] + share * (other[2] - one[2])),
    )


def _paint_within(
    image: RGBArray,
    colour: Colour,
    distance: Callable[[FloatImage, FloatImage], FloatImage],
    centre: Place,
    reach: float,
    opacity: float,
) -> None:
    """Paints the part of the picture within `reach` of `centre`."""
    top, left = (max(int(middle - reach) - 2, 0) for middle in centre)
    bottom, right = (max(int(middle + reach) + 3, 0) for middle in centre)
    part = image[top:bottom, left:right]
    if part.size:
        y = np.arange(top, top + part.shape[0], dtype=np.float64)[:, None] + 0.5
        x = np.arange(left, left + part.shape[1], dtype=np.float64)[None, :] + 0.5
        paint(part, distance(y, x), colour, opacity)
