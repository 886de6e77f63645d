"""TabularVectorEnv: N copies in array operations, and no copy can tell."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import data_equivalence

from bellglass.envs import TabularEnv, TabularPOMDP, TabularPOMDPEnv, TabularVectorEnv
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.vector.sampling import SHORT_ROW, OutcomeSampler, RowSampler, _patterns


def random_table(num_states: int, num_actions: int, width: int, seed: int, starts: int = 3) -> TabularMDP:
    """Rows of 1 to `width` outcomes, some actions missing, the last state terminal."""
    rng = np.random.default_rng(seed)
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s in range(num_states - 1):
        P[s] = {}
        for a in range(num_actions):
            chances = rng.dirichlet(np.ones(rng.integers(1, width + 1)))
            targets = rng.integers(num_states, size=len(chances))
            P[s][a] = [
                (float(p), int(to), float(rng.normal()), bool(to == num_states - 1))
                for p, to in zip(chances, targets, strict=True)
            ]
        if s % 2:
            P[s][int(rng.integers(num_actions))] = []
    P[num_states - 1] = {a: [(1.0, num_states - 1, 0.0, True)] for a in range(num_actions)}
    initial = [*rng.dirichlet(np.ones(starts)), *[0.0] * (num_states - starts)]
    return TabularMDP.from_P(P, initial=initial)


@pytest.mark.parametrize("width", [1, 3, SHORT_ROW, SHORT_ROW + 1, 40])
def test_short_and_long_rows_are_looked_up_alike(width: int) -> None:
    mdp = random_table(7, 3, width, seed=width)
    sampler = OutcomeSampler(mdp)
    rng = np.random.default_rng(0)
    pair = rng.integers(21, size=4000)
    u = np.append(rng.random(3990), [0.0] * 5 + [np.nextafter(1.0, 0.0)] * 5)
    k = sampler.draw(pair, u)
    for one, number, outcome in zip(pair.tolist(), u.tolist(), k.tolist(), strict=True):
        s, a = divmod(one, 3)
        if mdp.terminal[s]:
            expected: tuple[int, float, bool] = (s, 0.0, True)
        else:
            played = s * 3 + (a if mdp.action_mask[s, a] else int(mdp.lowest_action[s]))
            rows = range(mdp.first_outcome[played], mdp.first_outcome[played + 1])
            first = next(row for row in rows if mdp.cumulative_probability[row] > number)
            expected = (int(mdp.next_state[first]), float(mdp.reward[first]), bool(mdp.terminated[first]))
        got = (sampler.next_state[outcome], sampler.reward[outcome], sampler.terminated[outcome])
        assert got == expected


def test_sums_that_rounding_lifts_over_one_do_not_spoil_the_next_row() -> None:
    above = np.nextafter(1.0, 2.0)
    sums = np.array([0.25, 0.5, 0.75, 0.875, above, 1.0, 0.25, 0.5, 0.75, 0.875, 1.0, 1.0])
    assert SHORT_ROW < 6  # so that there is a guide
    sampler = RowSampler(np.array([0, 6, 6]), np.array([6, 6, 6]), sums)
    assert sampler.draw(np.array([1, 2, 1, 0]), np.array([0.0, 0.01, 0.9, 0.9])).tolist() == [6, 6, 10, 4]


@pytest.mark.parametrize("spread", [0.01, 1.0])
def test_rows_of_thousands_are_looked_up_as_by_bisection(spread: float) -> None:
    """With a small spread most of a row's sums lie in few of its slots."""
    rng = np.random.default_rng(5)
    lengths = rng.integers(1, 3_000, size=40)
    first = np.cumsum(lengths) - lengths
    sums = np.concatenate([np.cumsum(rng.dirichlet(np.full(n, spread))) for n in lengths])
    sums[first + lengths - 1] = 1.0
    rows, u = rng.integers(40, size=5_000), rng.random(5_000)
    expected = [
        bisect_right(sums, one, begin, begin + length)
        for one, begin, length in zip(u, first[rows], lengths[rows], strict=True)
    ]
    assert RowSampler(first, lengths, sums).draw(rows, u).tolist() == expected


def test_rows_of_equal_sums_share_a_guide_and_no_others_do(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[0.25, 0.75, 0.8, 0.9, 1.0], [0.375, 0.5, 0.8, 0.9, 1.0], [0.25, 0.75, 0.8, 0.9, 1.0]]
    sums, first, length = np.concatenate(rows), np.array([0, 5, 10]), np.array([5, 5, 5])
    row, u = np.repeat([0, 1, 2], 200), np.tile(np.random.default_rng(0).random(200), 3)
    expected = [5 * r + bisect_right(rows[r], one) for r, one in zip(row.tolist(), u.tolist(), strict=True)]
    assert len(_patterns(first, length, sums)[0]) == 2
    assert RowSampler(first, length, sums).draw(row, u).tolist() == expected

    class Ones:
        """Weighs all sums alike: then the first two rows have one signature."""

        def __init__(self, seed: int) -> None: ...

        def integers(self, high: int, size: int, dtype: type) -> np.ndarray:
            return np.zeros(size, dtype)

    monkeypatch.setattr(np.random, "default_rng", Ones)
    assert len(_patterns(first, length, sums)[0]) == 3
    assert RowSampler(first, length, sums).draw(row, u).tolist() == expected


