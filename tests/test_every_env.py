"""The contract that every registered id keeps, single and vector."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import scipy.stats
from gymnasium.utils.env_checker import check_env, data_equivalence
from stable_baselines3.common.env_checker import check_env as sb3_check_env

import bellglass
from bellglass.envs import TabularVectorEnv, pomdp_of, table_of
from bellglass.envs.mdp import FloatArray, IntArray, TableWalker, TabularMDP
from bellglass.envs.registration import ENVIRONMENTS, NAMESPACE, register_envs
from bellglass.planning.difficulty.measures import Restarting

os.environ.setdefault("SDL_VIDEODRIVER", "dummy")  # "human" windows open nowhere

IDS = sorted(env_id for env_id in gym.registry if env_id.startswith("bellglass/"))
STEPS = 20_000
ROWS = 200  # of a table, that are sampled
RARE = 1e-3 / (8 * len(IDS))  # Bonferroni: over all ids and the eight samples of each

Outcome = tuple[int, float, bool]  # next state, reward, terminated

#: Large tables, which `make test-all` asks what takes seconds with them; their small siblings keep the same contract.
LARGE = [
    f"bellglass/{name}-v0"
    for name in ("FickleTaxi", "Inventory", "JacksCarRental", "Racetrack", "RepeatPrevious", "TicTacToe")
]

#: Ids with a sibling in their family that is asked at once: `make test-all` asks them what takes a while with each.
#: Every id of one's own is asked everything.
SIBLINGS = [
    f"bellglass/{name}-v0"
    for name in (
        "Grid4x4",
        "Grid5x5",
        "RussellNorvig",
        "BookGrid",
        "BridgeGrid",
        "CliffWalking",
        "WindyGrid",
        "Maze",
        "FourRooms",
        "SixArms",
        "NChain",
        "Loop",
        "DeepSea",
        "TwoStateLowerBound",
        "CombinationLock",
        "DiscountingChain",
        "ForestManagement",
        "HowardTaxicab",
        "HowardToymaker",
        "PutermanInventory",
        "QueueAdmission",
        "AccessControl",
        "RecyclingRobot",
        "BusEngine",
        "SlidingPuzzle",
        "Secretary",
        "DieStopping",
        "RedBlackCards",
        "Parking",
        "Piglet",
        "Catch",
        "RandomWalk",
        "BoyanChain",
        "PutermanTwoState",
        "DiceGame",
        "Tram",
        "RacingCar",
        "Tiger",
        "CryingBaby",
        "MiniHallway",
        "CheeseMaze",
        "Shuttle",
        "LightMaze",
        "MemoryChain",
        "UmbrellaChain",
        "BernoulliBandit",
        "Garnet",
        "FromTable",
    )
]

every_id = pytest.mark.parametrize("env_id", IDS)
every_id_most_slowly = pytest.mark.parametrize(
    "env_id",
    [pytest.param(env_id, marks=pytest.mark.slow if env_id in LARGE + SIBLINGS else ()) for env_id in IDS],
)
every_id_the_large_ones_slowly = pytest.mark.parametrize(
    "env_id", [pytest.param(env_id, marks=pytest.mark.slow if env_id in LARGE else ()) for env_id in IDS]
)


@cache
def table(env_id: str) -> TabularMDP:
    """The id's table, made once."""
    return table_of(gym.make(env_id))


def walk(env: gym.Env[Any, Any], steps: int, seed: int) -> list[Any]:
    """What a random walk shows, its resets included."""
    env.action_space.seed(seed)
    seen: list[Any] = [env.reset(seed=seed)]
    for _ in range(steps):
        seen.append(env.step(env.action_space.sample()))
        if seen[-1][2] or seen[-1][3]:
            seen.append(env.reset())
    return seen


def test_registering_is_idempotent_and_complete() -> None:
    before = {env_id: gym.spec(env_id) for env_id in IDS}
    register_envs()
    assert {env_id: gym.spec(env_id) for env_id in IDS} == before
    assert len(IDS) == len(ENVIRONMENTS)
    assert bellglass.__name__ == NAMESPACE


