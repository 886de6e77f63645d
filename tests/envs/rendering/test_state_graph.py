"""Graphs of states: nothing lies upon anything else, and what must be seen is there."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from bellglass.envs.mdp import TabularMDP
from bellglass.envs.rendering.cells import AGENT
from bellglass.envs.rendering.graph_layout import Routes, bent, distances, loop, on_a_circle
from bellglass.envs.rendering.layout_artist import LayoutArtist
from bellglass.envs.rendering.state_graph import (
    ACTION_COLOURS,
    MOST_STATES,
    StateGraphArtist,
    arrows_of,
    default_artist,
    rows_of_legend,
    texts_on_discs,
)
from bellglass.envs.tables import table_of


def complete(num_states: int, num_actions: int = 1) -> TabularMDP:
    """From each state each action leads to every state."""
    transition = np.full((num_states, num_actions, num_states), 1.0 / num_states)
    return TabularMDP.from_arrays(
        transition, np.zeros(num_states), initial=np.eye(1, num_states)[0], state_labels=range(num_states)
    )


def has(image: Any, colour: tuple[int, int, int]) -> bool:
    return bool((image == colour).all(axis=-1).any())


@pytest.mark.parametrize("n", range(2, MOST_STATES + 1))
def test_discs_keep_apart(n: int) -> None:
    places, radius = on_a_circle(n)
    apart = distances(places, places) + np.diag(np.full(n, np.inf))
    assert apart.min() > 2.2 * radius
    assert radius > 10


@pytest.mark.parametrize("n", [2, 3, 4, 7, 13, 30, 40])
def test_no_arrow_runs_through_a_disc(n: int) -> None:
    """From disc 0, with a loop at every disc and an arrow to and from every other one."""
    places, radius = on_a_circle(n)
    arrows = [(0, t, "there") for t in range(1, n)] + [(s, 0, "back") for s in range(1, n)]
    for (source, target, _), way in zip(arrows, Routes(places, radius, [1] * n).of(arrows), strict=True):
        apart = distances(way, places) - radius
        assert apart.min() > 0
        others = np.delete(apart, [source, target], axis=1)
        assert others.min(initial=np.inf) > 2


def test_arrows_between_two_discs_take_different_ways() -> None:
    places, radius = on_a_circle(3)
    arrows = [(0, 1, a) for a in range(4)] + [(1, 0, a) for a in range(4)]
    middles = np.array([way[len(way) // 2] for way in Routes(places, radius, [0] * 3).of(arrows)])
    assert (distances(middles, middles) + np.diag(np.full(8, np.inf))).min() > 6


def test_a_lone_arrow_is_straight_and_bends_lie_to_the_right() -> None:
    places, radius = on_a_circle(2)  # from left to right
    (way,) = Routes(places, radius, [0, 0]).of([(0, 1, 0)])
    assert np.abs(way[:, 0]).max() < 1e-9
    assert bent(places[0], places[1], 10.0, radius)[:, 0].max() == pytest.approx(10.0, abs=0.1)  # downwards


def test_loops_lie_on_the_far_side_and_around_each_other() -> None:
    places, radius = on_a_circle(5)
    for place in places:
        first, second = (loop(place, radius, nth) for nth in (0, 1))
        middle = np.zeros((1, 2))
        assert distances(first, middle).max() > np.hypot(*place) + radius
        assert distances(second, middle).max() > distances(first, middle).max() + 5


def test_arrows_add_up_the_chances_of_each_action() -> None:
    P = {
        0: {
            0: [(0.25, 1, 1.0, False), (0.5, 1, 2.0, False), (0.25, 0, 0.0, False)],
            1: [(1.0, 0, 0.0, False)],
        }
    }
    P[1] = {0: [(1.0, 0, 0.0, False)]}
    mdp = TabularMDP.from_P(P, initial=[1, 0])
    assert set(arrows_of(mdp, True)) == {(0, 1, 0, 0.75), (0, 0, 0, 0.25), (0, 0, 1, 1.0), (1, 0, 0, 1.0)}
    assert set(arrows_of(mdp, False)) == {(0, 1, 0, 0.75), (0, 0, 0, 1.0), (1, 0, 0, 1.0)}


def test_names_are_as_large_as_fits_and_never_alike() -> None:
    assert texts_on_discs(["A", "B"], 50.0) == ([["A"], ["B"]], 4)
    assert texts_on_discs(["CLASS 1", "PUB"], 50.0) == ([["CLASS 1"], ["PUB"]], 3)
    assert texts_on_discs(["A LONG NAME", "PUB"], 50.0) == ([["A LONG", "NAME"], ["PUB"]], 3)
    assert texts_on_discs(["BREAKFAST", "LUNCH"], 16.0) == ([["BR."], ["LU."]], 2)
    assert texts_on_discs(["BREAKFAST 1", "BREAKFAST 2"], 16.0) == ([["0"], ["1"]], 4)
    assert texts_on_discs(["", "A"], 50.0)[0] == [["0"], ["1"]]


def test_a_legend_breaks_into_rows() -> None:
    names = ["go", "a longer name", "stay"]
    assert rows_of_legend(names, 10_000) == [list(enumerate(names))]
    assert [len(row) for row in rows_of_legend(names, 200)] == [1, 1, 1]
    assert rows_of_legend([], 100) == []


@pytest.mark.parametrize(("num_states", "num_actions"), [(1, 1), (2, 3), (13, 2), (30, 2), (40, 9)])
def test_a_picture_has_even_sides_and_shows_the_current_state(num_states: int, num_actions: int) -> None:
    artist = StateGraphArtist(complete(num_states, num_actions))
    pictures = [artist.picture(s) for s in range(min(num_states, 5))]
    assert all(picture.shape == pictures[0].shape for picture in pictures)
    assert pictures[0].shape[0] % 2 == pictures[0].shape[1] % 2 == 0
    assert all(has(picture, AGENT) for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)


def test_only_the_current_states_arrows_are_vivid() -> None:
    artist = default_artist(table_of(gym.make("bellglass/PutermanTwoState-v0")))
    taking_the_money = ACTION_COLOURS[1]
    first, second = artist.picture(0)[:130], artist.picture(1)[:130]  # without the legend
    assert has(first, taking_the_money)
    assert not has(second, taking_the_money)


def test_the_text_tells_what_each_action_may_do() -> None:
    artist = default_artist(table_of(gym.make("bellglass/RacingCar-v0")))
    assert artist.text(1).splitlines() == [
        "[warm]",
        "  slow:  0.5 cool (+1)  0.5 warm (+1)",
        "  fast:  1 overheated (-10, end)",
    ]
    assert artist.text(2) == "[overheated] the end"
    assert StateGraphArtist(complete(9)).text(0).endswith("0.111 5 (+0)  and 3 more")


def test_layouts_and_long_chains_are_drawn_as_cells() -> None:
    assert isinstance(default_artist(table_of(gym.make("bellglass/RiverSwim-v0"))), LayoutArtist)
    assert isinstance(default_artist(complete(MOST_STATES + 1)), LayoutArtist)
    assert isinstance(default_artist(complete(MOST_STATES)), StateGraphArtist)
