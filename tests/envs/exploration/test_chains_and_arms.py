"""SixArms, NChain, Loop, TwoStateLowerBound: rows by hand, and their closed forms."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.exploration.loop import closed_form_start_value as loop_start_value
from bellglass.envs.exploration.n_chain import closed_form_gain as n_chain_gain
from bellglass.envs.exploration.six_arms import closed_form_start_value as six_arms_start_value
from bellglass.envs.exploration.two_state_lower_bound import closed_form_gain as two_state_lower_bound_gain
from bellglass.envs.mdp import TabularMDP


def table(name: str, **keywords: Any) -> TabularMDP:
    return table_of(gym.make(f"bellglass/{name}-v0", **keywords))


def test_an_arm_pays_in_its_own_room_and_any_other_arm_leads_out() -> None:
    mdp = table("SixArms")
    assert mdp.P[0][0] == [(1.0, 1, 0.0, False)]
    assert mdp.P[0][3] == [(0.05, 4, 0.0, False), (0.95, 0, 0.0, False)]
    for arm, paid in enumerate((50.0, 133.0, 300.0, 800.0, 1660.0, 6000.0)):
        for action in range(6):
            row = (1.0, arm + 1, paid, False) if action == arm else (1.0, 0, 0.0, False)
            assert mdp.P[arm + 1][action] == [row]


@pytest.mark.parametrize("discount", [0.3, 0.8, 0.95, 0.99])
def test_the_best_arm_is_worth_its_closed_form(discount: float) -> None:
    best = max(six_arms_start_value(arm, discount) for arm in range(6))
    assert bellglass.solve(table("SixArms"), discount).start_value == pytest.approx(best, rel=1e-9)


def test_who_slips_in_the_chain_does_and_earns_the_other_thing() -> None:
    mdp = table("NChain", n=3, slip=0.25, small=1.5, large=7)
    assert mdp.P == {
        0: {
            0: [(0.75, 1, 0.0, False), (0.25, 0, 1.5, False)],
            1: [(0.75, 0, 1.5, False), (0.25, 1, 0, False)],
        },
        1: {
            0: [(0.75, 2, 0.0, False), (0.25, 0, 1.5, False)],
            1: [(0.75, 0, 1.5, False), (0.25, 2, 0, False)],
        },
        2: {
            0: [(0.75, 2, 7.0, False), (0.25, 0, 1.5, False)],
            1: [(0.75, 0, 1.5, False), (0.25, 2, 7, False)],
        },
    }
    assert mdp.initial.tolist() == [1.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("n", "slip", "small", "large"), [(5, 0.2, 2, 10), (2, 0.5, 1, -1), (7, 0.9, 2, 10), (4, 0.3, 2, 1)]
)
def test_one_action_for_ever_gains_its_closed_form(n: int, slip: float, small: float, large: float) -> None:
    settings: dict[str, Any] = {"slip": slip, "small": small, "large": large}
    mdp = table("NChain", n=n, **settings)
    for action in (0, 1):
        found = bellglass.evaluate(mdp, [action] * n, criterion="average").start_value
        assert found == pytest.approx(n_chain_gain(action, n, **settings), abs=1e-12)


def test_each_loop_takes_five_steps() -> None:
    mdp = table("Loop")
    assert [mdp.P[0][a][0][1] for a in (0, 1)] == [1, 5]
    for s in (1, 2, 3):
        assert mdp.P[s] == {a: [(1.0, s + 1, 0.0, False)] for a in (0, 1)}
    assert mdp.P[4] == {a: [(1.0, 0, 1.0, False)] for a in (0, 1)}
    for s in (5, 6, 7):
        assert mdp.P[s] == {0: [(1.0, 0, 0.0, False)], 1: [(1.0, s + 1, 0.0, False)]}
    assert mdp.P[8] == {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 0, 2.0, False)]}
    assert bellglass.solve(mdp, 0.7).start_value == pytest.approx(loop_start_value(0.7), abs=1e-9)
    assert bellglass.solve(mdp, criterion="average").start_value == pytest.approx(0.4, abs=1e-9)


def test_only_action_0_leaves_the_poor_state_sooner() -> None:
    mdp = table("TwoStateLowerBound", delta=0.25, eps=0.5, actions=3)
    assert mdp.P[0] == {
        0: [(0.25, 0, 0.0, False), (0.75, 1, 0.0, False)],
        1: [(0.75, 0, 0.0, False), (0.25, 1, 0.0, False)],
        2: [(0.75, 0, 0.0, False), (0.25, 1, 0.0, False)],
    }
    assert mdp.P[1] == {a: [(0.75, 1, 1.0, False), (0.25, 0, 1.0, False)] for a in range(3)}
    gain = bellglass.solve(mdp, criterion="average").start_value
    assert gain == pytest.approx(two_state_lower_bound_gain(delta=0.25, eps=0.5), abs=1e-9)
    assert bellglass.hardness(mdp, discount=0.9).diameter == pytest.approx(4.0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "keywords", "problem"),
    [
        ("NChain", {"n": 1}, "n must be at least 2, got 1"),
        ("NChain", {"slip": 1.5}, r"slip must be in \[0, 1\], got 1.5"),
        ("NChain", {"large": float("inf")}, "large must be finite, got inf"),
        ("TwoStateLowerBound", {"delta": 2}, r"delta must be in \[0, 1\], got 2"),
        ("TwoStateLowerBound", {"delta": 0.5, "eps": 0.6}, r"\[0, 1 - delta\], got 0.6 with delta 0.5"),
        ("TwoStateLowerBound", {"actions": 0}, "actions must be at least 1, got 0"),
    ],
)
def test_settings_out_of_range_are_refused(name: str, keywords: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        table(name, **keywords)
