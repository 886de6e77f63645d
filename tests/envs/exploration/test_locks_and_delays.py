"""CombinationLock and DiscountingChain: rows by hand, and their closed forms."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.exploration.combination_lock import combination_lock, expected_random_steps
from bellglass.envs.exploration.discounting_chain import closed_form_start_value
from bellglass.envs.mdp import TabularMDP


def table(name: str, **keywords: Any) -> TabularMDP:
    return table_of(gym.make(f"bellglass/{name}-v0", **keywords))


def test_one_wrong_choice_starts_over() -> None:
    mdp = combination_lock(np.array([1, 0]), actions=2)
    assert {s: mdp.P[s] for s in (0, 1)} == {
        0: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 0.0, False)]},
        1: {0: [(1.0, 2, 1.0, True)], 1: [(1.0, 0, 0.0, False)]},
    }
    assert mdp.terminal.tolist() == [False, False, True]


def test_the_combination_is_drawn_by_its_seed_and_has_one_right_action_a_state() -> None:
    mdp = table("CombinationLock", n=40, actions=3, model_seed=1)
    right = mdp.next_state.reshape(40, 3) == np.arange(1, 41)[:, None]
    assert right.sum(axis=1).tolist() == [1] * 40
    assert set(right.argmax(axis=1).tolist()) == {0, 1, 2}
    assert mdp.fingerprint == table("CombinationLock", n=40, actions=3, model_seed=1).fingerprint
    assert mdp.fingerprint != table("CombinationLock", n=40, actions=3, model_seed=2).fingerprint


@pytest.mark.parametrize(("n", "actions"), [(1, 2), (3, 2), (4, 5), (6, 1)])
def test_chance_opens_the_lock_after_its_closed_form(n: int, actions: int) -> None:
    mdp = table("CombinationLock", n=n, actions=actions)
    occupancy = np.full((n + 1, actions), 1.0 / actions)
    stay = np.einsum("sa,sat->st", occupancy, mdp.transition_matrix.toarray().reshape(n + 1, actions, n + 1))
    steps = np.linalg.solve(np.eye(n) - stay[:n, :n], np.ones(n))[0]
    assert expected_random_steps(n, actions=actions) == pytest.approx(steps, rel=1e-9)
    assert bellglass.solve(mdp, 0.9).start_value == pytest.approx(0.9 ** (n - 1), abs=1e-9)


def test_a_chain_pays_once_at_its_step() -> None:
    mdp = table("DiscountingChain", bonus=2)
    assert mdp.num_states == 501
    for chain, step in enumerate((1, 3, 10, 30, 100)):
        state, action, paid = mdp.encode("start"), chain, {}
        for done in range(1, 101):
            ((_, state, reward, ended),) = mdp.P[state][action]
            assert mdp.decode(state) == (chain, done)
            assert ended == (done == 100)
            if reward:
                paid[done] = reward
            action = (action + 1) % 5  # what is played later does not matter
        assert paid == {step: 1.1 if chain == 2 else 1.0}
    assert mdp.terminal.sum() == 5


@pytest.mark.parametrize("bonus", range(5))
@pytest.mark.parametrize("discount", [0.9, 0.999])
def test_the_best_chain_is_worth_its_closed_form(bonus: int, discount: float) -> None:
    found = bellglass.solve(table("DiscountingChain", bonus=bonus), discount).start_value
    assert found == pytest.approx(closed_form_start_value(bonus, discount), abs=1e-9)


@pytest.mark.parametrize(
    ("name", "keywords", "error", "problem"),
    [
        ("CombinationLock", {"n": 0}, ValueError, "n must be at least 1, got 0"),
        (
            "CombinationLock",
            {"actions": 2.5},
            TypeError,
            "actions must be a whole number at least 1, got 2.5",
        ),
        ("CombinationLock", {"model_seed": -1}, ValueError, "model_seed must be at least 0, got -1"),
        ("CombinationLock", {"n": 10**12}, ValueError, "GiB of memory"),
        ("DiscountingChain", {"bonus": 5}, ValueError, r"bonus must be in \[0, 4\], got 5"),
        (
            "DiscountingChain",
            {"bonus": None},
            TypeError,
            r"bonus must be a whole number in \[0, 4\], got None",
        ),
    ],
)
def test_settings_out_of_range_are_refused(
    name: str, keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        table(name, **keywords)
