"""DQN: targets by hand, one step against Stable-Baselines3's, every autoreset mode, files, known optima."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from bellglass.agents.experience import Experience, Steps
from bellglass.agents.masks import Masks
from bellglass.agents.neural.dqn import DQN
from bellglass.agents.neural.replay import Minibatch, Replay
from bellglass.agents.spaces import Sizes, sizes_of
from bellglass.planning import evaluate

Outcomes = dict[int, dict[int, list[tuple[float, int, float, bool]]]]

QUICK: dict[str, Any] = {
    "learning_starts": 50,
    "batch_size": 32,
    "train_freq": 8,
    "target_update_interval": 100,
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class Ladder(gym.Env[Any, Any]):
    """Up by action 1, back to 0 by action 0, which is not available at 0; the top pays 1 and ends."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, top: int = 4, masked: bool = True, vectors: bool = False) -> None:
        self.top, self.masked, self.vectors = top, masked, vectors
        self.action_space = gym.spaces.Discrete(2)
        box = gym.spaces.Box(0.0, 1.0, (top + 1,), np.float32)
        self.observation_space = box if vectors else gym.spaces.Discrete(top + 1)
        self.place = 0

    def show(self) -> tuple[Any, dict[str, Any]]:
        """The observation and its mask."""
        ended = self.place == self.top
        mask = np.array([self.place > 0 and not ended, not ended])
        shown = np.eye(self.top + 1, dtype=np.float32)[self.place] if self.vectors else np.int64(self.place)
        return shown, ({"action_mask": mask} if self.masked else {})

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Back to the ground."""
        super().reset(seed=seed)
        self.place = 0
        return self.show()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Up or down."""
        if self.masked:
            assert self.show()[1]["action_mask"][action], "an unavailable action was played"
        self.place = self.place + 1 if action == 1 else 0
        observation, info = self.show()
        return observation, float(self.place == self.top), self.place == self.top, False, info


def ladders(mode: AutoresetMode, n: int = 3, limit: int = 7, **settings: Any) -> SyncVectorEnv:
    def make() -> gym.Env[Any, Any]:
        return gym.wrappers.TimeLimit(Ladder(masked=mode is not AutoresetMode.NEXT_STEP, **settings), limit)

    return SyncVectorEnv([make] * n, autoreset_mode=mode)


def minibatch(terminated: bool) -> Minibatch:
    """From state 0 by action 1 to state 2 for reward 1."""
    ended = np.array([terminated])
    return Minibatch(np.array([0]), np.array([1]), np.ones(1, np.float32), np.array([2]), ended)


def table_agent(double: bool, **settings: Any) -> DQN:
    """A network without hidden layers is a table; online and target tables are set to known numbers."""
    agent = DQN(Sizes(3, (), 2), hidden_sizes=(), double=double, discount=0.5, **settings)
    for network, table in [
        (agent.network, [[0.0, 0.0], [0.0, 0.0], [3.0, 1.0]]),
        (agent.target_network, [[0.0, 0.0], [0.0, 0.0], [2.0, 10.0]]),
    ]:
        weight, bias = network.parameters()
        with torch.no_grad():
            weight.copy_(torch.tensor(table))
            bias.zero_()
    return agent


@pytest.mark.parametrize(
    ("terminated", "truncated", "target"), [(False, False, 2.0), (False, True, 2.0), (True, False, 1.0)]
)
def test_a_target_stops_at_termination_and_never_at_truncation(
    terminated: bool, truncated: bool, target: float
) -> None:
    replay = Replay(4, Sizes(3, (), 2))
    flags = np.array([terminated]), np.array([truncated])
    replay.add(
        Steps(np.array([True]), np.array([0]), np.array([1]), np.ones(1, np.float32), np.array([2]), *flags)
    )
    batch = replay.draw(1, np.random.default_rng(0))
    assert table_agent(double=True).targets(batch) == pytest.approx([target])  # 1 + .5 * 2: chosen online


