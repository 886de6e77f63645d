"""Planners as agents: optimal on every table they can see, refused where the state is hidden."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
import bellglass.planning
from bellglass.agents import PolicyIteration, ValueIteration
from bellglass.envs.tables import table_of

if not hasattr(bellglass.planning, "solve"):
    pytest.skip("there is no solver yet", allow_module_level=True)

PLANNERS = [ValueIteration, PolicyIteration]


@pytest.mark.parametrize("planner", PLANNERS)
@pytest.mark.parametrize("name", ["FrozenLake", "RiverSwim", "Gambler"])
def test_the_plan_satisfies_the_optimality_equation(planner: type[ValueIteration], name: str) -> None:
    env = gym.make(f"bellglass/{name}-v0")
    mdp = table_of(env)
    agent = planner(env, discount=0.95).learn(1000)
    q = mdp.expected_reward + 0.95 * (mdp.transition_matrix @ agent.values).reshape(mdp.expected_reward.shape)
    np.testing.assert_allclose(agent.q_values[mdp.action_mask], q[mdp.action_mask], atol=1e-6)
    q[~mdp.action_mask] = -np.inf
    live = ~mdp.terminal
    np.testing.assert_allclose(agent.values[live], q.max(axis=1)[live], atol=1e-6)
    assert (agent.values[mdp.terminal] == 0).all()
    assert mdp.action_mask[live, agent.policy[live]].all()
    assert agent.num_timesteps == 0


@pytest.mark.parametrize("planner", PLANNERS)
def test_it_answers_one_observation_or_a_batch(planner: type[ValueIteration]) -> None:
    agent = planner(gym.make("bellglass/FrozenLake-v0"))
    action, memory = agent.predict(0, deterministic=True)
    assert isinstance(action, np.int64)
    assert memory is None
    actions, _ = agent.predict(np.arange(16))
    np.testing.assert_array_equal(actions, agent.policy)
    np.testing.assert_array_equal(agent.action_probabilities(np.arange(16)), np.eye(4)[agent.policy])
    assert agent.action_probabilities(3).tolist() == np.eye(4)[agent.policy[3]].tolist()
    with pytest.raises(ValueError, match=r"observations must be in \[0, 16\)"):
        agent.predict(16)
    with pytest.raises(TypeError, match="observations must be states"):
        agent.predict(0.5)


def test_both_planners_agree() -> None:
    env = gym.make("bellglass/FrozenLake-v0", map_name="8x8")
    one, other = ValueIteration(env), PolicyIteration(env)
    np.testing.assert_allclose(one.values, other.values, atol=1e-7)


@pytest.mark.parametrize("planner", PLANNERS)
def test_the_callback_is_asked_once_unless_it_waits_for_steps(planner: type[ValueIteration]) -> None:
    asked: list[int] = []

    def note(agent: ValueIteration) -> None:
        asked.append(agent.num_timesteps)

    planner(gym.make("bellglass/FrozenLake-v0")).learn(500, note)
    assert asked == [0]

    class Later:
        next_timestep = 100

        def __call__(self, agent: ValueIteration) -> None:
            """Must not be asked."""
            raise AssertionError("asked before its time")

    planner(gym.make("bellglass/FrozenLake-v0")).learn(500, Later())


class OneHot(gym.ObservationWrapper[Any, Any, Any]):
    """Shows states as unit vectors, and says so by `observe`."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self.observation_space = gym.spaces.Box(0.0, 1.0, (16,), np.float32)

    def observe(self, state: np.int64) -> Any:
        """A unit vector."""
        return np.eye(16, dtype=np.float32)[state]

    def observation(self, observation: Any) -> Any:
        """What `observe` says."""
        return self.observe(observation)


class Blurred(OneHot):
    """Shows two states alike."""

    def observe(self, state: np.int64) -> Any:
        """State 1 looks like state 0."""
        return np.eye(16, dtype=np.float32)[0 if state == 1 else state]


def test_wrapped_observations_are_seen_through() -> None:
    plain = PolicyIteration(gym.make("bellglass/FrozenLake-v0"))
    agent = PolicyIteration(OneHot(gym.make("bellglass/FrozenLake-v0")))
    shown = np.eye(16, dtype=np.float32)
    np.testing.assert_array_equal(agent.predict(shown)[0], plain.policy)
    assert agent.predict(shown[6])[0] == plain.policy[6]
    with pytest.raises(ValueError, match="no state of the table is shown as"):
        agent.predict(np.zeros(16, dtype=np.float32))
    with pytest.raises(TypeError, match="shows several states alike"):
        PolicyIteration(Blurred(gym.make("bellglass/FrozenLake-v0"))).predict(shown)


@pytest.mark.parametrize("planner", PLANNERS)
def test_hidden_states_and_closed_tables_are_refused(planner: type[ValueIteration]) -> None:
    with pytest.raises(TypeError, match="hides its state"):
        planner(gym.make("bellglass/TMaze-v0"))
    with pytest.raises(TypeError):
        planner(gym.make("CartPole-v1"))
    with pytest.raises(ValueError, match=r"discount must be in \[0, 1\), got 1"):
        planner(gym.make("bellglass/FrozenLake-v0"), discount=1.0)
    with pytest.raises(ValueError, match="tolerance must be a finite number above 0"):
        planner(gym.make("bellglass/FrozenLake-v0"), tolerance=0.0)


@pytest.mark.parametrize("planner", PLANNERS)
def test_a_saved_plan_needs_no_environment(planner: type[ValueIteration], tmp_path: Path) -> None:
    agent = planner(gym.make("bellglass/FrozenLake-v0"), discount=0.9)
    agent.save(tmp_path / "plan")
    again = planner.load(tmp_path / "plan")
    np.testing.assert_array_equal(again.q_values, agent.q_values)
    np.testing.assert_array_equal(again.predict(np.arange(16))[0], agent.policy)
    assert again.discount == 0.9
    with pytest.raises(ValueError, match="the environment has"):
        planner.load(tmp_path / "plan", gym.make("bellglass/RiverSwim-v0"))


@pytest.mark.parametrize("planner", PLANNERS)
def test_stable_baselines3_evaluates_planners(planner: type[ValueIteration]) -> None:
    evaluation = pytest.importorskip("stable_baselines3.common.evaluation")
    env = gym.make("bellglass/FrozenLake-v0", is_slippery=False)
    assert evaluation.evaluate_policy(planner(env), env, n_eval_episodes=3, warn=False) == (1.0, 0.0)
