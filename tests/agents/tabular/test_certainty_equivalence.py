"""Certainty equivalence: counts by hand, an independent sweep of the counted table, and known optima."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import optimal_q_values

import bellglass  # noqa: F401 (registers the ids)
from bellglass.agents import CertaintyEquivalence, Transition, estimate_mdp
from bellglass.agents.spaces import Sizes
from bellglass.agents.tabular.counts import Counts
from bellglass.envs.mdp import IntArray, TabularMDP
from bellglass.envs.tables import table_of


def start_value(mdp: TabularMDP, policy: IntArray, discount: float) -> float:
    rows = np.arange(mdp.num_states) * mdp.num_actions + policy
    leaving = np.eye(mdp.num_states) - discount * mdp.transition_matrix[rows].toarray()
    return float(mdp.initial @ np.linalg.solve(leaving, mdp.expected_reward.ravel()[rows]))


def test_three_transitions_planned_by_hand() -> None:
    agent = CertaintyEquivalence(Sizes(3, (), 2), discount=0.5)
    for transition in (
        Transition(0, 0, 1.0, 1, False, False),
        Transition(0, 0, 1.0, 2, True, False),  # terminated: whatever 2 is worth does not count
        Transition(1, 1, 4.0, 2, False, True),  # truncated: the world goes on in 2
        Transition(2, 0, 2.0, 2, True, False),
    ):
        agent.update(transition)
    q1 = 4.0 + 0.5 * 2.0
    np.testing.assert_allclose(
        agent.q_values, [[1.0 + 0.5 * 0.5 * q1, -np.inf], [-np.inf, q1], [2.0, -np.inf]]
    )
    np.testing.assert_allclose(agent.values, [1.0 + 0.25 * q1, q1, 2.0])
    assert agent.policy.tolist() == [0, 1, 0]


def test_one_optimistic_backup_by_hand() -> None:
    counts = Counts(2, 1)
    for _ in range(3):
        counts.add(Transition(0, 0, 1.0, 1, False, False))
    counts.add(Transition(0, 0, 5.0, 1, True, False))
    values = np.array([0.0, 10.0])
    backup = counts.backup(0, 0, values, discount=0.9, optimistic_visits=2.0, optimistic_value=100.0)
    assert backup == pytest.approx((3 * (1 + 0.9 * 10) + 5 + 2 * 100) / (4 + 2))


@pytest.mark.parametrize("num_states", [30, 700], ids=["dense", "sparse"])
def test_the_plan_is_the_optimum_of_the_estimated_table(num_states: int) -> None:
    rng = np.random.default_rng(0)
    n, A = 20 * num_states, 3
    counts = Counts(num_states, A)
    log = [
        Transition(int(s), int(a), float(r), int((s + jump) % num_states), bool(end), False)
        for s, a, r, jump, end in zip(
            rng.integers(num_states, size=n),
            rng.integers(A, size=n),
            rng.integers(3, size=n) / 2,
            rng.integers(4, size=n),
            rng.random(n) < 0.05,
            strict=True,
        )
    ]
    for transition in log:
        counts.add(transition)
    estimate = estimate_mdp(log, num_states=num_states, num_actions=A)
    q_values, values = counts.plan(0.9, np.ones((num_states, A), dtype=np.bool_))
    np.testing.assert_allclose(q_values, optimal_q_values(estimate, 0.9), atol=1e-10)
    np.testing.assert_allclose(values, optimal_q_values(estimate, 0.9).max(axis=1), atol=1e-10)
    for name in ("first_outcome", "probability", "next_state", "reward", "terminated"):
        np.testing.assert_array_equal(getattr(counts.table(), name), getattr(estimate, name))


def test_the_model_approaches_the_table() -> None:
    env = gym.make("bellglass/RiverSwim-v0")
    agent = CertaintyEquivalence(env, epsilon=1.0).learn(20_000)
    truth, model = table_of(env), agent.model
    for s, actions in truth.P.items():
        for a, rows in actions.items():
            counted = {(next_s, r, end): p for p, next_s, r, end in model.P[s][a]}
            n = agent.counts.visits[s, a]
            for p, next_s, r, end in rows:
                assert counted.get((next_s, r, end), 0.0) == pytest.approx(
                    p, abs=5 * np.sqrt(0.25 / max(n, 1))
                )


@pytest.mark.parametrize(
    ("name", "steps", "solved"),
    [
        ("RiverSwim", 1000, 5),
        ("RussellNorvig", 3000, 5),
        ("CliffWalking", 1000, 5),
        ("DeepSea", 1000, 5),
        ("FrozenLake", 10_000, 4),
    ],
)
def test_defaults_reach_the_known_optimum(name: str, steps: int, solved: int) -> None:
    """Within 3 % of the optimum; ten seeds: all ten everywhere, nine on FrozenLake."""
    env = gym.make(f"bellglass/{name}-v0")
    mdp = table_of(env)
    optimum = float(mdp.initial @ np.where(mdp.terminal, 0.0, optimal_q_values(mdp, 0.99).max(axis=1)))
    found = [
        start_value(mdp, CertaintyEquivalence(env, seed=seed).learn(steps).policy, 0.99) for seed in range(5)
    ]
    assert sum(value > optimum - 0.03 * abs(optimum) for value in found) >= solved


def test_without_optimistic_visits_it_may_be_greedy_for_ever() -> None:
    """The trap that optimism is there for: the small reward at the left of the river."""
    env = gym.make("bellglass/RiverSwim-v0")
    mdp = table_of(env)
    hopeful, greedy = (
        CertaintyEquivalence(env, optimistic_visits=o, epsilon=0.01).learn(3000) for o in (1.0, 0.0)
    )
    assert start_value(mdp, greedy.policy, 0.99) < 0.1 * start_value(mdp, hopeful.policy, 0.99)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discount": 1.0}, r"discount must be in \[0, 1\)"),
        ({"optimistic_visits": -1.0}, "optimistic_visits must be a finite number of at least 0"),
        ({"optimistic_value": np.nan}, "optimistic_value must be finite"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CertaintyEquivalence(Sizes(2, (), 2), **settings)  # type: ignore[arg-type]  # a dictionary of floats
