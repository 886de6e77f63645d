"""Scores where states are hidden: reactive policies and memories on the T-maze and a tiger, by hand."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest

import bellglass  # noqa: F401 (registers the ids)
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.pomdp import TabularPOMDP
from bellglass.planning import evaluate, solve


class Remembers:
    """Keeps the signal of cell 0 of the T-maze; `stuck`, it walks on into the wall at the junction."""

    def __init__(self, *, right: bool = True, stuck: bool = False) -> None:
        self.right, self.stuck = right, stuck

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Any = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Any]:
        """East until the junction, then as the signal said."""
        seen = np.asarray(observation)
        signal = np.full(len(seen), -1) if state is None else state[0].copy()
        signal = np.where(seen < 2, seen, signal)
        turn = np.where((signal == 0) == self.right, 0, 2)
        return np.where((seen == 3) & (not self.stuck), turn, 1), (signal,)


def t_maze() -> gym.Env[Any, Any]:
    return gym.make("bellglass/TMaze-v0", N=10)


def test_a_memory_is_worth_what_the_closed_form_says() -> None:
    score = evaluate(t_maze(), Remembers(), 0.98)
    assert score.start_value == pytest.approx(4 * 0.98**10, abs=1e-12)
    assert score.lower == score.upper == score.start_value
    assert score.optimum == pytest.approx(score.start_value)
    assert score.solved
    assert evaluate(t_maze(), Remembers(right=False), 0.98).start_value == pytest.approx(-0.1 * 0.98**10)


def test_a_guess_at_the_junction_is_worth_the_mean() -> None:
    score = evaluate(t_maze(), np.array([1, 1, 1, 0]), 0.98)
    assert score.start_value == pytest.approx((4 - 0.1) / 2 * 0.98**10)
    assert not score.solved
    mixed = np.eye(4)[[1, 1, 1, 0]]
    mixed[3] = [0.5, 0.0, 0.5, 0.0]
    assert evaluate(t_maze(), mixed, 0.98).start_value == pytest.approx(score.start_value)


def test_a_play_without_end_is_bounded_by_a_true_interval() -> None:
    """Bumping into the wall at the junction for ever: -0.1 from the eleventh step on."""
    score = evaluate(t_maze(), Remembers(stuck=True), 0.98)
    exact = -0.1 * 0.98**10 / (1 - 0.98)
    assert score.lower <= exact <= score.upper
    assert score.upper - score.lower < 1e-3
    with pytest.raises(ValueError, match="not bounded"):
        evaluate(t_maze(), Remembers(stuck=True), criterion="total")


def test_a_horizon_cuts_exactly() -> None:
    score = evaluate(t_maze(), Remembers(stuck=True), criterion="finite_horizon", horizon=12)
    assert score.start_value == pytest.approx(-0.2)
    assert score.lower == score.upper
    assert evaluate(t_maze(), Remembers(), criterion="total").start_value == pytest.approx(4.0)


def test_no_memory_beats_the_belief_table_of_the_tiger() -> None:
    """An agent that counts ears (a door at a difference of two) against the solved belief table."""
    transition = np.full((2, 3, 2), 0.5)
    transition[:, 0] = np.eye(2)
    reward = np.array([[-1.0, -100.0, 10.0], [-1.0, 10.0, -100.0]])
    heard = np.full((3, 2, 2), 0.5)
    heard[0] = [[0.85, 0.15], [0.15, 0.85]]
    pomdp = TabularPOMDP(
        TabularMDP.from_arrays(transition, reward, initial=[0.5, 0.5]), heard, np.full((2, 2), 0.5)
    )

    class Counts:
        def predict(
            self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
        ) -> tuple[Any, Any]:
            """Left ears minus right ears since the last door; what follows a door says nothing."""
            seen = np.asarray(observation)
            count, listened = (np.zeros(len(seen), dtype=np.int64), np.zeros(len(seen), dtype=bool))
            if state is not None:
                count, listened = state[0].copy(), state[1]
            count = np.where(listened, count + np.where(seen == 0, 1, -1), 0)
            action = np.where(count >= 2, 2, np.where(count <= -2, 1, 0))
            return action, (np.where(action == 0, count, 0), action == 0)

    best = solve(pomdp, criterion="finite_horizon", horizon=8)
    score = evaluate(pomdp, Counts(), criterion="finite_horizon", horizon=8)
    assert score.lower <= score.upper <= best.start_value + 1e-9
    assert score.optimum == pytest.approx(best.start_value)
    always_listen = evaluate(pomdp, np.array([0, 0]), 0.75)
    assert always_listen.start_value == pytest.approx(-4.0)


def test_who_feeds_at_every_cry_has_a_gain_though_the_best_with_memory_is_not_known() -> None:
    """Hungry 9/89 of the time: .9 * .1 of the others become so, .8 of those are fed. A feeding costs 5, hunger 10."""
    env = gym.make("bellglass/CryingBaby-v0")
    feed, ignore = 0, 1
    score = evaluate(env, [ignore, feed], criterion="average")
    fed = 80 / 89 * 0.1 + 9 / 89 * 0.8
    assert score.start_value == pytest.approx(-5 * fed - 10 * 9 / 89, abs=1e-12)
    assert np.isnan([score.optimum, score.regret, score.gap]).all()
    assert (score.normalized, score.solved) == (None, False)


def test_what_cannot_be_scored_is_refused() -> None:
    with pytest.raises(ValueError, match="explores by drawing"):
        evaluate(t_maze(), Remembers(), 0.98, exploring=True)
    with pytest.raises(ValueError, match=r"shape \[4\]"):
        evaluate(t_maze(), np.zeros(23, dtype=int), 0.98)
    with pytest.raises(ValueError, match=r"actions must be in \[0, 4\)"):
        evaluate(t_maze(), np.array([1, 1, 1, 4]), 0.98)
    with pytest.raises(ValueError, match="no distribution"):
        evaluate(t_maze(), np.ones((4, 4)), 0.98)
    with pytest.raises(TypeError, match="with predict"):
        evaluate(t_maze(), object(), 0.98)
