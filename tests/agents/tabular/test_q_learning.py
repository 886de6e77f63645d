"""Q-learning, against arithmetic, against the table, against the known optimum, and both of its roads."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from helpers.bellman import optimal_q_values

import bellglass  # noqa: F401 (registers the ids)
from bellglass.agents import QLearning, Transition
from bellglass.agents.tabular import q_learning
from bellglass.agents.tabular.fast_path import FastPath
from bellglass.envs import TabularEnv
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.tables import table_of

DISCOUNT = 0.9


def noisy_table() -> TabularMDP:
    """Six states, three actions, two of them masked somewhere, an end and a start in two states."""
    rng = np.random.default_rng(0)
    transition = rng.dirichlet(np.ones(6), size=(6, 3))
    mask = np.ones((6, 3), dtype=np.bool_)
    mask[2, 0] = mask[3, 1] = False
    return TabularMDP.from_arrays(
        transition, rng.normal(size=(6, 3)), terminal=[5], initial=[0.5, 0.5, 0, 0, 0, 0], action_mask=mask
    )


@pytest.mark.parametrize(
    ("terminated", "truncated", "expected"),
    [
        (False, False, 1.0 + 0.5 * (2.0 + 0.9 * 4.0 - 1.0)),
        (False, True, 1.0 + 0.5 * (2.0 + 0.9 * 4.0 - 1.0)),  # out of time: still bootstraps
        (True, False, 1.0 + 0.5 * (2.0 - 1.0)),  # over: the reward is all there is
    ],
)
def test_one_update_worked_by_hand(terminated: bool, truncated: bool, expected: float) -> None:
    mdp = TabularMDP.from_arrays(np.full((2, 2, 2), 0.5), np.zeros(2), initial=[1, 0])
    agent = QLearning(TabularEnv(mdp), discount=DISCOUNT, step_size=0.5)
    agent.q_values[:] = [[1.0, 0.0], [3.0, 4.0]]
    assert agent.update(Transition(0, 0, 2.0, 1, terminated, truncated)) == pytest.approx(2 * (expected - 1))
    np.testing.assert_allclose(agent.q_values, [[expected, 0.0], [3.0, 4.0]])
    assert agent.visits.tolist() == [[1, 0], [0, 0]]


def test_a_masked_action_never_enters_the_maximum() -> None:
    agent = QLearning(TabularEnv(noisy_table()), discount=DISCOUNT, step_size=1.0)
    agent.q_values[2] = [100.0, 3.0, 4.0]
    agent.masks.note(2, np.array([False, True, True]))
    agent.update(Transition(0, 0, 1.0, 2, False, False))
    assert agent.q_values[0, 0] == pytest.approx(1.0 + 0.9 * 4.0)
    agent.masks.note(5, np.zeros(3, dtype=np.bool_))  # a terminal state entered unterminated is worth 0
    agent.q_values[5] = 7.0
    agent.update(Transition(0, 1, 1.0, 5, False, False))
    assert agent.q_values[0, 1] == 1.0


def test_expected_td_error_vanishes_exactly_at_the_optimum() -> None:
    """No sampling: the table gives every outcome, so the expectation is a sum."""
    mdp = noisy_table()
    agent = QLearning(TabularEnv(mdp), discount=DISCOUNT)
    agent.q_values[:] = np.where(mdp.action_mask, optimal_q_values(mdp, DISCOUNT), 0.0)
    for s in range(mdp.num_states):
        agent.masks.note(s, mdp.action_mask[s])
    for s, a in np.argwhere(mdp.action_mask).tolist():
        errors = [
            p * agent.td_error(Transition(s, a, r, next_s, terminated, truncated=False))
            for p, next_s, r, terminated in mdp.P[s][a]
        ]
        assert sum(errors) == pytest.approx(0.0, abs=1e-12)


def test_learning_reaches_the_known_values_and_policy() -> None:
    mdp = noisy_table()
    optimum = optimal_q_values(mdp, DISCOUNT)
    step_size = {"kind": "polynomial", "power": 0.7}
    agent = QLearning(TabularEnv(mdp), discount=DISCOUNT, step_size=step_size, epsilon=0.5, seed=0)
    agent.learn(300_000)
    np.testing.assert_allclose(
        agent.q_values[mdp.action_mask], optimum[mdp.action_mask], atol=0.3, rtol=0
    )  # a million steps, ten seeds: .03 to .09 off
    np.testing.assert_array_equal(agent.policy[:5], optimum.argmax(axis=1)[:5])
    assert agent.visits.sum() == 300_000
    assert (agent.visits[~mdp.action_mask] == 0).all()


@pytest.mark.parametrize(
    ("keywords", "limit"),
    [
        ({"id": None}, None),
        ({"id": None}, 7),
        ({"id": "bellglass/FrozenLake-v0", "map_name": "8x8"}, 30),
        ({"id": "bellglass/RiverSwim-v0"}, 50),
    ],
)
@pytest.mark.parametrize("step_size", [0.1, {"kind": "polynomial", "power": 0.7}])
def test_both_paths_give_the_same_bits(
    keywords: dict[str, Any], limit: int | None, step_size: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps: True)
    agents: list[QLearning] = []
    envs: list[Any] = []
    for hidden in (False, True):
        if keywords["id"] is None:
            env: Any = gym.wrappers.OrderEnforcing(TabularEnv(noisy_table()))
            env = env if limit is None else gym.wrappers.TimeLimit(env, limit)
        else:
            env = gym.make(**keywords, max_episode_steps=limit)
        envs.append(env)
        assert FastPath.through(env) is not None
        env = gym.Wrapper(env) if hidden else env
        assert (FastPath.through(env) is None) == hidden
        epsilon = {"kind": "linear", "start": 1.0, "end": 0.1, "fraction": 0.5}
        agent = QLearning(env, step_size=step_size, epsilon=epsilon, initial_value=0.5, seed=3)
        agents.append(agent.learn(4000).learn(999, reset_num_timesteps=False))
    compiled, stepping = agents
    np.testing.assert_array_equal(compiled.q_values, stepping.q_values)
    np.testing.assert_array_equal(compiled.visits, stepping.visits)
    np.testing.assert_array_equal(compiled.masks.available, stepping.masks.available)
    np.testing.assert_array_equal(compiled.masks.seen, stepping.masks.seen)
    assert compiled.num_timesteps == stepping.num_timesteps == 4999
    assert compiled.num_episodes == stepping.num_episodes > 5
    assert compiled._rng.bit_generator.state == stepping._rng.bit_generator.state
    one, other = envs
    assert one.unwrapped.state == other.unwrapped.state
    assert one.unwrapped.np_random.bit_generator.state == other.unwrapped.np_random.bit_generator.state
    if limit is not None:
        assert one.get_wrapper_attr("_elapsed_steps") == other.get_wrapper_attr("_elapsed_steps") > 0
    action = np.int64(compiled.policy[one.unwrapped.state])  # what follows is the same too
    if not compiled._experience.over:  # type: ignore[union-attr]  # it has learned
        assert one.step(action)[:4] == other.step(action)[:4]


@pytest.mark.parametrize(
    "unseen",
    [
        lambda env: gym.wrappers.RecordEpisodeStatistics(env),
        lambda env: gym.wrappers.TransformReward(env, lambda r: 2 * float(r)),
        lambda env: TabularEnv(table_of(env), invalid_actions="raise"),
        lambda env: gym.make("FrozenLake-v1"),
        lambda env: gym.make("bellglass/TMaze-v0"),
    ],
)
def test_the_fast_path_is_closed_to_all_but_plain_tables(unseen: Any) -> None:
    assert FastPath.through(unseen(gym.make("bellglass/FrozenLake-v0"))) is None


def test_a_terminal_state_entered_unterminated_is_left_to_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps: True)
    P = {0: {0: [(0.5, 0, 1.0, False), (0.5, 1, 2.0, False)]}, 1: {}}
    agents = []
    for hidden in (False, True):
        mdp = TabularMDP(
            first_outcome=[0, 2, 2],
            probability=[0.5, 0.5],
            next_state=[0, 1],
            reward=[1.0, 2.0],
            terminated=[False, False],
            initial=[1, 0],
        )
        env = TabularEnv(mdp)
        agents.append(QLearning(gym.Wrapper(env) if hidden else env, step_size=0.5).learn(500))
        assert mdp.terminal.tolist() == [False, True]
    assert P[1] == {}
    np.testing.assert_array_equal(agents[0].q_values, agents[1].q_values)
    np.testing.assert_array_equal(agents[0].visits, agents[1].visits)
    assert agents[0].num_episodes == agents[1].num_episodes > 50


def test_a_subclass_with_rules_of_its_own_is_never_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps: True)

    class Lazy(QLearning):
        def update(self, transition: Transition) -> float:
            """Learns nothing."""
            return 0.0

    assert Lazy(gym.make("bellglass/FrozenLake-v0")).learn(3000).visits.sum() == 0


def test_short_runs_do_not_wait_for_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(function: object) -> object:
        raise AssertionError("compiled for a hundred steps")

    monkeypatch.setattr(q_learning, "compiled", never)
    monkeypatch.setattr("bellglass.compiled._done", {})
    QLearning(gym.make("bellglass/FrozenLake-v0")).learn(100)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discount": 1.5}, r"discount must be in \[0, 1\], got 1.5"),
        ({"step_size": 2.0}, r"step_size must lie in \[0, 1\], got 2"),
        (
            {"epsilon": {"kind": "linear", "start": 1.0, "end": -0.1}},
            r"epsilon must lie in \[0, 1\], got -0.1",
        ),
        ({"epsilon": {"kind": "cosine"}}, "epsilon names the kind 'cosine'; known are constant, linear"),
        ({"epsilon": {"kind": "linear", "begin": 1.0}}, "epsilon: .*begin"),
        ({"initial_value": np.inf}, "initial_value must be finite"),
    ],
)
def test_bad_settings_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QLearning(gym.make("bellglass/RiverSwim-v0"), **settings)
