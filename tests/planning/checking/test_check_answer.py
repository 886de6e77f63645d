"""`check` says right to what is right, on every id, and names state, sum and number where it is not."""

from __future__ import annotations

import json
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers import students
from helpers.rational import random_table

import bellglass
from bellglass import TabularMDP, Verdict, check, solve, table_of

IDS = sorted(env_id for env_id in gym.registry if env_id.startswith("bellglass/"))


def lake() -> TabularMDP:
    return table_of(gym.make("bellglass/FrozenLake-v0"))


def corridor() -> TabularMDP:
    """0 - 1 - 2 (end): going right costs nothing and ends with 1; staying is possible in 0, not in 1."""
    P = {
        0: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 0.0, False)]},
        1: {0: [], 1: [(0.5, 2, 1.0, True), (0.5, 0, 0.0, False)]},
        2: {0: [(1.0, 2, 0.0, True)], 1: [(1.0, 2, 0.0, True)]},
    }
    return TabularMDP.from_P(P, initial=[1.0, 0.0, 0.0])


#: Students sweep in plain Python: on these tables for tens of seconds.
LONG = {
    f"bellglass/{name}-v0"
    for name in ("Blackjack", "Inventory", "JacksCarRental", "Racetrack", "RepeatPrevious")
}


@pytest.mark.parametrize(
    "env_id", [pytest.param(env_id, marks=[pytest.mark.slow] * (env_id in LONG)) for env_id in IDS]
)
def test_no_false_alarm_on_any_id(env_id: str) -> None:
    """Ours, a student's in-place sweeps, rounded, single precision, and any way to break ties."""
    mdp = table_of(gym.make(env_id))
    discount = 0.9
    best = solve(mdp, discount)
    assert best.values is not None
    V, Q, policy = students.right_in_place(mdp.P, discount)
    last = mdp.num_actions - 1 - best.optimal_actions[:, ::-1].argmax(axis=1)
    even = best.optimal_actions / np.maximum(1, best.optimal_actions.sum(axis=1, keepdims=True))
    alias = np.where(mdp.action_mask, Q, Q[np.arange(len(Q)), mdp.lowest_action][:, None])
    blank = np.where(mdp.action_mask, Q, np.nan)
    digits = 4 if np.abs(V).max() > 0.005 else 8
    for answer in (
        {"values": best.values, "q_values": best.q_values, "policy": best.policy},
        {"values": V, "q_values": Q, "policy": policy},
        {"values": V.round(digits)},
        {"values": V.astype(np.float32), "q_values": Q.astype(np.float32)},
        {"policy": last},
        {"policy": even},
        {"policy": policy.astype(float)},
        {"q_values": alias},
        {"q_values": blank},
    ):
        verdict = check(mdp, discount=discount, **answer)
        assert verdict, str(verdict)
        assert verdict.message.startswith("right")


@pytest.mark.parametrize("env_id", IDS)
def test_no_false_alarm_within_a_horizon(env_id: str) -> None:
    mdp = table_of(gym.make(env_id))
    best = solve(mdp, criterion="finite_horizon", horizon=9)
    assert best.values is not None
    question: dict[str, Any] = {"criterion": "finite_horizon", "horizon": 9}
    assert check(mdp, values=best.values, q_values=best.q_values, policy=best.policy, **question)
    assert check(mdp, values=best.values[0], q_values=best.q_values[0], **question)


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_raise_no_false_alarm(seed: int) -> None:
    mdp = random_table(seed)
    V, Q, policy = students.right_in_place(mdp.P, 0.8, 1e-9)
    assert check(mdp, values=V, q_values=Q, policy=policy, discount=0.8)
    off = np.where(mdp.terminal, 0.0, V + 0.5)
    verdict = check(mdp, values=off, discount=0.8)
    assert not verdict
    assert verdict.state == np.flatnonzero(~mdp.terminal)[0]


def test_the_sum_of_the_first_wrong_state_is_written_out() -> None:
    """V(1) = .5 * 1 + .5 * .9 * V(0) and V(0) = .9 * V(1), so V(1) = .5 / (1 - .405)."""
    right = 0.5 / (1 - 0.405)
    verdict = check(corridor(), values=[0.9 * right, 0.5, 0.0], discount=0.9)
    assert (verdict.right, verdict.kind, verdict.state, verdict.got) == (False, "values", 1, 0.5)
    assert verdict.expected == pytest.approx(right)
    assert verdict.residual == pytest.approx(0.5 - (0.5 + 0.45 * 0.9 * right))
    assert (
        f"1: 0.5 * (1, ends) + 0.5 * (0 + 0.9 * V(0)={0.9 * right:.6g}) = {right:.6g}" in verdict.bellman_sum
    )
    assert "yours 0.5" in str(verdict)
    assert "state 1: expected 0.8403" in verdict.message


def test_a_verdict_is_json() -> None:
    verdict = check(corridor(), policy=[0, 0, 0], discount=0.9)
    shown = json.loads(json.dumps(verdict.as_dict(), allow_nan=False))
    assert shown["mistake"] == "unavailable action"
    assert shown["state"] == 1
    assert shown["worst"] == "inf"
    assert "available there: 1" in verdict.explanation


def test_terminal_rows_of_policies_and_q_values_do_not_count() -> None:
    best = solve(corridor(), 0.9)
    for row in (0.0, np.nan, -np.inf):
        q = best.q_values.copy()
        q[2] = row
        assert check(corridor(), q_values=q, discount=0.9)
    for action in (-1, 0, 99):
        assert check(corridor(), policy=[1, 1, action], discount=0.9)
    verdict = check(corridor(), values=[*best.values[:2], 1.0], discount=0.9)  # type: ignore[index] # discounted
    assert (verdict.state, verdict.mistake) == (2, "bootstraps at a terminal state")