@every_id_most_slowly
def test_gymnasiums_checker_is_content(env_id: str) -> None:
    check_env(gym.make(env_id).unwrapped)


@every_id
def test_stable_baselines3s_checker_is_content(env_id: str) -> None:
    sb3_check_env(gym.make(env_id, render_mode="rgb_array"), skip_render_check=False)


@every_id
def test_a_seed_fixes_the_walk(env_id: str) -> None:
    one, two = (walk(gym.make(env_id), 200, seed=7) for _ in range(2))
    assert data_equivalence(one, two, exact=True)


@every_id
def test_the_spec_survives_json(env_id: str) -> None:
    env = gym.make(env_id)
    assert env.spec is not None
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    assert data_equivalence(walk(again, 50, seed=1), walk(env, 50, seed=1), exact=True)


@every_id_the_large_ones_slowly
def test_types_masks_and_infos_are_as_promised(env_id: str) -> None:
    env: Any = gym.make(env_id).unwrapped
    mdp = table_of(env)
    observation, info = env.reset(seed=0)
    assert isinstance(env.action_space, gym.spaces.Discrete)
    assert isinstance(env.observation_space, gym.spaces.Discrete)
    assert mdp.state_labels is not None
    assert mdp.action_labels is not None
    assert env.encode(env.decode(info["state"])) == info["state"]
    assert env.P == mdp.P
    previous = info
    for step in range(30):
        assert type(observation) is np.int64
        assert type(info["state"]) is int
        assert type(info["probability"]) is float
        assert info["action_mask"].tolist() == mdp.action_mask[env.state].tolist() == env.action_mask.tolist()
        observation, reward, terminated, truncated, info = env.step(step % mdp.num_actions)
        assert type(reward) is float
        assert type(terminated) is bool
        assert not truncated
        assert info is not previous
        assert info["action_mask"] is not previous["action_mask"]
        previous = info
        if terminated:
            observation, info = env.reset()


@every_id
def test_a_clone_of_the_state_replays_the_future(env_id: str) -> None:
    env: Any = gym.make(env_id).unwrapped
    env.reset(seed=11)
    actions = np.random.default_rng(0).integers(env.action_space.n, size=20)
    saved = env.clone_state()
    first = [env.step(a) for a in actions]
    env.restore_state(saved)
    assert data_equivalence([env.step(a) for a in actions], first, exact=True)


@every_id_the_large_ones_slowly
def test_a_clone_of_many_copies_replays_them_with_their_clocks(env_id: str) -> None:
    envs: Any = gym.make_vec(env_id, num_envs=4, max_episode_steps=7)
    envs.reset(seed=12)
    steps = np.random.default_rng(1).integers(envs.mdp.num_actions, size=(15, 4))
    for actions in steps[:5]:
        envs.step(actions)
    saved = envs.clone_state()
    first = [envs.step(actions) for actions in steps[5:]]
    assert any(truncated.any() for _, _, _, truncated, _ in first) or envs.mdp.terminal.any()
    envs.restore_state(saved)
    assert data_equivalence([envs.step(actions) for actions in steps[5:]], first, exact=True)


@every_id_the_large_ones_slowly
def test_an_unavailable_action_does_what_the_lowest_available_one_does(env_id: str) -> None:
    """Alone and among copies, from the same generator; and it says so."""
    env: Any = gym.make(env_id).unwrapped
    mdp = table_of(env)
    missing = np.argwhere(~mdp.action_mask & ~mdp.terminal[:, None])
    envs: Any = gym.make_vec(env_id, num_envs=2)
    for s, a in np.random.default_rng(2).permutation(missing)[:50].tolist():
        lowest = int(np.flatnonzero(mdp.action_mask[s])[0])
        env.reset(seed=3, options={"state": s})
        saved = env.clone_state()
        *meant, info = env.step(lowest)
        env.restore_state(saved)
        *played, told = env.step(a)
        assert played == meant
        assert told.pop("invalid_action") is True
        assert data_equivalence(told, info, exact=True)
        outcomes = []
        for second in (a, lowest):
            envs.reset(seed=4, options={"state": np.array([s, s])})
            outcomes.append(envs.step(np.array([lowest, second])))
        (*played, told), (*meant, info) = outcomes
        assert data_equivalence(played, meant, exact=True)
        assert told["invalid_action"].tolist() == [False, True]
        assert "invalid_action" not in info


