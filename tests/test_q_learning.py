"""Q-learning, against arithmetic, against the table, against the known optimum, and both of its roads."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from bellglass.agents import QLearning, Transition
from bellglass.agents.tabular import q_learning
from bellglass.envs.mdp import TabularMDP


class Walker(gym.Env[np.int64, np.int64]):
    """The smallest environment that walks a table."""

    walks_table = True

    def __init__(self, mdp: TabularMDP) -> None:
        self.mdp = mdp
        self.state = np.int64(0)
        self.observation_space = gym.spaces.Discrete(mdp.num_states)
        self.action_space = gym.spaces.Discrete(mdp.num_actions)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[np.int64, dict[str, Any]]:
        """Draws a start."""
        super().reset(seed=seed)
        u = self.np_random.random()
        self.state = np.int64(np.searchsorted(self.mdp.cumulative_initial, u, side="right"))
        return self.state, {"action_mask": self.mdp.action_mask[self.state]}

    def step(self, action: np.int64) -> tuple[np.int64, float, bool, bool, dict[str, Any]]:
        """Draws an outcome."""
        m = self.mdp
        pair = self.state * m.num_actions + action
        u = self.np_random.random()
        k = m.first_outcome[pair]
        while m.cumulative_probability[k] <= u:
            k += 1
        self.state = np.int64(m.next_state[k])
        return (
            self.state,
            float(m.reward[k]),
            bool(m.terminated[k]),
            False,
            {"action_mask": m.action_mask[self.state]},
        )


def chain() -> TabularMDP:
    rng = np.random.default_rng(0)
    transition = rng.dirichlet(np.ones(6), size=(6, 3))
    mask = np.ones((6, 3), dtype=bool)
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
    agent = QLearning(Walker(mdp), discount=0.9, step_size=0.5)
    agent.q_values[:] = [[1.0, 0.0], [3.0, 4.0]]
    agent.update(Transition(0, 0, 2.0, 1, terminated, truncated))
    np.testing.assert_allclose(agent.q_values, [[expected, 0.0], [3.0, 4.0]])


@pytest.mark.parametrize("limit", [None, 7])
@pytest.mark.parametrize("step_size", [0.1, {"kind": "polynomial", "power": 0.7}])
def test_both_roads_give_the_same_bits(
    limit: int | None, step_size: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps: True)
    agents, clocks, walkers = [], [], []
    for hidden in (False, True):
        walker = Walker(chain())
        env: Any = gym.wrappers.OrderEnforcing(walker)
        if limit is not None:
            env = gym.wrappers.TimeLimit(env, limit)
            clocks.append(env)
        if hidden:
            env = gym.Wrapper(env)
        agent = QLearning(
            env, step_size=step_size, epsilon={"kind": "linear", "start": 1.0, "end": 0.1}, seed=3
        )
        agents.append(agent.learn(5000))
        walkers.append(walker)
    compiled, stepping = agents
    np.testing.assert_array_equal(compiled.q_values, stepping.q_values)
    np.testing.assert_array_equal(compiled.visits, stepping.visits)
    assert compiled.num_episodes == stepping.num_episodes > 10
    assert walkers[0].state == walkers[1].state
    assert walkers[0].np_random.bit_generator.state == walkers[1].np_random.bit_generator.state
    assert compiled._rng.bit_generator.state == stepping._rng.bit_generator.state
    if clocks:
        assert clocks[0]._elapsed_steps == clocks[1]._elapsed_steps