@pytest.mark.parametrize("starts", [1, 3, 7])
@pytest.mark.parametrize("width", [2, 12])
@pytest.mark.parametrize("by_action", [False, True])
@pytest.mark.parametrize("mode", list(gym.vector.AutoresetMode))
def test_a_copy_with_its_own_seed_walks_as_a_single_environment(
    mode: gym.vector.AutoresetMode, by_action: bool, width: int, starts: int
) -> None:
    mdp = random_table(8, 3, width, seed=1, starts=starts)
    rng = np.random.default_rng(2)
    seen = rng.dirichlet(np.ones(4), size=(3, 8) if by_action else 8)
    pomdp = TabularPOMDP(mdp, seen, rng.dirichlet(np.ones(4), size=8))

    def single() -> gym.Env[Any, Any]:
        return gym.wrappers.TimeLimit(TabularPOMDPEnv(pomdp), 7)

    ours = TabularVectorEnv(pomdp, 5, max_episode_steps=7, autoreset_mode=mode)
    theirs: Any = gym.vector.SyncVectorEnv([single] * 5, autoreset_mode=mode)
    assert data_equivalence(ours.reset(seed=[9, 8, 7, 6, 5]), theirs.reset(seed=[9, 8, 7, 6, 5]))
    invalid = 0
    for _ in range(200):
        actions = rng.integers(3, size=5)
        one, two = ours.step(actions), theirs.step(actions)
        assert data_equivalence(one, two)
        invalid += "invalid_action" in one[4]
        ended = one[2] | one[3]
        if mode == gym.vector.AutoresetMode.DISABLED and ended.any():
            options = {"reset_mask": ended}
            assert data_equivalence(ours.reset(options=options), theirs.reset(options=dict(options)))
    assert invalid > 10


def test_one_seed_fixes_all_copies_and_they_differ_from_each_other() -> None:
    envs, again = (TabularVectorEnv(random_table(30, 3, 12, seed=1), 200) for _ in range(2))
    one, two = envs.reset(seed=4)[0], again.reset(seed=4)[0]
    actions = np.zeros(200, dtype=np.int64)
    for _ in range(20):
        assert one.tolist() == two.tolist()
        one, two = envs.step(actions)[0], again.step(actions)[0]
    assert len(set(one.tolist())) > 5


@pytest.mark.parametrize("seed", [3, [1, 2, 3, 4]])
def test_a_clone_carries_clocks_and_generators(seed: int | list[int | None]) -> None:
    envs, other = (TabularVectorEnv(random_table(6, 2, 4, seed=0), 4, max_episode_steps=5) for _ in range(2))
    envs.reset(seed=seed)
    actions = np.random.default_rng(0).integers(2, size=(33, 4))
    for row in actions[:13]:
        envs.step(row)
    saved = envs.clone_state()
    future = [envs.step(row) for row in actions[13:]]
    envs.restore_state(saved)
    assert data_equivalence([envs.step(row) for row in actions[13:]], future)
    other.restore_state(saved)
    assert data_equivalence([other.step(row) for row in actions[13:]], future)
    assert any(step[3].any() for step in future)
    with pytest.raises(ValueError, match="4 copies, here are 3"):
        TabularVectorEnv(random_table(6, 2, 4, seed=0), 3).restore_state(saved)
    smaller = TabularVectorEnv(random_table(4, 2, 4, seed=0), 4)
    with pytest.raises(ValueError, match=r"state must be in \[0, 4\), got 4"):
        smaller.restore_state(replace(saved, state=np.array([0, 4, 1, 2])))


@pytest.mark.parametrize("seed", [1.5, "abc", True, [1, 2], [1.5, 2, 3], [1, 2, "a"]])
def test_seeds_that_are_no_whole_numbers_are_refused(seed: Any) -> None:
    envs = TabularVectorEnv(random_table(6, 2, 4, seed=0), 3)
    with pytest.raises(ValueError, match=re.escape(f"seed must be one integer or a list of 3, got {seed!r}")):
        envs.reset(seed=seed)
    with pytest.raises(ValueError, match="seed must be at least 0, got -1"):
        envs.reset(seed=[1, None, -1])


