"""Charts as SVG text: lines with bands, intervals, dots, the ladder of information, scatter."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import numpy as np

from ..statistics.aggregate import FloatArray
from .svg import clipped, mark, marker, path, pixel, short, stops, stroke, svg, typeset

#: With more lines than this a chart hides its bands, which would be one grey mass.
FEW = 5
#: Width and height of a chart, and its margins: left, right, top, bottom.
CHART = (360, 232)
MARGIN = (50, 14, 22, 40)
#: A tick lies where its label says, to the last digit.
TICK_DIGITS = 6


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        agent: its number, which chooses colour, stroke and marker.
        label: its name.
        x: [points].
        y: [points].
        low: [points] lower edge of the band, or None.
        high: [points] upper edge.
    """

    agent: int
    label: str
    x: FloatArray
    y: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` on pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, number: float) -> float:
        """The pixel of a number."""
        low, high = self.low, self.high
        if self.log:
            number, low, high = math.log(max(number, 1e-300)), math.log(low), math.log(high)
        return self.start + (number - low) / (high - low) * (self.end - self.start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from `low` to `high`.

    >>> ticks(0, 1, 4), ticks(0, 50_000, 3)
    ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 20000.0, 40000.0])
    """
    raw = (high - low) / max(1, about)
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * k for k in (1, 2, 2.5, 5, 10) if unit * k >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 12) + 0.0 for k in range(first, math.floor(high / step + 1e-9) + 1)]


def axes(
    x: Scale, y: Scale, *, x_label: str, x_ticks: Sequence[float] = (), y_ticks: Sequence[float] | None = None
) -> str:
    """Grid lines, ticks and the name of the x axis."""
    parts = []
    for value in ticks(y.low, y.high, 4) if y_ticks is None else y_ticks:
        at = pixel(y(value))
        parts.append(
            f'<path class="grid" d="M{pixel(x.start)} {at}H{pixel(x.end)}"/>'
            f'<text class="tick" text-anchor="end" x="{pixel(x.start - 6)}" y="{pixel(y(value) + 3.8)}">'
            f"{short(value, TICK_DIGITS)}</text>"
        )
    bottom = y.start
    for value in x_ticks or ticks(x.low, x.high, 4):
        parts.append(
            f'<text class="tick" text-anchor="middle" x="{pixel(x(value))}" y="{pixel(bottom + 16)}">'
            f"{short(value, TICK_DIGITS)}</text>"
        )
    parts.append(
        f'<path class="axis" d="M{pixel(x.start)} {pixel(bottom)}H{pixel(x.end)}"/>'
        f'<text class="tick" text-anchor="middle" x="{pixel((x.start + x.end) / 2)}" '
        f'y="{pixel(bottom + 32)}">{escape(x_label)}</text>'
    )
    return "".join(parts)


def limits(numbers: Sequence[float], floor: float | None = None) -> tuple[float, float]:
    """Lowest and highest number with a little room, not below `floor`."""
    low, high = min(numbers), max(numbers)
    if floor is not None:
        low = max(low, floor)
    room = 0.05 * (high - low) or 0.05 * max(1.0, abs(high))
    return low - room, high + room


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_label: str,
    references: Sequence[tuple[str, float]] = (),
    floor: float | None = None,
    y_range: tuple[float, float] | None = None,
    key: str = "",
    size: tuple[int, int] = CHART,
) -> str:
    """Lines with bands over a common x.

    Args:
        series: at least one, each with at least one point.
        label: for those who do not see it.
        x_label: name of the x axis.
        references: horizontal lines: (name, y).
        floor: what lies below is cut off, so that one bad start does not flatten the rest.
        y_range: instead of what the data span.
        key: where the page's script finds the numbers behind it.
        size: width and height.
    """
    width, height = size
    left, right, top, bottom = MARGIN
    last = max(float(line.x[-1]) for line in series)
    first = min(float(line.x[0]) for line in series)
    x = Scale(min(0.0, first), last if last > first else first + 1.0, left, width - right)
    seen = [value for _, value in references]
    for line in series:
        for row in (line.y, line.low, line.high):
            seen += [] if row is None else [float(row.min()), float(row.max())]
    low, high = limits(seen, floor) if y_range is None else y_range
    y = Scale(low, high, height - bottom, top)
    parts = [axes(x, y, x_label=x_label)]
    for k, (name, value) in enumerate(references):
        at = y(value)
        parts.append(
            f'<path class="ref{" low" if k else ""}" d="M{left} {pixel(at)}H{width - right}"/>'
            f'<text class="tick" text-anchor="end" x="{width - right}" y="{pixel(at - 5)}">{escape(name)}</text>'
        )

    def inside(row: FloatArray) -> list[float]:
        return [y(min(max(float(value), low), high)) for value in row]

    for line in series:
        across = [x(float(value)) for value in line.x]
        if line.low is not None and line.high is not None and bool((line.high > line.low).any()):
            back = path(across[::-1], inside(line.high)[::-1]).replace("M", "L")
            parts.append(
                f'<path class="a{line.agent} band s{line.agent % 8}" d="{path(across, inside(line.low))}{back}z"/>'
            )
    for line in series:
        across, down = [x(float(value)) for value in line.x], inside(line.y)
        parts.append(
            f'<g class="a{line.agent}"><path class="line s{line.agent % 8}"{stroke(line.agent)} '
            f'd="{path(across, down)}"/>'
            f"{marker(line.agent, across[-1], down[-1])}</g>"
        )
    crowded = " crowded" if len(series) > FEW else ""
    extra = f' class="{crowded.strip()}"' if crowded else ""
    if key:
        extra = (
            f' tabindex="0" class="chart{crowded}" data-key="{escape(key)}" '
            f'data-x="{left},{width - right},{x.low:g},{x.high:g}"'
        )
        parts.append(f'<path class="cursor" d="M0 {top}V{height - bottom}"/>')
    return svg(width, height, "".join(parts), label=label, extra=extra)


def lowest(rows: Iterable[tuple[float, tuple[float, float] | None]]) -> float:
    """Left end of a line of scores, (estimate, interval): 0, or the least below that has a bound."""
    numbers = [0.0]
    for estimate, ends in rows:
        numbers += [estimate, *(ends or ())]
    return min(number for number in numbers if math.isfinite(number))


def interval_bar(agent: int, estimate: float, ends: tuple[float, float] | None, low: float) -> str:
    """One row's estimate and interval on a line from `low` to 1."""
    x = Scale(low, 1.0, 6, 174)
    name = f"{estimate:.3f}" + (f", interval {ends[0]:.3f} to {ends[1]:.3f}" if ends else ", no interval")
    body = '<path class="grid" d="M6 10H174M6 6v8M174 6v8"/>'
    if ends is not None:
        body += f'<path class="span s{agent % 8}" d="M{pixel(x(max(low, ends[0])))} 10H{pixel(x(min(1.0, ends[1])))}"/>'
    return svg(180, 20, body + marker(agent, x(max(low, estimate)), 10, 4.2), label=typeset(name))


def difference_bar(value: float, ends: tuple[float, float] | None, span: float) -> str:
    """A difference and its interval on a line from -span to span, 0 in the middle."""
    x = Scale(-span, span, 6, 174)
    name = f"{value:+.3f}" + (f", interval {ends[0]:+.3f} to {ends[1]:+.3f}" if ends else ", no interval")
    body = '<path class="grid" d="M6 10H174"/><path class="axis" d="M90 3v14"/>'
    if ends is not None:
        low, high = (min(span, max(-span, end)) for end in ends)
        body += f'<path class="span s0" d="M{pixel(x(low))} 10H{pixel(x(high))}"/>'
    return svg(180, 20, body + marker(0, x(min(span, max(-span, value))), 10, 4.2), label=typeset(name))


def interval_chart(rows: Sequence[tuple[int, str, float, tuple[float, float] | None]], *, label: str) -> str:
    """All rows of a ranking: (agent, name, estimate, interval)."""
    low = lowest((estimate, ends) for _, _, estimate, ends in rows)
    width, row_height = 640, 26
    height = 14 + row_height * len(rows) + 40
    x, y = Scale(low, 1.0, 190, width - 60), Scale(1, 0, height - 40, 0)
    parts = [axes(x, y, x_label="score (1 = optimum)", y_ticks=())]
    for k, (agent, name, estimate, ends) in enumerate(rows):
        at = 14 + row_height * (k + 0.5)
        parts.append(
            f'<text text-anchor="end" x="178" y="{pixel(at + 4)}">{escape(clipped(name, 24))}</text>'
            f'<path class="grid" d="M190 {pixel(at)}H{width - 60}"/>'
        )
        if ends is not None:
            parts.append(
                f'<path class="span s{agent % 8}" d="M{pixel(x(max(low, ends[0])))} {pixel(at)}H{pixel(x(ends[1]))}"/>'
            )
        parts.append(marker(agent, x(max(low, estimate)), at, 4.4))
        parts.append(f'<text x="{width - 48}" y="{pixel(at + 4)}">{typeset(f"{estimate:.3f}")}</text>')
    return svg(width, height, "".join(parts), label=label)


def dot_strip(
    rows: Sequence[tuple[int, str, Sequence[tuple[str, float]]]], *, label: str, low: float = 0.0
) -> str:
    """One dot a run: (agent, name, [(what it is, score)]); a bar marks the median.

    Dots that would hide each other are shifted up and down by a fixed pattern.
    """
    width, row_height, left = 360, 26, 118
    height = 8 + row_height * len(rows) + 40
    x, y = Scale(low, 1.0, left, width - 16), Scale(1, 0, height - 40, 0)
    parts = [axes(x, y, x_label="score of the final policy", y_ticks=())]
    for k, (agent, name, runs) in enumerate(rows):
        at = 8 + row_height * (k + 0.5)
        body = [
            f'<path class="grid" d="M{left} {pixel(at)}H{width - 16}"/>'
            f'<text class="tick" text-anchor="end" x="{left - 10}" y="{pixel(at + 4)}">'
            f"{escape(clipped(name, 15))}</text>"
        ]
        taken: dict[int, int] = {}
        body.append(f'<g class="dots s{agent % 8} fill">')
        for what, score in sorted(runs, key=lambda run: (run[1], run[0])):
            place = x(max(low, score))
            spot = round(place / 5)
            count = taken.get(spot, 0)
            taken[spot] = count + 1
            shift = (0.0, -4.0, 4.0, -8.0, 8.0)[count % 5]
            body.append(mark(agent, place, at + shift, f"<title>{escape(what)}</title>"))
        body.append("</g>")
        if runs:
            middle = x(max(low, float(np.median([score for _, score in runs]))))
            body.append(f'<path class="mean s{agent % 8}" d="M{pixel(middle)} {pixel(at - 10)}v20"/>')
        parts.append(f'<g class="a{agent}">{"".join(body)}</g>')
    return svg(width, height, "".join(parts), label=label, extra=stops(".dots>*"))


def ladder(
    rows: Sequence[tuple[int, str, float, float, float]], rungs: Sequence[tuple[str, float]], *, label: str
) -> str:
    """Agents between marked values: (agent, name, worst, mean, best) and (name, value) of each rung."""
    width, row_height, left = 360, 26, 118
    top = 14 + 14 * len(rungs)
    height = top + row_height * len(rows) + 40
    numbers = [number for row in rows for number in row[2:]] + [value for _, value in rungs]
    low, high = limits([max(number, -1e300) for number in numbers if math.isfinite(number)])
    x, y = Scale(low, high, left, width - 16), Scale(1, 0, height - 40, 0)
    parts = [axes(x, y, x_label="start value", y_ticks=())]
    for k, (name, value) in enumerate(rungs):
        at, side = x(value), "end" if x(value) > (left + width) / 2 else "start"
        parts.append(
            f'<path class="ref low" d="M{pixel(at)} {6 + 14 * k}V{height - 40}"/>'
            f'<text class="tick" text-anchor="{side}" x="{pixel(at + (-4 if side == "end" else 4))}" '
            f'y="{15 + 14 * k}">{escape(name)} {typeset(f"{value:.4g}")}</text>'
        )
    for k, (agent, name, worst, mean, best) in enumerate(rows):
        at = top + row_height * (k + 0.5)
        ends = f"M{pixel(x(max(low, worst)))} {pixel(at)}H{pixel(x(max(low, best)))}"
        said = f"{name}: mean {mean:.5g}, from {worst:.5g} to {best:.5g}"
        parts.append(
            f'<g class="a{agent} point"><path class="span s{agent % 8}" d="{ends}"/>'
            f"{marker(agent, x(max(low, mean)), at, 4.4)}<title>{escape(said)}</title>"
            f'<text class="tick" text-anchor="end" x="{left - 10}" y="{pixel(at + 4)}">'
            f"{escape(clipped(name, 15))}</text></g>"
        )
    return svg(width, height, "".join(parts), label=label, extra=stops(".point"))


def scatter(points: Sequence[tuple[int, str, float, float]], *, label: str, x_label: str) -> str:
    """Agents by (time, score), time on a logarithmic axis: (agent, name, x > 0, y).

    A score of -inf lies on the lower edge, and its name says so.
    """
    width, height = 420, 250
    left, right, top, bottom = MARGIN
    low_x = 10 ** (math.floor(math.log10(min(p[2] for p in points)) - 0.05))
    high_x = 10 ** (math.ceil(math.log10(max(p[2] for p in points)) + 0.05))
    x = Scale(low_x, high_x, left, width - right, log=True)
    finite = [p[3] for p in points if math.isfinite(p[3])]
    low, high = limits([*finite, 1.0] if len(finite) == len(points) else [*finite, 0.0, 1.0])
    y = Scale(low, high, height - bottom, top)

    def down(score: float) -> float:
        return min(y(max(low, score)), height - bottom - 7)

    decades = [10.0**k for k in range(round(math.log10(low_x)), round(math.log10(high_x)) + 1)]
    parts = [axes(x, y, x_label=x_label, x_ticks=decades)]
    taken = [Line(x(time) - 7, x(time) + 7, down(score) + 4) for _, _, time, score in points]
    for agent, name, time, score in sorted(points, key=lambda p: -p[3]):
        px, py = x(time), down(score)
        shown = clipped(name, 26) if math.isfinite(score) else f"{clipped(name, 21)} (−∞)"
        place = beside(px, py, 6.3 * len(shown) + 4, taken, width, height - bottom)
        taken.append(place)
        turn = place.end < px
        parts.append(
            f'<g class="a{agent} point">{marker(agent, px, py, 4.6)}'
            f"<title>{escape(name)}: score {typeset(f'{score:.4g}')}, {time:.3g} s</title>"
            f'<text class="tick" text-anchor="{"end" if turn else "start"}" '
            f'x="{pixel(place.end if turn else place.start)}" y="{pixel(place.base)}">{escape(shown)}</text></g>'
        )
    return svg(width, height, "".join(parts), label=label, extra=stops(".point"))


class Line(NamedTuple):
    """Where a word, or a marker, lies: from `start` to `end` on a base line."""

    start: float
    end: float
    base: float


def beside(x: float, y: float, wide: float, taken: Sequence[Line], width: float, lowest: float) -> Line:
    """The nearest free place for a word beside a point, inside the picture and above its axis."""
    right, left = (x + 9, x + 9 + wide), (x - 9 - wide, x - 9)
    sides = [left, right] if x > width * 0.62 else [right, left]
    places = [
        Line(start, end, y + shift)
        for shift in (4, 17, -9, 30, -22, 43)
        for start, end in sides
        if start > 0 and end < width and y + shift < lowest - 2
    ]
    free = (
        place
        for place in places
        if not any(
            abs(place.base - one.base) < 12 and place.start < one.end and one.start < place.end
            for one in taken
        )
    )
    return next(free, places[0] if places else Line(*sides[0], y - 9))


def with_legend(picture: str, series: Sequence[Series]) -> str:
    """The chart with the agents' names under it, for a page that has no legend of its own."""
    width, height = CHART
    parts = []
    for k, line in enumerate(series):
        x, y = 14 + (k % 2) * (width // 2), height + 14 + 20 * (k // 2)
        parts.append(
            f'<path class="line s{line.agent % 8}"{stroke(line.agent)} d="M{x} {y}h30"/>'
            f"{marker(line.agent, x + 26, y)}"
            f'<text x="{x + 38}" y="{y + 4}">{escape(clipped(line.label, 18))}</text>'
        )
    taller = height + 8 + 20 * ((len(series) + 1) // 2)
    grown = picture.replace(f'viewBox="0 0 {width} {height}"', f'viewBox="0 0 {width} {taller}"', 1)
    return grown.removesuffix("</svg>") + "".join(parts) + "</svg>"