def chi_square(chances: FloatArray, seen: IntArray) -> tuple[float, int]:
    """Statistic and degrees of freedom of how often each outcome was `seen`.

    Outcomes that are expected less than five times are one cell together, or join the likeliest one.
    """
    order = np.argsort(-chances, kind="stable")
    expected, observed = seen.sum() * chances[order] / chances.sum(), seen[order]
    often = max(1, int((expected >= 5).sum()))
    rest = often if expected[often:].sum() >= 5 else 0
    cell = np.minimum(np.arange(len(order)), often)
    cell[often:] = rest
    expected, observed = np.bincount(cell, expected), np.bincount(cell, observed)
    return float(((observed - expected) ** 2 / expected).sum()), len(expected) - 1


def p_value(parts: list[tuple[float, int]]) -> float:
    """Of independent chi-square statistics together."""
    statistic, freedom = np.sum(parts, axis=0)
    return float(scipy.stats.chi2.sf(statistic, freedom)) if freedom else 1.0


@cache
def outcomes_of(mdp: TabularMDP, s: int, a: int) -> list[tuple[float, int, float, bool]]:
    """(probability, next state, reward, terminated) of each outcome of an available action."""
    pair = s * mdp.num_actions + a
    row = slice(mdp.first_outcome[pair], mdp.first_outcome[pair + 1])
    columns = (mdp.probability, mdp.next_state, mdp.reward, mdp.terminated)
    return list(zip(*(column[row].tolist() for column in columns), strict=True))


def p_value_of_rows(mdp: TabularMDP, counts: dict[tuple[int, int], Counter[Outcome]]) -> float:
    """Of the ROWS rows seen most; an outcome that the table lacks fails at once."""
    parts = []
    for (s, a), seen in sorted(counts.items(), key=lambda row: -row[1].total())[:ROWS]:
        chances: dict[Outcome, float] = {}
        for p, next_s, r, ended in outcomes_of(mdp, s, a):
            if p > 0:
                chances[next_s, r, ended] = chances.get((next_s, r, ended), 0.0) + p
        assert set(seen) <= set(chances)
        parts.append(
            chi_square(np.array(list(chances.values())), np.array([seen[outcome] for outcome in chances]))
        )
    return p_value(parts)


def some_rows(mdp: TabularMDP, seed: int) -> tuple[IntArray, IntArray]:
    """(states, actions) of at most ROWS available pairs."""
    states, actions = np.nonzero(mdp.action_mask)
    chosen = np.random.default_rng(seed).permutation(len(states))[:ROWS]
    return states[chosen], actions[chosen]


class Shown:
    """Counts what is seen in each state, and compares it with the table's chances; a state that shows shows itself."""

    def __init__(self, env: Any) -> None:
        self.pomdp = pomdp_of(env) if env.has_wrapper_attr("pomdp") else None
        self.counts: dict[tuple[int | None, int], Counter[int]] = {}

    def add(self, action: int | None, state: int, observation: int) -> None:
        """After `action`, or None: at reset."""
        assert self.pomdp is not None or observation == state
        self.counts.setdefault((action, state), Counter())[observation] += 1

    def p_value(self) -> float:
        """Of the ROWS rows seen most; an observation without a chance fails at once."""
        parts = []
        for (a, s), seen in sorted(self.counts.items(), key=lambda row: -row[1].total())[:ROWS]:
            if self.pomdp is None:
                continue
            after = self.pomdp.observation_probability
            chances = (
                self.pomdp.initial_observation[s]
                if a is None
                else after[s]
                if after.ndim == 2
                else after[a, s]
            )
            possible = np.flatnonzero(chances)
            assert set(seen) <= set(possible.tolist())
            parts.append(chi_square(chances[possible], np.array([seen[o] for o in possible.tolist()])))
        return p_value(parts) if parts else 1.0


