"""Pictures, aliases, local views and the clock as observations: what is seen, and that the table stays exact."""

from __future__ import annotations

from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env, data_equivalence
from stable_baselines3 import DQN as SB3DQN
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import bellglass
from bellglass.agents import QLearning
from bellglass.envs import (
    AliasedObservation,
    CoordinatesObservation,
    ImageObservation,
    LocalViewObservation,
    OneHotObservation,
    TabularEnv,
    TabularVectorEnv,
    TimeObserved,
    VectorImageObservation,
    pomdp_of,
    table_of,
)
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.mdp.clocked import clocked
from bellglass.envs.observing.aliases import views

LAKE = "bellglass/FrozenLake-v0"

#: One of each, around an environment that shows its state.
WRAPPERS: dict[str, Any] = {
    "one-hot": OneHotObservation,
    "coordinates": CoordinatesObservation,
    "image": lambda env: ImageObservation(env, size=(40, 48)),
    "aliased": lambda env: AliasedObservation(env, [s // 3 for s in range(16)]),
    "local view": lambda env: LocalViewObservation(env, radius=1),
    "clock": lambda env: TimeObserved(env, horizon=12),
    "picture of the clock": lambda env: ImageObservation(TimeObserved(env, horizon=5), size=(40, 40)),
}

each_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS.keys())


@each_wrapper
@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")  # it is: that is a wrapper's job
@pytest.mark.filterwarnings("ignore:.*image.*:UserWarning")  # SB3's advice on sizes
def test_both_checkers_are_content(wrap: Any) -> None:
    check_env(wrap(gym.make(LAKE).unwrapped), skip_render_check=True)
    sb3_check_env(wrap(gym.make(LAKE)))


@each_wrapper
def test_what_is_seen_on_a_walk_is_what_observe_says(wrap: Any) -> None:
    env = wrap(gym.make(LAKE))
    observe = env.get_wrapper_attr("observe")
    rng = np.random.default_rng(0)
    seen, info = env.reset(seed=3)
    for _ in range(80):
        assert seen in env.observation_space
        assert np.array_equal(seen, observe(info["state"]))
        seen, _, terminated, truncated, info = env.step(int(rng.integers(4)))
        if terminated or truncated:
            seen, info = env.reset()
    every = observe(np.arange(table_of(env).num_states))
    assert len(every) == table_of(env).num_states
    assert all(one in env.observation_space for one in every)


@each_wrapper
def test_its_specification_survives_json(wrap: Any) -> None:
    env = wrap(gym.make(LAKE))
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert type(again) is type(env)
    assert again.observation_space == env.observation_space
    assert data_equivalence(again.reset(seed=1), env.reset(seed=1))


# -- images ----------------------------------------------------------------------------------------------


def test_an_image_is_the_picture_made_smaller_on_a_plain_ground() -> None:
    env: Any = ImageObservation(gym.make("bellglass/CliffWalking-v0"), size=(40, 48))
    picture = env.unwrapped.artist.picture(36)  # 208 x 624
    image = env.observe(36)
    assert image.shape == (40, 48, 3)
    means = picture.reshape(16, 13, 48, 13, 3).mean(axis=(1, 3))
    assert np.abs(image[12:28].astype(float) - means).max() <= 0.51
    assert (image[:12] == image[0, 0]).all()
    image[:] = 0
    assert env.observe(36).any()  # a fresh array every time


def test_states_of_the_lake_look_different() -> None:
    images = ImageObservation(gym.make(LAKE)).observe(np.arange(16))
    assert images.shape == (16, 84, 84, 3)
    assert len({image.tobytes() for image in images}) == 16


def test_copies_see_the_same_images() -> None:
    envs: Any = VectorImageObservation(gym.make_vec(LAKE, num_envs=3), size=(36, 36))
    single: Any = ImageObservation(gym.make(LAKE), size=(36, 36))
    images, infos = envs.reset(seed=0)
    assert images.shape == envs.observation_space.shape == (3, 36, 36, 3)
    for _ in range(20):
        assert np.array_equal(images, single.observe(infos["state"]))
        images, *_, infos = envs.step(np.array([0, 1, 2]))


@pytest.mark.filterwarnings("ignore:.*image.*:UserWarning")
def test_a_network_of_filters_is_scored_exactly() -> None:
    env = ImageObservation(gym.make(LAKE), size=(84, 84))
    agent = SB3DQN("CnnPolicy", env, buffer_size=100, seed=0)
    score = bellglass.evaluate(env, agent, discount=0.99)
    actions = agent.predict(env.get_wrapper_attr("observe")(np.arange(16)), deterministic=True)[0]
    assert score.start_value == pytest.approx(bellglass.evaluate(env, actions, discount=0.99).start_value)


# -- aliases ---------------------------------------------------------------------------------------------


def two_aliased_states() -> TabularEnv:
    """Singh, Jaakkola and Jordan's example: right in one state and left in the other pay 1, else -1."""

    def model(s: int, a: str) -> list[tuple[float, int, float]]:
        good = (s == 0) == (a == "right")
        return [(1.0, 1 - s if good else s, 1.0 if good else -1.0)]

    return TabularEnv(TabularMDP.from_function(model, states=range(2), actions=["left", "right"]))


def worth_of_right_with(p: float) -> float:
    """Value of state 0 at discount .9, right with chance p everywhere."""
    going = np.array([[1 - p, p], [1 - p, p]])  # right leads to state 1 from both
    paid = np.array([2 * p - 1, 1 - 2 * p])
    return float(np.linalg.solve(np.eye(2) - 0.9 * going, paid)[0])


def test_two_states_of_one_name_have_the_published_ladder() -> None:
    env = AliasedObservation(two_aliased_states(), alias=["same", "same"])
    ladder = bellglass.information_ladder(pomdp_of(env), discount=0.9)
    assert ladder.reactive == pytest.approx(-8.0)
    low, high = ladder.reactive_stochastic
    best = max(worth_of_right_with(p) for p in np.linspace(0.4, 0.6, 2001))
    assert low - 1e-6 <= best <= high + 1e-6
    assert ladder.observed == pytest.approx(10.0)
    assert bellglass.solve(env, discount=0.9).start_value == pytest.approx(ladder.memory)
    by_chance = bellglass.evaluate(env, np.array([[0.5, 0.5]]), discount=0.9)
    assert by_chance.start_value == pytest.approx(0.0)


def test_different_names_hide_nothing() -> None:
    env = AliasedObservation(gym.make(LAKE), alias=lambda cell: cell)
    assert pomdp_of(env).num_observations == 16
    observed = bellglass.solve(gym.make(LAKE), discount=0.95)
    assert bellglass.solve(env, discount=0.95).start_value == pytest.approx(observed.start_value, abs=1e-7)
    policy = observed.policy
    assert bellglass.evaluate(env, policy, discount=0.95).start_value == pytest.approx(observed.start_value)


def test_a_learner_behind_aliases_is_scored_as_it_plays() -> None:
    env = AliasedObservation(gym.make("bellglass/Grid5x5-v0"), alias=[s % 5 for s in range(25)])
    agent = QLearning(env, discount=0.9, seed=0).learn(2_000)
    assert agent.q_values.shape == (5, 4)
    score = bellglass.evaluate(env, agent, discount=0.9)
    actions = agent.predict(np.arange(5), deterministic=True)[0]
    assert score.start_value == pytest.approx(bellglass.evaluate(env, actions, discount=0.9).start_value)
    assert score.start_value <= score.optimum + 1e-6


def test_vectors_over_hidden_states_are_shown_to_the_agent_that_is_scored() -> None:
    """A policy of one-hot vectors is worth what the same policy of indices is."""

    class Looks:
        def predict(self, seen: Any, state: Any = None, episode_start: Any = None, **_: Any) -> Any:
            assert seen.shape[-1] == 4
            assert seen.dtype == np.float32
            return np.where(seen.argmax(axis=-1) == 3, 0, 1), None  # north at the junction, else east

    env = OneHotObservation(gym.make("bellglass/TMaze-v0"))
    score = bellglass.evaluate(env, Looks(), discount=0.98)
    same = bellglass.evaluate(gym.make("bellglass/TMaze-v0"), np.array([1, 1, 1, 0]), discount=0.98)
    assert score.start_value == pytest.approx(same.start_value)
    assert score.start_value == pytest.approx((4.0 - 0.1) / 2 * 0.98**10)
    twice = OneHotObservation(AliasedObservation(two_aliased_states(), [0, 0]))
    assert twice.get_wrapper_attr("show")([0, 0]).tolist() == [[1.0], [1.0]]


def test_copies_of_an_aliased_table_see_the_names() -> None:
    env = LocalViewObservation(gym.make("bellglass/FourRooms-v0"))
    envs = TabularVectorEnv(pomdp_of(env), 50)
    seen, infos = envs.reset(seed=0)
    for _ in range(30):
        assert seen.tolist() == env.observe(infos["state"]).tolist()
        seen, *_, infos = envs.step(np.arange(50) % 4)


# -- local views -----------------------------------------------------------------------------------------


def test_a_view_is_what_lies_around_and_walls_beyond() -> None:
    env: Any = LocalViewObservation(gym.make("bellglass/CliffWalking-v0"), radius=1)
    assert env.names[env.observe(36)] == ("#  ", "#SC", "###")
    assert env.names[env.observe(0)] == ("###", "#  ", "#  ")
    assert len({int(env.observe(s)) for s in range(13, 23)}) == 1  # the middle of the second row
    wide: Any = LocalViewObservation(gym.make("bellglass/CliffWalking-v0"), radius=20)
    assert wide.observation_space.n == 48
    blind: Any = LocalViewObservation(gym.make("bellglass/CliffWalking-v0"), radius=0)
    assert blind.names == ((" ",), ("S",), ("C",), ("G",))


@pytest.mark.parametrize(
    ("env_id", "keywords"),
    [
        ("bellglass/Map-v0", {"drawing": ["S..", ".HG"]}),
        pytest.param("bellglass/RussellNorvig-v0", {}, marks=pytest.mark.slow),
    ],
)
def test_the_less_is_seen_the_less_it_is_worth(env_id: str, keywords: dict[str, Any]) -> None:
    values = []
    for radius in (0, 1):
        env = LocalViewObservation(gym.make(env_id, **keywords), radius=radius)
        values.append(bellglass.information_ladder(pomdp_of(env), discount=0.9).reactive)
    assert values[0] < values[1] - 0.01
    optimum = bellglass.solve(gym.make(env_id, **keywords), discount=0.9).start_value
    assert values[1] == pytest.approx(optimum, abs=1e-7)  # one step around tells the cells apart


def test_states_off_the_map_look_like_nothing() -> None:
    env = gym.make("bellglass/DeepSea-v0", N=3)
    layout = table_of(env).layout
    assert layout is not None
    assert views(layout, radius=1)[-1] == ()


# -- the clock -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["FrozenLake", "RiverSwim", "Gambler", "Taxi"])
@pytest.mark.parametrize("discount", [None, 0.9])
def test_the_optimum_with_the_clock_is_the_finite_horizon_optimum(name: str, discount: float | None) -> None:
    env = gym.make(f"bellglass/{name}-v0", max_episode_steps=13)
    with_clock = TimeObserved(env)
    best = bellglass.solve(env, discount or 1.0, criterion="finite_horizon", horizon=13)
    found = bellglass.solve(with_clock, discount, criterion="discounted" if discount else "total")
    S = table_of(env).num_states
    assert found.values is not None
    assert best.values is not None
    assert found.values.reshape(14, S)[:13] == pytest.approx(best.values[:13], abs=1e-7)
    assert found.start_value == pytest.approx(best.start_value, abs=1e-7)


def test_gymnasiums_limit_is_worth_what_is_published() -> None:
    found = bellglass.solve(TimeObserved(gym.make(LAKE)), criterion="total")
    assert found.start_value == pytest.approx(0.74419, abs=1e-5)


def test_the_end_of_time_is_an_end_of_the_world_and_every_step_is_in_the_table() -> None:
    env = TimeObserved(gym.make(LAKE, max_episode_steps=6))
    mdp = table_of(env)
    rng = np.random.default_rng(0)
    ends: Counter[int] = Counter()
    seen, info = env.reset(seed=2)
    for _ in range(600):
        before, action = int(seen), int(rng.integers(4))
        assert info["action_mask"].tolist() == mdp.action_mask[before].tolist()
        seen, reward, terminated, truncated, info = env.step(action)
        assert not truncated
        assert int(env.state) == int(seen) == info["state"]
        assert (int(seen), reward, terminated) in {(s, r, end) for _, s, r, end in mdp.P[before][action]}
        if terminated:
            ends[int(seen) // 16] += 1
            assert env.step(action)[:3] == (seen, 0.0, True)
            seen, info = env.reset()
    assert ends[6] > 50  # cut by the clock
    assert sum(ends[t] for t in range(6)) > 50  # holes before it


def test_copies_with_a_clock_walk_bit_for_bit_as_the_wrapper_does() -> None:
    single = TimeObserved(gym.make(LAKE, max_episode_steps=8))
    envs = TabularVectorEnv(table_of(single), 1, autoreset_mode="SameStep")
    ours, _ = single.reset(seed=5)
    theirs, _ = envs.reset(seed=[5])
    rng = np.random.default_rng(1)
    for _ in range(100):
        action = int(rng.integers(4))
        ours, reward, terminated, _, _ = single.step(action)
        theirs, rewards, ended, _, _ = envs.step(np.array([action]))
        assert (reward, terminated) == (rewards[0], ended[0])
        if terminated:
            ours, _ = single.reset()
        assert ours == theirs[0]


def test_it_starts_where_it_is_told_and_replays_what_it_saved() -> None:
    env = TimeObserved(gym.make(LAKE, max_episode_steps=10))
    state = env.encode((7, 2, 1))
    seen, info = env.reset(seed=0, options={"state": state})
    assert seen == info["state"] == state == 7 * 16 + 9
    saved = env.clone_state()
    first = [env.step(1) for _ in range(2)]
    env.restore_state(saved)
    assert data_equivalence([env.step(1) for _ in range(2)], first)
    seen = env.state
    with pytest.raises(ValueError, match="must not be terminal"):
        env.reset(options={"state": 10 * 16})
    assert env.state == seen  # what was refused has changed nothing


def test_a_learner_with_the_clock_in_sight_beats_the_best_without() -> None:
    """Two steps left: the small reward at hand is better than the large one out of reach."""

    def model(s: int, a: str) -> list[tuple[float, int, float]]:
        return [(1.0, 0, 1.0)] if a == "back" else [(1.0, min(s + 1, 3), 5.0 if s == 3 else 0.0)]

    mdp = TabularMDP.from_function(model, states=range(4), actions=["back", "on"])
    env = TimeObserved(TabularEnv(mdp), horizon=6)
    agent = QLearning(env, discount=1.0, seed=0).learn(60_000)
    score = bellglass.evaluate(env, agent, criterion="total")
    assert score.optimum == pytest.approx(15.0)  # three on, and then 5 each
    assert score.solved
    short = TimeObserved(TabularEnv(mdp), horizon=3)
    assert bellglass.solve(short, criterion="total").start_value == pytest.approx(3.0)


def test_the_clock_is_drawn_below_the_picture() -> None:
    env = TimeObserved(gym.make(LAKE, max_episode_steps=4))
    pictures = [env.artist.picture(16 * t) for t in range(5)]
    assert len({picture.tobytes() for picture in pictures}) == 5
    assert pictures[0].shape[0] > gym.make(LAKE).unwrapped.artist.picture(0).shape[0]  # type: ignore[attr-defined]
    assert env.artist.text(16 * 3).endswith("step 3 of 4")


# -- bad input -------------------------------------------------------------------------------------------


def test_what_cannot_be_wrapped_is_refused() -> None:
    hidden, lake, taxi = gym.make("bellglass/TMaze-v0"), gym.make(LAKE), gym.make("bellglass/Taxi-v0")
    for wrap in (
        ImageObservation,
        LocalViewObservation,
        TimeObserved,
        lambda env: AliasedObservation(env, [0]),
        lambda env: ImageObservation(AliasedObservation(lake, [0] * 16)) if env is hidden else None,
    ):
        with pytest.raises(TypeError, match=r"needs? an environment that shows its state"):
            wrap(hidden)
    with pytest.raises(TypeError, match="shows its state"):
        TimeObserved(OneHotObservation(lake))
    for wrap in (ImageObservation, TimeObserved):
        with pytest.raises(TypeError, match=r"needs? an environment of ours, .* got <TimeLimit<"):
            wrap(gym.make("FrozenLake-v1"))
    with pytest.raises(TypeError, match=r"size must be \(height, width\) in pixels, got 84"):
        ImageObservation(lake, size=84)  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(ValueError, match="width must be at least 8, got 4"):
        ImageObservation(lake, size=(64, 4))
    with pytest.raises(ValueError, match="height = 1000000, width = 1000000: 16 images would take"):
        ImageObservation(lake, size=(10**6, 10**6))
    with pytest.raises(ValueError, match="local views need a map"):
        LocalViewObservation(taxi)
    with pytest.raises(ValueError, match="radius must be at least 0, got -1"):
        LocalViewObservation(lake, radius=-1)
    with pytest.raises(ValueError, match="radius = 1000000000: 16 views would take"):
        LocalViewObservation(lake, radius=10**9)
    for alias in ([0] * 15, 3, "sixteen letters!"):
        with pytest.raises(ValueError, match="alias must be a function or a list of 16 names"):
            AliasedObservation(lake, alias)  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(TypeError, match="alias must consist of hashable names"):
        AliasedObservation(lake, [[s] for s in range(16)])  # type: ignore[misc]  # the mistake in question
    with pytest.raises(ValueError, match=r"horizon must be given, since .* has no time limit"):
        TimeObserved(gym.make("bellglass/CliffWalking-v0"))
    with pytest.raises(ValueError, match=r"horizon must be at most 100, the time limit of .*, got 101"):
        TimeObserved(lake, horizon=101)
    with pytest.raises(ValueError, match="horizon must be at least 1, got 0"):
        TimeObserved(lake, horizon=0)
    with pytest.raises(ValueError, match=r"horizon = .*would take .* GiB"):
        clocked(table_of(lake), 10**15)
