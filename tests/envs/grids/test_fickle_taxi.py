"""FickleTaxi: who decides when, Gymnasium's own passenger, and what its P is blind to."""

from __future__ import annotations

from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.grids.taxi import DROP_OFF, EAST, NORTH, PICK_UP, SOUTH, WEST, encode
from bellglass.envs.mdp import TabularMDP

R, G, Y, B, RIDES = range(5)


def town(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/FickleTaxi-v0", **keywords))


def test_the_first_move_with_the_passenger_decides_and_no_other_one_does() -> None:
    mdp = town(fickle_probability=0.6)
    riding = encode(2, 2, RIDES, G)
    assert mdp.P[riding][EAST] == [
        (0.4, 500 + encode(2, 3, RIDES, G), -1.0, False),
        (pytest.approx(0.2), 500 + encode(2, 3, RIDES, R), -1.0, False),
        (pytest.approx(0.2), 500 + encode(2, 3, RIDES, Y), -1.0, False),
        (pytest.approx(0.2), 500 + encode(2, 3, RIDES, B), -1.0, False),
    ]
    assert mdp.P[500 + riding][EAST] == [(1.0, 500 + encode(2, 3, RIDES, G), -1.0, False)]
    blocked = encode(0, 1, RIDES, G)
    assert mdp.P[blocked][EAST] == [(1.0, blocked, -1.0, False)]  # a wall: no move yet
    waiting = encode(2, 2, Y, G)
    assert mdp.P[waiting][WEST] == [(1.0, encode(2, 1, Y, G), -1.0, False)]
    assert mdp.P[encode(4, 0, Y, G)][PICK_UP] == [(1.0, encode(4, 0, RIDES, G), -1.0, False)]
    assert mdp.P[encode(4, 0, RIDES, G)][DROP_OFF] == [(1.0, encode(4, 0, Y, G), -1.0, False)]
    assert mdp.P[500 + encode(0, 4, RIDES, G)][DROP_OFF] == [(1.0, 500 + encode(0, 4, G, G), 20.0, True)]
    assert (mdp.initial[:500] > 0).sum() == 300
    assert mdp.initial[500:].sum() == 0
    assert mdp.encode((3, 1, Y, R, 1)) == 500 + encode(3, 1, Y, R)


def test_rain_that_moves_nobody_decides_nothing() -> None:
    mdp = town(is_rainy=True, rainy_probability=0.6, fickle_probability=1.0)
    rows = mdp.P[encode(0, 1, RIDES, G)][SOUTH]  # on, left is a wall, right is open
    stays = [row for row in rows if row[1] == encode(0, 1, RIDES, G)]
    assert [row[0] for row in stays] == pytest.approx([0.2])
    moved = [row for row in rows if row[1] >= 500]
    assert sum(row[0] for row in moved) == pytest.approx(0.8)
    assert {(row[1] - 500) % 4 for row in moved} == {R, Y, B}
    assert town(is_rainy=True).P[encode(0, 1, RIDES, G)][NORTH][0][1] == encode(0, 1, RIDES, G)


@pytest.mark.parametrize("is_rainy", [False, True])
def test_without_a_fickle_passenger_it_is_taxi(is_rainy: bool) -> None:
    plain = table_of(gym.make("bellglass/Taxi-v0", is_rainy=is_rainy))
    assert town(is_rainy=is_rainy, fickle_passenger=False).fingerprint == plain.fingerprint
    never = bellglass.solve(town(is_rainy=is_rainy, fickle_probability=0.0), criterion="total")
    best = bellglass.solve(plain, criterion="total")
    assert never.start_value == pytest.approx(best.start_value, abs=1e-8)


def test_gymnasiums_passenger_decides_as_often() -> None:
    theirs: Any = gym.make("Taxi-v4", fickle_passenger=True, fickle_probability=0.4).unwrapped
    ours = town(fickle_probability=0.4)
    seen: Counter[tuple[int, int]] = Counter()
    theirs.reset(seed=5)
    runs = 4000
    for _ in range(runs):
        theirs.reset()
        theirs.s = encode(0, 0, R, G)
        first = [theirs.step(action)[0] for action in (PICK_UP, NORTH, SOUTH, SOUTH)][2:]
        seen[first[0], first[1]] += 1
    chances: dict[tuple[int, int], float] = {}
    for p, middle, _, _ in ours.P[encode(0, 0, RIDES, G)][SOUTH]:
        ((_, last, _, _),) = ours.P[middle][SOUTH]
        chances[middle % 500, last % 500] = p
    assert set(seen) == set(chances)
    for pair, p in chances.items():
        assert abs(seen[pair] / runs - p) < 5 * np.sqrt(p * (1 - p) / runs)


def test_gymnasiums_table_is_not_its_game() -> None:
    blind: Any = gym.make("Taxi-v4", fickle_passenger=True).unwrapped
    believed = TabularMDP.from_P(blind.P, initial=blind.initial_state_distrib)
    assert bellglass.solve(believed, criterion="total").start_value == pytest.approx(7.93, abs=1e-9)
    assert bellglass.solve(town(), criterion="total").start_value == pytest.approx(8.38, abs=1e-9)


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"fickle_probability": 1.5}, ValueError, r"fickle_probability must be in \[0, 1\], got 1.5"),
        ({"rainy_probability": -1}, ValueError, r"rainy_probability must be in \[0, 1\], got -1"),
        ({"fickle_passenger": 0.3}, TypeError, "fickle_passenger must be True or False, got 0.3"),
    ],
)
def test_settings_out_of_range_are_refused(
    keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        town(**keywords)
