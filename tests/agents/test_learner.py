"""What all learners share: hooks, clocks, Ctrl-C, and what is not finite."""

from __future__ import annotations

import math
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import bellglass  # noqa: F401 (registers the ids)
from bellglass.agents import (
    DQN,
    CertaintyEquivalence,
    DoubleQLearning,
    ExpectedSarsa,
    MonteCarlo,
    QLearning,
    RecurrentDQN,
    Sarsa,
    Transition,
)
from bellglass.agents.learner import Learner
from bellglass.agents.tabular import q_learning
from bellglass.agents.tabular.action_values import CONSTANT, FADING, ActionValueLearner
from bellglass.envs import OneHotObservation

TABULAR: list[Any] = [QLearning, DoubleQLearning, Sarsa, ExpectedSarsa, MonteCarlo, CertaintyEquivalence]
QUICK: dict[Any, dict[str, Any]] = {
    DQN: {"learning_starts": 20, "batch_size": 8},
    RecurrentDQN: {"learning_starts": 20, "batch_size": 4, "hidden_size": 4, "window": 4},
}
LEARNERS: list[Any] = [*TABULAR, *QUICK]


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def lake(**keywords: Any) -> gym.Env[Any, Any]:
    return gym.make("bellglass/FrozenLake-v0", **keywords)


def made(learner: Any, env: Any, **settings: Any) -> Any:
    return learner(env, **QUICK.get(learner, {}), **settings)


# -- hooks: a new on-policy learner with traces is this much of code -------------------------------------------


class SarsaLambda(ActionValueLearner):
    """Sarsa with replacing traces of each copy's episode (Sutton & Barto 2018, section 12.7)."""

    usual_step_size, usual_epsilon = CONSTANT, FADING
    trace = 0.9

    def _begin(self, num_envs: int) -> None:
        self._chosen: list[int | None] = [None] * num_envs
        self._traces = np.zeros((num_envs, *self.q_values.shape))

    def _episode_began(self, copy: int) -> None:
        self._chosen[copy] = None
        self._traces[copy] = 0.0

    def _act(self, observation: int, copy: int) -> int:
        chosen = self._chosen[copy]
        return self.select_action(observation) if chosen is None else chosen

    def update(self, transition: Transition, next_action: int | None = None, copy: int = 0) -> float:
        """Moves every pair of the episode by its trace."""
        s, a, r, next_s, terminated, _ = transition
        next_value = 0.0 if terminated or next_action is None else self.q_values[next_s, next_action]
        td_error = float(r + self.discount * next_value - self.q_values[s, a])
        self.visits[s, a] += 1
        self._traces[copy] *= self.discount * self.trace
        self._traces[copy, s, a] = 1.0
        self._q_values += self.step_size(int(self.visits[s, a])) * td_error * self._traces[copy]
        return td_error

    def _learn_from(self, transition: Transition, copy: int) -> None:
        after = None if transition.terminated else self.select_action(transition.next_observation)
        self.update(transition, after, copy)
        self.num_updates += 1
        self._chosen[copy] = after


@pytest.mark.parametrize("vector", [None, *AutoresetMode])
def test_a_learner_with_traces_needs_its_hooks_and_no_loop_of_its_own(vector: AutoresetMode | None) -> None:
    seen: list[int] = []

    class Watched(SarsaLambda):
        def _episode_began(self, copy: int) -> None:
            super()._episode_began(copy)
            seen.append(copy)

        def _learn_from(self, transition: Transition, copy: int) -> None:
            super()._learn_from(transition, copy)
            assert (self._traces[copy] > 0).any()

    if vector is None:
        env: Any = lake(is_slippery=False)
    else:
        env = gym.make_vec(
            "bellglass/FrozenLake-v0",
            num_envs=3,
            is_slippery=False,
            autoreset_mode=vector,
            max_episode_steps=40,
        )
    agent = Watched(env, discount=0.9, seed=1).learn(9000)
    copies = 1 if vector is None else 3
    assert 0 <= len(seen) - agent.num_episodes <= copies  # an episode is told of when its first step comes
    assert set(seen) == set(range(copies))
    assert agent.q_values.max() > 0.5


