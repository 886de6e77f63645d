"""BusEngine: rows by hand, and the renewal process of a threshold."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.operations.bus_engine import bus_engine, closed_form_gain

ENV_ID = "bellglass/BusEngine-v0"
DRIVEN = np.array([0.0937, 0.4475, 0.4459, 0.0127]) / 0.9998


def test_mileage_grows_up_to_the_last_bin() -> None:
    mdp = bus_engine(RC=7.0, c=0.5)
    chances = mdp.transition_matrix.toarray().reshape(90, 2, 90)
    assert chances[20, 0, 20:24] == pytest.approx(DRIVEN)
    assert chances[88, 0, 88:] == pytest.approx([DRIVEN[0], DRIVEN[1:].sum()])
    assert chances[89, 0, 89] == pytest.approx(1.0)
    for x in (0, 20, 89):
        assert chances[x, 1, :4] == pytest.approx(DRIVEN)
    assert mdp.expected_reward[[0, 20, 89]] == pytest.approx(np.array([[0, -7], [-10, -7], [-44.5, -7]]))
    assert mdp.initial.argmax() == 0


@pytest.mark.parametrize("T", [1, 2, 16, 40, 89])
def test_a_threshold_earns_what_the_renewal_formula_says(T: int) -> None:
    mdp = bus_engine(RC=10.0, c=0.1)
    score = bellglass.evaluate(mdp, (np.arange(90) >= T).astype(int), criterion="average")
    assert score.start_value == pytest.approx(closed_form_gain(T, RC=10.0, c=0.1), abs=1e-9)


@pytest.mark.parametrize(("RC", "c"), [(10.0, 0.1), (3.0, 0.4), (40.0, 0.05)])
def test_the_best_threshold_is_optimal(RC: float, c: float) -> None:
    best = bellglass.solve(gym.make(ENV_ID, RC=RC, c=c), criterion="average")
    gains = [closed_form_gain(T, RC=RC, c=c) for T in range(90)]
    assert best.start_value == pytest.approx(max(gains), abs=1e-8)
    assert int((best.policy == 1).argmax()) == int(np.argmax(gains))


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"RC": float("inf")}, ValueError, "RC must be finite, got inf"),
        ({"c": "cheap"}, TypeError, "c must be a number, finite, got 'cheap'"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)
