"""Small pieces of HTML; every text that comes from outside goes through `escape`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from . import svg as pictures

#: Kinds of tables that become a stack of cards where there is no room.
STACKED = ("ranking", "heat", "fair")

#: Beyond so many environments a table has them as its rows, where that takes less room.
MOST_ACROSS = 5


def section(anchor: str, heading: str, lead: str, body: str) -> str:
    """A part of the page; `lead` and `body` are HTML."""
    words = f'<p class="lead">{lead}</p>' if lead else ""
    title = f'<h2 id="{anchor}-h">{heading}</h2>'
    return f'<section id="{anchor}" aria-labelledby="{anchor}-h">{title}{words}{body}</section>\n'


def left_out(reason: str) -> str:
    """In place of a picture that cannot be drawn honestly."""
    return f'<p class="none">{escape(reason)}</p>'


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    label: str,
    kind: str = "",
    numbers: int = 1,
    kinds: Sequence[str] = (),
    columns: Sequence[str] = (),
    stops: tuple[str, int] | None = None,
) -> str:
    """A table; cells are HTML.

    Args:
        heads: names of the columns, plain text.
        rows: the first cell of each is its heading.
        label: for screen readers.
        kind: CSS class.
        numbers: from this column on numbers are set flush right.
        kinds: CSS class of each row.
        columns: CSS class of each column but the first.
        stops: what the arrow keys walk over, and how many of it a row has.
    """
    body = "".join(
        row_of(heads, row, numbers, kinds[i] if kinds else "", columns) for i, row in enumerate(rows)
    )
    return framed(
        heads,
        f"<tbody>{body}</tbody>",
        label=label,
        kind=kind,
        numbers=numbers,
        columns=columns,
        stops=stops,
    )


def crossed(
    agents: Sequence[str], environments: Sequence[str], cell: Callable[[str, str], str], *, label: str
) -> str:
    """A table of agents and environments, one of them down and one across; `cell` of both is HTML."""
    turned = MOST_ACROSS < len(environments) > len(agents)
    kind = "heat dense" if len(agents if turned else environments) > MOST_ACROSS else "heat"
    if not turned:
        rows = [
            [named(k, agent), *(cell(agent, name) for name in environments)] for k, agent in enumerate(agents)
        ]
        kinds = [f"a{k}" for k in range(len(agents))]
        return table(["Agent", *environments], rows, label=label, kind=kind, kinds=kinds)
    rows = [[escape(name), *(cell(agent, name) for agent in agents)] for name in environments]
    columns = [f"a{k}" for k in range(len(agents))]
    return table(["Environment", *agents], rows, label=label, kind=kind, columns=columns)


def grouped_table(
    heads: Sequence[str], groups: Sequence[tuple[str, Sequence[tuple[str, Sequence[str]]]]], *, label: str
) -> str:
    """A table in parts, each under its name: (name, [(CSS class of the row, its cells)])."""
    parts = []
    for name, rows in groups:
        body = "".join(row_of(heads, row, 1, kind) for kind, row in rows)
        top = f'<tr class="part"><th scope="rowgroup" colspan="{len(heads)}">{escape(name)}</th></tr>'
        parts.append(f"<tbody>{top}{body}</tbody>")
    kind = "heat parts" if len(heads) > 4 else "narrow parts"  # four columns fit a phone as they are
    return framed(heads, "".join(parts), label=label, kind=kind, numbers=1)


def row_of(
    heads: Sequence[str], row: Sequence[str], numbers: int, kind: str, columns: Sequence[str] = ()
) -> str:
    """One row."""
    cells = [f'<th scope="row">{row[0]}</th>']
    for k, (head, cell) in enumerate(zip(heads[1:], row[1:], strict=True), 1):
        css = css_of(k, numbers, columns)
        cells.append(f'<td{css} data-l="{escape(head)}"><div>{cell}</div></td>')
    css = f' class="{kind}"' if kind else ""
    return f"<tr{css}>{''.join(cells)}</tr>"


def css_of(k: int, numbers: int, columns: Sequence[str]) -> str:
    """The class attribute of a cell in column `k`."""
    classes = ["n"] * (k >= numbers) + ([columns[k - 1]] if k and columns else [])
    return f' class="{" ".join(classes)}"' if classes else ""


def framed(
    heads: Sequence[str],
    bodies: str,
    *,
    label: str,
    kind: str,
    numbers: int,
    columns: Sequence[str] = (),
    stops: tuple[str, int] | None = None,
) -> str:
    """The table in a frame that scrolls where there is no room."""
    top = "".join(
        f'<th scope="col"{css_of(k, numbers, columns)}>{escape(head)}</th>' for k, head in enumerate(heads)
    )
    walk = f' data-stops="{stops[0]}" data-columns="{stops[1]}"' if stops else ""
    stacked = kind.split()[0] in STACKED if kind else False
    css = f' class="{kind}{" stack" if stacked else ""}"' if kind else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}"{walk}><table{css}>'
        f"<thead><tr>{top}</tr></thead>{bodies}</table></div>"
    )


def key(agent: int) -> str:
    """The agent's sign beside its name."""
    shape = f'<use href="#m{pictures.shape(agent)}"/>'
    return f'<svg class="key s{agent % 8} fill" viewBox="-5 -5 10 10" aria-hidden="true">{shape}</svg>'


def named(agent: int, name: str) -> str:
    """The agent's sign and its name."""
    return f'<span class="agent">{key(agent)}{escape(name)}</span>'


def figure(caption: str, picture: str, note: str = "") -> str:
    """A picture under its name; `caption` and `note` are plain text."""
    words = f"<small>{escape(note)}</small>" if note else ""
    return f"<figure><figcaption>{escape(caption)}{words}</figcaption>{picture}</figure>"
