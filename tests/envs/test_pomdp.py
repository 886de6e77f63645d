"""TabularPOMDP and its environment: what is seen, and what it tells."""

from __future__ import annotations

from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest

from bellglass.envs import TabularPOMDP, TabularPOMDPEnv, pomdp_of, table_of
from bellglass.envs.mdp import TabularMDP
from bellglass.planning import solve


def tiger(accuracy: float = 0.85) -> TabularPOMDP:
    """Two doors; listening (action 0) tells with `accuracy` where the tiger is, opening starts anew."""
    listen = np.eye(2)
    anew = np.full((2, 2), 0.5)
    mdp = TabularMDP.from_arrays(
        np.stack([listen, anew, anew], axis=1), [[-1, -100, 10], [-1, 10, -100]], initial=[0.5, 0.5]
    )
    heard = np.array([[accuracy, 1 - accuracy], [1 - accuracy, accuracy]])
    return TabularPOMDP(mdp, [heard, np.full((2, 2), 0.5), np.full((2, 2), 0.5)], np.full((2, 2), 0.5))


def test_a_belief_is_bayes_rule_by_hand() -> None:
    pomdp = tiger()
    belief = pomdp.update_belief([0.5, 0.5], 0, 0)
    assert belief.tolist() == pytest.approx([0.85, 0.15])
    belief = pomdp.update_belief(belief, 0, 0)
    assert belief.tolist() == pytest.approx([0.85**2 / (0.85**2 + 0.15**2), 0.15**2 / (0.85**2 + 0.15**2)])
    assert pomdp.update_belief(belief, 0, 1).tolist() == pytest.approx([0.85, 0.15])
    assert pomdp.update_belief(belief, 1, 1).tolist() == pytest.approx([0.5, 0.5])
    assert pomdp.observation_chances([0.9, 0.1], 0).tolist() == pytest.approx([0.78, 0.22])


def test_both_forms_of_observation_chances_mean_the_same() -> None:
    mdp = tiger().mdp
    heard = np.array([[0.7, 0.3], [0.2, 0.8]])
    plain, by_action = (TabularPOMDP(mdp, form, heard) for form in (heard, [heard] * 3))
    assert plain.observation_probability.shape == (2, 2)
    assert np.array_equal(plain.by_action, by_action.by_action)
    for a in range(3):
        for belief in ([0.3, 0.7], [1.0, 0.0]):
            assert plain.update_belief(belief, a, 1) == pytest.approx(by_action.update_belief(belief, a, 1))
            assert plain.observation_chances(belief, a) == pytest.approx(
                by_action.observation_chances(belief, a)
            )
    assert plain.fingerprint != by_action.fingerprint


def test_the_first_belief_weighs_what_reset_showed() -> None:
    pomdp = pomdp_of(gym.make("bellglass/TMaze-v0", N=3))
    assert np.flatnonzero(pomdp.initial_belief(0)).tolist() == [0]
    assert pomdp.initial_belief().tolist() == pomdp.mdp.initial.tolist()
    with pytest.raises(ValueError, match="observation 3 is not shown at reset"):
        pomdp.initial_belief(3)


def test_what_a_belief_is_worth() -> None:
    """In doubt one listens, and believes .85 of either side then; who is sure opens, and is in doubt again."""
    tiger = pomdp_of(gym.make("bellglass/Tiger-v0"))
    doubt, likely, sure = (solve(tiger.starting_from([p, 1 - p]), 0.95).start_value for p in (0.5, 0.85, 1.0))
    assert doubt == pytest.approx(-1 + 0.95 * likely, abs=1e-6)
    assert sure == pytest.approx(10 + 0.95 * doubt, abs=1e-6)
    assert doubt == pytest.approx(solve(tiger, 0.95).start_value, abs=1e-6)
    with pytest.raises(ValueError, match=r"belief must have shape \[2\], got \[1\]"):
        tiger.starting_from([1.0])
    with pytest.raises(ValueError, match="must be chances that sum to 1"):
        tiger.starting_from([0.5, 0.6])


def test_terminated_outcomes_drop_out_of_the_belief() -> None:
    pomdp = pomdp_of(gym.make("bellglass/TMaze-v0", N=1))
    at_junction = np.array([0, 0.5, 0, 0.5, 0])
    assert pomdp.observation_chances(at_junction, 0).sum() == 0.0  # north ends the episode under both signals
    with pytest.raises(ValueError, match="observation 3 cannot follow action 0"):
        pomdp.update_belief(at_junction, 0, 3)
    assert pomdp.update_belief(at_junction, 3, 1).tolist() == [0, 0, 1, 0, 0]


def test_an_unavailable_action_is_believed_as_it_is_played() -> None:
    mdp = TabularMDP.from_P(
        {0: {0: [(1.0, 1, 0.0, False)], 1: []}, 1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 1, 0.0, False)]}},
        initial=[1, 0],
    )
    seen = np.stack([np.eye(2), [[0.5, 0.5], [0.5, 0.5]]])
    pomdp = TabularPOMDP(mdp, seen, np.eye(2))
    assert pomdp.observation_chances([1.0, 0.0], 1).tolist() == [
        0.0,
        1.0,
    ]  # played as action 0: seen for sure
    env = TabularPOMDPEnv(pomdp)
    env.reset(seed=0)
    assert env.step(1)[0] == 1