@every_id_most_slowly
def test_sampled_steps_are_as_frequent_as_the_table_says(env_id: str) -> None:
    env: Any = gym.make(env_id).unwrapped
    mdp = table_of(env)
    counts: dict[tuple[int, int], Counter[Outcome]] = {}
    shown = Shown(env)
    observation, info = env.reset(seed=20)
    shown.add(None, info["state"], observation)
    available = [np.flatnonzero(mask).tolist() for mask in mdp.action_mask]
    for u in np.random.default_rng(21).random(STEPS // 2).tolist():
        s = int(env.state)
        a = available[s][int(u * len(available[s]))]
        observation, r, ended, _, info = env.step(a)
        shown.add(a, info["state"], observation)
        counts.setdefault((s, a), Counter())[info["state"], r, ended] += 1
        told = info["probability"]
        assert any(
            abs(told - p) < 1e-12 and (next_s, paid, over) == (info["state"], r, ended)
            for p, next_s, paid, over in outcomes_of(mdp, s, a)
        )
        if ended:
            observation, info = env.reset()
            shown.add(None, info["state"], observation)
    assert p_value_of_rows(mdp, counts) > RARE
    assert shown.p_value() > RARE


@every_id_most_slowly
def test_copies_step_as_frequently_as_the_table_says(env_id: str) -> None:
    """Of each row `each` copies, set into its state at every turn."""
    mdp = table(env_id)
    states, actions = some_rows(mdp, seed=22)
    each, turns = 20, 10
    states, actions = np.tile(states, each), np.tile(actions, each)
    envs: Any = gym.make_vec(env_id, num_envs=len(states))
    counts: dict[tuple[int, int], Counter[Outcome]] = {}
    rows = list(zip(states.tolist(), actions.tolist(), strict=True))
    shown = Shown(gym.make(env_id))
    for turn in range(turns):
        observations, _ = envs.reset(seed=23 if turn == 0 else None, options={"state": states})
        for s, o in zip(states.tolist(), observations.tolist(), strict=True):
            shown.add(None, s, o)
        observations, rewards, terminated, _, _ = envs.step(actions)
        for (_, a), s, o in zip(rows, envs.state.tolist(), observations.tolist(), strict=True):
            shown.add(a, s, o)
        seen = zip(envs.state.tolist(), rewards.tolist(), terminated.tolist(), strict=True)
        for row, outcome in zip(rows, seen, strict=True):
            counts.setdefault(row, Counter())[outcome] += 1
    assert p_value_of_rows(mdp, counts) > RARE
    assert shown.p_value() > RARE


@every_id_the_large_ones_slowly
def test_episodes_start_as_frequently_as_the_table_says(env_id: str) -> None:
    """By `reset`, and by the step after an end, which is a reset."""
    mdp = table(env_id)
    envs: Any = gym.make_vec(env_id, num_envs=5_000, max_episode_steps=1)
    envs.reset(seed=24)
    for starts in (envs.state, restarted(envs)):
        seen = np.bincount(starts, minlength=mdp.num_states)
        assert not seen[mdp.initial == 0].any()
        assert p_value([chi_square(mdp.initial[mdp.initial > 0], seen[mdp.initial > 0])]) > RARE


def restarted(envs: Any) -> IntArray:
    """[n] states after one step, which truncates, and the next, which resets."""
    idle = np.zeros(envs.num_envs, dtype=np.int64)
    envs.step(idle)
    _, rewards, terminated, truncated, _ = envs.step(idle)
    assert not rewards.any()
    assert not (terminated | truncated).any()
    return np.asarray(envs.state)


@every_id_most_slowly
@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
def test_copies_with_a_seed_each_walk_as_gymnasiums_own_vector_does(env_id: str, mode: str) -> None:
    ours: Any = gym.make_vec(env_id, num_envs=4, autoreset_mode=mode)
    theirs: Any = gym.make_vec(
        env_id, num_envs=4, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}
    )
    assert isinstance(ours, TabularVectorEnv)
    assert ours.observation_space == theirs.observation_space
    assert data_equivalence(ours.reset(seed=[3, 4, 5, 6]), theirs.reset(seed=3))
    rng = np.random.default_rng(0)
    for _ in range(120):
        actions = rng.integers(ours.mdp.num_actions, size=4)
        one, two = ours.step(actions), theirs.step(actions)
        assert data_equivalence(one, two)
        ended = one[2] | one[3]
        if mode == "Disabled" and ended.any():
            assert data_equivalence(
                ours.reset(options={"reset_mask": ended}), theirs.reset(options={"reset_mask": ended})
            )


