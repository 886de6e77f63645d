"""RecurrentDQN: lambda-returns by hand, stretches that cross no end, its memory, files, the T-maze solved."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from bellglass.agents.experience import Steps
from bellglass.agents.neural.recurrent_dqn import RecurrentDQN
from bellglass.agents.neural.sequence_replay import Stretches, Windows
from bellglass.agents.spaces import Sizes

QUICK: dict[str, Any] = {
    "learning_starts": 60,
    "batch_size": 8,
    "target_update_interval": 100,
    "window": 8,
    "hidden_size": 8,
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


class TinyMaze(gym.Env[Any, Any]):
    """Seen: signal 0 or 1, 2 in the corridor, 3 at the junction, where the signal's action pays."""

    metadata: dict[str, Any] = {"render_modes": []}

    def __init__(self, length: int = 2, vectors: bool = False) -> None:
        self.length, self.vectors = length, vectors
        self.action_space = gym.spaces.Discrete(3)
        box = gym.spaces.Box(0.0, 1.0, (4,), np.float32)
        self.observation_space = box if vectors else gym.spaces.Discrete(4)
        self.signal = self.cell = 0

    def show(self) -> Any:
        """What is seen."""
        seen = self.signal if self.cell == 0 else 3 if self.cell == self.length else 2
        return np.eye(4, dtype=np.float32)[seen] if self.vectors else np.int64(seen)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """A fresh signal."""
        super().reset(seed=seed)
        self.signal, self.cell = int(self.np_random.integers(2)), 0
        return self.show(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Action 2 walks on; 0 and 1 turn, and bump before the junction."""
        if action == 2:
            self.cell = min(self.cell + 1, self.length)
            return self.show(), 0.0, False, False, {}
        if self.cell < self.length:
            return self.show(), -0.1, False, False, {}
        return self.show(), float(action == self.signal), True, False, {}


def mazes(mode: AutoresetMode = AutoresetMode.NEXT_STEP, n: int = 4, **settings: Any) -> SyncVectorEnv:
    def make() -> gym.Env[Any, Any]:
        return gym.wrappers.TimeLimit(TinyMaze(**settings), 20)

    return SyncVectorEnv([make] * n, autoreset_mode=mode)


def bits(agent: RecurrentDQN) -> npt.NDArray[np.float32]:
    return agent.parameters.values.numpy().copy()


def one_stretch(terminated: bool, actions: tuple[int, ...] = (0, 0, 0)) -> Stretches:
    steps = len(actions)
    column = np.array(actions)[:, None]
    return Stretches(
        observation=np.zeros((steps + 1, 1), dtype=np.int64),
        previous_action=np.zeros((steps + 1, 1), dtype=np.int64),
        action=column,
        reward=np.array([[1.0], [2.0], [3.0]], dtype=np.float32),
        terminated=np.array([[False], [False], [terminated]]),
        filled=np.ones((steps, 1), dtype=np.bool_),
        lengths=np.array([steps]),
        memory=np.zeros((2, 1, 8), dtype=np.float32),
    )


ONLINE = np.tile(np.array([1.0, 0.0], dtype=np.float32), (4, 1, 1))  # action 0 is greedy throughout
VALUED = np.array([[[8.0, 9.0]], [[4.0, 9.0]], [[6.0, 9.0]], [[2.0, 9.0]]], dtype=np.float32)


@pytest.mark.parametrize(
    ("trace", "actions", "terminated", "expected"),
    [
        (0.0, (0, 0, 0), False, [1 + 0.5 * 4, 2 + 0.5 * 6, 3 + 0.5 * 2]),
        (0.0, (0, 0, 0), True, [1 + 0.5 * 4, 2 + 0.5 * 6, 3.0]),
        (1.0, (0, 0, 0), False, [1 + 0.5 * (2 + 0.5 * 4), 2 + 0.5 * 4, 3 + 0.5 * 2]),
        (0.5, (0, 0, 0), True, [1 + 0.5 * (0.5 * 4 + 0.5 * 4.25), 2 + 0.5 * (0.5 * 6 + 0.5 * 3), 3.0]),
        (1.0, (0, 1, 0), False, [1 + 0.5 * 4, 2 + 0.5 * 4, 3 + 0.5 * 2]),  # action 1 was not greedy: cut
    ],
)
def test_lambda_returns_by_hand(
    trace: float, actions: tuple[int, ...], terminated: bool, expected: list[float]
) -> None:
    # A stretch that ends unterminated, by its length or by truncation, bootstraps from the value after it.
    agent = RecurrentDQN(Sizes(4, (), 2), discount=0.5, trace=trace, hidden_size=8)
    targets = agent.targets(one_stretch(terminated, actions), ONLINE, VALUED)
    assert targets[:, 0] == pytest.approx(expected)


def test_without_double_choice_and_with_masks_the_right_next_value_is_taken() -> None:
    plain = RecurrentDQN(Sizes(4, (), 2), discount=0.5, trace=0.0, double=False)
    assert plain.targets(one_stretch(False), ONLINE, VALUED)[:, 0] == pytest.approx([5.5, 6.5, 7.5])
    double = RecurrentDQN(Sizes(4, (), 2), discount=0.5, trace=0.0)
    double.masks.note(np.array([0]), np.array([[False, True]]))
    assert double.targets(one_stretch(False), ONLINE, VALUED)[:, 0] == pytest.approx([5.5, 6.5, 7.5])


def test_shorter_columns_of_a_minibatch_keep_the_targets_they_have_alone() -> None:
    agent = RecurrentDQN(Sizes(4, (), 2), discount=0.5, trace=0.7)
    long = one_stretch(True)
    twice = {
        name: np.concatenate([part, part], axis=1)
        for name, part in long._asdict().items()
        if name != "lengths"
    }
    short = long._replace(lengths=np.array([3, 2]), **twice)
    short.filled[2, 1] = False
    short.terminated[2, 1] = False
    online, valued = np.repeat(ONLINE, 2, axis=1), np.repeat(VALUED, 2, axis=1)
    targets = agent.targets(short, online, valued)
    assert targets[:2, 1] == pytest.approx([1 + 0.5 * (0.3 * 4 + 0.7 * 5.0), 2 + 0.5 * 6])
    assert targets[:, 0] == pytest.approx(agent.targets(long, ONLINE, VALUED)[:, 0])


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_no_stretch_crosses_the_end_of_an_episode(mode: AutoresetMode) -> None:
    agent = RecurrentDQN(mazes(mode), seed=1, train_freq=4, **QUICK).learn(1500)
    windows = agent._windows
    assert windows is not None
    batch = windows.draw(300, np.random.default_rng(0))
    steps = batch.action.shape[0]
    assert steps == 8
    for b in range(300):
        length = batch.lengths[b]
        assert batch.filled[:, b].sum() == length
        assert not batch.terminated[: length - 1, b].any()
        seen = batch.observation[: length + 1, b]
        begins = (batch.previous_action[0, b] == 3) and not batch.memory[:, b].any()
        assert begins == (batch.previous_action[0, b] == 3)
        assert np.array_equal(batch.previous_action[1 : length + 1, b], batch.action[:length, b])
        signals = set(seen[seen < 2].tolist())
        assert len(signals) <= 1  # two signals would be two episodes
        if begins:
            assert seen[0] < 2


def test_the_oldest_stretches_make_room_in_the_ring() -> None:
    windows = Windows(capacity=20, length=4, num_envs=1, sizes=Sizes(100, (), 2), memory_size=1)
    memory = np.zeros((2, 1, 1), dtype=np.float32)
    rng = np.random.default_rng(0)
    for t in range(99):
        ends = rng.random() < 0.3
        row = Steps(
            np.array([True]),
            np.array([t]),
            np.array([t % 2]),
            np.array([t], np.float32),
            np.array([t + 1]),
            np.array([ends]),
            np.array([False]),
        )
        windows.add(row, np.array([(t - 1) % 2]), memory)
        if windows.size:
            batch = windows.draw(16, rng)
            for b in range(16):
                n = batch.lengths[b]
                first = batch.observation[0, b]
                assert np.array_equal(batch.observation[: n + 1, b], first + np.arange(n + 1))
                assert np.array_equal(batch.reward[:n, b], first + np.arange(n))
                assert first > t - 30
    kept = sum(steps + 1 for _, steps, _ in windows._kept)
    assert 10 <= kept <= 20


def test_the_stored_memory_is_the_one_that_acting_had() -> None:
    agent = RecurrentDQN(mazes(n=2, length=30), seed=0, **{**QUICK, "learning_starts": 10**6})
    with pytest.warns(UserWarning, match="learning_starts is 1000000"):
        agent.learn(40)
    windows = agent._windows
    assert windows is not None
    by_first: dict[bool, int] = {True: 0, False: 0}
    for _, steps, memory in windows._kept:
        by_first[bool((memory == 0).all())] += 1
        assert steps <= 8
    assert by_first[False] > 0
    # Replaying the first stretch of an episode ends in the memory that the next one of that copy stored.
    batch = windows.draw(64, np.random.default_rng(0))
    first = next(b for b in range(64) if not batch.memory[:, b].any() and batch.lengths[b] == 8)
    column = (batch.observation[:8, first, None], batch.previous_action[:8, first, None])
    with torch.no_grad():
        _, (h, c) = agent.network(*(torch.from_numpy(part) for part in column))
    stored = [memory for _, _, memory in windows._kept]
    distances = [np.abs(memory - np.stack([h[0].numpy(), c[0].numpy()])).max() for memory in stored]
    assert min(distances) < 1e-6


def test_predict_remembers_until_an_episode_starts() -> None:
    agent = RecurrentDQN(Sizes(4, (), 3), seed=2)
    _, state = agent.predict(np.array([0, 1]), None, np.array([True, True]), deterministic=True)
    assert state is not None
    assert [part.shape for part in state] == [(2, 32), (2, 32), (2,)]
    _, both = agent.predict(np.array([2, 2]), state, np.array([False, True]), deterministic=True)
    _, alone = agent.predict(np.array([2]), None, None, deterministic=True)
    assert both is not None
    assert alone is not None
    np.testing.assert_allclose(both[0][1], alone[0][0], atol=1e-7)  # row 1 started afresh
    assert np.abs(both[0][0] - alone[0][0]).max() > 1e-3
    action, memory = agent.predict(2, deterministic=True)
    assert isinstance(action, np.int64)
    assert memory is not None
    with pytest.raises(ValueError, match="state"):
        agent.predict(np.array([1, 2]), alone)


def test_probabilities_follow_the_memory_that_is_given() -> None:
    agent = RecurrentDQN(Sizes(4, (), 3), seed=2, learning_starts=0, exploration_initial_eps=0.3)
    _, state = agent.predict(np.array([0]), deterministic=True)
    action, _ = agent.predict(np.array([2]), state, deterministic=True)
    greedy = agent.action_probabilities(np.array([2]), state)
    assert greedy[0, action[0]] == 1.0
    exploring = agent.action_probabilities(np.array([2]), state, exploring=True)
    np.testing.assert_allclose(exploring, 0.1 + 0.7 * greedy)


def test_gates_of_an_episode_are_those_of_acting_step_by_step() -> None:
    agent = RecurrentDQN(Sizes(4, (), 3), seed=2, hidden_size=6)
    seen, state, did = [0, 2, 2, 3], None, []
    for observation in seen:
        action, state = agent.predict(np.array([observation]), state, deterministic=True)
        did.append(int(action[0]))
    gates = agent.gates(seen, did)
    assert [gate.shape for gate in gates] == [(4, 6)] * 4
    c = torch.zeros(6)
    for t in range(4):
        c = gates.forget[t] * c + gates.input[t] * gates.cell[t]
    assert state is not None
    np.testing.assert_allclose(c, state[1][0], atol=1e-6)


def test_a_callback_changes_no_bit_and_seeds_decide() -> None:
    asked: list[int] = []

    class Sparse:
        next_timestep = 0

        def __call__(self, agent: RecurrentDQN) -> None:
            asked.append(agent.num_timesteps)
            self.next_timestep = agent.num_timesteps + 100
            agent.predict(np.arange(4))

    plain = RecurrentDQN(mazes(), seed=3, **QUICK).learn(500)
    watched = RecurrentDQN(mazes(), seed=3, **QUICK).learn(500, Sparse())
    other = RecurrentDQN(mazes(), seed=4, **QUICK).learn(500)
    assert np.array_equal(bits(plain), bits(watched))
    assert not np.array_equal(bits(plain), bits(other))
    assert all(late - early >= 100 for early, late in pairwise(asked))


@pytest.mark.parametrize("vectors", [False, True])
def test_saved_and_loaded_it_acts_alike_and_learns_on_alike(vectors: bool, tmp_path: Path) -> None:
    env = TinyMaze(vectors=vectors)
    agent = RecurrentDQN(env, max_episode_steps=15, dueling=True, train_freq=4, **QUICK).learn(300)
    agent.save(tmp_path / "agent")
    twin, third = RecurrentDQN.load(tmp_path / "agent", env), RecurrentDQN.load(tmp_path / "agent")
    shown = np.eye(4, dtype=np.float32) if vectors else np.arange(4)
    assert np.array_equal(bits(agent), bits(third))
    expected = agent.action_probabilities(shown, exploring=True)
    assert np.array_equal(expected, third.action_probabilities(shown, exploring=True))
    again = RecurrentDQN.load(tmp_path / "agent", TinyMaze(vectors=vectors))
    assert np.array_equal(bits(twin.learn(200)), bits(again.learn(200)))


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"trace": 1.5}, "trace"),
        ({"window": 0}, "window"),
        ({"buffer_size": 32, "window": 32}, "buffer_size"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"network": "gru"}, "network"),
        ({"gradient_steps": 0}, "gradient_steps"),
    ],
)
def test_settings_out_of_range_are_refused_by_name(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        RecurrentDQN(TinyMaze(), **settings)


def test_it_remembers_the_signal_and_stable_baselines3_sees_it() -> None:
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.evaluation import evaluate_policy

    agent = RecurrentDQN(
        mazes(n=8), discount=0.9, seed=0, learning_starts=200, window=12, hidden_size=16, batch_size=24
    ).learn(6000)
    venv = make_vec_env(lambda: gym.wrappers.TimeLimit(TinyMaze(), 20), n_envs=2, seed=0)
    judged: Any = agent  # SB3's types allow no more than arrays in `predict`; ours allows numbers too
    returns, lengths = evaluate_policy(
        judged, venv, n_eval_episodes=10, return_episode_rewards=True, warn=False
    )
    assert returns == [1.0] * 10
    assert lengths == [3] * 10


@pytest.mark.slow
def test_it_solves_the_t_maze_of_ten_cells() -> None:
    solved = 0
    for seed in range(5):
        env = gym.make_vec("bellglass/TMaze-v0", num_envs=16)
        agent = RecurrentDQN(env, discount=0.98, seed=seed).learn(20_000)
        values = []
        for start in (0, 11):
            maze = gym.make("bellglass/TMaze-v0")
            observation, _ = maze.reset(seed=0, options={"state": start})
            value, state, over, t = 0.0, None, False, 0
            while not over and t < 100:
                action, state = agent.predict(np.array([observation]), state, deterministic=True)
                observation, reward, over, _, _ = maze.step(action[0])
                value, t = value + 0.98**t * float(reward), t + 1
            values.append(value)
        solved += float(np.mean(values)) == pytest.approx(4 * 0.98**10)
    assert solved >= 4