def test_without_double_choice_the_target_is_the_plain_maximum() -> None:
    assert table_agent(double=False).targets(minibatch(False)) == pytest.approx([1 + 0.5 * 10.0])


def test_the_maximum_runs_over_available_actions_only() -> None:
    agent = table_agent(double=True)
    agent.masks.note(np.array([2]), np.array([[False, True]]))
    assert agent.targets(minibatch(False)) == pytest.approx([1 + 0.5 * 10.0])
    agent.masks.available[2] = False
    assert agent.targets(minibatch(False)) == pytest.approx([1.0])  # nothing to be done there: value 0


@pytest.mark.parametrize("one_hot", [False, True])
def test_gradient_steps_equal_those_of_stable_baselines3(
    one_hot: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stable_baselines3 import DQN as TheirDQN
    from stable_baselines3.common.type_aliases import ReplayBufferSamples

    env: gym.Env[Any, Any] = Ladder(top=6, masked=False, vectors=one_hot)
    theirs = TheirDQN(
        "MlpPolicy", env, learning_rate=3e-3, buffer_size=500, batch_size=32, gamma=0.9, seed=0, device="cpu"
    )
    theirs.learn(0)
    agent = DQN(env, discount=0.9, double=False, batch_size=32)
    for mine, module in [(agent.network, theirs.q_net), (agent.target_network, theirs.q_net_target)]:
        with torch.no_grad():
            for p, q in zip(mine.parameters(), module.parameters(), strict=True):
                p.copy_(q if p.shape == q.shape else q.T)
    rng = np.random.default_rng(0)
    for _ in range(20):
        batch = Minibatch(
            rng.integers(0, 7, 32),
            rng.integers(0, 2, 32),
            rng.normal(size=32).astype(np.float32),
            rng.integers(0, 7, 32),
            rng.random(32) < 0.1,
        )
        if one_hot:
            eye = np.eye(7, dtype=np.float32)
            batch = batch._replace(
                observation=eye[batch.observation], next_observation=eye[batch.next_observation]
            )
        sample = ReplayBufferSamples(
            torch.from_numpy(batch.observation),
            torch.from_numpy(batch.action)[:, None],
            torch.from_numpy(batch.next_observation),
            torch.from_numpy(batch.terminated.astype(np.float32))[:, None],
            torch.from_numpy(batch.reward)[:, None],
        )
        monkeypatch.setattr(theirs.replay_buffer, "sample", lambda *_, drawn=sample, **__: drawn)
        theirs.train(gradient_steps=1, batch_size=32)
        agent.update(batch, 3e-3)
    for p, q in zip(agent.network.parameters(), theirs.q_net.parameters(), strict=True):
        expected = (q if p.shape == q.shape else q.T).detach().numpy()
        np.testing.assert_allclose(p.detach().numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_every_row_is_a_step_that_was_played_whatever_resets(mode: AutoresetMode) -> None:
    env = ladders(mode, limit=3)
    sizes = sizes_of(env)
    experience = Experience(env, sizes, Masks(sizes))
    experience.reset(0)
    rng = np.random.default_rng(0)
    ended, cut, dummies = 0, 0, 0
    for _ in range(200):
        began = np.isin(np.arange(3), experience.prepare())
        up = np.where(experience.observations == 0, 1, rng.random(3) < 0.9).astype(np.int64)
        steps = experience.step(up)
        for i in range(3):
            if not steps.played[i]:
                dummies += 1
                continue
            assert began[i] <= (steps.observation[i] == 0)
            expected = steps.observation[i] + 1 if steps.action[i] == 1 else 0
            assert steps.next_observation[i] == expected
            assert steps.terminated[i] == (expected == 4)
            ended, cut = ended + int(steps.terminated[i]), cut + int(steps.truncated[i])
    assert cut > 50
    assert ended == 0  # three steps do not reach the top
    assert (dummies > 0) == (mode is AutoresetMode.NEXT_STEP)


def test_the_agent_cuts_long_episodes_where_it_resets() -> None:
    env = Ladder(masked=False)
    sizes = sizes_of(env)
    experience = Experience(env, sizes, Masks(sizes), max_episode_steps=2)
    experience.reset(0)
    cuts = []
    for _ in range(6):
        experience.prepare()
        cuts.append(bool(experience.step(np.array([1])).truncated[0]))
    assert cuts == [False, True] * 3


class WholeResets(SyncVectorEnv):
    """Copies of which none can be reset alone, as far as anybody can know."""

    @property
    def unwrapped(self) -> Any:
        """Nobody who says that it resets copy by copy."""
        return object()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_copies_are_cut_one_by_one_whatever_resets_them(mode: AutoresetMode) -> None:
    env = ladders(mode, limit=100, top=50)
    sizes = sizes_of(env)
    experience = Experience(env, sizes, Masks(sizes), max_episode_steps=4)
    experience.reset(0)
    assert list(experience.prepare()) == [0, 1, 2]
    for episode in range(5):
        for t in range(1, 5):
            steps = experience.step(np.ones(3, dtype=np.int64))
            assert steps.played.all()
            assert steps.next_observation.tolist() == [t] * 3
            assert steps.truncated.tolist() == [t == 4] * 3, (episode, t)
            assert list(experience.prepare()) == ([0, 1, 2] if t == 4 else [])
            assert experience.observations.tolist() == [t % 4] * 3


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_copies_that_cannot_be_reset_alone_are_not_cut(mode: AutoresetMode) -> None:
    env = WholeResets([Ladder] * 2, autoreset_mode=mode)
    with pytest.raises(ValueError, match="max_episode_steps"):
        DQN(env, max_episode_steps=5).learn(1)


@pytest.mark.parametrize("vectors", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda **k: Ladder(**k),
        lambda **k: ladders(AutoresetMode.NEXT_STEP, **k),
        lambda **k: ladders(AutoresetMode.SAME_STEP, **k),
        lambda **k: ladders(AutoresetMode.DISABLED, **k),
    ],
)
def test_it_climbs_the_ladder_and_values_every_rung(make: Callable[..., Any], vectors: bool) -> None:
    agent = DQN(
        make(vectors=vectors), discount=0.9, learning_rate=3e-3, train_freq=2, target_update_interval=60
    )
    agent.learn(3000)
    shown = np.eye(5, dtype=np.float32) if vectors else np.arange(5)
    assert agent.predict(shown[:4], deterministic=True)[0].tolist() == [1] * 4
    values = agent._values(shown[:4])[:, 1]
    np.testing.assert_allclose(values, 0.9 ** np.array([3, 2, 1, 0]), atol=0.05)


def test_masks_are_read_off_the_environment_where_its_infos_hold_none() -> None:
    for infos in (True, False):
        env = gym.make_vec("bellglass/Gambler-v0", num_envs=4, infos=infos)
        agent = DQN(env, **QUICK).learn(2000)
        mask = gym.make("bellglass/Gambler-v0").get_wrapper_attr("mdp").action_mask
        assert np.array_equal(agent.masks.available[agent.masks.seen], mask[agent.masks.seen])
        assert agent.masks.seen.sum() > 90
        assert not (
            agent.action_probabilities(np.arange(len(mask)), exploring=True)[1:-1] * ~mask[1:-1]
        ).any()


def bits(agent: DQN) -> npt.NDArray[np.float32]:
    return agent.parameters.values.numpy().copy()


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_a_callback_and_looking_at_the_agent_change_no_bit(dropout: float) -> None:
    env = ladders(AutoresetMode.NEXT_STEP)
    asked: list[int] = []

    class Sparse:
        next_timestep = 0

        def __call__(self, agent: DQN) -> None:
            asked.append(agent.num_timesteps)
            self.next_timestep = agent.num_timesteps + 100
            agent.action_probabilities(np.arange(5), exploring=True)
            agent.predict(np.arange(5))

    plain = DQN(env, dropout=dropout, seed=3, **QUICK).learn(700)
    watched = DQN(env, dropout=dropout, seed=3, **QUICK).learn(700, Sparse())
    assert np.array_equal(bits(plain), bits(watched))
    assert len(asked) == 7
    assert all(late - early >= 100 for early, late in pairwise(asked))
    other = DQN(env, dropout=dropout, seed=4, **QUICK).learn(700)
    assert not np.array_equal(bits(plain), bits(other))


def test_false_from_the_callback_stops_and_the_count_goes_on_if_asked() -> None:
    agent = DQN(Ladder(), **QUICK).learn(500, lambda agent: agent.num_timesteps < 120)
    assert agent.num_timesteps == 120
    assert agent.learn(30, reset_num_timesteps=False).num_timesteps == 150
    assert agent.learn(10).num_timesteps == 10


@pytest.mark.parametrize("vectors", [False, True])
def test_saved_and_loaded_it_acts_alike_and_learns_on_alike(vectors: bool, tmp_path: Path) -> None:
    agent = DQN(Ladder(vectors=vectors), dueling=True, layer_norm=True, activation="silu", **QUICK).learn(400)
    agent.save(tmp_path / "agent")
    twin, third = DQN.load(tmp_path / "agent", Ladder(vectors=vectors)), DQN.load(tmp_path / "agent")
    shown = np.eye(5, dtype=np.float32) if vectors else np.arange(5)
    for other in (twin, third):
        assert np.array_equal(bits(agent), bits(other))
        for exploring in (False, True):
            expected = agent.action_probabilities(shown, exploring=exploring)
            assert np.array_equal(expected, other.action_probabilities(shown, exploring=exploring))
    fourth = DQN.load(tmp_path / "agent", Ladder(vectors=vectors))
    assert np.array_equal(bits(twin.learn(300)), bits(fourth.learn(300)))
    with pytest.raises(ValueError, match="environment"):
        third.learn(10)
    with pytest.raises(ValueError, match="made for"):
        DQN.load(tmp_path / "agent", Ladder(top=9, vectors=vectors))


def test_a_module_of_the_users_own_is_learned_and_comes_back(tmp_path: Path) -> None:
    own = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(5, 16), torch.nn.Tanh(), torch.nn.Linear(16, 2)
    )
    before = [p.detach().clone() for p in own.parameters()]
    agent = DQN(Ladder(vectors=True), network=own, **QUICK).learn(300)
    assert all(torch.equal(p, q) for p, q in zip(own.parameters(), before, strict=True))  # it took a copy
    agent.save(tmp_path / "agent")
    assert np.array_equal(bits(agent), bits(DQN.load(tmp_path / "agent", network=own)))
    with pytest.raises(ValueError, match="network"):
        DQN.load(tmp_path / "agent")


