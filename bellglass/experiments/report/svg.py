"""Pictures as SVG text, drawn by hand: small, sharp, and the same bytes for the same numbers.

Here lie pen and paper; `report.charts` and `report.drawing` draw with them.  Colours are CSS classes (`s0`, `s1`, ...
for agents), so that one picture serves light, dark and print.  `standalone` makes a file of it, with light colours and
a white ground, as GitHub shows it.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from html import escape

#: Agents' colours on light and on dark ground; every one has a contrast of at least 3 to its ground.
LIGHT = ("#0067a5", "#c8500a", "#00805a", "#a8447f", "#8a6500", "#3f7fd0", "#8c2d19", "#5b6470")
DARK = ("#5db2f2", "#ff9248", "#37cfa0", "#ee9ecb", "#e6b84a", "#a6c8ff", "#e58f7a", "#aab3bf")
#: Their strokes, so that colour is never the only sign.
DASHES = ("", "7 3", "2 3", "9 3 2 3", "5 2", "1 3", "12 4", "4 4 1 4")
MARKERS = ("circle", "square", "triangle", "diamond", "down", "plus", "cross", "ring")

STANDALONE_STYLE = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1c2127}"
    ".tick{fill:#5a6472;font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}.grid{stroke:#e4e7eb;fill:none}.axis{stroke:#8b95a1;fill:none}"
    ".line{fill:none;stroke-width:1.9}.band{stroke:none;opacity:.13}.crowded .band{opacity:0}"
    ".dot{opacity:.75}.dots{fill-opacity:.75}.mean{stroke-width:2.4}"
    ".ref{stroke:#1c2127;stroke-dasharray:5 4;fill:none}.ref.low{stroke:#8b95a1}.span{stroke-width:5;opacity:.35}"
    ".cell{stroke:#d5dae0;fill:#fff}.wall{fill:#c9cfd6}.value{fill:#2f7fc4}.lost{fill:#7c5cc4}"
    ".number,.glyph{text-anchor:middle}.number{font-size:10.5px}.small{font-size:9.5px}"
    ".arrow{vector-effect:non-scaling-stroke;stroke:#1c2127;fill:none;stroke-width:1.7}.wrong{stroke:#c01f2e;stroke-width:2.6}.letter{fill:#5a6472}"
    ".glyph{fill:#1c2127}.glyph.wrong{fill:#c01f2e;stroke:none;font-weight:700}"
    + "".join(
        f".s{k}{{stroke:{colour};color:{colour}}}.s{k}.fill,.s{k}.band{{fill:{colour}}}"
        for k, colour in enumerate(LIGHT)
    )
)


def short(number: float, digits: int = 3) -> str:
    """A number in few characters, rounded to so many digits.

    >>> short(12_500), short(2e6), short(0.25), short(-100.0), short(0.0), short(float("-inf"))
    ('12.5k', '2M', '0.25', '−100', '0', '−∞')
    """
    size = abs(number)
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if unit * 0.9995 <= size < math.inf:
            return typeset(f"{number / unit:.{digits}g}{name}")
    if size and size < 1e-3:
        return typeset(f"{number:.1e}")
    return typeset(f"{number:.{digits}g}") if size else "0"


def typeset(text: str) -> str:
    """A number's text with a true minus, and with the sign for what has no bound.

    >>> typeset("-0.5"), typeset("-inf")
    ('−0.5', '−∞')
    """
    return text.replace("-", "−").replace("inf", "∞")


def pixel(number: float) -> str:
    """A coordinate with one decimal at most."""
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text


def path(x: Sequence[float], y: Sequence[float]) -> str:
    """Points as a path of steps, without those that change nothing to the eye.

    >>> path([0, 10, 20, 30], [5, 4.5, 4.5, 4.5])
    'M0 5l10-.5 20 0'
    """
    kept: list[tuple[int, int]] = []  # in tenths, so that steps add up without error
    for point in zip((round(10 * a) for a in x), (round(10 * b) for b in y), strict=True):
        if len(kept) > 1 and kept[-1][1] == kept[-2][1] == point[1]:
            kept.pop()
        kept.append(point)
    steps = "".join(blank(b[0] - a[0]) + blank(b[1] - a[1]) for a, b in itertools.pairwise(kept))
    start = "M" + blank(kept[0][0]).lstrip() + blank(kept[0][1])
    return f"{start}l{steps.lstrip()}" if steps else start


def blank(tenths: int) -> str:
    """A number of tenths after another number: a minus sign parts them as well as a blank does."""
    text = pixel(tenths / 10)
    text = text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text
    return text if text.startswith("-") else " " + text


def svg(width: float, height: float, body: str, *, label: str, extra: str = "") -> str:
    """A picture with a name for those who do not see it."""
    return (
        f'<svg viewBox="0 0 {pixel(width)} {pixel(height)}" role="img" aria-label="{escape(label)}"{extra}>'
        f"{body}</svg>"
    )


def standalone(picture: str) -> str:
    """The same picture as a file of its own, light, with its size; keys do nothing there."""
    picture = re.sub(r' tabindex="0" data-stops="[^"]*" data-columns="\d+"', "", picture)
    _, _, width, height = picture.split('viewBox="', 1)[1].split('"', 1)[0].split()
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
    opened, body = picture.removeprefix("<svg ").split(">", 1)
    return (
        f"{head}{opened}><style>{STANDALONE_STYLE}</style>{marks() if '<use ' in body else ''}"
        f'<rect width="100%" height="100%" fill="#fff"/>{body}\n'
    )


def marker(agent: int, x: float, y: float, size: float = 3.6) -> str:
    """The agent's sign: its shape goes with its colour."""
    kind = MARKERS[shape(agent)]
    fill = "" if kind == "ring" else " fill"
    return drawn(kind, x, y, size, f' class="dot s{agent % 8}{fill}"')


