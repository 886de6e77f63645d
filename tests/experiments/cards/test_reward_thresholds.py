"""`reward_threshold`: every number recomputed, and played."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs import TabularVectorEnv, pomdp_of, table_of
from bellglass.envs.registration import ENVIRONMENTS
from bellglass.envs.thresholds import THRESHOLDS
from bellglass.experiments.cards.reward_thresholds import (
    EPISODES,
    PLANNED,
    STANDARD_ERRORS,
    best_play,
    main,
    threshold,
    written,
)

#: Those that take seconds.
SLOW = {"Inventory", "JacksCarRental", "BernoulliBandit", "Racetrack", "RepeatPrevious"}


def test_every_spec_carries_its_threshold() -> None:
    assert list(THRESHOLDS) == [row.name for row in ENVIRONMENTS]
    for name, number in THRESHOLDS.items():
        assert gym.spec(f"bellglass/{name}-v0").reward_threshold == number
    assert [name for name, number in THRESHOLDS.items() if number is None] == ["RacingCar"]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in THRESHOLDS]
)
def test_a_threshold_is_found_again(name: str) -> None:
    found, stored = threshold(name), THRESHOLDS[name]
    assert (found is None) == (stored is None)
    if found is not None:
        assert found == pytest.approx(stored, rel=1e-5, abs=1e-9)


def test_the_file_says_where_another_play_stands_in() -> None:
    lines = written({"Shuttle": 1.5, "Maze": 2.0, "RacingCar": None}).splitlines()
    assert lines[-4].startswith('    "Shuttle": 1.5,  # of a play that is best for a discounted sum')
    assert lines[-3:] == [
        '    "Maze": 2.0,',
        '    "RacingCar": None,  # the total reward has no finite optimum',
        "}",
    ]


def test_an_unknown_name_is_refused_before_anything_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["Maze", "Mzae"])
    assert "no such ids: Mzae" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(PLANNED))
def test_a_play_that_stands_in_is_worth_nearly_what_seeing_the_states_is_at_most(name: str) -> None:
    """The value with memory lies between; where hearing is all, as for the baby, further below."""
    env = gym.make(f"bellglass/{name}-v0")
    horizon = gym.spec(f"bellglass/{name}-v0").max_episode_steps
    observed = bellglass.solve(pomdp_of(env).mdp, criterion="finite_horizon", horizon=horizon).start_value
    mean = best_play(name).spread.mean
    assert mean <= observed
    if name == "Shuttle":
        assert mean == pytest.approx(observed, rel=2e-4)


@pytest.mark.slow
def test_the_babys_play_that_stands_in_is_as_good_as_the_best() -> None:
    pomdp = pomdp_of(gym.make("bellglass/CryingBaby-v0"))
    best = bellglass.solve(pomdp, criterion="finite_horizon", horizon=1000)
    assert best_play("CryingBaby").spread.mean <= best.start_value
    assert best_play("CryingBaby").spread.mean == pytest.approx(best.start_value, rel=1e-3)


def test_an_optimal_agent_passes_and_the_mean_is_right() -> None:
    """FrozenLake within its 100 steps: 100 means of 100 episodes, of which a normal law lets .977 pass."""
    mdp = table_of(gym.make("bellglass/FrozenLake-v0"))
    policy = bellglass.solve(mdp, criterion="finite_horizon", horizon=100).policy
    batches = 100
    envs = TabularVectorEnv(mdp, batches * EPISODES, infos=False)
    returns, playing = np.zeros(batches * EPISODES), np.ones(batches * EPISODES, dtype=np.bool_)
    states, _ = envs.reset(seed=5)
    for rule in policy:
        states, rewards, terminated, _, _ = envs.step(rule[states])
        returns += playing * rewards
        playing &= ~terminated
    goal = THRESHOLDS["FrozenLake"]
    assert goal is not None
    passed = (returns.reshape(batches, EPISODES).mean(axis=1) >= goal).mean()
    assert passed >= 0.92  # .977 less 3.7 standard errors of a share of 100
    spread = best_play("FrozenLake").spread
    assert abs(returns.mean() - spread.mean) <= 4 * np.sqrt(spread.variance / len(returns))
    assert goal == pytest.approx(
        spread.mean - STANDARD_ERRORS * np.sqrt(spread.variance / EPISODES), abs=1e-5
    )
