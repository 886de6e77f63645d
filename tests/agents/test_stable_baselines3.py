"""The adapter: their agent learns as it does alone, to the step asked for; files hold no code."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy

from bellglass.agents.schedules import Linear
from bellglass.agents.stable_baselines3 import AlgorithmName, StableBaselines3

QUICK: dict[str, Any] = {"learning_starts": 50, "buffer_size": 1000, "target_update_interval": 100}
SHORT: dict[AlgorithmName, dict[str, Any]] = {
    "DQN": QUICK,
    "PPO": {"n_steps": 64, "batch_size": 32, "n_epochs": 2},
    "A2C": {},
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def lake() -> gym.Env[Any, Any]:
    return gym.make("FrozenLake-v1")


def weights(agent: StableBaselines3) -> torch.Tensor:
    return torch.cat([p.detach().reshape(-1) for p in agent.model.policy.parameters()])


def test_it_learns_bit_for_bit_what_their_dqn_learns_alone() -> None:
    ours = StableBaselines3(lake(), seed=3, settings=QUICK).learn(400)
    theirs = DQN("MlpPolicy", lake(), gamma=0.99, seed=3, device="cpu", **QUICK).learn(400)
    expected = torch.cat([p.detach().reshape(-1) for p in theirs.policy.parameters()])
    assert torch.equal(weights(ours), expected)
    assert ours.num_timesteps == 400


def test_a_whole_number_of_ppo_rollouts_is_learned_as_they_do() -> None:
    ours = StableBaselines3(lake(), algorithm="PPO", seed=3, settings=SHORT["PPO"]).learn(128)
    theirs = PPO("MlpPolicy", lake(), gamma=0.99, seed=3, device="cpu", **SHORT["PPO"]).learn(128)
    expected = torch.cat([p.detach().reshape(-1) for p in theirs.policy.parameters()])
    assert torch.equal(weights(ours), expected)


@pytest.mark.parametrize("algorithm", ["DQN", "PPO", "A2C"])
def test_learning_takes_exactly_the_steps_asked_for(algorithm: AlgorithmName) -> None:
    agent = StableBaselines3(lake(), algorithm=algorithm, settings=SHORT[algorithm]).learn(151)
    assert agent.num_timesteps == 151
    assert agent.learn(69, reset_num_timesteps=False).num_timesteps == 220
    assert agent.learn(30, lambda agent: agent.num_timesteps < 7).num_timesteps == 7
    assert agent.learn(0).num_timesteps == 0


def test_a_callback_and_another_agent_change_no_bit() -> None:
    asked: list[int] = []

    class Sparse:
        next_timestep = 0

        def __call__(self, agent: StableBaselines3) -> None:
            asked.append(agent.num_timesteps)
            self.next_timestep = agent.num_timesteps + 100
            agent.predict(np.arange(16))

    plain = StableBaselines3(lake(), seed=1, settings=QUICK).learn(300)
    watched = StableBaselines3(lake(), seed=1, settings=QUICK)
    StableBaselines3(lake(), seed=2, settings=QUICK).learn(70)
    watched.learn(300, Sparse())
    assert torch.equal(weights(plain), weights(watched))
    assert asked == [1, 101, 201]


def test_the_global_generators_are_left_as_they_were() -> None:
    np.random.seed(5)  # noqa: NPY002  # theirs
    before = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # type: ignore[index]  # noqa: NPY002
    StableBaselines3(lake(), settings=QUICK).learn(100)
    assert random.getstate() == before[0]
    assert np.array_equal(np.random.get_state()[1], before[1])  # type: ignore[index]  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), before[2])


@pytest.mark.parametrize("algorithm", ["DQN", "PPO", "A2C"])
def test_saved_and_loaded_it_acts_alike_and_learns_on_alike(algorithm: AlgorithmName, tmp_path: Path) -> None:
    agent = StableBaselines3(lake(), algorithm=algorithm, settings=SHORT[algorithm]).learn(200)
    agent.save(tmp_path / "agent")
    blind, twin, third = (StableBaselines3.load(tmp_path / "agent", env) for env in (None, lake(), lake()))
    everywhere = np.arange(16)
    for other in (blind, twin):
        for exploring in (False, True):
            expected = agent.action_probabilities(everywhere, exploring=exploring)
            np.testing.assert_array_equal(
                expected, other.action_probabilities(everywhere, exploring=exploring)
            )
        assert other.num_timesteps == 200
    assert torch.equal(weights(twin.learn(128)), weights(third.learn(128)))
    with pytest.raises(ValueError, match="environment"):
        blind.learn(10)
    with pytest.raises(ValueError, match="made for"):
        StableBaselines3.load(tmp_path / "agent", gym.make("Taxi-v4"))


def test_vector_observations_are_saved_too(tmp_path: Path) -> None:
    agent = StableBaselines3(gym.make("CartPole-v1"), settings=QUICK).learn(100)
    agent.save(tmp_path / "agent")
    seen = np.array([[0.1, 0.0, 0.2, -0.1], [0.0, 0.5, 0.0, 0.0]], dtype=np.float32)
    found = StableBaselines3.load(tmp_path / "agent").action_probabilities(seen)
    np.testing.assert_array_equal(found, agent.action_probabilities(seen))


def test_probabilities_are_those_of_their_own_policies() -> None:
    agent = StableBaselines3(lake(), settings={**QUICK, "exploration_final_eps": 0.2}).learn(300)
    everywhere = np.arange(16)
    greedy = agent.model.predict(everywhere, deterministic=True)[0]
    assert np.array_equal(agent.action_probabilities(everywhere).argmax(axis=1), greedy)
    assert np.array_equal(agent.predict(everywhere, deterministic=True)[0], greedy)
    assert agent.exploration_rate == pytest.approx(0.2)
    exploring = agent.action_probabilities(3, exploring=True)
    assert sorted(exploring.tolist()) == pytest.approx([0.05, 0.05, 0.05, 0.85])
    ppo = StableBaselines3(lake(), algorithm="PPO", settings=SHORT["PPO"]).learn(64)
    probabilities = ppo.action_probabilities(everywhere)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1.0)
    with torch.no_grad():
        tensor, _ = ppo.model.policy.obs_to_tensor(everywhere)
        _, log_chance, _ = ppo.model.policy.evaluate_actions(tensor, torch.full((16,), 2))  # type: ignore[operator]
    np.testing.assert_allclose(probabilities[:, 2], log_chance.exp().numpy(), rtol=1e-5)


def test_one_observation_gives_a_number_and_their_evaluation_accepts_it() -> None:
    agent = StableBaselines3(lake(), settings=QUICK).learn(60)
    action, state = agent.predict(np.int64(0))
    assert isinstance(action, np.int64)
    assert state is None
    judged: Any = agent
    mean, _ = evaluate_policy(judged, lake(), n_eval_episodes=3, warn=False)
    assert 0.0 <= float(np.mean(mean)) <= 1.0


def test_a_falling_learning_rate_falls_as_it_says() -> None:
    falling = {"kind": "linear", "start": 1e-3, "end": 0.0}
    agent = StableBaselines3(lake(), settings={**QUICK, "learning_rate": falling}).learn(398)
    assert 0.0 < agent.model.policy.optimizer.param_groups[0]["lr"] < 1e-4


@pytest.mark.parametrize(
    ("keywords", "says"),
    [
        ({"settings": {"gamma": 0.5}}, "gamma"),
        ({"settings": {"seed": 7}}, "seed"),
        ({"settings": {"learning_rat": 0.1}}, "learning_rat"),
        ({"settings": {"verbose": 1}}, "verbose"),
        ({"algorithm": "SAC"}, "algorithm"),
        ({"discount": 1.2}, "discount"),
    ],
)
def test_impossible_settings_are_refused_by_name(keywords: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        StableBaselines3(lake(), **keywords)
    with pytest.raises(TypeError, match="action space"):
        StableBaselines3(gym.make("Pendulum-v1"))


@pytest.mark.parametrize(
    "env_id",
    ["FrozenLake", *(pytest.param(name, marks=pytest.mark.slow) for name in ("RiverSwim", "TMaze"))],
)
@pytest.mark.parametrize(("algorithm", "steps"), [("DQN", 240), ("PPO", 128), ("A2C", 100)])
def test_one_long_call_is_two_half_ones_and_two_with_a_file_between(
    algorithm: AlgorithmName, steps: int, env_id: str, tmp_path: Path
) -> None:
    settings = {**SHORT[algorithm], "buffer_size": 150} if algorithm == "DQN" else SHORT[algorithm]

    def make() -> StableBaselines3:
        env = gym.make(f"bellglass/{env_id}-v0")
        return StableBaselines3(env, algorithm=algorithm, seed=3, settings=settings)

    whole = make().learn(2 * steps)
    halves = make().learn(steps, planned_timesteps=2 * steps)
    halves.save(tmp_path / "agent", replay=True)
    StableBaselines3.load(tmp_path / "agent").save(tmp_path / "again", replay=True)
    halves.learn(steps, reset_num_timesteps=False)
    loaded = StableBaselines3.load(tmp_path / "again", gym.make(f"bellglass/{env_id}-v0"))
    loaded.learn(steps, reset_num_timesteps=False)
    for other in (halves, loaded):
        assert torch.equal(weights(other), weights(whole))
        assert other.num_timesteps == 2 * steps
        assert other.exploration_rate == whole.exploration_rate


def test_schedules_never_run_backwards_silently() -> None:
    def rates(given: Any) -> list[float]:
        agent = StableBaselines3(lake(), settings={**QUICK, "learning_rate": given})
        return [float(agent.model.lr_schedule(remaining)) for remaining in (1.0, 0.5, 0.0)]

    falling = [1e-3, 5e-4, 0.0]
    assert rates({"kind": "linear", "start": 1e-3, "end": 0.0}) == falling
    assert rates(Linear(1e-3, 0.0)) == falling  # ours
    assert rates(lambda progress_remaining: 1e-3 * progress_remaining) == falling  # theirs
    assert rates(lambda remaining: 1e-3 * remaining) == falling  # theirs, as the setting is
    assert rates(lambda progress: 1e-3 * (1.0 - progress)) == falling  # ours, by its parameter
    with pytest.warns(UserWarning, match="learning_rate rises from 0 at the first step to 0.001 at the last"):
        rates(lambda x: 1e-3 * (1.0 - x))


def test_whole_floats_are_numbers_and_others_are_refused_by_name() -> None:
    agent = StableBaselines3(lake(), settings={**QUICK, "batch_size": 32.0}).learn(1e2)
    assert (agent.num_timesteps, agent.model.batch_size) == (100, 32)  # type: ignore[union-attr]  # a DQN
    for wrong in (32.5, float("nan"), True):
        with pytest.raises(ValueError, match="settings: batch_size must be a whole number of at least 1"):
            StableBaselines3(lake(), settings={"batch_size": wrong})
    with pytest.raises(ValueError, match="total_timesteps must be a whole number of at least 0"):
        agent.learn(10.5)
    for name, value in (("discount", 0.5), ("seed", 3), ("settings", {}), ("algorithm", "PPO")):
        with pytest.raises(AttributeError, match=f"{name} cannot be changed: their agent was made by it"):
            setattr(agent, name, value)


def test_a_call_that_learned_nothing_says_so() -> None:
    with pytest.warns(UserWarning, match="nothing was learned: DQN learns once 50 steps are exceeded"):
        StableBaselines3(lake(), settings=QUICK).learn(50)
    with pytest.warns(UserWarning, match="PPO learns once 63 steps are exceeded"):
        StableBaselines3(lake(), algorithm="PPO", settings=SHORT["PPO"]).learn(63)


def test_what_is_not_finite_ends_in_an_error_that_names_the_step(tmp_path: Path) -> None:
    class Breaking(gym.RewardWrapper[Any, Any]):
        steps = 0

        def reward(self, reward: Any) -> float:
            """Nothing that can be paid, from the 70th step on."""
            self.steps += 1
            return float("nan") if self.steps >= 70 else float(reward)

    with pytest.raises(FloatingPointError, match="environment step 70: the reward is nan"):
        StableBaselines3(Breaking(lake()), settings=QUICK).learn(200)
    agent = StableBaselines3(lake(), settings=QUICK).learn(100)
    with torch.no_grad():
        next(iter(agent.model.policy.parameters())).fill_(float("inf"))
    with pytest.raises(FloatingPointError, match="step 100 is no longer finite"):
        agent.save(tmp_path / "agent")
    assert not list(tmp_path.iterdir())


def test_ctrl_c_ends_learning_and_keeps_what_was_learned() -> None:
    def interrupting(agent: StableBaselines3) -> None:
        if agent.num_timesteps == 120:
            signal.raise_signal(signal.SIGINT)

    agent = StableBaselines3(lake(), seed=3, settings=QUICK)
    with pytest.warns(UserWarning, match="Ctrl-C ended learn after 120 of 300 steps"):
        agent.learn(300, interrupting)
    updates = agent.model._n_updates
    assert updates > 0
    agent.learn(180, reset_num_timesteps=False)
    assert agent.num_timesteps == 300
    assert agent.model._n_updates > updates
    with pytest.raises(KeyboardInterrupt):
        agent.learn(300, interrupting, raise_interrupt=True)
    assert agent.num_timesteps == 120
