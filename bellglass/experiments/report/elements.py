"""Small pieces of HTML; every text that comes from outside goes through `escape`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from ..pictures import marker, svg


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
) -> str:
    """A table that becomes a stack of cards where there is no room; cells are HTML.

    Args:
        heads: names of the columns, plain text.
        rows: the first cell of each is its heading.
        label: for screen readers.
        kind: CSS class.
        numbers: from this column on numbers are set flush right.
        kinds: CSS class of each row.
    """
    top = "".join(
        f'<th scope="col"{" class=n" if k >= numbers else ""}>{escape(head)}</th>'
        for k, head in enumerate(heads)
    )
    body = []
    for i, row in enumerate(rows):
        cells = [f'<th scope="row">{row[0]}</th>']
        for k, (head, cell) in enumerate(zip(heads[1:], row[1:], strict=True), 1):
            css = ' class="n"' if k >= numbers else ""
            cells.append(f'<td{css} data-l="{escape(head)}"><div>{cell}</div></td>')
        css = f' class="{kinds[i]}"' if kinds else ""
        body.append(f"<tr{css}>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(label)}"><table class="{kind}">'
        f"<thead><tr>{top}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def key(agent: int) -> str:
    """The agent's sign beside its name."""
    picture = svg(16, 16, marker(agent, 8, 8, 4.2), label="", extra=' class="key" aria-hidden="true"')
    return picture.replace(' role="img" aria-label=""', "")


def named(agent: int, name: str) -> str:
    """The agent's sign and its name."""
    return f'<span class="agent">{key(agent)}{escape(name)}</span>'


def figure(caption: str, picture: str, note: str = "") -> str:
    """A picture under its name; `caption` and `note` are plain text."""
    words = f"<small>{escape(note)}</small>" if note else ""
    return f"<figure><figcaption>{escape(caption)}{words}</figcaption>{picture}</figure>"
