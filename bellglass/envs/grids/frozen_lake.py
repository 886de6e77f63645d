"""FrozenLake: cross the ice to the goal; the holes end the episode, and the ice decides where a step goes.

    4x4    S . . .      action a moves in its own direction with probability success_rate,
           . H . H      and in each perpendicular one with (1 - success_rate) / 2
           . . . H      entering G pays 1, everything else 0; G and H end the episode
           H . . G      actions: 0 left, 1 down, 2 right, 3 up

Without a discount and without a time limit the 4x4 lake is
worth 14/17 from the start (a solver's answer: no closed form for other maps); `gymnasium.make` cuts episodes
after 100 steps, and within those the best is .74419.

Gymnasium, FrozenLake-v1, outcome for outcome.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Literal, Unpack

import numpy as np

from ..keywords import flag, one_of, real
from ..mdp import Layout, TabularMDP
from ..mdp.memory_limit import require_memory
from ..tabular import EnvSettings, TabularEnv
from .drawings import begun
from .moves import ARROWS, MOVES, NAMES, Cell, cells_of, neighbour, placed

MAPS = {
    "4x4": ("SFFF", "FHFH", "FFFH", "HFFG"),
    "8x8": (
        "SFFFFFFF",
        "FFFFFFFF",
        "FFFHFFFF",
        "FFFFFHFF",
        "FFFHFFFF",
        "FHHFFFHF",
        "FHFFHFHF",
        "FFFHFFFG",
    ),
}

#: Our four moves in Gymnasium's order, counter-clockwise: left, down, right, up.
ORDER = (3, 2, 1, 0)


def frozen_lake(desc: Sequence[str], *, is_slippery: bool, success_rate: float) -> TabularMDP:
    """The table: one state a cell of `desc`, row by row.

    Args:
        desc: rows of S (start), F (frozen), H (hole) and G (goal); several starts are equally likely.
        is_slippery: whether steps slip at all.
        success_rate: chance in [0, 1] of moving as intended; ignored where nothing slips.
    """
    _check_map(desc)
    num_cells = len(desc) * len(desc[0])
    require_memory((3600 if is_slippery else 2000) * num_cells, f"a map of {num_cells} cells")
    cells = cells_of(len(desc), len(desc[0]))
    letters = "".join(desc)
    to_side = (1.0 - success_rate) / 2.0
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s, cell in enumerate(cells):
        P[s] = {}
        for a in range(4):
            if letters[s] in "GH":
                P[s][a] = [(1.0, s, 0.0, True)]
                continue
            directions = [((a - 1) % 4, to_side), (a, success_rate), ((a + 1) % 4, to_side)]
            P[s][a] = []
            for b, p in directions if is_slippery else [(a, 1.0)]:
                row, column = neighbour(cell, MOVES[ORDER[b]], len(desc), len(desc[0]))
                entered = desc[row][column]
                P[s][a].append((p, row * len(desc[0]) + column, float(entered == "G"), entered in "GH"))
    starts = np.array([letter == "S" for letter in letters], dtype=np.float64)
    mdp = TabularMDP.from_P(
        P,
        initial=starts / starts.sum(),
        state_labels=cells,
        action_labels=[NAMES[move] for move in ORDER],
        layout=Layout(
            background=tuple(row.replace("F", " ") for row in desc),
            cell=placed(cells),
            arrows=tuple(ARROWS[move] for move in ORDER),
        ),
    )
    return mdp


def _check_map(desc: Sequence[str]) -> None:
    rows = desc if isinstance(desc, Sequence) and not isinstance(desc, str) else ()
    if not rows or not all(isinstance(row, str) and row for row in rows):
        raise ValueError(f"desc must be a list of rows such as ['SF', 'HG'], got {repr(desc)[:100]}")
    lengths = [len(row) for row in desc]
    if len(set(lengths)) > 1:
        row = next(row for row, length in enumerate(lengths) if length != lengths[0])
        raise ValueError(
            f"row {row} of desc has {lengths[row]} columns, row 0 has {lengths[0]}: {begun(desc[row])}"
        )
    unknown = sorted(set("".join(desc)) - set("SFHG"))
    if unknown:
        raise ValueError(f"desc may use S, F, H and G only, got {', '.join(map(repr, unknown))}")
    if "S" not in "".join(desc):
        raise ValueError(
            f"desc needs a start S: none of its {len(desc)} rows has one, the first is {begun(desc[0])}"
        )


def goals_out_of_reach(desc: Sequence[str]) -> list[Cell]:
    """The cells G to which nobody can walk from any S around holes and other goals."""
    cells = cells_of(len(desc), len(desc[0]))
    frontier = [(r, c) for r, c in cells if desc[r][c] == "S"]
    reached = set(frontier)
    while frontier:
        cell = frontier.pop()
        if desc[cell[0]][cell[1]] not in "GH":
            new = {neighbour(cell, move, len(desc), len(desc[0])) for move in MOVES} - reached
            reached |= new
            frontier.extend(new)
    return [(r, c) for r, c in cells if desc[r][c] == "G" and (r, c) not in reached]


def warn_of_goals(desc: Sequence[str]) -> None:
    """Says which goals are out of reach, and if none is in reach."""
    number, lost = sum(row.count("G") for row in desc), goals_out_of_reach(desc)
    if not number:
        told = "desc has no goal G"
    elif lost:
        told = f"the goal at row {lost[0][0]}, column {lost[0][1]} of desc cannot be reached from any start"
        told += f", nor can {len(lost) - 1} others" if len(lost) > 1 else ""
    else:
        return
    warnings.warn(told + (": every policy is worth 0" if len(lost) == number else ""), stacklevel=3)


class FrozenLake(TabularEnv):
    """Cross the ice to the goal.

    Args:
        map_name: "4x4" or "8x8".
        desc: rows of S, F, H and G that take the place of the named map.
        is_slippery: whether steps slip.
        success_rate: chance in [0, 1] that a slippery step goes where it was meant to.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        map_name: Literal["4x4", "8x8"] = "4x4",
        desc: Sequence[str] | None = None,
        is_slippery: bool = True,
        success_rate: float = 1.0 / 3.0,
        **settings: Unpack[EnvSettings],
    ) -> None:
        rows: Sequence[str] = MAPS[one_of("map_name", map_name, tuple(MAPS))] if desc is None else desc
        mdp = frozen_lake(
            rows,
            is_slippery=flag("is_slippery", is_slippery),
            success_rate=real("success_rate", success_rate, 0.0, 1.0),
        )
        warn_of_goals(rows)
        super().__init__(mdp, **settings)
