"""Double Q-learning, Sarsa, Expected Sarsa: one update by hand, an identity, the known optimum."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import optimal_q_values

import bellglass  # noqa: F401 (registers the ids)
from bellglass.agents import DoubleQLearning, ExpectedSarsa, MonteCarlo, QLearning, Sarsa, Transition
from bellglass.agents.spaces import Sizes
from bellglass.envs import TabularEnv
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.tables import table_of

LEARNERS: list[type[DoubleQLearning] | type[Sarsa] | type[ExpectedSarsa]] = [
    DoubleQLearning,
    Sarsa,
    ExpectedSarsa,
]
ENDINGS = [(False, False), (False, True), (True, False)]


@pytest.mark.parametrize(("terminated", "truncated"), ENDINGS)
def test_double_q_learning_chooses_with_one_table_and_values_with_the_other(
    terminated: bool, truncated: bool
) -> None:
    agent = DoubleQLearning(Sizes(2, (), 2), discount=0.9, step_size=0.5)
    agent.tables[0] = [[1.0, 0.0], [3.0, 4.0]]
    agent.tables[1] = [[2.0, 0.0], [7.0, 5.0]]
    step = Transition(0, 0, 2.0, 1, terminated, truncated)
    bootstrap = 0.0 if terminated else 0.9
    assert agent.td_error(step, 0) == pytest.approx(2.0 + bootstrap * 5.0 - 1.0)
    assert agent.td_error(step, 1) == pytest.approx(2.0 + bootstrap * 3.0 - 2.0)
    before = agent.tables.copy()
    error = agent.update(step)
    moved = agent.tables - before
    assert np.count_nonzero(moved) == 1
    assert moved[:, 0, 0].sum() == pytest.approx(0.5 * error)
    assert agent.q_values[0, 0] == agent.tables[:, 0, 0].mean()


@pytest.mark.parametrize(("terminated", "truncated"), ENDINGS)
def test_sarsa_values_the_action_that_will_be_played(terminated: bool, truncated: bool) -> None:
    agent = Sarsa(Sizes(2, (), 2), discount=0.9, step_size=0.5)
    agent.q_values[:] = [[1.0, 0.0], [3.0, 4.0]]
    agent.update(Transition(0, 0, 2.0, 1, terminated, truncated), 0)
    target = 2.0 if terminated else 2.0 + 0.9 * 3.0
    assert agent.q_values[0, 0] == pytest.approx(1.0 + 0.5 * (target - 1.0))


@pytest.mark.parametrize(("terminated", "truncated"), ENDINGS)
def test_expected_sarsa_averages_over_what_it_plays(terminated: bool, truncated: bool) -> None:
    agent = ExpectedSarsa(Sizes(2, (), 2), discount=0.9, step_size=0.5, epsilon=0.4)
    agent.q_values[:] = [[1.0, 0.0], [3.0, 4.0]]
    agent.update(Transition(0, 0, 2.0, 1, terminated, truncated))
    target = 2.0 if terminated else 2.0 + 0.9 * (0.2 * 3.0 + 0.8 * 4.0)
    assert agent.q_values[0, 0] == pytest.approx(1.0 + 0.5 * (target - 1.0))


@pytest.mark.parametrize(("terminated", "truncated"), [(True, False), (False, True)])
def test_monte_carlo_learns_the_return_that_followed(terminated: bool, truncated: bool) -> None:
    agent = MonteCarlo(Sizes(3, (), 2), discount=0.5, step_size=1.0, epsilon=0.4)
    agent.q_values[2] = [1.0, 6.0]
    agent.learn_from(
        [Transition(0, 1, 1.0, 1, False, False), Transition(1, 0, 2.0, 2, terminated, truncated)]
    )
    tail = 0.0 if terminated else 0.2 * 1.0 + 0.8 * 6.0  # out of time: the world goes on
    assert agent.q_values[1, 0] == pytest.approx(2.0 + 0.5 * tail)
    assert agent.q_values[0, 1] == pytest.approx(1.0 + 0.5 * (2.0 + 0.5 * tail))
    assert agent.visits.tolist() == [[0, 1], [1, 0], [0, 0]]


def test_monte_carlo_visits_every_step_of_finished_episodes_and_reaches_the_optimum() -> None:
    env = gym.make("bellglass/RussellNorvig-v0")
    mdp = table_of(env)
    optimum = optimal_q_values(mdp, 0.99)
    agent = MonteCarlo(env, epsilon={"kind": "linear", "start": 1.0, "end": 0.0}, step_size=0.01).learn(
        60_000
    )
    assert 60_000 - 300 < agent.visits.sum() <= 60_000
    s = int(mdp.initial.argmax())
    assert optimum[s, agent.policy[s]] > optimum[s].max() - 0.05
    assert agent.q_values[s].max() == pytest.approx(optimum[s].max(), abs=0.15)


def test_sarsa_plays_the_action_it_has_learned_from() -> None:
    """The pairs of one episode chain: the next action of each update is the action of the next transition."""

    class Log(Sarsa):
        def update(self, transition: Transition, next_action: int | None = None) -> float:
            """Notes both."""
            log.append((transition, next_action))
            return super().update(transition, next_action)

    log: list[tuple[Transition, int | None]] = []
    Log(gym.make("bellglass/FrozenLake-v0", max_episode_steps=6), epsilon=0.9).learn(
        500, lambda agent: None
    ).learn(500, reset_num_timesteps=False)
    for (step, next_action), (following, _) in itertools.pairwise(log):
        if not (step.terminated or step.truncated):
            assert (step.next_observation, next_action) == (following.observation, following.action)
        assert (next_action is None) == step.terminated


@pytest.mark.parametrize("learner", LEARNERS)
def test_expected_error_vanishes_at_the_optimum_of_greedy_play(learner: Any) -> None:
    mdp = table_of(gym.make("bellglass/FrozenLake-v0"))
    agent = learner(gym.make("bellglass/FrozenLake-v0"), discount=0.9, epsilon=0.0)
    optimum = optimal_q_values(mdp, 0.9)
    agent.q_values[:] = optimum
    if learner is DoubleQLearning:
        agent.tables[:] = optimum
    for s, a in np.argwhere(mdp.action_mask).tolist():
        error = 0.0
        for p, next_s, r, terminated in mdp.P[s][a]:
            step = Transition(s, a, r, next_s, terminated, False)
            best = int(optimum[next_s].argmax())
            extra = {DoubleQLearning: (0,), Sarsa: (best,), ExpectedSarsa: ()}[learner]
            error += p * agent.td_error(step, *extra)
        assert error == pytest.approx(0.0, abs=1e-11)


@pytest.mark.parametrize("learner", LEARNERS)
def test_the_known_optimum_is_reached(learner: Any) -> None:
    rng = np.random.default_rng(0)
    mdp = TabularMDP.from_arrays(
        rng.dirichlet(np.ones(6), size=(6, 3)),
        rng.normal(size=(6, 3)),
        terminal=[5],
        initial=[0.5, 0.5, 0, 0, 0, 0],
    )
    optimum = optimal_q_values(mdp, 0.9)
    epsilon = {"kind": "linear", "start": 0.8, "end": 0.0}
    for seed in range(2):  # six seeds: same policy, at most .42 off
        agent = learner(TabularEnv(mdp), discount=0.9, epsilon=epsilon, step_size=0.02, seed=seed).learn(
            40_000
        )
        np.testing.assert_array_equal(agent.policy[:5], optimum.argmax(axis=1)[:5])
        np.testing.assert_allclose(agent.q_values.max(axis=1)[:5], optimum.max(axis=1)[:5], atol=0.8)


def test_sarsa_walks_round_the_cliff_and_q_learning_along_it() -> None:
    """Sutton & Barto (2018), Example 6.6: whoever values its own epsilon keeps its distance."""
    mdp = table_of(gym.make("bellglass/CliffWalking-v0"))

    def steps_to_the_goal(learner: Any) -> int:
        env = gym.make("bellglass/CliffWalking-v0")
        policy = learner(env, discount=1.0, epsilon=0.1, step_size=0.1, seed=0).learn(60_000).policy
        s, ended, steps = int(mdp.initial.argmax()), False, 0
        while not ended:
            ((_, s, _, ended),) = mdp.P[s][int(policy[s])]
            steps += 1
            assert steps < 100
        return steps

    assert steps_to_the_goal(QLearning) == 13
    assert steps_to_the_goal(Sarsa) >= 15
    assert steps_to_the_goal(ExpectedSarsa) >= 15


def test_noise_is_not_taken_for_value() -> None:
    """Ten noisy actions of mean 0: Q-learning believes in their maximum, double Q-learning does not."""
    rng = np.random.default_rng(0)
    single, double = (
        learner(Sizes(2, (), 10), discount=1.0, step_size=0.1) for learner in (QLearning, DoubleQLearning)
    )
    best: dict[Any, list[float]] = {single: [], double: []}
    for _ in range(20_000):
        step = Transition(1, int(rng.integers(10)), float(rng.normal()), 0, True, False)
        lead = Transition(0, 0, 0.0, 1, False, False)
        for agent in (single, double):
            agent.update(step)
            agent.update(lead)
            best[agent].append(float(agent.q_values[0, 0]))
    assert np.mean(best[single][2000:]) > 0.25
    assert abs(np.mean(best[double][2000:])) < 0.05
