"""RiverSwim: rows by hand, and the gain of its birth-death chain."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from bellglass.envs import table_of
from bellglass.envs.exploration.river_swim import closed_form_gain
from bellglass.envs.mdp import TabularMDP


def river(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/RiverSwim-v0", **keywords))


def test_osbands_table_is_the_one_drawn_by_hand() -> None:
    mdp = river(n=3)
    assert mdp.P == {
        0: {0: [(1.0, 0, 0.005, False)], 1: [(0.4, 0, 0.0, False), (0.6, 1, 0.0, False)]},
        1: {0: [(1.0, 0, 0.0, False)], 1: [(0.05, 0, 0, False), (0.6, 1, 0, False), (0.35, 2, 0, False)]},
        2: {0: [(1.0, 1, 0.0, False)], 1: [(0.4, 1, 1.0, False), (0.6, 2, 1.0, False)]},
    }
    assert mdp.initial.tolist() == [1.0, 0.0, 0.0]


def test_strehls_table_is_the_one_drawn_by_hand() -> None:
    mdp = river(n=4, variant="strehl", reward_on="arc")
    assert mdp.P[0] == {0: [(1.0, 0, 5.0, False)], 1: [(0.7, 0, 0.0, False), (0.3, 1, 0.0, False)]}
    assert mdp.P[1][1] == [(0.1, 0, 0.0, False), (0.6, 1, 0.0, False), (0.3, 2, 0.0, False)]
    assert mdp.P[3][1] == [(0.7, 2, 0.0, False), (0.3, 3, 10_000.0, False)]
    assert mdp.initial.tolist() == [0.0, 0.5, 0.5, 0.0]
    assert river(variant="strehl", n=4).P[3][1][0] == (0.7, 2, 10_000.0, False)


def test_rewards_can_be_given() -> None:
    mdp = river(r_left=0.5, r_right=7.0)
    assert (mdp.P[0][0][0][2], mdp.P[5][1][0][2]) == (0.5, 7.0)


@pytest.mark.parametrize("variant", ["osband", "strehl"])
@pytest.mark.parametrize("reward_on", ["action", "arc"])
def test_the_closed_gain_is_the_long_run_of_the_chain(variant: Any, reward_on: Any) -> None:
    mdp = river(n=6, variant=variant, reward_on=reward_on, r_right=2.0)
    step = mdp.transition_matrix.toarray().reshape(6, 2, 6)[:, 1]
    stationary = np.linalg.matrix_power(step, 4096)[0]
    gain = stationary @ mdp.expected_reward[:, 1]
    assert closed_form_gain(6, variant, r_right=2.0, reward_on=reward_on) == pytest.approx(gain, abs=1e-12)


def test_the_gain_tends_to_three_sevenths() -> None:
    assert closed_form_gain(12, "osband", r_right=1.0, reward_on="action") == pytest.approx(
        0.428571429005, abs=1e-11
    )
    assert closed_form_gain(60, "osband", r_right=1.0, reward_on="action") == pytest.approx(3 / 7, abs=1e-14)
    assert closed_form_gain(6, "strehl", r_right=1e4, reward_on="action") == pytest.approx(
        2229.35779817, abs=1e-7
    )


@pytest.mark.parametrize(
    ("keywords", "problem"),
    [
        ({"n": 1}, "n of the variant 'osband' must be at least 2, got 1"),
        ({"n": 2, "variant": "strehl"}, "n of the variant 'strehl' must be at least 3, got 2"),
        ({"variant": "amazon"}, "variant must be one of 'osband', 'strehl', got 'amazon'"),
        ({"reward_on": "state"}, "reward_on must be one of 'action', 'arc', got 'state'"),
    ],
)
def test_settings_out_of_range_are_refused(keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        river(**keywords)