def test_batch_normalisation_warns_and_target_buffers_are_copied() -> None:
    with pytest.warns(UserWarning, match="batch normalisation"):
        agent = DQN(Ladder(), batch_norm=True, **QUICK)
    agent.learn(400)
    assert not agent.network.training
    assert not agent.target_network.training
    agent.update_target()
    for mine, theirs in zip(agent.network.buffers(), agent.target_network.buffers(), strict=True):
        assert torch.equal(mine, theirs)
    assert any(bool((buffer != 0).any()) for buffer in agent.target_network.buffers())


def test_probabilities_are_greedy_or_epsilon_greedy_over_available_actions() -> None:
    agent = table_agent(double=True, learning_starts=0, exploration_initial_eps=0.4)
    np.testing.assert_allclose(agent.action_probabilities(2), [1.0, 0.0])
    np.testing.assert_allclose(agent.action_probabilities(np.array([0, 2]), exploring=True), [[0.8, 0.2]] * 2)
    agent.masks.note(np.array([2]), np.array([[False, True]]))
    np.testing.assert_allclose(agent.action_probabilities(2, exploring=True), [0.0, 1.0])
    action, memory = agent.predict(np.int64(2), deterministic=True)
    assert isinstance(action, np.int64)
    assert action == 1
    assert memory is None


