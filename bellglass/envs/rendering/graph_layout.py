"""Where the discs, arrows and loops of a small graph lie.

Discs stand on a circle.  An arrow is a parabola between two discs that bends just so far aside that it keeps clear
of the other discs, of loops, and of other arrows between the same two; a loop is an arc on the far side of its disc.
Places are (down, right) in pixels.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence

import numpy as np

from ..mdp import FloatArray

#: Half the side of the square around the discs and their loops.
HALF = 300.0

#: Radius of the largest discs.
LARGEST = 54.0

#: Pixels between an arrow and a disc that it passes.
CLEAR = 5.0


def on_a_circle(n: int) -> tuple[FloatArray, float]:
    """[n, 2] centres of n discs around (0, 0), clockwise, and the discs' radius."""
    share = 0.72 * np.sin(np.pi / max(n, 2))  # of the circle's radius; neighbours keep a gap
    circle = HALF / (1.0 + 2.4 * share)  # beyond a disc there is room for its loops
    radius = min(share * circle, LARGEST)
    first = {1: 0.0, 2: np.pi, 4: -0.75 * np.pi}.get(n, -0.5 * np.pi)
    angle = first + 2.0 * np.pi * np.arange(n) / n
    spread = 0.0 if n == 1 else min(circle, 1.1 * radius / share + 60.0)
    return spread * np.stack([np.sin(angle), np.cos(angle)], axis=1), radius


def loop(place: FloatArray, radius: float, nth: int) -> FloatArray:
    """[points, 2] an arc from the disc at `place` out and back; the nth one runs around those before it."""
    distance = float(np.hypot(*place))
    outward = place / distance if distance > 0.0 else np.array([-1.0, 0.0])
    size = radius * (0.48 + 0.22 * nth)
    middle = place + outward * (radius + 0.45 * size)
    inward = np.arctan2(-outward[0], -outward[1])
    angle = inward + np.linspace(0.0, 2.0 * np.pi, 73)
    return outside(middle + size * np.stack([np.sin(angle), np.cos(angle)], axis=1), place, place, radius)


def bent(start: FloatArray, end: FloatArray, aside: float, radius: float) -> FloatArray:
    """[points, 2] a parabola between two discs whose middle lies `aside` pixels to the right of the straight way."""
    way = end - start
    right = np.array([way[1], -way[0]]) / np.hypot(*way)
    control = (start + end) / 2 + 2.0 * aside * right
    t = np.linspace(0.0, 1.0, 61)[:, None]
    return outside((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end, start, end, radius)


def outside(points: FloatArray, start: FloatArray, end: FloatArray, radius: float) -> FloatArray:
    """The part of a curve that lies outside of the discs where it begins and ends."""
    free = (distances(points, start[None])[:, 0] > radius + 1) & (
        distances(points, end[None])[:, 0] > radius + 3
    )
    part: FloatArray = points[free]
    return part


def distances(points: FloatArray, others: FloatArray) -> FloatArray:
    """[points, others] how far apart they are."""
    apart: FloatArray = np.hypot(*np.moveaxis(points[:, None] - others[None], -1, 0))
    return apart


class Routes:
    """Finds a way for each arrow, and remembers which ways are taken.

    Args:
        places: [n, 2] centres of the discs.
        radius: of the discs.
        loops: how many loops each disc has; arrows keep away from them.
    """

    def __init__(self, places: FloatArray, radius: float, loops: Sequence[int]) -> None:
        self.places = places
        self.radius = radius
        #: [points, 2] the outermost loop of each disc, or nothing.
        self.loops = [
            loop(place, radius, number - 1) if number else np.empty((0, 2))
            for place, number in zip(places, loops, strict=True)
        ]

    def of(self, arrows: Sequence[tuple[int, int, Hashable]]) -> list[FloatArray]:
        """[points, 2] the way of each arrow (from, to, anything that tells it from others)."""
        between: dict[tuple[int, int], int] = {}
        for source, target, _ in arrows:
            pair = (min(source, target), max(source, target))
            between[pair] = between.get(pair, 0) + 1
        taken: dict[tuple[int, int], set[int]] = {}
        looped: dict[int, int] = {}
        ways = []
        for source, target, _ in arrows:
            if source == target:
                ways.append(loop(self.places[source], self.radius, looped.get(source, 0)))
                looped[source] = looped.get(source, 0) + 1
                continue
            pair = (min(source, target), max(source, target))
            ways.append(self._free_way(source, target, between[pair] == 1, taken.setdefault(pair, set())))
        return ways

    def _free_way(self, source: int, target: int, alone: bool, taken: set[int]) -> FloatArray:
        """The least bent way that is clear, or else the clearest of those that are not taken."""
        start, end = self.places[source], self.places[target]
        step = max(9.0, 0.28 * self.radius, 0.05 * float(np.hypot(*(end - start))))
        side = 1 if source < target else -1  # bends are remembered as seen from the lower state
        best: tuple[float, int, FloatArray] | None = None
        for bend in bends(alone):
            if bend * side in taken:
                continue
            way = bent(start, end, bend * step, self.radius)
            clear = self._clearance(way, source, target)
            if best is None or clear > best[0]:
                best = (clear, bend, way)
            if clear >= CLEAR:
                break
        assert best is not None
        taken.add(best[1] * side)
        return best[2]

    def _clearance(self, way: FloatArray, source: int, target: int) -> float:
        """Pixels to the nearest disc or loop of other states."""
        others = [s for s in range(len(self.places)) if s not in (source, target)]
        if not others or not len(way):
            return np.inf
        to_discs = float(distances(way, self.places[others]).min()) - self.radius
        loops = np.concatenate([self.loops[s][::3] for s in others])
        to_loops = float(distances(way, loops).min()) if len(loops) else np.inf
        return min(to_discs, to_loops)


def bends(alone: bool) -> Iterator[int]:
    """Steps aside, in the order in which they are tried: right before left, straight only where nothing returns."""
    if alone:
        yield 0
    for aside in range(1, 13):
        yield aside
        yield -aside
