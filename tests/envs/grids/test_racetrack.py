"""Racetrack: what a step does, told again in fractions, and the shortest ways."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from functools import cache
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.grids.racetrack import INCREMENTS, TRACKS, crossed
from bellglass.envs.mdp import TabularMDP

HALF = Fraction(1, 2)


def race(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/Racetrack-v0", **keywords))


def letter(track: str, row: int, column: int) -> str:
    drawing = TRACKS[track]
    return drawing[row][column] if 0 <= row < len(drawing) and 0 <= column < len(drawing[0]) else "#"


def runs_through(up: int, right: int, cell: tuple[int, int]) -> tuple[Fraction, Fraction] | None:
    """When a car of that velocity is inside the cell: an open interval of times, or None."""
    enters, leaves = Fraction(0), Fraction(1)
    for speed, place in zip((up, right), cell, strict=True):
        if speed == 0:
            if place != 0:
                return None
            continue
        enters = max(enters, (place - HALF) / speed)
        leaves = min(leaves, (place + HALF) / speed)
    return (enters, leaves) if enters < leaves else None


@cache
def path(up: int, right: int) -> list[tuple[int, int]]:
    """The cells that a car of that velocity is inside of, in order."""
    cells = [(i, j) for i in range(up + 1) for j in range(right + 1) if (i, j) != (0, 0)]
    timed = [(times, cell) for cell in cells if (times := runs_through(up, right, cell)) is not None]
    return [cell for _, cell in sorted(timed)]


@cache
def drive(track: str, state: tuple[int, int, int, int], increments: tuple[int, int]) -> Any:
    """The next state, "finish", or None for a crash."""
    row, column, *speeds = state
    up, right = (min(max(v + dv, 0), 4) for v, dv in zip(speeds, increments, strict=True))
    if (up, right) == (0, 0) and letter(track, row, column) != "S":
        up, right = speeds
    for i, j in path(up, right):
        found = letter(track, row - i, column + j)
        if found in "#G":
            return "finish" if found == "G" else None
    return row - up, column + right, up, right


@pytest.mark.parametrize(("track", "starts"), [("left", 6), ("right", 23)])
def test_a_step_does_what_the_rules_say(track: str, starts: int) -> None:
    mdp = race(track=track, noise=0.25)
    first = [mdp.decode(int(s)) for s in np.flatnonzero(mdp.initial)]
    assert len(first) == starts
    rng = np.random.default_rng(0)
    for s in [*np.flatnonzero(mdp.initial)[:2], *rng.integers(mdp.num_states - 1, size=60)]:
        state: Any = mdp.decode(int(s))
        for a, increments in enumerate(INCREMENTS):
            expected: dict[Any, float] = defaultdict(float)
            for p, way in ((0.75, increments), (0.25, (0, 0))):
                reached = drive(track, state, way)
                for label in first if reached is None else [reached]:
                    expected[label] += p / (starts if reached is None else 1)
            found: dict[Any, float] = defaultdict(float)
            for p, next_s, reward, ended in mdp.P[int(s)][a]:
                found[mdp.decode(next_s)] += p
                assert (reward, ended) == (-1.0, mdp.decode(next_s) == "finish")
            assert found == pytest.approx(expected)


def test_a_corner_is_not_crossed_and_a_slanted_path_crosses_its_neighbours() -> None:
    assert crossed(2, 2) == [(1, 1), (2, 2)]
    assert crossed(0, 3) == [(0, 1), (0, 2), (0, 3)]
    assert crossed(3, 1) == [(1, 0), (2, 1), (3, 1)]
    assert crossed(2, 1) == [(1, 0), (1, 1), (2, 1)]
    assert crossed(0, 0) == []


def test_the_tracks_are_those_of_figure_5_5() -> None:
    for track, rows, columns, finish in (("left", 32, 17, 6), ("right", 30, 32, 9)):
        drawing = TRACKS[track]
        assert [len(row) for row in drawing] == [columns] * rows
        assert [row for row in range(rows) if "G" in drawing[row]] == list(range(finish))
        assert all(row.count("G") <= 1 for row in drawing)
        assert [row for row in range(rows) if "S" in drawing[row]] == [rows - 1]


def fewest_steps(track: str, start: tuple[int, int, int, int], aim: Any) -> int:
    frontier: set[Any] = {start}
    seen: set[Any] = {None, "finish"}
    steps = 0
    while aim not in frontier:
        seen |= frontier
        reached = {drive(track, state, way) for state in frontier for way in INCREMENTS}
        frontier = (reached - seen) | ({aim} & reached)
        steps += 1
    return steps


@pytest.mark.parametrize("track", ["left", "right"])
def test_without_noise_one_drives_the_shortest_way_or_crashes_for_a_better_start(track: str) -> None:
    mdp = race(track=track, noise=0.0)
    starts = np.flatnonzero(mdp.initial)
    labels: list[Any] = [mdp.decode(int(s)) for s in starts]
    to_finish = np.array([fewest_steps(track, label, "finish") for label in labels])
    to_crash = np.array([fewest_steps(track, label, None) for label in labels])
    expected = -to_finish.astype(float)
    for _ in range(200):
        expected = np.maximum(-to_finish, expected.mean() - to_crash)
    values = np.asarray(bellglass.solve(mdp, criterion="total").values)
    assert values[starts] == pytest.approx(expected, abs=1e-6)


def test_only_noise_never_leaves_the_start_line() -> None:
    mdp = race(noise=1.0)
    assert mdp.num_states == 6 + 1
    assert (mdp.next_state == mdp.row_of_outcome // 9).all()


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [({"track": "oval"}, "'left', 'right', got 'oval'"), ({"noise": 2}, r"noise must be in \[0, 1\], got 2")],
)
def test_settings_out_of_range_are_refused(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        race(**keywords)
