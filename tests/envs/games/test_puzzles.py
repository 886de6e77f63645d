"""Hanoi and SlidingPuzzle: moves by hand, depths by breadth-first search, and sizes."""

from __future__ import annotations

from collections import deque
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.games.hanoi import fewest_moves
from bellglass.envs.games.sliding_puzzle import permutations
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.mdp.memory_limit import TableTooLarge


def hanoi(**keywords: Any) -> TabularMDP:
    return bellglass.table_of(gym.make("bellglass/Hanoi-v0", **keywords))


def puzzle(**keywords: Any) -> TabularMDP:
    return bellglass.table_of(gym.make("bellglass/SlidingPuzzle-v0", **keywords))


def next_label(mdp: TabularMDP, label: Any, action: int) -> Any:
    ((p, next_s, reward, _),) = mdp.P[mdp.encode(label)][action]
    assert (p, reward) == (1.0, -1.0)
    return mdp.decode(next_s)


def test_only_the_top_disc_moves_and_never_upon_a_smaller_one() -> None:
    mdp = hanoi(n=2)  # labels: peg of the large disc, peg of the small one
    assert [next_label(mdp, (0, 0), a) for a in range(6)] == [(0, 1), (0, 2), (0, 0), (0, 0), (0, 0), (0, 0)]
    moves = [next_label(mdp, (0, 1), a) for a in range(6)]
    assert moves == [(0, 1), (2, 1), (0, 0), (0, 2), (0, 1), (0, 1)]
    assert mdp.P[mdp.encode((2, 1))][3] == [(1.0, 8, -1.0, True)]
    assert (mdp.num_states, mdp.initial[0], mdp.terminal.tolist()) == (9, 1.0, [False] * 8 + [True])


@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_a_tower_takes_two_to_the_n_moves_less_one(n: int) -> None:
    mdp = hanoi(n=n)
    assert mdp.num_states == 3**n
    assert bellglass.solve(mdp, criterion="total").start_value == pytest.approx(-fewest_moves(n), abs=1e-6)


def test_the_blank_moves_and_stops_at_the_edge() -> None:
    mdp = puzzle()
    here = (1, 2, 3, 4, 0, 5)
    assert [next_label(mdp, here, a) for a in range(4)] == [
        (1, 0, 3, 4, 2, 5),
        here,
        (1, 2, 3, 0, 4, 5),
        (1, 2, 3, 4, 5, 0),
    ]
    solved = mdp.encode((1, 2, 3, 4, 5, 0))
    assert np.flatnonzero(mdp.terminal).tolist() == [solved]
    assert mdp.P[mdp.encode(here)][3] == [(1.0, solved, -1.0, True)]
    assert mdp.initial[solved] == 0.0
    assert set(np.delete(mdp.initial, solved)) == {1 / 359}


def depths(mdp: TabularMDP, solved: int) -> dict[int, int]:
    """Moves to the solved arrangement, backwards from it."""
    before: dict[int, list[int]] = {}
    for s in range(mdp.num_states):
        for a in range(4):
            if s != solved:
                before.setdefault(mdp.P[s][a][0][1], []).append(s)
    found, queue = {solved: 0}, deque([solved])
    while queue:
        s = queue.popleft()
        for other in before.get(s, []):
            if other not in found:
                found[other] = found[s] + 1
                queue.append(other)
    return found


@pytest.mark.parametrize(
    ("rows", "cols", "states", "deepest"), [(2, 2, 12, 6), (2, 3, 360, 21), (3, 2, 360, 21)]
)
def test_every_state_can_be_solved_in_its_depth(rows: int, cols: int, states: int, deepest: int) -> None:
    mdp = puzzle(rows=rows, cols=cols)
    assert mdp.num_states == states
    found = depths(mdp, int(np.flatnonzero(mdp.terminal)[0]))
    assert len(found) == states
    assert max(found.values()) == deepest
    values = bellglass.solve(mdp, criterion="total").values
    assert values == pytest.approx([-found[s] for s in range(states)], abs=1e-6)


def test_the_eight_puzzle_has_half_of_nine_factorial_states() -> None:
    assert puzzle(rows=3, cols=3).num_states == 181_440


def test_arrangements_are_in_order_and_complete() -> None:
    rows = [tuple(row) for row in permutations(4).tolist()]
    assert rows == sorted(set(rows))
    assert len(rows) == 24


def test_what_does_not_fit_is_refused_with_its_size() -> None:
    with pytest.raises(TableTooLarge, match="GiB of memory"):
        puzzle(rows=4, cols=4)
    with pytest.raises(TableTooLarge, match="GiB of memory"):
        hanoi(n=25)


@pytest.mark.parametrize(
    ("make", "keywords", "error", "problem"),
    [
        (hanoi, {"n": 0}, ValueError, "n must be at least 1, got 0"),
        (hanoi, {"n": 2.5}, TypeError, "n must be a whole number at least 1, got 2.5"),
        (puzzle, {"rows": 1}, ValueError, "rows must be at least 2, got 1"),
        (puzzle, {"cols": True}, TypeError, "cols must be a whole number at least 2, got True"),
    ],
)
def test_settings_out_of_range_are_refused(
    make: Any, keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        make(**keywords)