def test_observations_are_as_frequent_as_they_should_be() -> None:
    env = TabularPOMDPEnv(tiger())
    env.reset(seed=0)
    right = 0
    for _ in range(4000):
        observation, *_, info = env.step(0)
        right += observation == info["state"]
    assert abs(right / 4000 - 0.85) < 4.5 * (0.85 * 0.15 / 4000) ** 0.5


def test_beliefs_foretell_what_the_environment_shows() -> None:
    env = TabularPOMDPEnv(tiger())
    pomdp = env.pomdp
    surprise = variance = 0.0
    env.reset(seed=1)
    belief = pomdp.initial_belief()
    for step in range(4000):
        a = 0 if step % 4 else 1
        chance = pomdp.observation_chances(belief, a)
        observation = int(env.step(a)[0])
        surprise += (observation == 1) - chance[1]
        variance += chance[0] * chance[1]
        belief = pomdp.update_belief(belief, a, observation)
    assert abs(surprise) < 4.5 * variance**0.5


def test_an_environment_draws_two_numbers_a_step() -> None:
    env = TabularPOMDPEnv(tiger())
    env.reset(seed=5)
    env.step(0)
    numbers = np.random.default_rng(5)
    numbers.random(4)
    assert env.np_random.bit_generator.state == numbers.bit_generator.state


def test_only_the_info_tells_the_state() -> None:
    env = gym.make("bellglass/TMaze-v0", N=2)
    assert env.observation_space == gym.spaces.Discrete(4)
    seen: Counter[tuple[int, int]] = Counter()
    env.action_space.seed(0)
    observation, info = env.reset(seed=0)
    for _ in range(500):
        seen[info["state"], int(observation)] += 1
        observation, _, terminated, _, info = env.step(env.action_space.sample())
        if terminated:
            observation, info = env.reset()
    assert set(seen) == {(0, 0), (1, 2), (2, 3), (3, 1), (4, 2), (5, 3)}
    assert table_of(env) is pomdp_of(env).mdp
    envs = gym.make_vec("bellglass/TMaze-v0", num_envs=2, N=2)
    assert (
        pomdp_of(gym.wrappers.vector.RecordEpisodeStatistics(envs)).fingerprint == pomdp_of(env).fingerprint
    )


@pytest.mark.parametrize(
    ("seen", "at_reset", "problem"),
    [
        (np.eye(3), np.eye(2), r"must have shape \[2, O\] or \[3, 2, O\] with O >= 1, got \[3, 3\]"),
        (np.eye(2), np.eye(3), r"initial_observation must have shape \[2, 2\], got \[3, 3\]"),
        ([[0.5, 0.6], [0, 1]], np.eye(2), r"observation_probability\[0\] sums to 1.1, not 1"),
        ([[1.5, -0.5], [0, 1]], np.eye(2), r"observation_probability\[0, 1\] is -0.5, not a probability"),
        (np.eye(2), [[1, 0], [np.nan, 1]], r"initial_observation\[1, 0\] is nan, not a probability"),
    ],
)
def test_chances_that_are_none_are_refused(
    seen: npt.ArrayLike, at_reset: npt.ArrayLike, problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        TabularPOMDP(tiger().mdp, seen, at_reset)


def test_labels_must_fit_and_arrays_cannot_change() -> None:
    pomdp = tiger()
    with pytest.raises(ValueError, match="2 different names"):
        TabularPOMDP(pomdp.mdp, np.eye(2), np.eye(2), observation_labels=("left",))
    with pytest.raises(ValueError, match="read-only"):
        pomdp.observation_probability[0] = 0.0
    with pytest.raises(TypeError, match="mdp must be a TabularMDP, got str"):
        TabularPOMDP("tiger", np.eye(2), np.eye(2))  # type: ignore[arg-type]  # that is the point


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (([1.0], 0, 0), "belief must have shape"),
        (([0.9, 0.9], 0, 0), r"belief must be chances that sum to 1, got \[0.9 0.9\]"),
        (([2.0, -1.0], 0, 0), "belief must be chances"),
        (([np.nan, 1.0], 0, 0), "belief must be chances"),
        (([1.0, 0], 3, 0), r"action must be in \[0, 2\], got 3"),
        (([1.0, 0], 0, 2), r"observation must be in \[0, 1\], got 2"),
    ],
)
def test_beliefs_from_elsewhere_are_refused(arguments: Any, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        tiger().update_belief(*arguments)


def test_actions_and_observations_are_whole_numbers() -> None:
    for action, observation in ((0.5, 0), (True, 0), ("0", 0), (0, 0.0)):
        with pytest.raises(TypeError, match="must be a whole number in"):
            tiger().update_belief([0.5, 0.5], action, observation)  # type: ignore[arg-type]  # the point
