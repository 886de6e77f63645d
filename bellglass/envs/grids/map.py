"""Map: any grid that can be drawn with letters, by yourself, in a text or in a file.

    ###############
    #S...#..~~~~..#      #  wall        S  start (several: each equally likely)
    #....#..~H~~..#      .  floor       G  goal, ends the episode, pays 1
    #.a..#..~~~~..#      ~  ice         H  pit, ends the episode, pays -1
    #..........##.#      ^ > v <  wind
    #######v#####.#      a a  a portal: who steps into one end comes out at the other
    #....<<<<<....#
    #.H.a.......H.#      actions: 0 up, 1 right, 2 down, 3 left
    #.............#
    #......#.....G#
    ###############

A step has three parts.
    Move: one cell in the direction of the action with probability 1 - q, to each side of it with q / 2, where q is
        `slip`, or `ice_slip` for who stands on ice.  Walls and the edge stop it.
    Wind: who stood in the wind is then blown one more cell in its direction, with probability `wind`; walls stop it.
        Only the cell in which all this ends counts.
    Portal: if that is one end of a portal, and not the cell where the step began, it leads to the other end.
A step that ends in a new cell pays the reward of that cell's letter (a portal's: the letter entered) or, if it has
none, `step_reward`; so does a step that ends where it began.  A letter of `ends` ends the episode.

States are the cells that are no wall, row by row.  There is no closed form for all maps; the solver's certificate
stands behind the values.  Nothing is remembered: a reward that ends nothing is paid each time its cell is entered.

A world of your own.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Unpack

import numpy as np
import numpy.typing as npt

from ..keywords import real
from ..mdp import BoolArray, FloatArray, IntArray, Layout, TabularMDP
from ..mdp.memory_limit import require_memory
from ..mdp.outcomes import sorted_outcomes
from ..tabular import EnvSettings, TabularEnv
from .drawings import SYNONYMS, WINDS, checked_letters, is_portal, portals, rows_of
from .moves import ARROWS, MOVES, NAMES

#: The map that is drawn above.
DEFAULT = (
    "###############",
    "#S...#..~~~~..#",
    "#....#..~H~~..#",
    "#.a..#..~~~~..#",
    "#..........##.#",
    "#######v#####.#",
    "#....<<<<<....#",
    "#.H.a.......H.#",
    "#.............#",
    "#......#.....G#",
    "###############",
)

#: What entering a letter pays, if nobody says otherwise.
REWARDS = {"G": 1.0, "H": -1.0}

#: Bytes that a free cell takes while the table is made: 24 outcomes at most, each in columns and their copies.
BYTES_PER_CELL = 24 * 150 + 300


def drawn_map(
    rows: Sequence[str],
    *,
    rewards: Mapping[str, float],
    ends: str,
    step_reward: float,
    slip: float,
    ice_slip: float,
    wind: float,
) -> TabularMDP:
    """The table: the cells that are no wall, row by row.

    Args:
        rows: the map.
        rewards: what entering a letter pays.
        ends: letters that end the episode.
        step_reward: what every other step pays.
        slip: chance of slipping to a side.
        ice_slip: the same on ice.
        wind: chance that the wind blows.
    """
    letters = checked_letters(rows, {*rewards, *ends})
    free = letters != "#"
    letter = letters[free]
    num_cells = len(letter)
    require_memory(BYTES_PER_CELL * num_cells, f"a map of {num_cells} free cells")
    next_cell = neighbours(free)
    partner = np.arange(num_cells)
    number = np.cumsum(free).reshape(free.shape) - 1
    for one, other in portals(rows).values():
        partner[[number[one], number[other]]] = number[other], number[one]

    s = np.flatnonzero(~np.isin(letter, list(ends)))
    slips = np.where(letter[s] == "~", ice_slip, slip)
    paid = np.full(num_cells, step_reward)
    for mark, reward in rewards.items():
        paid[letter == mark] = reward
    columns: list[tuple[IntArray, FloatArray, IntArray, FloatArray]] = []
    for a in range(4):
        for move, p in ((a, 1.0 - slips), ((a - 1) % 4, slips / 2), ((a + 1) % 4, slips / 2)):
            moved = next_cell[move, s]
            for blown, chance in gusts(letter[s], moved, next_cell, wind):
                entered = blown != s
                columns.append(
                    (
                        4 * s + a,
                        p * chance,
                        np.where(entered, partner[blown], blown),
                        np.where(entered, paid[blown], step_reward),
                    )
                )
    pair, probability, next_state, reward_paid = (
        np.concatenate(column) for column in zip(*columns, strict=True)
    )
    starts = letter == "S"
    cells = np.argwhere(free)
    return TabularMDP(
        **sorted_outcomes(
            4 * num_cells,
            pair=pair,
            probability=probability,
            next_state=next_state,
            reward=reward_paid,
            terminated=np.isin(letter, list(ends))[next_state],
        ),
        initial=starts / starts.sum(),
        state_labels=[(row, column) for row, column in cells.tolist()],
        action_labels=NAMES,
        layout=Layout(background=tuple(map(painted, rows)), cell=cells, arrows=ARROWS),
    )


def neighbours(free: BoolArray) -> IntArray:
    """[4, S] the cell one move on; the same cell where a wall or the edge is in the way."""
    number = np.where(free, np.cumsum(free).reshape(free.shape) - 1, -1)
    walled = np.pad(number, 1, constant_values=-1)
    rows, columns = free.shape
    ahead = [walled[1 + dr : 1 + dr + rows, 1 + dc : 1 + dc + columns][free] for dr, dc in MOVES]
    found: IntArray = np.where(np.array(ahead) < 0, number[free], ahead)
    return found


def gusts(
    letter: npt.NDArray[np.str_], moved: IntArray, next_cell: IntArray, wind: float
) -> list[tuple[IntArray, FloatArray]]:
    """(cell, chance) of where the wind of the letters leaves who has moved there."""
    blown, windy = moved.copy(), np.zeros(len(letter), dtype=np.bool_)
    for direction, mark in enumerate(WINDS):
        here = letter == mark
        windy |= here
        blown[here] = next_cell[direction, moved[here]]
    return [(blown, np.where(windy, wind, 0.0)), (moved, np.where(windy, 1.0 - wind, 1.0))]


def painted(row: str) -> str:
    """The row as a layout shows it: blank floor, arrows for winds, letters in rings for portals."""
    shown = {".": " "} | dict(zip(WINDS, ARROWS, strict=True))
    return "".join(chr(ord("ⓐ") + ord(x) - ord("a")) if is_portal(x) else shown.get(x, x) for x in row)


def goals_out_of_reach(mdp: TabularMDP, rows: Sequence[str]) -> list[tuple[int, int]]:
    """The cells G that no policy reaches from any start."""
    reached = mdp.initial > 0
    frontier = np.flatnonzero(reached)
    while len(frontier):
        first, last = mdp.first_outcome[4 * frontier], mdp.first_outcome[4 * frontier + 4]
        lengths = last - first
        rank = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        entered = np.unique(mdp.next_state[np.repeat(first, lengths) + rank])
        frontier = entered[~reached[entered]].astype(np.int64)
        reached[frontier] = True
    goals = [(r, c) for r, row in enumerate(rows) for c, letter in enumerate(row) if letter == "G"]
    return [cell for cell in goals if not reached[mdp.encode(cell)]]


def checked_rewards(rewards: object) -> dict[str, float]:
    """The given rewards of letters, on top of those of goals and pits.

    Raises:
        TypeError: no dictionary of letters and numbers.
        ValueError: a wall, or more than a letter; a reward that is not finite.
    """
    if rewards is not None and not isinstance(rewards, Mapping):
        raise TypeError(f"rewards must be a dictionary such as {{'G': 1.0}}, got {rewards!r}")
    found = dict(REWARDS)
    for mark, reward in (rewards or {}).items():
        if not isinstance(mark, str) or len(mark) != 1 or mark == "#":
            raise ValueError(f"rewards must be keyed by letters of the map other than #, got {mark!r}")
        found[mark.translate(SYNONYMS)] = real(f"rewards[{mark!r}]", reward)
    return found


def checked_ends(ends: object) -> str:
    """The letters that end the episode.

    Raises:
        TypeError: no text.
        ValueError: a wall, a start or a portal among them.
    """
    if not isinstance(ends, str):
        raise TypeError(f"ends must be a text of letters such as 'GH', got {ends!r}")
    wrong = [x for x in ends if x in "#S" or is_portal(x)]
    if wrong:
        raise ValueError(f"ends may name any letters but #, S and portals, got {wrong[0]!r}")
    return ends.translate(SYNONYMS)


class Map(TabularEnv):
    """Walk on a map of your own.

    Args:
        drawing: the map, as one text or as a list of rows; None: the one in `path`, or else the default map.
        path: name of a text file (UTF-8) with the map.
        rewards: what entering a letter pays, on top of {"G": 1, "H": -1}; a letter that means nothing else is floor.
        ends: letters that end the episode.
        step_reward: what every other step pays.
        slip: chance in [0, 1] of slipping to a side.
        ice_slip: chance in [0, 1] of slipping to a side on ice.
        wind: chance in [0, 1] that the wind blows.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        drawing: str | Sequence[str] | None = None,
        path: str | None = None,
        rewards: Mapping[str, float] | None = None,
        ends: str = "GH",
        step_reward: float = -0.01,
        slip: float = 0.0,
        ice_slip: float = 2.0 / 3.0,
        wind: float = 1.0,
        **settings: Unpack[EnvSettings],
    ) -> None:
        rows = rows_of(drawing, path, DEFAULT)
        mdp = drawn_map(
            rows,
            rewards=checked_rewards(rewards),
            ends=checked_ends(ends),
            step_reward=real("step_reward", step_reward),
            slip=real("slip", slip, 0.0, 1.0),
            ice_slip=real("ice_slip", ice_slip, 0.0, 1.0),
            wind=real("wind", wind, 0.0, 1.0),
        )
        lost = goals_out_of_reach(mdp, rows)
        if lost:
            warnings.warn(
                f"the goal at row {lost[0][0]}, column {lost[0][1]} of the map cannot be reached from any start"
                + (f", nor can {len(lost) - 1} others" if len(lost) > 1 else ""),
                stacklevel=2,
            )
        super().__init__(mdp, **settings)