def test_stable_baselines3_evaluates_it() -> None:
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.evaluation import evaluate_policy

    agent = DQN(Ladder(masked=False), discount=0.9, learning_rate=3e-3, train_freq=2).learn(2500)
    venv = make_vec_env(lambda: Ladder(masked=False), n_envs=2)
    mean, _ = evaluate_policy(agent, venv, n_eval_episodes=4, warn=False)  # type: ignore[arg-type]  # a twin
    assert mean == 1.0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"discount": 1.5}, "discount"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"batch_size": 0}, "batch_size"),
        ({"gradient_steps": 0}, "gradient_steps"),
        ({"tau": 0.0}, "tau"),
        ({"exploration_fraction": 2.0}, "exploration_fraction"),
        ({"network": "convolutional"}, "network"),
        ({"activation": "step"}, "activation"),
        ({"loss": "absolute"}, "loss"),
        ({"dropout": 1.0}, "dropout"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        DQN(Ladder(), **settings)


def test_observations_out_of_place_are_refused() -> None:
    agent = DQN(Ladder())
    with pytest.raises(ValueError, match="observations"):
        agent.predict(5)
    with pytest.raises(TypeError, match="integers"):
        agent.predict(0.5)
    with pytest.raises(TypeError, match="action space"):
        DQN(gym.make("Pendulum-v1"))


def exact_regret(env: gym.Env[Any, Any], agent: DQN, discount: float) -> float:
    """What is missing of the way from the random policy to the optimum, at the start, by linear solves."""
    outcomes: Outcomes = env.unwrapped.P  # type: ignore[attr-defined]  # Gymnasium's own table
    num_states, num_actions = len(outcomes), len(outcomes[0])
    move, reward = np.zeros((num_states, num_actions, num_states)), np.zeros((num_states, num_actions))
    for s, row in outcomes.items():
        for a, results in row.items():
            for p, s2, r, ends in results:
                reward[s, a] += p * r
                move[s, a, s2] += p * (not ends)

    def start_value(policy: npt.NDArray[np.float64]) -> float:
        chain, paid = np.einsum("sa,sat->st", policy, move), (policy * reward).sum(axis=1)
        return float(np.linalg.solve(np.eye(num_states) - discount * chain, paid)[0])

    best = np.zeros(num_states)
    for _ in range(5000):
        best = (reward + discount * move @ best).max(axis=1)
    random = start_value(np.full((num_states, num_actions), 1 / num_actions))
    reached = start_value(agent.action_probabilities(np.arange(num_states)))
    return (float(best[0]) - reached) / (float(best[0]) - random)


def test_it_reaches_the_optimum_of_frozen_lake() -> None:
    # Ten seeds of these settings all ended within 0.01 % of the optimum.
    env = gym.make_vec("FrozenLake-v1", num_envs=16, vectorization_mode="sync")
    agent = DQN(env, discount=0.99, train_freq=1, gradient_steps=4).learn(20_000)
    assert exact_regret(gym.make("FrozenLake-v1"), agent, 0.99) < 0.02


@pytest.mark.slow
@pytest.mark.parametrize("name", ["FrozenLake", "CliffWalking", "RussellNorvig", "RiverSwim"])
def test_it_reaches_the_optimum_of_small_worlds_on_most_seeds(name: str) -> None:
    missing = []
    for seed in range(5):
        env = gym.make_vec(f"bellglass/{name}-v0", num_envs=16)
        agent = DQN(env, discount=0.99, train_freq=1, gradient_steps=4, seed=seed).learn(20_000)
        normalized = evaluate(gym.make(f"bellglass/{name}-v0"), agent, discount=0.99).normalized
        assert normalized is not None
        missing.append(1.0 - normalized)
    assert sum(share < 0.02 for share in missing) >= 4