def test_arrays_are_fresh_and_nobody_can_spoil_the_walk() -> None:
    envs, undisturbed = (TabularVectorEnv(random_table(6, 2, 4, seed=0), 4) for _ in range(2))
    observations, infos = envs.reset(seed=0)
    undisturbed.reset(seed=0)
    for _ in range(20):
        observations[:] = 3
        infos["state"][:] = 3
        infos["action_mask"][:] = True
        actions = np.ones(4, dtype=np.int64)
        observations, rewards, terminated, truncated, infos = envs.step(actions)
        expected = undisturbed.step(actions)
        assert data_equivalence((observations, rewards, terminated, truncated, infos), expected)


def test_infos_can_be_left_out() -> None:
    envs = TabularVectorEnv(
        random_table(6, 2, 4, seed=0), 4, infos=False, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP
    )
    assert envs.reset(seed=0)[1] == {}
    keys: set[str] = set()
    rng = np.random.default_rng(0)
    for _ in range(60):
        *_, infos = envs.step(rng.integers(2, size=4))
        keys |= set(infos)
    assert keys == {"final_obs", "_final_obs"}


def test_starts_can_be_chosen_for_all_or_each() -> None:
    envs = TabularVectorEnv(random_table(6, 2, 4, seed=0), 3)
    assert envs.reset(options={"state": 4})[0].tolist() == [4, 4, 4]
    assert envs.reset(options={"state": [1, 2, 3]})[0].tolist() == [1, 2, 3]
    mask = np.array([False, True, False])
    assert envs.reset(options={"state": [0, 4, 0], "reset_mask": mask})[0].tolist() == [1, 4, 3]
    for state, problem in ((5, "terminal"), (6, r"in \[0, 6\)"), ([1, 2], "one state or 3")):
        with pytest.raises(ValueError, match=problem):
            envs.reset(options={"state": state})


def test_steps_that_make_no_sense_are_refused() -> None:
    envs = TabularVectorEnv(random_table(6, 2, 4, seed=0), 3)
    with pytest.raises(gym.error.ResetNeeded):
        envs.step([0, 0, 0])
    envs.reset(seed=0)
    for actions in ([0, 0], [0, 0, 2], [0, -1, 0], [0.0, 1.0, 0.0], 0):
        with pytest.raises(ValueError, match="actions must be"):
            envs.step(actions)
    strict = TabularVectorEnv(random_table(6, 2, 4, seed=0), 1, invalid_actions="raise")
    strict.reset(options={"state": 1})
    missing = int(np.flatnonzero(~strict.mdp.action_mask[1])[0])
    with pytest.raises(ValueError, match=f"copy 0: action {missing} is not available in state 1"):
        strict.step([missing])


def test_a_copy_that_ended_must_be_reset_where_nothing_resets_by_itself() -> None:
    envs = TabularVectorEnv(
        random_table(6, 2, 4, seed=0),
        3,
        max_episode_steps=1,
        autoreset_mode=gym.vector.AutoresetMode.DISABLED,
    )
    envs.reset(seed=0)
    envs.step([0, 0, 0])
    with pytest.raises(gym.error.ResetNeeded, match="3 copies have ended"):
        envs.step([0, 0, 0])
    with pytest.raises(TypeError, match="bool array, got list"):
        envs.reset(options={"reset_mask": [True, True, True]})
    with pytest.raises(ValueError, match="one True at least"):
        envs.reset(options={"reset_mask": np.zeros(3, dtype=bool)})


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
        ({"num_envs": "3"}, "num_envs must be a whole number at least 1, got '3'"),
        ({"max_episode_steps": 0}, "max_episode_steps, if not None, must be at least 1, got 0"),
        (
            {"max_episode_steps": 2.5},
            "max_episode_steps, if not None, must be a whole number at least 1, got 2.5",
        ),
        ({"autoreset_mode": "Never"}, "Never"),
        ({"render_mode": "human"}, "None, 'ansi' or 'rgb_array'"),
        ({"invalid_actions": "ignore"}, "'lowest' or 'raise'"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises((TypeError, ValueError), match=problem):
        TabularVectorEnv(random_table(6, 2, 4, seed=0), **({"num_envs": 2} | settings))


def test_the_walk_is_the_single_ones_for_fully_observed_tables_too() -> None:
    mdp = random_table(9, 4, 3, seed=5)
    envs, env = TabularVectorEnv(mdp, 1), TabularEnv(mdp)
    envs.reset(seed=[3])
    env.reset(seed=3)
    for a in np.random.default_rng(0).integers(4, size=100).tolist():
        one, two = envs.step([a]), env.step(a)
        assert (int(one[0][0]), float(one[1][0]), bool(one[2][0])) == (int(two[0]), two[1], two[2])
        if two[2]:
            envs.step([0])
            env.reset()
