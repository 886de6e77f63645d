"""Taxi: rows by hand, and what a start is worth; test_tables compares it with Gymnasium's."""

from __future__ import annotations

import gymnasium as gym
import pytest
from helpers.bellman import after_backups

from bellglass.envs.grids.taxi import DROP_OFF, EAST, PICK_UP, SOUTH, encode, taxi
from bellglass.envs.grids.taxi_pictures import TaxiArtist, decode


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = taxi(is_rainy=False, rainy_probability=0.8)
    waiting = encode(0, 0, 0, 1)
    assert mdp.P[waiting][PICK_UP] == [(1.0, encode(0, 0, 4, 1), -1.0, False)]
    assert mdp.P[waiting][DROP_OFF] == [(1.0, waiting, -10.0, False)]
    assert mdp.P[encode(0, 1, 0, 1)][EAST] == [(1.0, encode(0, 1, 0, 1), -1.0, False)]  # a wall
    riding = encode(0, 4, 4, 1)
    assert mdp.P[riding][DROP_OFF] == [(1.0, encode(0, 4, 1, 1), 20.0, True)]
    assert mdp.P[riding][PICK_UP] == [(1.0, riding, -10.0, False)]
    assert mdp.P[encode(4, 0, 4, 1)][DROP_OFF] == [
        (1.0, encode(4, 0, 2, 1), -1.0, False)
    ]  # put down elsewhere
    assert (mdp.initial > 0).sum() == 300
    assert mdp.terminal.sum() == 4
    assert mdp.encode((3, 1, 2, 0)) == encode(3, 1, 2, 0) == 328


def test_rain_pushes_to_the_sides_but_not_through_walls() -> None:
    mdp = taxi(is_rainy=True, rainy_probability=0.6)
    rows = mdp.P[encode(0, 1, 0, 1)][SOUTH]
    assert [row[1] for row in rows] == [encode(*cell, 0, 1) for cell in ((1, 1), (0, 1), (0, 0))]
    assert [row[0] for row in rows] == pytest.approx([0.6, 0.2, 0.2])
    blocked = mdp.P[encode(4, 1, 0, 1)][SOUTH]
    assert {row[1] for row in blocked} == {encode(4, 1, 0, 1)}


def test_starts_are_worth_three_to_fifteen() -> None:
    mdp = taxi(is_rainy=False, rainy_probability=0.8)
    values = after_backups(mdp, 1.0, 60)[mdp.initial > 0]
    assert (values.min(), values.max()) == (3.0, 15.0)


def test_in_the_rain_a_start_is_worth_less() -> None:
    mdp = taxi(is_rainy=True, rainy_probability=0.8)
    assert mdp.initial @ after_backups(mdp, 1.0, 400) == pytest.approx(3.95457451655, abs=1e-8)


def test_of_500_states_404_can_be_reached() -> None:
    mdp = taxi(is_rainy=False, rainy_probability=0.8)
    known = mdp.initial > 0
    for _ in range(60):
        known[mdp.next_state[known[mdp.row_of_outcome // 6]]] = True
    assert known.sum() == 404


def test_a_picture_tells_all_four_numbers() -> None:
    artist = TaxiArtist()
    assert len({artist.picture(s).tobytes() for s in range(500)}) == 500
    assert len({artist.text(s) for s in range(500)}) == 500
    assert [encode(*decode(s)) for s in range(500)] == list(range(500))


def test_a_chance_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rainy_probability must be in \[0, 1\], got -1"):
        gym.make("bellglass/Taxi-v0", rainy_probability=-1)
