"""Tiger and CryingBaby: rows and ears by hand, and the tiger's thresholds against the solver."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.memory.tiger import closed_form_start_value


def tiger(**keywords: Any) -> bellglass.TabularPOMDP:
    return bellglass.pomdp_of(gym.make("bellglass/Tiger-v0", **keywords))


def baby(**keywords: Any) -> bellglass.TabularPOMDP:
    return bellglass.pomdp_of(gym.make("bellglass/CryingBaby-v0", **keywords))


def test_opening_a_door_puts_the_tiger_anew() -> None:
    mdp = tiger().mdp
    assert mdp.P[0] == {
        0: [(1.0, 0, -1.0, False)],
        1: [(0.5, 0, -100.0, False), (0.5, 1, -100.0, False)],
        2: [(0.5, 0, 10.0, False), (0.5, 1, 10.0, False)],
    }
    assert mdp.P[1][1] == [(0.5, 0, 10.0, False), (0.5, 1, 10.0, False)]
    assert mdp.P[1][2][0] == (0.5, 0, -100.0, False)
    assert mdp.initial.tolist() == [0.5, 0.5]


def test_opening_a_door_can_end_the_episode() -> None:
    mdp = tiger(episodic=True).mdp
    assert mdp.P[0][1] == [(1.0, 2, -100.0, True)]
    assert mdp.P[0][2] == [(1.0, 2, 10.0, True)]
    assert mdp.terminal.tolist() == [False, False, True]


def test_only_listening_tells_something() -> None:
    pomdp = tiger(accuracy=0.7)
    assert pomdp.observation_labels == ("hear left", "hear right", "none")
    assert pomdp.by_action[0].tolist() == pytest.approx(np.array([[0.7, 0.3, 0], [0.3, 0.7, 0]]))
    assert pomdp.by_action[1:].tolist() == [[[0.5, 0.5, 0.0]] * 2] * 2
    assert pomdp.initial_observation.tolist() == [[0.0, 0.0, 1.0]] * 2
    told = tiger(accuracy=0.7, observation_at_reset=True)
    assert told.num_observations == 2
    assert np.array_equal(told.initial_observation, told.by_action[0])


@pytest.mark.parametrize(("accuracy", "discount"), [(0.85, 0.95), (0.85, 0.75), (0.7, 0.9), (0.95, 0.5)])
def test_the_best_threshold_is_the_optimum(accuracy: float, discount: float) -> None:
    best = bellglass.solve(tiger(accuracy=accuracy), discount, tolerance=1e-9)
    closed = max(closed_form_start_value(D, accuracy=accuracy, discount=discount) for D in range(1, 30))
    always_listen = -1.0 / (1.0 - discount)
    assert best.start_value == pytest.approx(max(closed, always_listen), abs=1e-7)
    assert best.lower[0] - 1e-9 <= max(closed, always_listen) <= best.upper[0] + 1e-9


def test_an_episode_of_one_door_is_worth_its_threshold() -> None:
    best = bellglass.solve(tiger(episodic=True), criterion="total")
    closed = max(closed_form_start_value(D, accuracy=0.85, discount=1.0, episodic=True) for D in range(1, 10))
    assert best.start_value == pytest.approx(closed, abs=1e-7)


def test_a_fed_baby_is_not_hungry_and_a_hungry_one_stays_so() -> None:
    pomdp = baby()
    assert pomdp.mdp.P == {
        0: {0: [(1.0, 0, -5.0, False)], 1: [(0.9, 0, 0.0, False), (0.1, 1, 0.0, False)]},
        1: {0: [(1.0, 0, -15.0, False)], 1: [(1.0, 1, -10.0, False)]},
    }
    assert pomdp.observation_probability.tolist() == pytest.approx(np.array([[0.9, 0.1], [0.2, 0.8]]))
    assert np.array_equal(pomdp.initial_observation, pomdp.observation_probability)
    assert pomdp.mdp.initial.tolist() == [1.0, 0.0]
    assert baby(observation_at_reset=False).observation_labels == ("quiet", "cry", "none")


def test_the_babys_optimum_lies_between_feeding_always_and_seeing_its_hunger() -> None:
    best = bellglass.solve(baby(), 0.9)
    seen = bellglass.solve(baby().mdp, 0.9).start_value
    assert -50.0 < best.start_value < seen
    assert best.bound < 1e-6
    assert best.beliefs is not None


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"accuracy": 1.2}, ValueError, r"accuracy must be in \[0, 1\], got 1.2"),
        ({"episodic": 1}, TypeError, "episodic must be True or False, got 1"),
        ({"observation_at_reset": "no"}, TypeError, "observation_at_reset must be True or False, got 'no'"),
    ],
)
def test_settings_out_of_range_are_refused(
    keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        tiger(**keywords)
