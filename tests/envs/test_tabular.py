"""TabularEnv: it walks its table, draws one number a step, and refuses what makes no sense."""

from __future__ import annotations

import copy
import inspect
import pickle
from itertools import pairwise
from typing import Any, Unpack

import gymnasium as gym
import numpy as np
import pytest

from bellglass.envs import EnvSettings, TabularEnv
from bellglass.envs.mdp import TableWalker, TabularMDP
from bellglass.envs.vector import entry_points as vector_entry_points


def choices() -> TabularMDP:
    """State 0 offers actions 1 and 2 only; action 2 ends in state 1 or goes back to 0."""
    return TabularMDP.from_P(
        {
            0: {0: [], 1: [(1.0, 0, -1.0, False)], 2: [(0.25, 0, 2.0, False), (0.75, 1, 3.0, True)]},
            1: {a: [(1.0, 1, 0.0, True)] for a in range(3)},
        },
        initial=[1, 0],
        state_labels=("here", "there"),
    )


def test_a_step_is_one_look_up_of_one_uniform_number() -> None:
    env = TabularEnv(choices())
    env.reset(seed=5)
    numbers = np.random.default_rng(5)
    numbers.random()  # the reset's
    for _ in range(50):
        env.reset(options={"state": 0})
        u = numbers.random()
        observation, reward, terminated, truncated, info = env.step(2)
        expected = (0, 2.0, False, 0.25) if u < 0.25 else (1, 3.0, True, 0.75)
        assert (int(observation), reward, terminated, info["probability"]) == expected
        assert not truncated
        assert type(observation) is np.int64
        assert type(reward) is float
        assert type(terminated) is bool


def test_an_unavailable_action_plays_the_lowest_available_one_and_says_so() -> None:
    env = TabularEnv(choices())
    env.reset(seed=0)
    _, reward, terminated, _, info = env.step(0)
    assert (reward, terminated, info["invalid_action"]) == (-1.0, False, True)
    assert "invalid_action" not in env.step(1)[4]


def test_unavailable_actions_can_raise_and_then_nothing_has_happened() -> None:
    env = TabularEnv(choices(), invalid_actions="raise")
    env.reset(seed=0)
    before = env.clone_state()
    with pytest.raises(ValueError, match=r"action 0 is not available in state 0 \('here'\); available: 1, 2"):
        env.step(0)
    assert env.clone_state() == before


@pytest.mark.parametrize("action", [-1, 3, 0.0, "1", None, [1]])
def test_an_action_outside_the_space_is_refused(action: object) -> None:
    env = TabularEnv(choices())
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"action must be an integer in \[0, 3\), got"):
        env.step(action)  # type: ignore[arg-type]  # that is the point


def test_a_step_before_the_first_reset_is_gymnasiums_error() -> None:
    with pytest.raises(gym.error.ResetNeeded, match="reset"):
        TabularEnv(choices()).step(1)


def test_a_finished_episode_stays_finished_and_pays_nothing() -> None:
    env = TabularEnv(choices())
    env.reset(seed=0)
    while not env.step(2)[2]:
        pass
    for action in range(3):
        observation, reward, terminated, truncated, info = env.step(action)
        assert (int(observation), reward, terminated, truncated) == (1, 0.0, True, False)
        assert not info["action_mask"].any()
        assert "invalid_action" not in info


@pytest.mark.parametrize("state", [1, 2, -1, 0.5, "here"])
def test_an_episode_starts_in_a_live_state_only(state: object) -> None:
    env = TabularEnv(choices())
    with pytest.raises(ValueError, match=r"options\['state'\] must"):
        env.reset(options={"state": state})


def test_a_chosen_start_is_certain_and_draws_nothing() -> None:
    env = TabularEnv(choices())
    env.reset(seed=0)
    before = env.np_random.bit_generator.state
    observation, info = env.reset(options={"state": np.int32(0)})
    assert (int(observation), info["state"], info["probability"]) == (0, 0, 1.0)
    assert env.np_random.bit_generator.state == before


def test_starts_follow_the_initial_distribution() -> None:
    env = TabularEnv(
        TabularMDP.from_arrays(np.full((4, 1, 4), 0.25), np.zeros(4), initial=[0.5, 0, 0.25, 0.25])
    )
    env.reset(seed=0)
    counts = np.bincount([env.reset()[0] for _ in range(4000)], minlength=4)
    assert counts[1] == 0
    assert np.abs(counts / 4000 - [0.5, 0, 0.25, 0.25]).max() < 0.035  # 4.4 standard errors of a half


def test_a_clone_continues_as_the_original_did() -> None:
    env, other = TabularEnv(choices()), TabularEnv(choices())
    env.reset(seed=3)
    saved = env.clone_state()
    walk = [env.step(2)[:2] for _ in range(20)]
    env.restore_state(saved)
    assert [env.step(2)[:2] for _ in range(20)] == walk
    other.restore_state(saved)
    assert [other.step(2)[:2] for _ in range(20)] == walk


