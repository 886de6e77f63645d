"""Observation wrappers: maps over states under which the table stays what it was."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from bellglass.envs import (
    CoordinatesObservation,
    OneHotObservation,
    TabularEnv,
    VectorCoordinatesObservation,
    VectorOneHotObservation,
    table_of,
)
from bellglass.envs.mdp import TabularMDP

WRAPPERS = (OneHotObservation, CoordinatesObservation)
VECTOR_WRAPPERS = (VectorOneHotObservation, VectorCoordinatesObservation)
FULLY_OBSERVED = ("FrozenLake", "CliffWalking", "Taxi", "DeepSea", "Gambler", "RiverSwim", "RussellNorvig")


def nameless() -> TabularEnv:
    return TabularEnv(
        TabularMDP.from_arrays(
            np.full((2, 1, 2), 0.5), [0.0, 1.0], initial=[1, 0], state_labels=("here", "there")
        )
    )


def test_one_hot_is_a_row_of_the_identity() -> None:
    env: Any = OneHotObservation(gym.make("bellglass/RiverSwim-v0"))
    assert env.observe(np.arange(6)).tolist() == np.eye(6).tolist()
    assert env.observe(2).dtype == np.float32
    observation, info = env.reset(seed=0)
    assert observation.tolist() == env.observe(info["state"]).tolist()


def test_coordinates_are_the_labels_scaled() -> None:
    env: Any = CoordinatesObservation(gym.make("bellglass/Taxi-v0"))
    s = env.unwrapped.encode((3, 1, 2, 0))
    assert env.observe(s).tolist() == pytest.approx([0.75, 0.25, 0.5, 0.0])
    env = CoordinatesObservation(gym.make("bellglass/Gambler-v0", goal=10))
    assert env.observe(np.arange(11)).ravel().tolist() == pytest.approx((np.arange(11) / 10).tolist())


def test_an_end_without_numbers_lies_at_the_origin() -> None:
    env: Any = CoordinatesObservation(gym.make("bellglass/DeepSea-v0", N=3))
    assert env.observe(9).tolist() == [0.0, 0.0]
    assert env.observe(8).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("name", FULLY_OBSERVED)
def test_what_is_seen_on_a_walk_is_what_observe_says(wrapper: Any, name: str) -> None:
    env = wrapper(gym.make(f"bellglass/{name}-v0"))
    observe = env.get_wrapper_attr("observe")
    seen, info = env.reset(seed=1)
    env.action_space.seed(1)
    for _ in range(60):
        assert seen in env.observation_space
        assert seen.tolist() == observe(info["state"]).tolist()
        previous = seen
        seen, _, terminated, truncated, info = env.step(env.action_space.sample())
        assert seen is not previous
        if terminated or truncated:
            seen, info = env.reset()


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")  # it is: that is a wrapper's job
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_the_table_stays_in_reach_and_the_checker_is_content(wrapper: Any) -> None:
    env = wrapper(gym.make("bellglass/FrozenLake-v0"))
    assert table_of(env) is env.unwrapped.mdp
    check_env(wrapper(gym.make("bellglass/FrozenLake-v0").unwrapped), skip_render_check=True)
    rebuilt = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert isinstance(rebuilt, wrapper)


@pytest.mark.parametrize(("single", "vector"), list(zip(WRAPPERS, VECTOR_WRAPPERS, strict=True)))
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_copies_see_what_single_environments_see(single: Any, vector: Any, mode: str) -> None:
    seeds = [5, 6, 7]
    envs = vector(gym.make_vec("bellglass/FrozenLake-v0", num_envs=3, autoreset_mode=mode))
    wrapped = gym.make_vec(
        "bellglass/FrozenLake-v0",
        num_envs=3,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        wrappers=[single],
    )
    assert envs.observation_space == wrapped.observation_space
    assert envs.reset(seed=seeds)[0].tolist() == wrapped.reset(seed=5)[0].tolist()
    rng = np.random.default_rng(0)
    finals = 0
    for _ in range(60):
        actions = rng.integers(4, size=3)
        ours, theirs = envs.step(actions), wrapped.step(actions)
        assert ours[0].tolist() == theirs[0].tolist()
        if "final_obs" in theirs[4]:
            for mine, other in zip(ours[4]["final_obs"], theirs[4]["final_obs"], strict=True):
                finals += other is not None
                assert (mine is None) == (other is None)
                assert mine is None or mine.tolist() == other.tolist()
    assert finals > 0 or mode == "NextStep"
    assert envs.observe(np.arange(16)).shape == (16, *envs.single_observation_space.shape)
    assert table_of(envs) is envs.unwrapped.mdp


def test_hidden_states_have_no_map_and_no_coordinates() -> None:
    env = OneHotObservation(gym.make("bellglass/TMaze-v0"))
    assert env.observation_space.shape == (4,)
    assert not env.has_wrapper_attr("observe")
    assert not hasattr(VectorOneHotObservation(gym.make_vec("bellglass/TMaze-v0", num_envs=2)), "observe")
    with pytest.raises(TypeError, match="shows its state"):
        CoordinatesObservation(gym.make("bellglass/TMaze-v0"))


def test_states_without_numbers_or_place_have_no_coordinates() -> None:
    with pytest.raises(ValueError, match="named by numbers"):
        CoordinatesObservation(nameless())
    with pytest.raises(TypeError, match="Discrete"):
        OneHotObservation(OneHotObservation(nameless()))
