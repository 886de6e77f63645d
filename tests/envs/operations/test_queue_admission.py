"""QueueAdmission: rows by hand, and Naor's queue."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.operations.queue_admission import closed_form_gain, queue_admission

ENV_ID = "bellglass/QueueAdmission-v0"


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = queue_admission(lam=1.0, mu=3.0, R=10.0, h=2.0, capacity=2)
    assert mdp.P == {
        0: {
            0: [(0.25, 0, 0.0, False), (0.75, 0, 0.0, False)],
            1: [(0.25, 1, 10.0, False), (0.75, 0, 0.0, False)],
        },
        1: {
            0: [(0.25, 1, -0.5, False), (0.75, 0, -0.5, False)],
            1: [(0.25, 2, 9.5, False), (0.75, 0, -0.5, False)],
        },
        2: {
            0: [(0.25, 2, -1.0, False), (0.75, 1, -1.0, False)],
            1: [(0.25, 2, -1.0, False), (0.75, 1, -1.0, False)],
        },
    }
    assert mdp.initial.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("n", [1, 2, 5, 12])
def test_a_threshold_earns_what_the_stationary_queue_does(n: int) -> None:
    rates = {"lam": 2.0, "mu": 1.5, "R": 6.0, "h": 0.7}
    mdp = queue_admission(capacity=12, **rates)
    policy = (np.arange(13) < n).astype(int)
    score = bellglass.evaluate(mdp, policy, criterion="average")
    assert score.start_value * 3.5 == pytest.approx(closed_form_gain(n, **rates), abs=1e-9)


@pytest.mark.parametrize("rates", [{}, {"lam": 1.0, "mu": 1.0, "R": 8.0}, {"lam": 3.0, "R": 40.0, "h": 0.2}])
def test_the_best_threshold_is_optimal(rates: dict[str, Any]) -> None:
    full = {"lam": 0.5, "mu": 0.6, "R": 5.0, "h": 1.0} | rates
    gains = [closed_form_gain(n, **full) for n in range(31)]
    best = bellglass.solve(gym.make(ENV_ID, **rates), criterion="average")
    assert best.start_value * (full["lam"] + full["mu"]) == pytest.approx(max(gains), abs=1e-7)
    assert int((best.policy == 0).argmax()) == int(np.argmax(gains))


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"lam": -0.5}, ValueError, "lam must be at least 0, got -0.5"),
        ({"lam": 0, "mu": 0}, ValueError, r"lam \+ mu must be positive, got 0 \+ 0"),
        ({"capacity": 0}, ValueError, "capacity must be at least 1, got 0"),
        ({"h": float("inf")}, ValueError, "h must be finite, got inf"),
        ({"capacity": 30.0}, TypeError, "capacity must be a whole number at least 1, got 30.0"),
        ({"capacity": 10**13}, ValueError, "would take .* GiB"),
    ],
)
def test_bad_settings_are_refused(keywords: dict[str, Any], error: type[Exception], problem: str) -> None:
    with pytest.raises(error, match=problem):
        gym.make(ENV_ID, **keywords)