def test_a_state_of_another_kind_of_generator_is_refused() -> None:
    env = TabularEnv(choices())
    env.reset(seed=3)
    saved = env.clone_state()
    env.np_random = np.random.Generator(np.random.MT19937(0))
    with pytest.raises(ValueError, match="PCG64, this environment's is a MT19937"):
        env.restore_state(saved)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copied_environment_takes_the_same_walk(duplicate: object) -> None:
    env = TabularEnv(choices())
    env.reset(seed=3)
    other = duplicate(env)  # type: ignore[operator]  # a function of one environment
    assert [other.step(2)[:2] for _ in range(20)] == [env.step(2)[:2] for _ in range(20)]


def test_masks_and_infos_are_fresh_every_time() -> None:
    env = TabularEnv(choices())
    infos = [env.reset(seed=0)[1], *(env.step(1)[4] for _ in range(3))]
    for one, two in pairwise(infos):
        assert one is not two
        assert not np.shares_memory(one["action_mask"], two["action_mask"])
    infos[-1]["action_mask"][:] = True
    env.action_mask[:] = True
    assert env.action_mask.tolist() == [False, True, True]
    assert env.action_mask.dtype == np.bool_


def test_names_and_rows_are_open() -> None:
    env = TabularEnv(choices())
    assert (env.encode("there"), env.decode(0)) == (1, "here")
    assert env.P[0][2] == [(0.25, 0, 2.0, False), (0.75, 1, 3.0, True)]


def test_a_compiled_loop_may_take_the_walk_only_where_it_is_the_same() -> None:
    class Lazy(TabularEnv):
        def step(self, action: int | np.int64) -> tuple[np.int64, float, bool, bool, dict[str, object]]:
            return np.int64(0), 0.0, False, False, {}

    class Blurred(TabularEnv):
        def observe(self, state: int | np.int64) -> np.int64:
            return np.int64(0)

    assert isinstance(TabularEnv(choices()), TableWalker)
    assert TabularEnv(choices()).walks_table
    assert not TabularEnv(choices(), invalid_actions="raise").walks_table
    assert not Lazy(choices()).walks_table
    assert not Blurred(choices()).walks_table


def test_wrong_settings_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"invalid_actions must be 'lowest' or 'raise', got 'ignore'"):
        TabularEnv(choices(), invalid_actions="ignore")  # type: ignore[arg-type]  # that is the point
    with pytest.raises(ValueError, match="render_mode must be None or one of ansi, rgb_array"):
        TabularEnv(choices(), render_mode="rgb")


def test_closing_twice_is_fine_and_rendering_without_a_mode_warns() -> None:
    env = TabularEnv(choices())
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="render_mode"):
        assert env.render() is None
    env.close()
    env.close()


class Handing(TabularEnv):
    """Hands its settings on."""

    def __init__(self, size: int = 2, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(choices(), **settings)


class Heir(Handing):
    """Has no constructor of its own."""


class Spelled(TabularEnv):
    """Spells one of the two out, and takes whatever else it likes."""

    def __init__(self, render_mode: str | None = "ansi", **rest: Any) -> None:
        super().__init__(choices(), render_mode=render_mode, **rest)


def test_a_signature_shows_both_settings() -> None:
    both = "*, render_mode: 'str | None' = None, invalid_actions: 'InvalidActions' = 'lowest'"
    for env_class in (Handing, Heir):
        assert str(inspect.signature(env_class)) == f"(size: 'int' = 2, {both}) -> 'None'"
    assert str(inspect.signature(TabularEnv)) == f"(mdp: 'TabularMDP', {both}) -> 'None'"
    assert list(inspect.signature(Spelled).parameters) == ["render_mode", "rest"]


@pytest.mark.parametrize("env_class", [Handing, Heir, Spelled])
def test_settings_are_handed_on_and_other_words_refused_in_the_name_of_the_class(env_class: Any) -> None:
    env = env_class(render_mode="rgb_array", invalid_actions="raise")
    assert (env.render_mode, env.invalid_actions) == ("rgb_array", "raise")
    assert env_class().invalid_actions == "lowest"
    expected = rf"^{env_class.__name__}\.__init__\(\) got an unexpected keyword argument 'colour'$"
    with pytest.raises(TypeError, match=expected):
        env_class(colour="red")


def test_only_registered_names_have_a_vector_entry_point() -> None:
    assert vector_entry_points.Gambler(3, goal=4).num_envs == 3
    with pytest.raises(AttributeError, match="has no attribute 'Gambling'"):
        vector_entry_points.Gambling  # noqa: B018 (asking is the test)