def test_without_traces_it_is_sarsa_to_the_bit() -> None:
    class Sarsa0(SarsaLambda):
        trace = 0.0

    one, other = Sarsa0(lake(), seed=3).learn(3000), Sarsa(lake(), seed=3).learn(3000)
    np.testing.assert_array_equal(one.q_values, other.q_values)


# -- clocks ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [None, *AutoresetMode])
@pytest.mark.parametrize("learner", LEARNERS)
def test_every_learner_cuts_episodes_in_every_mode(learner: Any, mode: AutoresetMode | None) -> None:
    river = "bellglass/Grid5x5-v0"  # it never ends, and has no clock
    env: Any = gym.make(river) if mode is None else gym.make_vec(river, num_envs=2, autoreset_mode=mode)
    agent = made(learner, env, max_episode_steps=10).learn(200)
    assert agent.num_timesteps == 200
    assert agent.num_episodes == 20


@pytest.mark.parametrize("limit", [7, 60])
def test_the_fast_path_keeps_the_learners_clock(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for env_id in ("Grid5x5", "FrozenLake"):
        agents = []
        for fast in (True, False):
            monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps, fast=fast: fast)
            env = gym.make(f"bellglass/{env_id}-v0")
            agents.append(QLearning(env, max_episode_steps=limit, seed=4).learn(3000))
        np.testing.assert_array_equal(agents[0].q_values, agents[1].q_values)
        assert agents[0].num_episodes == agents[1].num_episodes >= 3000 // limit


# -- what is not finite ----------------------------------------------------------------------------------------


