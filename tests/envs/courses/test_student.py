"""Student: the arcs of the slide, and its values."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs.courses.student import student


def test_the_arcs_are_those_of_the_slide() -> None:
    mdp = student()

    def arcs(label: str, action: int) -> list[tuple[Any, ...]]:
        rows = mdp.P[mdp.encode(label)][action]
        return [(p, mdp.decode(next_s), r, ended) for p, next_s, r, ended in rows]

    assert arcs("class 1", 0) == [(1.0, "facebook", -1.0, False)]
    assert arcs("class 1", 1) == [(1.0, "class 2", -2.0, False)]
    assert arcs("class 2", 0) == [(1.0, "asleep", 0.0, True)]
    assert arcs("class 2", 1) == [(1.0, "class 3", -2.0, False)]
    assert arcs("class 3", 0) == [(1.0, "asleep", 10.0, True)]
    assert arcs("class 3", 1) == [
        (0.2, "class 1", 1.0, False),
        (0.4, "class 2", 1.0, False),
        (0.4, "class 3", 1.0, False),
    ]
    assert arcs("facebook", 0) == [(1.0, "facebook", -1.0, False)]
    assert arcs("facebook", 1) == [(1.0, "class 1", 0.0, False)]
    assert mdp.terminal.tolist() == [False] * 4 + [True]
    assert mdp.initial.argmax() == 0


def test_studying_through_is_best_without_a_discount() -> None:
    best = bellglass.solve(gym.make("bellglass/Student-v0"), criterion="total")
    assert best.values == pytest.approx([6.0, 8.0, 10.0, 6.0, 0.0], abs=1e-7)
    assert best.policy[:4].tolist() == [1, 1, 0, 1]