@every_id
def test_the_time_limit_is_part_of_every_copy(env_id: str) -> None:
    envs: Any = gym.make_vec(env_id, num_envs=30, max_episode_steps=2)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    for step in (1, 2):
        _, _, _, truncated, _ = envs.step(envs.action_space.sample())
        assert truncated.tolist() == (envs.elapsed == 2).tolist()
        assert truncated.any() == (step == 2)


@pytest.mark.parametrize("env_id", ["bellglass/FrozenLake-v0", "bellglass/TMaze-v0"])
def test_processes_step_them_too(env_id: str) -> None:
    envs: Any = gym.make_vec(env_id, num_envs=2, vectorization_mode="async")
    same: Any = gym.make_vec(env_id, num_envs=2, vectorization_mode="sync")
    try:
        assert data_equivalence(envs.reset(seed=1), same.reset(seed=1))
        assert data_equivalence(envs.step(np.array([1, 2])), same.step(np.array([1, 2])))
    finally:
        envs.close()


@pytest.mark.parametrize("most", [15, pytest.param(60, marks=pytest.mark.slow)])
@every_id_most_slowly
def test_every_state_can_be_drawn(env_id: str, most: int) -> None:
    env: Any = gym.make(env_id).unwrapped
    mdp = table_of(env)
    pictures = set()
    for s in range(min(mdp.num_states, most)):
        assert isinstance(env.artist.text(s), str)
        picture = env.artist.picture(s)
        assert picture.dtype == np.uint8
        assert picture.ndim == 3
        assert picture.shape[2] == 3
        assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0  # videos need even sides
        pictures.add(picture.tobytes())
    live = int((~mdp.terminal[:most]).sum())
    assert len(pictures) >= live  # no two live states look alike


@every_id_the_large_ones_slowly
@pytest.mark.parametrize("mode", ["ansi", "rgb_array"])
def test_it_renders_and_closes_twice(env_id: str, mode: str) -> None:
    env = gym.make(env_id, render_mode=mode)
    env.reset(seed=0)
    first: Any = env.render()
    assert isinstance(first, str) if mode == "ansi" else first.dtype == np.uint8
    env.close()
    env.close()
    envs: Any = gym.make_vec(env_id, num_envs=2, render_mode=mode)
    envs.reset(seed=0)
    frames = envs.render()
    assert frames is not None
    assert len(frames) == 2
    envs.close()
    envs.close()


