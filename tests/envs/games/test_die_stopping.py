"""Secretary, DieStopping, RedBlackCards and Parking: rows by hand, and each closed form against the solver."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.games.die_stopping import closed_form_start_value as die_stopping_start_value
from bellglass.envs.games.parking import closed_form_values as parking_values
from bellglass.envs.games.red_black_cards import closed_form_values as red_black_cards_values
from bellglass.envs.games.secretary import closed_form_start_value as secretary_start_value
from bellglass.envs.games.secretary import first_to_stop_at
from bellglass.envs.mdp import TabularMDP


def made(name: str, **keywords: Any) -> TabularMDP:
    return bellglass.table_of(gym.make(f"bellglass/{name}-v0", **keywords))


def rows(mdp: TabularMDP, label: Any, action: int) -> list[tuple[float, Any, float, bool]]:
    """Outcomes with the next state's name."""
    return [(p, mdp.decode(next_s), r, ended) for p, next_s, r, ended in mdp.P[mdp.encode(label)][action]]


def total(mdp: TabularMDP) -> bellglass.Solution:
    return bellglass.solve(mdp, criterion="total", tolerance=1e-10)


# -- Secretary


def test_the_secretarys_rows_are_those_written_by_hand() -> None:
    mdp = made("Secretary", n=4)
    assert mdp.num_states == 9
    assert rows(mdp, (2, True), 0) == [(0.5, "end", 1.0, True), (0.5, "end", 0.0, True)]
    assert rows(mdp, (2, False), 0) == [(1.0, "end", 0.0, True)]
    assert rows(mdp, (2, False), 1) == [(2 / 3, (3, False), 0.0, False), (1 / 3, (3, True), 0.0, False)]
    assert rows(mdp, (4, True), 0) == [(1.0, "end", 1.0, True)]
    assert rows(mdp, (4, True), 1) == [(1.0, "end", 0.0, True)]
    assert mdp.initial[mdp.encode((1, True))] == 1.0


@pytest.mark.parametrize("n", [1, 2, 3, 10, 100])
def test_the_secretary_is_found_as_often_as_gilbert_and_mosteller_say(n: int) -> None:
    mdp = made("Secretary", n=n)
    best = total(mdp)
    assert best.start_value == pytest.approx(secretary_start_value(n), abs=1e-10)
    stops = [i for i in range(1, n + 1) if best.optimal_actions[mdp.encode((i, True)), 0]]
    assert stops[0] in (first_to_stop_at(n), first_to_stop_at(n) - 1)  # ties, as for n = 2


# -- DieStopping


def test_the_last_roll_pays_whatever_one_does() -> None:
    mdp = made("DieStopping", k=2)
    assert mdp.num_states == 13
    assert rows(mdp, (1, 5), 0) == [(1.0, "end", 5.0, True)]
    assert rows(mdp, (1, 5), 1) == [(1 / 6, (2, face), 0.0, False) for face in range(1, 7)]
    assert rows(mdp, (2, 3), 1) == rows(mdp, (2, 3), 0) == [(1.0, "end", 3.0, True)]
    assert mdp.initial[:6] == pytest.approx([1 / 6] * 6)


def test_three_rolls_are_worth_fourteen_thirds() -> None:
    assert [die_stopping_start_value(k) for k in (1, 2, 3)] == pytest.approx([7 / 2, 17 / 4, 14 / 3])
    for k in (1, 3, 12):
        assert total(made("DieStopping", k=k)).start_value == pytest.approx(
            die_stopping_start_value(k), abs=1e-9
        )


def test_the_smallest_mistake_is_a_half_on_a_face_of_three_or_four() -> None:
    score = bellglass.evaluate(made("DieStopping", k=2), np.zeros(13, dtype=np.int64), criterion="total")
    assert score.gap == pytest.approx(1 / 12)
    assert score.regret == pytest.approx(17 / 4 - 7 / 2)


# -- RedBlackCards


def test_the_deck_runs_out() -> None:
    mdp = made("RedBlackCards", r=2, b=1)
    assert mdp.num_states == 6
    assert rows(mdp, (2, 1), 1) == [(2 / 3, (1, 1), 1.0, False), (1 / 3, (2, 0), -1.0, False)]
    assert rows(mdp, (2, 1), 0) == [(1.0, (0, 0), 0.0, True)]
    assert rows(mdp, (0, 1), 1) == [(1.0, (0, 0), -1.0, True)]
    assert mdp.terminal.tolist() == [True, *[False] * 5]
    assert mdp.initial.tolist() == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(("r", "b"), [(0, 3), (3, 0), (2, 2), (26, 26)])
def test_the_cards_are_worth_their_recursion(r: int, b: int) -> None:
    best = total(made("RedBlackCards", r=r, b=b))
    assert best.values == pytest.approx(red_black_cards_values(r, b).ravel(), abs=1e-9)
    assert red_black_cards_values(2, 2)[2, 2] == pytest.approx(2 / 3)
    assert red_black_cards_values(26, 26)[26, 26] == pytest.approx(2.62, abs=0.01)


# -- Parking


def test_the_garage_comes_after_the_last_place() -> None:
    mdp = made("Parking", N=2, p=0.25, C=7)
    assert mdp.state_labels == ((2, False), (2, True), (1, False), (1, True), "end")
    on = [(0.75, (1, False), 0.0, False), (0.25, (1, True), 0.0, False)]
    assert rows(mdp, (2, False), 0) == rows(mdp, (2, False), 1) == rows(mdp, (2, True), 0) == on
    assert rows(mdp, (2, True), 1) == [(1.0, "end", -2.0, True)]
    assert rows(mdp, (1, False), 1) == rows(mdp, (1, True), 0) == [(1.0, "end", -7.0, True)]
    assert mdp.initial.tolist() == [0.75, 0.25, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("N", "p", "C"), [(200, 0.05, 100), (5, 0.5, 3.5), (3, 1.0, 2.0), (3, 0.0, -2.0)])
def test_parking_is_worth_its_recursion(N: int, p: float, C: float) -> None:
    best = total(made("Parking", N=N, p=p, C=C))
    assert best.start_value == pytest.approx(parking_values(N, p=p, C=C)[N], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "keywords", "error", "problem"),
    [
        ("Secretary", {"n": 0}, ValueError, "n must be at least 1, got 0"),
        ("DieStopping", {"k": 0}, ValueError, "k must be at least 1, got 0"),
        ("DieStopping", {"k": "3"}, TypeError, "k must be a whole number at least 1, got '3'"),
        ("RedBlackCards", {"r": -1}, ValueError, "r must be at least 0, got -1"),
        ("RedBlackCards", {"r": 0, "b": 0}, ValueError, "at least 1 card"),
        ("Parking", {"N": 0}, ValueError, "N must be at least 1, got 0"),
        ("Parking", {"p": 1.5}, ValueError, r"p must be in \[0, 1\], got 1.5"),
        ("Parking", {"C": np.inf}, ValueError, "C must be finite, got inf"),
        ("Parking", {"C": "dear"}, TypeError, "C must be a number, finite, got 'dear'"),
    ],
)
def test_settings_out_of_range_are_refused(
    name: str, keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        made(name, **keywords)
