"""Tables from logs: counts by hand, the law of large numbers on a known table, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bellglass.agents import Transition, estimate_mdp
from bellglass.envs.mdp import TabularMDP

LOG = [
    Transition(0, 1, 1.0, 2, False, False),
    Transition(2, 0, 0.0, 0, False, True),  # out of time: the next one is a start
    Transition(0, 1, 1.0, 2, False, False),
    Transition(2, 0, 0.0, 1, True, False),
    Transition(0, 1, 5.0, 2, False, False),  # the same next state for another reward
    Transition(2, 0, 0.0, 1, False, False),  # the same next state, but it goes on
    Transition(1, 0, 0.0, 1, True, False),
]


def columns(log: list[Transition]) -> dict[str, Any]:
    return {name: np.array([getattr(row, name) for row in log]) for name in Transition._fields}


def test_counts_by_hand() -> None:
    mdp = estimate_mdp(LOG)
    assert mdp.P[0] == {0: [], 1: [(2 / 3, 2, 1.0, False), (1 / 3, 2, 5.0, False)]}
    assert mdp.P[2] == {
        0: [(1 / 3, 0, 0.0, False), (1 / 3, 1, 0.0, False), (1 / 3, 1, 0.0, True)],
        1: [],
    }
    np.testing.assert_allclose(mdp.initial, [1, 0, 0])  # starts: transitions 0, 2 and 4, all in state 0


def test_starts_are_the_first_transition_and_those_after_an_end() -> None:
    log = [*LOG, Transition(1, 0, 0.0, 1, False, False)]
    np.testing.assert_allclose(estimate_mdp(log).initial, [3 / 4, 1 / 4, 0])


def test_arrays_and_transitions_give_the_same_table() -> None:
    assert estimate_mdp(columns(LOG)).fingerprint == estimate_mdp(iter(LOG)).fingerprint
    without = columns(LOG)
    del without["truncated"]
    assert estimate_mdp(without).P == estimate_mdp(LOG).P


def test_the_prior_counts_every_observed_outcome_and_no_other() -> None:
    mdp = estimate_mdp(LOG, prior=0.5)
    assert [row[0] for row in mdp.P[0][1]] == pytest.approx([2.5 / 4, 1.5 / 4])
    assert [row[1:] for row in mdp.P[0][1]] == [(2, 1.0, False), (2, 5.0, False)]


def test_unseen_pairs_are_unavailable_or_loops_or_an_error() -> None:
    sizes: dict[str, Any] = {"num_states": 5, "num_actions": 2}
    log = [*LOG[:3], Transition(2, 0, 0.0, 3, True, False)]
    closed = estimate_mdp(log, **sizes)
    assert not closed.action_mask[0, 0]
    assert closed.terminal.tolist() == [False, True, False, True, True]
    looped = estimate_mdp(log, unseen="self_loop", **sizes)
    assert looped.P[0][0] == [(1.0, 0, 0.0, False)]
    assert looped.P[4][1] == [(1.0, 4, 0.0, False)]
    assert looped.P[0][1] == closed.P[0][1]
    assert looped.terminal.tolist() == [False, False, False, True, False]  # 3: entered by an end, never left
    with pytest.raises(ValueError, match=r"state 0, action 0 was never tried \(6 pairs were not\)"):
        estimate_mdp(log, unseen="error", **sizes)


@pytest.mark.parametrize("num_states", [40, 3000], ids=["histogram", "sorting"])
def test_estimates_approach_the_table_they_were_drawn_from(num_states: int) -> None:
    rng = np.random.default_rng(1)
    n, S, A = 200_000, num_states, 3
    s, a = rng.integers(10, size=n), rng.integers(A, size=n)
    jump = (rng.random(n) < 0.25 * (1 + a)).astype(int)
    reward = np.where(rng.random(n) < 0.5, -1.0, 2.0)
    log = {
        "observation": s,
        "action": a,
        "reward": reward,
        "next_observation": s + jump,
        "terminated": np.zeros(n, dtype=bool),
    }
    mdp = estimate_mdp(log, num_states=S)
    for row in range(10):
        for action in range(A):
            table = {(next_s, r): p for p, next_s, r, _ in mdp.P[row][action]}
            for (next_s, r), p in table.items():
                chance = 0.5 * (0.25 * (1 + action) if next_s > row else 1 - 0.25 * (1 + action))
                assert p == pytest.approx(chance, abs=5 * np.sqrt(0.25 / (n / 30)))
                assert r in (-1.0, 2.0)
            counted = (s == row) & (a == action)
            key = (row + 1, 2.0)
            exact = (counted & (jump == 1) & (reward == 2.0)).sum() / counted.sum()
            assert table[key] == pytest.approx(exact, abs=1e-15)


def test_histogram_and_sorting_agree() -> None:
    rng = np.random.default_rng(2)
    n = 5000
    log: dict[str, Any] = {
        "observation": rng.integers(6, size=n),
        "action": rng.integers(2, size=n),
        "reward": rng.integers(3, size=n) / 3,
        "next_observation": rng.integers(6, size=n),
        "terminated": rng.random(n) < 0.1,
    }
    small, large = estimate_mdp(log), estimate_mdp(log, num_states=2000)
    for name in ("probability", "next_state", "reward", "terminated"):
        np.testing.assert_array_equal(getattr(small, name), getattr(large, name))


def test_many_distinct_rewards_stay_apart() -> None:
    rng = np.random.default_rng(3)
    n = 3000
    log: dict[str, Any] = {
        "observation": np.zeros(n, dtype=int),
        "action": np.zeros(n, dtype=int),
        "reward": rng.normal(size=n),
        "next_observation": np.zeros(n, dtype=int),
        "terminated": np.zeros(n, dtype=bool),
    }
    mdp = estimate_mdp(log)
    assert isinstance(mdp, TabularMDP)
    np.testing.assert_array_equal(mdp.reward, np.sort(log["reward"]))
    assert mdp.expected_reward[0, 0] == pytest.approx(log["reward"].mean())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"observation": [-1] * 7}, "observation must be at least 0, got -1"),
        ({"reward": [np.inf] * 7}, "the reward of transition 0 is inf"),
        ({"terminated": [2] * 7}, "terminated must hold booleans"),
        ({"action": [0, 1]}, "one dimension and one length"),
        ({"dones": [0] * 7}, r"unknown: \['dones'\]"),
    ],
)
def test_bad_logs_are_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimate_mdp(columns(LOG) | change)


def test_bad_settings_are_named() -> None:
    with pytest.raises(ValueError, match="no transitions"):
        estimate_mdp([])
    with pytest.raises(ValueError, match="num_states is 2, but the transitions name the index 2"):
        estimate_mdp(LOG, num_states=2)
    with pytest.raises(ValueError, match="prior must be"):
        estimate_mdp(LOG, prior=-1.0)
    with pytest.raises(ValueError, match="unseen must be one of unavailable, self_loop, error"):
        estimate_mdp(LOG, unseen="ignore")  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(TypeError, match="action must hold integers"):
        estimate_mdp(columns(LOG) | {"action": [0.5] * 7})