@every_id
def test_recorders_work(env_id: str) -> None:
    env = gym.wrappers.RecordEpisodeStatistics(gym.make(env_id, max_episode_steps=20))
    env.reset(seed=0)
    total, ended = 0.0, False
    info: dict[str, Any] = {}
    while not ended:
        _, reward, terminated, truncated, info = env.step(env.action_space.sample())
        total, ended = total + float(reward), terminated or truncated
    assert info["episode"]["r"] == pytest.approx(total)
    envs = gym.wrappers.vector.RecordEpisodeStatistics(gym.make_vec(env_id, num_envs=3, max_episode_steps=5))
    envs.reset(seed=0)
    finished = 0
    for _ in range(10):
        *_, infos = envs.step(envs.action_space.sample())
        finished += int(infos.get("_episode", np.zeros(3)).sum())
    assert finished >= 3


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # moviepy's own
@pytest.mark.parametrize("env_id", ["bellglass/FrozenLake-v0", "bellglass/TMaze-v0", "bellglass/Taxi-v0"])
def test_a_video_can_be_made(env_id: str, tmp_path: Path) -> None:
    pytest.importorskip("moviepy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # moviepy leaves a pipe to its garbage collector
        env: Any = gym.wrappers.RecordVideo(
            gym.make(env_id, render_mode="rgb_array", max_episode_steps=5),
            str(tmp_path / "videos"),
            disable_logger=True,
        )
        env.reset(seed=0)
        for _ in range(5):
            _, _, terminated, truncated, _ = env.step(env.action_space.sample())
            if terminated or truncated:
                break
        env.close()
    assert [file.stat().st_size > 0 for file in tmp_path.glob("videos/*.mp4")] == [True]


@every_id
def test_only_full_observation_offers_observe_and_only_hidden_states_a_pomdp(env_id: str) -> None:
    env = gym.make(env_id)
    if env.has_wrapper_attr("pomdp"):
        assert pomdp_of(env).mdp is table_of(env)
        assert not env.has_wrapper_attr("observe")
        assert not isinstance(env.unwrapped, TableWalker)
    else:
        observe = env.get_wrapper_attr("observe")
        assert [observe(s) for s in range(3)] == [0, 1, 2]
        assert isinstance(env.unwrapped, TableWalker)
        assert env.unwrapped.walks_table
        with pytest.raises(TypeError, match="not partially observed"):
            pomdp_of(env)


@every_id
def test_a_wrong_keyword_is_a_type_error_of_one_line(env_id: str) -> None:
    for make in (gym.make, gym.make_vec):
        with pytest.raises(TypeError, match="unexpected keyword argument 'colour'") as caught:
            make(env_id, colour="red")
        assert "\n" not in str(caught.value)


@every_id_the_large_ones_slowly
def test_two_independent_methods_find_the_same_optimum(env_id: str) -> None:
    """The linear programme up to 2,000 states, else value iteration, against what `solve` chooses."""
    mdp = table(env_id)
    small = mdp.num_states <= 2_000
    one = bellglass.solve(mdp, 0.95, tolerance=1e-8)
    two = bellglass.solve(
        mdp, 0.95, tolerance=1e-6, method="linear_programming" if small else "value_iteration"
    )
    assert one.lower is not None
    assert one.upper is not None
    assert (np.maximum(one.lower, two.lower) <= np.minimum(one.upper, two.upper)).all()


@every_id_the_large_ones_slowly
def test_playing_the_lowest_action_for_an_unavailable_one_changes_no_answer(env_id: str) -> None:
    mdp = table(env_id)
    alias = with_aliases(mdp)
    assert alias.action_mask[~mdp.terminal].all()
    if mdp.action_mask[~mdp.terminal].all():
        for name in ("first_outcome", "probability", "next_state", "reward", "terminated"):
            assert np.array_equal(getattr(alias, name), getattr(mdp, name))
        return  # the very same table
    for criterion, settings in (("discounted", {"discount": 0.95}), ("average", {"restart": True})):
        one, two = (
            bellglass.solve(table, criterion=criterion, tolerance=1e-10, **settings)  # type: ignore[arg-type] # words
            for table in (mdp, alias)
        )
        assert two.start_value == pytest.approx(one.start_value, rel=1e-9, abs=1e-9)
    diameters = [Restarting(table).diameter()[0] for table in (mdp, alias)]
    assert diameters[1] == pytest.approx(diameters[0], rel=1e-9)


def with_aliases(mdp: bellglass.TabularMDP) -> bellglass.TabularMDP:
    """The table in which an unavailable action of a live state does what its lowest available one does."""
    pairs = np.arange(mdp.num_states * mdp.num_actions)
    states = pairs // mdp.num_actions
    played = np.where(
        mdp.action_mask.ravel(), pairs, states * mdp.num_actions + np.maximum(mdp.lowest_action[states], 0)
    )
    lengths = np.diff(mdp.first_outcome)[played]
    outcomes = np.concatenate(
        [np.arange(mdp.first_outcome[j], mdp.first_outcome[j + 1]) for j in played.tolist()]
    ).astype(np.int64)
    return bellglass.TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(lengths)]),
        probability=mdp.probability[outcomes],
        next_state=mdp.next_state[outcomes],
        reward=mdp.reward[outcomes],
        terminated=mdp.terminated[outcomes],
        initial=mdp.initial,
    )
