"""A solution for human eyes: on the table's map where it has one, else state by state."""

from __future__ import annotations

from html import escape

import numpy as np

from .record import SolutionRecord

#: Rows of a list before it is cut.
MOST_ROWS = 60

_WORDS = {
    "discounted": "discounted reward",
    "finite_horizon": "reward within a horizon",
    "total": "total reward",
    "average": "average reward per step",
}


def headline(solution: SolutionRecord) -> str:
    """One line: what is the best, how sure, how found."""
    details = []
    if solution.horizon is not None:
        details.append(f"{solution.horizon} steps")
    if solution.criterion == "discounted" or solution.discount != 1.0:
        details.append(f"discount {solution.discount:g}")
    about = f" ({', '.join(details)})" if details else ""
    return (
        f"best {_WORDS[solution.criterion]}{about} from the start: {solution.start_value:.10g}, "
        f"every state within {solution.bound:.1e}; {solution.method}, {solution.iterations} iterations, "
        f"{solution.seconds:.3g} s"
    )


def first_rule(solution: SolutionRecord) -> tuple[list[int], list[list[int]]]:
    """The action of each state at the first step (-1 in terminal ones), and all that are as good."""
    policy = solution.policy[0] if solution.policy.ndim == 2 else solution.policy
    optimal = solution.optimal_actions[0] if solution.optimal_actions.ndim == 3 else solution.optimal_actions
    terminal = solution.mdp.terminal
    played = np.where(terminal, -1, policy)
    return [int(a) for a in played], [[int(a) for a in np.flatnonzero(row)] for row in optimal]


def text(solution: SolutionRecord) -> str:
    """Two maps (best actions, numbers) or a table."""
    return maps(solution) or table(solution)


def maps(solution: SolutionRecord) -> str | None:
    """The best actions and the numbers, each on the table's layout; None where it has none, or is too crowded."""
    mdp, layout = solution.mdp, solution.mdp.layout
    _, ties = first_rule(solution)
    numbers = solution.numbers
    if layout is None:
        return None
    rows, columns = layout.rows, layout.columns
    marks = [[_floor(layout.background[r][c]) for c in range(columns)] for r in range(rows)]
    shown = [[_floor(layout.background[r][c]) for c in range(columns)] for r in range(rows)]
    crowded = len({tuple(cell) for cell in layout.cell.tolist() if cell[0] >= 0}) < int(
        (layout.cell[:, 0] >= 0).sum()
    )
    if crowded:
        return None
    for s, (r, c) in enumerate(layout.cell.tolist()):
        if r >= 0:
            if not mdp.terminal[s]:
                marks[r][c] = "".join(layout.arrows[a] for a in ties[s])
                shown[r][c] = f"{numbers[s]:.4g}"
            elif layout.background[r][c] == " ":
                marks[r][c] = shown[r][c] = "."
    return f"{_grid(marks, layout.row_labels)}\n\n{_grid(shown, layout.row_labels)}"


def _floor(letter: str) -> str:
    return "" if letter in " ∅" else letter


def _grid(cells: list[list[str]], labels: tuple[str, ...]) -> str:
    widths = [max(3, *(len(row[c]) for row in cells)) for c in range(len(cells[0]))]
    margin = max((len(label) for label in labels), default=0)
    lines = []
    for r, row in enumerate(cells):
        caption = f"{labels[r]:>{margin}} " if labels else ""
        lines.append(caption + " ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)))
    return "\n".join(line.rstrip() for line in lines)


def table(solution: SolutionRecord) -> str:
    """State by state, by name: the number, its certified bounds, the best actions; cut after `MOST_ROWS`."""
    mdp = solution.mdp
    _, ties = first_rule(solution)
    names = [str(mdp.decode(s)) for s in range(min(mdp.num_states, MOST_ROWS))]
    wide = max(5, *(len(name) for name in names))
    what = "gain" if solution.gain is not None else "value"
    lines = [f"{'state':<{wide}}  {what:>14}  {'lower':>16}  {'upper':>16}  best actions"]
    for s, name in enumerate(names):
        best = "end" if mdp.terminal[s] else ", ".join(mdp.action_name(a) for a in ties[s])
        number, low, high = solution.numbers[s], solution.lower[s], solution.upper[s]
        lines.append(f"{name:<{wide}}  {number:>14.8g}  {low:>16.12g}  {high:>16.12g}  {best}")
    if mdp.num_states > len(names):
        lines.append(f"... and {mdp.num_states - len(names)} states more")
    return "\n".join(lines)


def html(solution: SolutionRecord) -> str:
    """A table with one cell a place, shaded by value; colours follow the reader's light or dark page."""
    mdp, layout = solution.mdp, solution.mdp.layout
    title = escape(headline(solution))
    placed = [] if layout is None else [tuple(cell) for cell in layout.cell.tolist() if cell[0] >= 0]
    if layout is None or len(set(placed)) < len(placed):
        return f"<figure><figcaption>{title}</figcaption><pre>{escape(table(solution))}</pre></figure>"
    _, ties = first_rule(solution)
    numbers = solution.numbers
    live = [s for s in range(mdp.num_states) if not mdp.terminal[s] and np.isfinite(numbers[s])]
    low = min((float(numbers[s]) for s in live), default=0.0)
    span = max((float(numbers[s]) for s in live), default=0.0) - low
    state_at = {tuple(cell): s for s, cell in enumerate(layout.cell.tolist()) if cell[0] >= 0}
    lines = []
    for r in range(layout.rows):
        cells = []
        for c in range(layout.columns):
            letter = layout.background[r][c]
            s = state_at.get((r, c))
            if letter == "∅":
                cells.append("<td></td>")
                continue
            if s is None or mdp.terminal[s]:
                shade = 45 if letter == "#" else 0
                cells.append(_cell(escape(letter), "", f"rgba(128,128,128,{shade / 100:g})", ""))
                continue
            share = (float(numbers[s]) - low) / span if span > 0 and np.isfinite(numbers[s]) else 0.0
            arrows = escape("".join(layout.arrows[a] for a in ties[s]))
            tip = escape(f"{mdp.decode(s)}: {numbers[s]:.10g}", quote=True)
            cells.append(_cell(arrows, f"{numbers[s]:.3g}", f"rgba(46,139,87,{0.05 + 0.5 * share:.2f})", tip))
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<table style="border-collapse:collapse;color:inherit">{"".join(lines)}</table></figure>'
    )


def _cell(mark: str, number: str, shade: str, tip: str) -> str:
    style = "border:1px solid rgba(128,128,128,.4);width:3.2em;height:3.2em;padding:2px;text-align:center"
    return (
        f'<td title="{tip}" style="{style};background:{shade};color:inherit">'
        f"<b>{mark}</b><br><small>{number}</small></td>"
    )
