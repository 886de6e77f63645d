"""One long call of learn, several short ones, and one with a file in between: the same to the last bit."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import bellglass
from bellglass.agents import (
    DQN,
    CertaintyEquivalence,
    DoubleQLearning,
    ExpectedSarsa,
    MonteCarlo,
    QLearning,
    RecurrentDQN,
    Sarsa,
)
from bellglass.agents.environment_state import environment_state
from bellglass.agents.schedules import Linear
from bellglass.agents.tabular import q_learning
from bellglass.envs import OneHotObservation, TimeObserved

QUICK: dict[str, Any] = {
    "learning_starts": 60,
    "batch_size": 16,
    "train_freq": 4,
    "target_update_interval": 50,
}
LEARNERS: dict[Any, dict[str, Any]] = {
    QLearning: {},
    DoubleQLearning: {},
    Sarsa: {},
    ExpectedSarsa: {},
    MonteCarlo: {"max_episode_steps": 23},
    CertaintyEquivalence: {"epsilon": Linear(0.5, 0.0)},
    DQN: {**QUICK, "buffer_size": 400, "gradient_steps": -1},
    RecurrentDQN: {**QUICK, "buffer_size": 400, "hidden_size": 6, "window": 8},
}

DEEP = (DQN, RecurrentDQN)

#: With a clock of its own, without one, hidden, with masks, with its clock in sight.
ENVS: dict[str, Any] = {
    "lake": lambda: gym.make("bellglass/FrozenLake-v0"),
    "river": lambda: gym.make("bellglass/RiverSwim-v0", max_episode_steps=40),
    "grid": lambda: gym.make("bellglass/Grid5x5-v0"),
    "maze": lambda: gym.make("bellglass/TMaze-v0"),
    "gambler": lambda: gym.make("bellglass/Gambler-v0"),
    "clock": lambda: TimeObserved(gym.make("bellglass/FrozenLake-v0"), 20),
}


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def learned(agent: Any) -> Any:
    """Everything learned, counted and drawn, as bits."""
    arrays = {**agent._arrays(), **agent._memory_arrays(), **agent.masks.arrays()}
    counts = [agent.num_timesteps, agent.num_episodes, agent.num_updates, agent._progress]
    return counts, agent._rng.bit_generator.state, {name: array.tobytes() for name, array in arrays.items()}


def same_in_one_call_and_in_pieces(learner: Any, make: Any, tmp_path: Path, steps: int, at: int) -> None:
    settings = LEARNERS[learner]
    whole = learner(make(), discount=0.95, seed=5, **settings).learn(steps)
    halves = learner(make(), discount=0.95, seed=5, **settings)
    halves.learn(at, planned_timesteps=steps)
    halves.save(tmp_path / "agent", replay=True)
    halves.learn(steps - halves.num_timesteps, reset_num_timesteps=False)
    assert learned(halves) == learned(whole)
    loaded = learner.load(tmp_path / "agent", make())
    loaded.learn(steps - loaded.num_timesteps, reset_num_timesteps=False)
    assert learned(loaded) == learned(whole)
    assert environment_state(loaded.env) == environment_state(whole.env) is not None


@pytest.mark.parametrize("env", ENVS)
@pytest.mark.parametrize("learner", LEARNERS)
def test_one_long_call_is_two_half_ones_and_two_with_a_file_between(
    learner: Any, env: str, tmp_path: Path
) -> None:
    if learner in DEEP:
        same_in_one_call_and_in_pieces(learner, ENVS[env], tmp_path, 180, 91)
        return
    for at in (311, 330):
        same_in_one_call_and_in_pieces(learner, ENVS[env], tmp_path, 640, at)


@pytest.mark.slow
@pytest.mark.parametrize("env", ENVS)
@pytest.mark.parametrize("learner", DEEP)
def test_so_it_is_with_deep_learners_for_longer(learner: Any, env: str, tmp_path: Path) -> None:
    for at in (311, 330):
        same_in_one_call_and_in_pieces(learner, ENVS[env], tmp_path, 640, at)


@pytest.mark.parametrize(
    ("learner", "mode"),
    [
        pytest.param(
            learner,
            mode,
            marks=[pytest.mark.slow] if learner in DEEP else [],
        )
        for learner in LEARNERS
        for mode in AutoresetMode
    ],
)
def test_so_it_is_with_many_copies(learner: Any, mode: AutoresetMode, tmp_path: Path) -> None:
    for env_id, limit in (("FrozenLake", 17), ("RiverSwim", None), ("TMaze", 30)):

        def make(env_id: str = env_id, limit: int | None = limit) -> Any:
            return gym.make_vec(
                f"bellglass/{env_id}-v0", num_envs=3, autoreset_mode=mode, max_episode_steps=limit
            )

        same_in_one_call_and_in_pieces(learner, make, tmp_path, 600, 290)


def test_so_it_is_on_vectors(tmp_path: Path) -> None:
    for learner in (DQN, RecurrentDQN):
        same_in_one_call_and_in_pieces(
            learner, lambda: OneHotObservation(gym.make("bellglass/FrozenLake-v0")), tmp_path, 400, 210
        )


@pytest.mark.parametrize("own_limit", [None, 13, 90])
def test_so_it_is_on_the_fast_path_and_from_one_to_the_other(
    own_limit: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = []
    for fast in ((True, True), (True, False), (False, True), (False, False)):
        agent = QLearning(gym.make("bellglass/FrozenLake-v0"), seed=2, max_episode_steps=own_limit)
        monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps, fast=fast: fast[0])
        agent.learn(2015, planned_timesteps=5000).save(tmp_path / "agent", replay=True)
        monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps, fast=fast: fast[1])
        agent = QLearning.load(tmp_path / "agent", gym.make("bellglass/FrozenLake-v0"))
        results.append(learned(agent.learn(2985, reset_num_timesteps=False)))
    whole = QLearning(gym.make("bellglass/FrozenLake-v0"), seed=2, max_episode_steps=own_limit).learn(5000)
    assert results == [learned(whole)] * 4


def test_two_clocks_that_disagree_are_both_kept_on_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    results = []
    for fast in (True, False):
        monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps, fast=fast: fast)
        agent = QLearning(gym.make("bellglass/RiverSwim-v0", max_episode_steps=60), seed=2).learn(130)
        agent.max_episode_steps = 45  # in the middle of an episode
        results.append(learned(agent.learn(2000, reset_num_timesteps=False)))
        assert agent.num_episodes >= 2 + 2000 // 45
    assert results[0] == results[1]


# -- the plan --------------------------------------------------------------------------------------------------


def test_progress_goes_on_and_never_back() -> None:
    agent = QLearning(gym.make("bellglass/FrozenLake-v0"), epsilon=Linear(1.0, 0.0)).learn(300)
    assert agent.exploration_rate == 0.0
    seen: list[float] = []
    agent.learn(300, lambda agent: seen.append(agent.exploration_rate), reset_num_timesteps=False)
    assert seen == [0.0] * 300  # 300 of 600 would be .5: it would go back
    agent.learn(300)  # a new plan
    assert agent.exploration_rate == 0.0
    agent.learn(150, planned_timesteps=600)
    assert agent.exploration_rate == pytest.approx(0.75)
    agent.learn(150, reset_num_timesteps=False)
    assert agent.exploration_rate == pytest.approx(0.5)
    agent.learn(600, reset_num_timesteps=False)  # the plan is over
    assert agent.exploration_rate == 0.0
    with pytest.raises(ValueError, match="planned_timesteps must be at least 1000"):
        agent.learn(100, reset_num_timesteps=False, planned_timesteps=500)


def test_a_stopped_plan_goes_on_as_in_stable_baselines3() -> None:
    agent = QLearning(gym.make("bellglass/FrozenLake-v0"), epsilon=Linear(1.0, 0.0))
    agent.learn(1000, lambda agent: agent.num_timesteps < 400)
    assert agent.exploration_rate == pytest.approx(0.6)
    agent.learn(100, lambda agent: False, reset_num_timesteps=False)
    assert agent.exploration_rate == pytest.approx(1 - 401 / 500)


def test_after_a_load_a_good_agent_stays_good(tmp_path: Path) -> None:
    """Twenty steps after a load, at full exploration and learning rate, an optimal agent used to be worth nothing."""
    agent = DQN(gym.make("bellglass/FrozenLake-v0"), seed=0).learn(12_000)
    env = gym.make("bellglass/FrozenLake-v0")
    before = bellglass.evaluate(env, agent, discount=0.99).start_value
    assert before > 0.53  # the optimum is .542
    agent.save(tmp_path / "agent")
    loaded = DQN.load(tmp_path / "agent", gym.make("bellglass/FrozenLake-v0"))
    assert loaded.exploration_rate == agent.exploration_rate == pytest.approx(0.05)
    with pytest.warns(UserWarning, match="the memory holds 20 steps"):
        loaded.learn(20, reset_num_timesteps=False)
    loaded.learn(1500, reset_num_timesteps=False)
    assert loaded.num_updates > agent.num_updates
    assert bellglass.evaluate(env, loaded, discount=0.99).start_value == pytest.approx(before, abs=0.02)


def test_after_a_load_without_its_memory_warm_up_begins_anew_but_not_at_random(tmp_path: Path) -> None:
    agent = DQN(gym.make("bellglass/FrozenLake-v0"), **QUICK).learn(400)
    agent.save(tmp_path / "without")
    agent.save(tmp_path / "with", replay=True)
    assert (tmp_path / "with").stat().st_size > (tmp_path / "without").stat().st_size
    empty = DQN.load(tmp_path / "without", gym.make("bellglass/FrozenLake-v0"))
    updates: list[int] = []
    empty.learn(100, lambda agent: updates.append(agent.num_updates), reset_num_timesteps=False)
    assert updates[:59] == [agent.num_updates] * 59
    assert updates[60] > agent.num_updates
    full = DQN.load(tmp_path / "with", gym.make("bellglass/FrozenLake-v0"))
    assert full.learn(4, reset_num_timesteps=False).num_updates > agent.num_updates
    assert empty.exploration_rate < 1.0


@pytest.mark.slow
def test_sixty_short_calls_learn_as_one_long_one_does() -> None:
    env = gym.make("bellglass/FrozenLake-v0")
    shares = []
    for seed in range(3):
        agent = DQN(gym.make("bellglass/FrozenLake-v0"), seed=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the first call only fills the memory
            for _ in range(60):
                agent.learn(500)
        shares.append(bellglass.evaluate(env, agent, discount=0.99).normalized)
    assert np.mean([share for share in shares if share is not None]) > 0.95


def test_warm_up_counts_what_the_memory_holds() -> None:
    agent = DQN(gym.make("bellglass/FrozenLake-v0"), **{**QUICK, "learning_starts": 100})
    with pytest.warns(UserWarning, match="the memory holds 60 steps, and learning_starts is 100"):
        agent.learn(60)
    assert agent.exploration_rate == 1.0
    before = agent.parameters.values.clone()
    agent.learn(60)
    assert agent.num_updates == 6  # with 100, 104, ..., 120 steps in the memory
    assert not torch.equal(before, agent.parameters.values)


# -- nothing learned -------------------------------------------------------------------------------------------


def test_a_call_that_learned_nothing_says_so() -> None:
    with pytest.warns(UserWarning, match="learning_starts is 500; learn longer"):
        DQN(gym.make("bellglass/FrozenLake-v0")).learn(500 - 1)
    with pytest.warns(UserWarning, match="every train_freq = 900"):
        DQN(gym.make("bellglass/FrozenLake-v0"), train_freq=900).learn(600)
    with pytest.warns(UserWarning, match="end of an episode, and none ended; .* max_episode_steps"):
        MonteCarlo(gym.make("bellglass/Grid5x5-v0")).learn(500)
    assert MonteCarlo(gym.make("bellglass/Grid5x5-v0"), max_episode_steps=50).learn(500).num_updates == 500
    MonteCarlo(gym.make("bellglass/Grid5x5-v0")).learn(0)


# -- files -----------------------------------------------------------------------------------------------------


def test_an_agent_of_another_table_is_told_from_its_own(tmp_path: Path) -> None:
    agent = QLearning(gym.make("bellglass/FrozenLake-v0")).learn(200)
    agent.save(tmp_path / "agent", replay=True)
    QLearning.load(tmp_path / "agent")
    QLearning.load(tmp_path / "agent", gym.Wrapper(gym.make("bellglass/FrozenLake-v0")))
    QLearning.load(tmp_path / "agent", gym.make("FrozenLake-v1"))  # nobody knows its fingerprint
    here = gym.make("bellglass/FrozenLake-v0").get_wrapper_attr("mdp").fingerprint
    there = gym.make("bellglass/FrozenLake-v0", is_slippery=False).get_wrapper_attr("mdp").fingerprint
    with pytest.warns(UserWarning, match=f"fingerprint {here[:12]}.*another, {there[:12]}"):
        dry = QLearning.load(tmp_path / "agent", gym.make("bellglass/FrozenLake-v0", is_slippery=False))
    dry.learn(10, reset_num_timesteps=False)  # from a reset: where the other one stood means nothing here


def test_saving_twice_without_learning_between_keeps_the_episode(tmp_path: Path) -> None:
    agent = Sarsa(gym.make("bellglass/FrozenLake-v0"), seed=1).learn(333, planned_timesteps=600)
    agent.save(tmp_path / "first", replay=True)
    Sarsa.load(tmp_path / "first", gym.make("bellglass/FrozenLake-v0")).save(tmp_path / "second", replay=True)
    again = Sarsa.load(tmp_path / "second", gym.make("bellglass/FrozenLake-v0"))
    assert learned(again.learn(267, reset_num_timesteps=False)) == learned(
        agent.learn(267, reset_num_timesteps=False)
    )


def test_an_environment_that_cannot_be_set_back_is_reset(tmp_path: Path) -> None:
    agent = QLearning(gym.make("FrozenLake-v1"), seed=1).learn(333)
    assert environment_state(agent.env) is None
    agent.save(tmp_path / "agent", replay=True)
    loaded = QLearning.load(tmp_path / "agent", gym.make("FrozenLake-v1"))
    assert loaded.learn(100, reset_num_timesteps=False).num_timesteps == 433
    remembering = gym.wrappers.DelayObservation(gym.make("bellglass/FrozenLake-v0"), 1)
    assert environment_state(remembering) is None  # who knows what else it keeps