class Breaking(gym.Wrapper[Any, Any, Any, Any]):
    """Pays or shows `wrong` from step `at` on."""

    def __init__(self, env: gym.Env[Any, Any], at: int, wrong: float, shown: bool) -> None:
        super().__init__(env)
        self.at, self.wrong, self.shown, self.steps = at, wrong, shown, 0

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """One step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.steps += 1
        if self.steps >= self.at:
            if self.shown:
                observation = np.full_like(observation, self.wrong)
            else:
                reward = self.wrong
        return observation, reward, terminated, truncated, info


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("learner", LEARNERS)
def test_a_reward_that_is_not_finite_ends_in_an_error_that_names_the_step(
    learner: Any, wrong: float, tmp_path: Path
) -> None:
    agent = made(learner, Breaking(lake(), 41, wrong, shown=False))
    with pytest.raises(FloatingPointError, match=f"environment step 41: the reward is {wrong}"):
        agent.learn(100)
    assert agent.num_timesteps == 40
    agent.save(tmp_path / "agent")  # nothing of it was learned
    with pytest.raises(FloatingPointError, match="environment step 41"):
        agent.learn(100, reset_num_timesteps=False)


@pytest.mark.parametrize("learner", list(QUICK))
def test_an_observation_that_is_not_finite_is_no_observation(learner: Any) -> None:
    env = Breaking(OneHotObservation(lake()), 41, math.nan, shown=True)
    with pytest.raises(FloatingPointError, match="environment step 41: an entry of the observation is nan"):
        made(learner, env).learn(100)


@pytest.mark.parametrize("learner", LEARNERS)
def test_what_was_learned_and_is_no_longer_finite_is_neither_saved_nor_learned_on(
    learner: Any, tmp_path: Path
) -> None:
    agent = made(learner, lake()).learn(200)
    if isinstance(agent, CertaintyEquivalence):
        agent._exploring[3, 1] = math.nan
    elif isinstance(agent, ActionValueLearner):
        agent.q_values[3, 1] = math.nan
    else:
        agent.parameters.values[7] = math.inf
    with pytest.raises(FloatingPointError, match="by environment step 200 is no longer finite"):
        agent.save(tmp_path / "agent")
    assert not list(tmp_path.iterdir())
    with pytest.raises(FloatingPointError, match="is no longer finite"):
        agent.learn(30, reset_num_timesteps=False)


@pytest.mark.parametrize("fast", [True, False])
def test_a_table_that_diverges_is_told_before_a_callback_writes_it_down(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps: fast)
    agent = QLearning(lake(), initial_value=1.7e308, discount=1.0, seed=0)
    agent.q_values[:] = np.random.default_rng(0).choice([-1.7e308, 1.7e308], size=(16, 4))

    class Looker:
        next_timestep = 50
        asked = False

        def __call__(self, agent: Any) -> None:
            """Never."""
            self.asked = True

    looker = Looker()
    with np.errstate(all="ignore"), pytest.raises(FloatingPointError, match="by environment step 50"):
        agent.learn(300, looker)
    assert not looker.asked


# -- Ctrl-C ----------------------------------------------------------------------------------------------------


class Pressing(gym.Wrapper[Any, Any, Any, Any]):
    """Presses Ctrl-C in the middle of step `at`."""

    def __init__(self, env: gym.Env[Any, Any], at: int) -> None:
        super().__init__(env)
        self.at, self.steps = at, 0

    def step(self, action: Any) -> Any:
        """One step."""
        self.steps += 1
        if self.steps == self.at:
            signal.raise_signal(signal.SIGINT)
        return self.env.step(action)


@pytest.mark.parametrize("learner", LEARNERS)
def test_ctrl_c_ends_learn_between_two_steps_and_what_follows_is_as_if_nothing_had_been(learner: Any) -> None:
    whole = made(learner, gym.Wrapper(lake()), seed=2).learn(240)
    agent = made(learner, Pressing(lake(), 101), seed=2)
    with pytest.warns(
        UserWarning, match="Ctrl-C ended learn after 101 of 240 steps; what was learned is kept"
    ):
        assert agent.learn(240, planned_timesteps=240) is agent
    assert agent.num_timesteps == 101
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    agent.learn(139, reset_num_timesteps=False)
    for name, array in whole._arrays().items():
        np.testing.assert_array_equal(array, agent._arrays()[name])
    assert agent.num_episodes == whole.num_episodes


def test_ctrl_c_is_raised_where_the_caller_asks_for_it() -> None:
    agent = QLearning(Pressing(lake(), 101), seed=2)
    with pytest.raises(KeyboardInterrupt):
        agent.learn(240, raise_interrupt=True)
    assert agent.num_timesteps == 101
    agent.learn(139, reset_num_timesteps=False)


def test_ctrl_c_ends_the_fast_path_between_two_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps: True)
    monkeypatch.setattr(q_learning, "BLOCK", 1000)
    pressed: list[float] = []

    def epsilon(progress: float) -> float:
        pressed.append(progress)
        if len(pressed) == 2500:  # while the third block is made ready
            signal.raise_signal(signal.SIGINT)
        return 0.5

    with pytest.warns(UserWarning, match="after 3000 of 9000 steps"):
        QLearning(lake(), epsilon=epsilon).learn(9000)


@pytest.mark.parametrize("where", ["callback", "step"])
def test_a_keyboard_interrupt_of_somebody_else_is_one_too(where: str) -> None:
    def raising(agent: Learner) -> None:
        if agent.num_timesteps == 60:
            raise KeyboardInterrupt

    class Raising(gym.Wrapper[Any, Any, Any, Any]):
        steps = 0

        def step(self, action: Any) -> Any:
            """One step."""
            self.steps += 1
            if self.steps == 60:
                raise KeyboardInterrupt
            return self.env.step(action)

    agent = QLearning(Raising(lake()) if where == "step" else lake())
    with pytest.warns(UserWarning, match="after (59|60) of 200 steps"):
        agent.learn(200, None if where == "step" else raising)
    before = agent.num_timesteps
    agent.learn(20, reset_num_timesteps=False)
    assert agent.num_timesteps == before + 20


def test_whoever_handles_ctrl_c_otherwise_goes_on_doing_so() -> None:
    heard: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    try:
        agent = QLearning(Pressing(lake(), 101)).learn(240)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert agent.num_timesteps == 240
    assert heard == [signal.SIGINT]