def test_rounding_is_right_only_as_finely_as_it_matters() -> None:
    best = solve(lake(), 0.9)
    assert best.values is not None
    assert "3 decimals" in check(lake(), values=best.values.round(3), discount=0.9).message
    few = np.array([float(f"{v:.3g}") for v in best.values])
    assert "right to" in check(lake(), values=few, discount=0.9).message
    assert check(lake(), values=best.values.round(1), discount=0.9).mistake == "rounded too coarsely"
    assert not check(lake(), values=best.values.round(3) + np.eye(16)[14] * 0.001, discount=0.9)


def test_a_tolerance_is_kept() -> None:
    best = solve(lake(), 0.9)
    off = np.where(lake().terminal, 0.0, best.values + np.pi * 1e-5)  # type: ignore[operator] # discounted
    assert not check(lake(), values=off, discount=0.9)
    assert check(lake(), values=off, discount=0.9, tolerance=1e-4)


def test_total_reward_is_checked_and_going_round_for_ever_is_no_tie() -> None:
    """In state 0 staying is worth as much as going on, but whoever stays for ever gets nothing."""
    assert check(corridor(), values=[1, 1, 0], policy=[1, 1, 0], criterion="total")
    verdict = check(corridor(), policy=[0, 1, 0], criterion="total")
    assert verdict.mistake == "goes round for ever"
    assert verdict.state == 0


def test_the_average_reward_is_checked_by_gain() -> None:
    swim = table_of(gym.make("bellglass/RiverSwim-v0"))
    best = solve(swim, criterion="average")
    assert best.gain is not None
    assert check(swim, values=best.gain[0], policy=best.policy, criterion="average")
    verdict = check(swim, policy=1 - best.policy, criterion="average")
    assert not verdict
    assert verdict.got < verdict.expected  # type: ignore[operator] # both are numbers where it is wrong
    assert check(swim, values=best.bias, criterion="average").mistake == "bias for gain"
    with pytest.raises(ValueError, match="not q_values"):
        check(swim, q_values=best.q_values, criterion="average")


def test_the_last_wrong_step_comes_first() -> None:
    best = solve(corridor(), criterion="finite_horizon", horizon=4)
    wrong = np.array(best.values)
    wrong[1, 0] += 1.0
    wrong[2, 1] += 1.0
    verdict = check(corridor(), values=wrong, criterion="finite_horizon", horizon=4)
    assert (verdict.step, verdict.state) == (2, 1)
    assert verdict.residual == pytest.approx(1.0)


def test_inputs_are_never_modified() -> None:
    values, q_values = np.full(16, 0.3), np.full((16, 4), 0.3)
    policy = np.zeros(16, dtype=np.int64)
    before = values.copy(), q_values.copy(), policy.copy()
    for name, given in (("values", values), ("q_values", q_values), ("policy", policy)):
        assert not check(lake(), discount=0.9, **{name: given})  # type: ignore[arg-type] # keys are its keywords
    for was, now in zip(before, (values, q_values, policy), strict=True):
        np.testing.assert_array_equal(was, now)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"discount": 0.9}, "nothing to check"),
        ({"values": np.zeros(16)}, "needs a discount"),
        ({"values": np.zeros(16), "discount": 1.5}, r"discount must be in \[0, 1\)"),
        ({"values": np.zeros(15), "discount": 0.9}, r"values must have shape \[16\], got \[15\]"),
        ({"values": np.full(16, np.nan), "discount": 0.9}, "got nan at state 0"),
        ({"q_values": np.full((16, 4), np.inf), "discount": 0.9}, "got inf at state 0, action 0"),
        ({"q_values": np.zeros((4, 16)), "discount": 0.9}, r"q_values must have shape \[16, 4\]"),
        ({"policy": np.zeros(4, dtype=int), "discount": 0.9}, r"policy must have shape \[16\] or \[16, 4\]"),
        ({"policy": np.full(16, 0.5), "discount": 0.9}, "whole numbers, got 0.5 at state 0"),
        ({"policy": np.full((16, 4), 0.5), "discount": 0.9}, "state 0 sum to 2, not 1"),
        ({"policy": np.full((16, 4), -0.5), "discount": 0.9}, "-0.5 at state 0, action 0"),
        ({"values": [[1.0], [1.0, 2.0]], "discount": 0.9}, "rectangular"),
        ({"values": np.zeros(16), "discount": 0.9, "tolerance": 0.0}, "tolerance must be positive"),
        ({"values": np.zeros(16), "discount": 0.9, "criterion": "best"}, "criterion must be one of"),
        ({"values": np.zeros(16), "criterion": "finite_horizon"}, "needs horizon="),
        (
            {"values": np.zeros((3, 16)), "criterion": "finite_horizon", "horizon": 3},
            r"shape \[4, 16\] or \[16\], got \[3, 16\]",
        ),
    ],
)
def test_bad_input_is_refused_with_the_value_and_the_range(answer: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check(lake(), **answer)


def test_hidden_states_and_words_are_refused() -> None:
    with pytest.raises(TypeError, match="hides them"):
        check(gym.make("bellglass/TMaze-v0"), policy=np.zeros(23, dtype=int), discount=0.9)
    with pytest.raises(TypeError, match="real numbers"):
        check(lake(), values=["a"] * 16, discount=0.9)


def test_the_face_lends_check_and_verdict() -> None:
    assert bellglass.check is check
    assert isinstance(check(lake(), values=np.zeros(16), discount=0.9), Verdict)
    assert "Verdict(wrong: values at state 0" in repr(check(lake(), values=np.zeros(16), discount=0.9))