def drawn(kind: str, x: float, y: float, size: float, attributes: str) -> str:
    """A shape around a point."""
    at, r = f"{pixel(x)} {pixel(y)}", pixel(size)
    d = pixel(2 * size)
    if kind in ("circle", "ring"):
        hollow = "" if kind == "circle" else ' fill="none" stroke-width="1.8"'
        return f'<circle{attributes}{hollow} cx="{pixel(x)}" cy="{pixel(y)}" r="{r}"/>'
    shapes = {
        "square": f"M{at}m-{r}-{r}h{d}v{d}h-{d}z",
        "triangle": f"M{at}m0-{pixel(1.2 * size)}l{pixel(1.15 * size)} {d}h-{pixel(2.3 * size)}z",
        "diamond": f"M{at}m0-{pixel(1.3 * size)}l{pixel(1.3 * size)} {pixel(1.3 * size)}"
        f"l-{pixel(1.3 * size)} {pixel(1.3 * size)}l-{pixel(1.3 * size)}-{pixel(1.3 * size)}z",
        "down": f"M{at}m0 {pixel(1.2 * size)}l{pixel(1.15 * size)}-{d}h-{pixel(2.3 * size)}z",
        "plus": f"M{at}m-{r} 0h{d}m-{r}-{r}v{d}",
        "cross": f"M{at}m-{r}-{r}l{d} {d}m0-{d}l-{d} {d}",
    }
    stroke = ' stroke-width="2"' if kind in ("plus", "cross") else ""
    return f'<path{attributes}{stroke} d="{shapes[kind]}"/>'


def marks() -> str:
    """Small shapes, named once for a page or file; `mark` sets one of them."""
    shapes = "".join(drawn(kind, 0, 0, 2.7, f' id="m{k}"') for k, kind in enumerate(MARKERS))
    return f"<defs>{shapes}</defs>"


def mark(agent: int, x: float, y: float, inside: str = "") -> str:
    """The agent's shape at a point, in the colour of the group around it."""
    return f'<use href="#m{shape(agent)}" x="{pixel(x)}" y="{pixel(y)}">{inside}</use>'


def shape(agent: int) -> int:
    """Number of an agent's marker and stroke; the ninth agent has the first one's colour, and another shape."""
    return (agent + agent // 8) % 8


def stroke(agent: int) -> str:
    """The attribute that dashes an agent's line."""
    dash = DASHES[shape(agent)]
    return f' stroke-dasharray="{dash}"' if dash else ""


def clipped(name: str, most: int) -> str:
    """At most so many characters."""
    return name if len(name) <= most else name[: most - 1] + "…"


def stops(selector: str, columns: int = 1) -> str:
    """Attributes by which the page's script lets the arrow keys walk over the picture's parts."""
    return f' tabindex="0" data-stops="{selector}" data-columns="{columns}"'
