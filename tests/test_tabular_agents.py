"""What all tabular learners promise: acting, ties, masks, calls of learn, vector environments, files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import bellglass
import bellglass.agents
from bellglass.agents import (
    AGENTS,
    CertaintyEquivalence,
    DoubleQLearning,
    QLearning,
    Transition,
)
from bellglass.agents.tabular.tabular_learner import TabularLearner
from bellglass.envs import TabularEnv
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.tables import table_of

LEARNERS: list[Any] = [
    getattr(bellglass.agents, name) for name, home in AGENTS.items() if home.startswith("tabular.")
]


def lake(**keywords: Any) -> gym.Env[Any, Any]:
    return gym.make("bellglass/FrozenLake-v0", **keywords)


def masked() -> TabularMDP:
    """Three states; action 0 is available only in state 1."""
    rng = np.random.default_rng(5)
    mask = np.array([[False, True, True], [True, True, True], [False, True, True]])
    return TabularMDP.from_arrays(
        rng.dirichlet(np.ones(3), size=(3, 3)), rng.normal(size=(3, 3)), initial=[1, 0, 0], action_mask=mask
    )


class Every:
    """A callback that wants to be asked every `interval` steps only, and notes when it was."""

    def __init__(self, interval: int) -> None:
        self.interval = self.next_timestep = interval
        self.asked: list[int] = []

    def __call__(self, agent: TabularLearner) -> None:
        """Looks at everything, which must not change anything."""
        self.asked.append(agent.num_timesteps)
        agent.predict(np.arange(16))
        agent.action_probabilities(np.arange(16), exploring=True)
        agent.policy.sum()
        self.next_timestep = agent.num_timesteps + self.interval


@pytest.mark.parametrize("learner", LEARNERS)
def test_callbacks_at_any_points_change_no_bit(learner: type[QLearning]) -> None:
    schedule = {"kind": "linear", "start": 0.5, "end": 0.1}
    plain = learner(lake(), epsilon=schedule, seed=4).learn(1500)
    asked: list[int] = []

    def every_step(agent: TabularLearner) -> None:
        asked.append(agent.num_timesteps)

    for callback in (Every(400), Every(7), every_step):
        watched = learner(lake(), epsilon=schedule, seed=4).learn(1500, callback)
        np.testing.assert_array_equal(plain.q_values, watched.q_values)
        assert watched.exploration_rate == plain.exploration_rate == pytest.approx(0.1)
        if isinstance(callback, Every) and callback.interval == 400:
            assert callback.asked == [400, 800, 1200]
    assert asked == list(range(1, 1501))


@pytest.mark.parametrize("learner", LEARNERS)
def test_learning_in_two_calls_is_learning_in_one(learner: type[QLearning]) -> None:
    whole = learner(lake(), epsilon=0.1, seed=1).learn(1200)
    parts = learner(lake(), epsilon=0.1, seed=1).learn(500).learn(700, reset_num_timesteps=False)
    np.testing.assert_array_equal(whole.q_values, parts.q_values)
    assert (parts.num_timesteps, parts.num_episodes) == (1200, whole.num_episodes)
    assert parts.learn(300).num_timesteps == 300


@pytest.mark.parametrize("learner", LEARNERS)
def test_equal_seeds_give_equal_bits_and_other_seeds_do_not(learner: type[QLearning]) -> None:
    one, same, other = (learner(lake(), epsilon=0.5, seed=seed).learn(1000) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.q_values, same.q_values)
    assert (one.q_values != other.q_values).any()


@pytest.mark.parametrize("learner", LEARNERS)
def test_false_from_a_callback_stops(learner: type[QLearning]) -> None:
    agent = learner(lake()).learn(1000, lambda agent: agent.num_timesteps < 12)
    assert agent.num_timesteps == 12


def test_ties_go_to_the_lowest_action_or_are_shared_while_exploring() -> None:
    agent = QLearning(TabularEnv(masked()), epsilon=0.3)
    for s, mask in enumerate(masked().action_mask):
        agent.masks.note(s, mask)
    agent.q_values[:] = [[9, 1, 1], [2, 0, 2], [9, 0, 1]]
    np.testing.assert_allclose(agent.action_probabilities(np.arange(3)), [[0, 1, 0], [1, 0, 0], [0, 0, 1]])
    np.testing.assert_allclose(
        agent.action_probabilities(np.arange(3), exploring=True),
        [[0, 0.5, 0.5], [0.1 + 0.35, 0.1, 0.1 + 0.35], [0, 0.15, 0.85]],
    )
    assert agent.policy.tolist() == [1, 0, 2]
    draws = np.array([agent.select_action(1) for _ in range(20_000)])
    np.testing.assert_allclose(np.bincount(draws) / 20_000, [0.45, 0.1, 0.45], atol=0.02)  # 5 sigma
    drawn, memory = agent.predict(np.ones(20_000, dtype=np.int64))
    assert memory is None
    np.testing.assert_allclose(np.bincount(drawn) / 20_000, [0.45, 0.1, 0.45], atol=0.02)


def test_predict_takes_one_observation_or_a_batch() -> None:
    agent = QLearning(lake()).learn(50)
    action, memory = agent.predict(3, deterministic=True)
    assert isinstance(action, np.int64)
    assert memory is None
    actions, _ = agent.predict([3, 4, 5], deterministic=True)
    assert (actions.dtype, actions.shape, actions[0]) == (np.int64, (3,), action)
    assert agent.action_probabilities(np.int64(2)).shape == (4,)
    assert agent.predict(np.array([], dtype=np.int64), deterministic=True)[0].shape == (0,)


@pytest.mark.parametrize("learner", LEARNERS)
def test_masked_actions_are_never_played_or_believed(learner: type[QLearning]) -> None:
    mdp = masked()
    env = TabularEnv(mdp, invalid_actions="raise")
    agent = learner(env, epsilon=0.5, discount=0.9, max_episode_steps=30).learn(
        2000
    )  # it never ends by itself
    assert mdp.action_mask[np.arange(3), agent.policy].all()
    assert (agent.action_probabilities(np.arange(3), exploring=True)[~mdp.action_mask] == 0).all()


class Log(QLearning):
    """Keeps what it learned from."""

    def __init__(self, env: Any, **settings: Any) -> None:
        super().__init__(env, **settings)
        self.log: list[Transition] = []

    def update(self, transition: Transition) -> float:
        """Notes the transition as well."""
        self.log.append(transition)
        return super().update(transition)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_vector_environments_show_only_steps_that_were_played(native: bool, mode: AutoresetMode) -> None:
    """Every transition is a row of the table, ends lead where it says, clocks truncate after 9 steps."""
    if native:
        envs: Any = gym.make_vec(
            "bellglass/FrozenLake-v0", num_envs=3, max_episode_steps=9, autoreset_mode=mode
        )
    else:
        envs = SyncVectorEnv([lambda: lake(max_episode_steps=9)] * 3, autoreset_mode=mode)
    agent = Log(envs, epsilon=1.0, seed=0).learn(3000)
    mdp = table_of(lake())
    assert 3000 <= agent.num_timesteps == len(agent.log) < 3003
    assert agent.num_episodes == sum(t.terminated or t.truncated for t in agent.log) > 300
    assert agent.visits.sum() == len(agent.log)
    for t in agent.log:
        rows = [row[1:] for row in mdp.P[t.observation][t.action]]
        assert not mdp.terminal[t.observation]
        assert (t.next_observation, t.reward, t.terminated) in rows
        assert t.terminated == bool(mdp.terminal[t.next_observation])
    # The starts are played: a dummy step or a lost reset would thin them out.
    starts = sum(t.observation == 0 for t in agent.log)
    assert starts > agent.num_episodes
    assert any(t.truncated for t in agent.log)
    assert any(t.terminated for t in agent.log)


@pytest.mark.parametrize("learner", LEARNERS)
def test_saved_agents_act_and_go_on_alike(learner: type[QLearning], tmp_path: Path) -> None:
    agent = learner(
        lake(), discount=0.95, epsilon={"kind": "linear", "start": 1.0, "end": 0.2}, seed=7
    ).learn(900)
    agent.save(tmp_path / "agent.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["agent.npz"]
    alone = learner.load(tmp_path / "agent.npz")
    states = np.arange(16)
    np.testing.assert_array_equal(alone.q_values, agent.q_values)
    np.testing.assert_array_equal(
        alone.action_probabilities(states, exploring=True), agent.action_probabilities(states, exploring=True)
    )
    np.testing.assert_array_equal(alone.predict(states)[0], agent.predict(states)[0])
    assert (alone.discount, alone.seed, alone.num_timesteps) == (0.95, 7, 900)
    with pytest.raises(ValueError, match="no environment to learn in"):
        alone.learn(1)
    again = learner.load(tmp_path / "agent.npz", lake())
    np.testing.assert_array_equal(again.learn(500).q_values, agent.learn(500).q_values)


def test_files_of_others_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent"
    QLearning(lake()).learn(10).save(path)
    with pytest.raises(ValueError, match="holds a QLearning, not a CertaintyEquivalence"):
        CertaintyEquivalence.load(path)
    with pytest.raises(ValueError, match="was made for"):
        QLearning.load(path, gym.make("bellglass/RiverSwim-v0"))
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"not a zip at all"):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="not an agent saved by bellglass, or is damaged"):
            QLearning.load(path)
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(ValueError, match="not an agent saved by bellglass"):
        QLearning.load(tmp_path / "other.npz")
    with pytest.raises(FileNotFoundError):
        QLearning.load(tmp_path / "missing")


def test_schedules_of_the_users_own_work_but_are_not_saved(tmp_path: Path) -> None:
    agent = QLearning(lake(), step_size=lambda n: 1 / n).learn(20)
    with pytest.raises(TypeError, match="step_size is a schedule of your own"):
        agent.save(tmp_path / "agent")
    assert not list(tmp_path.iterdir())


def with_optimum(learner: Any, env: gym.Env[Any, Any], discount: float) -> Any:
    """An agent into which the optimum was written, not learned: values, or counts of every outcome of the table."""
    mdp = table_of(env)
    best = bellglass.solve(mdp, discount, tolerance=1e-12)
    agent = learner(env, discount=discount)
    for s, mask in enumerate(mdp.action_mask):
        agent.masks.note(s, mask)
    if isinstance(agent, CertaintyEquivalence):
        for pair, k in zip(mdp.row_of_outcome.tolist(), range(mdp.num_outcomes), strict=True):
            s, a = divmod(pair, mdp.num_actions)
            times = round(float(mdp.probability[k]) * 3)  # thirds, as on the ice, or certain
            outcome = float(mdp.reward[k]), int(mdp.next_state[k]), bool(mdp.terminated[k])
            for _ in range(times):
                agent.update(Transition(s, a, *outcome, truncated=False))
    elif isinstance(agent, DoubleQLearning):
        agent.tables[:] = agent.q_values[:] = np.where(mdp.action_mask, best.q_values, 0.0)
    else:
        agent.q_values[:] = np.where(mdp.action_mask, best.q_values, 0.0)
    np.testing.assert_allclose(agent.q_values[mdp.action_mask], best.q_values[mdp.action_mask], atol=1e-9)
    return agent


@pytest.mark.parametrize("slippery", [True, False])
@pytest.mark.parametrize("learner", LEARNERS)
def test_an_agent_that_knows_the_optimum_plays_says_and_keeps_it(
    learner: Any, slippery: bool, tmp_path: Path
) -> None:
    """No luck of a seed: `predict`, `action_probabilities`, `evaluate`, `save` and `load` all tell the same."""
    env = lake(is_slippery=slippery)
    mdp, states = table_of(env), np.arange(16)
    best = bellglass.solve(mdp, 0.9)
    agent = with_optimum(learner, env, 0.9)
    agent.save(tmp_path / "agent")
    for one in (
        agent,
        learner.load(tmp_path / "agent"),
        learner.load(tmp_path / "agent", lake(is_slippery=slippery)),
    ):
        chances = one.action_probabilities(states)
        live = ~mdp.terminal
        assert best.optimal_actions[np.arange(16), chances.argmax(axis=1)][live].all()
        np.testing.assert_array_equal(chances.sum(axis=1), 1.0)
        assert set(np.unique(chances)) == {0.0, 1.0}
        np.testing.assert_array_equal(one.predict(states, deterministic=True)[0], chances.argmax(axis=1))
        np.testing.assert_array_equal(one.policy, chances.argmax(axis=1))
        score = bellglass.evaluate(env, one, discount=0.9)
        assert score.start_value == pytest.approx(best.start_value, rel=1e-9)
        assert score.solved
        one.epsilon = 0.2
        mixed = one.action_probabilities(states, exploring=True)[live]
        np.testing.assert_allclose(mixed.sum(axis=1), 1.0)
        assert (mixed.min(axis=1) >= 0.05 - 1e-12).all()


@pytest.mark.parametrize("learner", LEARNERS)
def test_stable_baselines3_evaluates_ours(learner: Any) -> None:
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    env = lake(is_slippery=False)
    mean, deviation = evaluation.evaluate_policy(
        with_optimum(learner, env, 0.9), lake(is_slippery=False), n_eval_episodes=5, warn=False
    )
    assert (mean, deviation) == (1.0, 0.0)


@pytest.mark.parametrize("learner", LEARNERS)
def test_memoryless_learners_play_partially_observed_environments(learner: type[QLearning]) -> None:
    env = gym.make("bellglass/TMaze-v0")
    agent = learner(env, epsilon=0.2).learn(500)
    assert agent.q_values.shape == (env.observation_space.n, env.action_space.n)  # type: ignore[attr-defined]  # Discrete


def test_other_spaces_and_observations_are_refused() -> None:
    with pytest.raises(TypeError, match="needs a Discrete observation space"):
        QLearning(gym.make("CartPole-v1"))
    with pytest.raises(TypeError, match="env must be a gymnasium Env or VectorEnv"):
        QLearning("FrozenLake")  # type: ignore[arg-type]  # the point of the test
    agent = QLearning(lake())
    with pytest.raises(ValueError, match=r"observations must be in \[0, 16\)"):
        agent.predict(16)
    with pytest.raises(TypeError, match="observations must be integers"):
        agent.predict(0.5)
    with pytest.raises(ValueError, match="total_timesteps must be at least 0"):
        agent.learn(-1)


def test_learning_leaves_the_global_generator_alone() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[index]  # noqa: NPY002 (the one that must not move)
    QLearning(lake()).learn(50).predict(0)
    assert np.random.get_state()[1].tolist() == before  # type: ignore[index]  # noqa: NPY002 (as above)
