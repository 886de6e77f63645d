"""MiniHallway, CheeseMaze, LightMaze and Shuttle: moves and looks from the book, and what memory is worth."""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.paths import KNOWN_ANSWERS

import bellglass
from bellglass.envs.mdp import TabularMDP

BOOK = json.loads(KNOWN_ANSWERS.read_text(encoding="utf-8"))["environments"]


def made(name: str, **keywords: Any) -> bellglass.TabularPOMDP:
    return bellglass.pomdp_of(gym.make(f"bellglass/{name}-v0", **keywords))


def next_state(mdp: TabularMDP, s: int, action: int) -> tuple[int, float, bool]:
    """Of a step without chance."""
    ((p, target, reward, ended),) = mdp.P[s][action]
    assert p == 1.0
    return target, reward, ended


# -- MiniHallway


@pytest.mark.parametrize("restart", [True, False])
def test_the_hallway_is_the_tables(restart: bool) -> None:
    mdp = made("MiniHallway", restart=restart).mdp
    table = BOOK["mini_hallway"]["table"]
    for s in range(1, 13):
        ahead = table["forward"][str(s)]
        paid = (1.0, not restart) if ahead == 13 else (0.0, False)
        assert next_state(mdp, s - 1, 0) == (ahead - 1, *paid)
        assert next_state(mdp, s - 1, 1)[0] == (s - 3 if s % 4 == 0 else s + 1) - 1
        assert next_state(mdp, s - 1, 2)[0] == (s + 3 if (s - 1) % 4 == 0 else s - 1) - 1
    again = [(1 / 12, s, 0.0, False) for s in range(12)]
    assert mdp.P[12][0] == (again if restart else [(1.0, 12, 0.0, True)])
    assert mdp.terminal[12] == (not restart)


def test_the_hallways_looks_are_the_tables() -> None:
    pomdp = made("MiniHallway")
    looks = pomdp.observation_probability.argmax(axis=1) + 1
    assert looks.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 7, 8, 5, 6, 9]
    assert pomdp.initial_observation.argmax(axis=1).tolist() == [9] * 13
    assert made("MiniHallway", observation_at_reset=True).num_observations == 9


# -- CheeseMaze


def test_the_mouse_bumps_and_finds_the_cheese() -> None:
    mdp = made("CheeseMaze", restart=False).mdp
    assert [next_state(mdp, 0, a)[0] for a in range(4)] == [0, 5, 1, 0]
    assert [next_state(mdp, 2, a)[0] for a in range(4)] == [2, 6, 3, 1]
    assert [next_state(mdp, 7, a)[0] for a in range(4)] == [4, 9, 7, 7]
    assert next_state(mdp, 6, 1) == (10, 1.0, True)
    again = made("CheeseMaze").mdp
    assert next_state(again, 6, 1) == (10, 0.0, False)
    assert again.P[10][3] == [(0.1, cell, 1.0, False) for cell in range(10)]


def test_the_mouse_sees_walls_only() -> None:
    pomdp = made("CheeseMaze")
    assert pomdp.observation_probability.argmax(axis=1).tolist() == [0, 1, 2, 1, 3, 4, 4, 4, 5, 5, 6]
    assert pomdp.num_observations == 8


# -- LightMaze


def test_the_light_is_seen_only_after_looking_up_at_the_start() -> None:
    pomdp = made("LightMaze")
    mdp, seen = pomdp.mdp, pomdp.by_action.argmax(axis=2)
    assert pomdp.initial_observation.argmax(axis=1)[:2].tolist() == [0, 0]
    assert seen[0].tolist()[:8] == [1, 2, 3, 3, 4, 4, 5, 5]
    assert seen[1].tolist()[:8] == seen[2].tolist()[:8] == [0, 0, 3, 3, 4, 4, 5, 5]
    left = mdp.encode(("left", "left"))
    assert next_state(mdp, mdp.encode(("start", "left")), 1)[0] == mdp.encode(("branch", "left"))
    assert next_state(mdp, mdp.encode(("branch", "left")), 1)[0] == mdp.encode(("branch", "left"))
    assert next_state(mdp, mdp.encode(("start", "left")), 2)[0] == mdp.encode(("start", "left"))
    assert next_state(mdp, mdp.encode(("right", "left")), 2)[0] == left
    assert next_state(mdp, left, 1) == (8, 1.0, True)
    assert next_state(mdp, mdp.encode(("left", "right")), 1) == (8, -1.0, True)


@pytest.mark.parametrize("discount", [0.5, 0.95])
def test_looking_up_is_worth_a_step(discount: float) -> None:
    rungs = bellglass.information_ladder(made("LightMaze"), discount)
    assert rungs.memory == pytest.approx(discount**3)
    assert rungs.reactive == pytest.approx(discount**3 / 2)
    assert rungs.observed == pytest.approx(discount**2)


# -- Shuttle


def test_the_shuttle_is_the_tables() -> None:
    pomdp = made("Shuttle")
    table = BOOK["shuttle"]["table"]
    transition = pomdp.mdp.transition_matrix.toarray().reshape(8, 3, 8)
    for action, name in enumerate(("TurnAround", "GoForward", "Backup")):
        assert transition[:, action] == pytest.approx(np.array(table[name]))
    assert pomdp.observation_probability == pytest.approx(np.array(table["observation"]))
    assert pomdp.mdp.expected_reward == pytest.approx(np.array(table["expected_reward"]))
    assert {row[2] for row in pomdp.mdp.P[3][2]} == {10.0, 0.0}
    assert pomdp.mdp.decode(int(pomdp.mdp.initial.argmax())) == "docked in MRV"


def test_the_shuttle_loses_nothing_by_not_seeing() -> None:
    best = bellglass.solve(made("Shuttle"), 0.95)
    assert best.upper[0] - best.lower[0] < 1e-6
    assert best.start_value == pytest.approx(bellglass.solve(made("Shuttle").mdp, 0.95).start_value, abs=1e-6)


def test_a_word_is_no_flag() -> None:
    for name in ("MiniHallway", "CheeseMaze"):
        with pytest.raises(TypeError, match="restart must be True or False, got 1"):
            made(name, restart=1)
    with pytest.raises(TypeError, match="observation_at_reset must be True or False, got 'yes'"):
        made("Shuttle", observation_at_reset="yes")
