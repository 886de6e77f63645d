"""Settings: the constructor and every assignment ask the same, and what cannot change says why."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass  # noqa: F401 (registers the ids)
from bellglass.agents import (
    DQN,
    CertaintyEquivalence,
    DoubleQLearning,
    ExpectedSarsa,
    MonteCarlo,
    PolicyIteration,
    QLearning,
    RecurrentDQN,
    Sarsa,
    ValueIteration,
)
from bellglass.agents.schedules import Constant, Linear
from bellglass.agents.settings import settings_of, whole

TABULAR: list[Any] = [QLearning, DoubleQLearning, Sarsa, ExpectedSarsa, MonteCarlo, CertaintyEquivalence]
DEEP: list[Any] = [DQN, RecurrentDQN]
PLANNERS: list[Any] = [ValueIteration, PolicyIteration]

#: What is refused, by which agents, and the range that the refusal names.
WRONG: list[tuple[list[Any], str, list[Any], str]] = [
    (TABULAR + DEEP, "discount", [-0.1, 1.5, math.nan, "0.9", True], "discount must be in [0, 1"),
    (TABULAR + DEEP, "max_episode_steps", [0, 10.5, math.inf, True, "5"], "at least 1 or None, got"),
    (TABULAR, "epsilon", [-0.1, 1.1, math.nan], "epsilon must lie in [0, 1], got"),
    (TABULAR[:-1], "step_size", [-0.1, 1.1, math.nan], "step_size must lie in [0, 1], got"),
    (
        TABULAR[-1:],
        "optimistic_visits",
        [-1.0, math.nan, math.inf],
        "optimistic_visits must be a finite number",
    ),
    (TABULAR[-1:], "optimistic_value", [math.nan, "high"], "optimistic_value must be finite or None"),
    (DEEP, "learning_rate", [-1e-3, math.nan, math.inf], "learning_rate must lie in [0, inf), got"),
    (DEEP, "batch_size", [0, 32.5, math.nan, True, "32"], "batch_size must be"),
    (DEEP, "train_freq", [0, 2.5], "train_freq must be"),
    (DEEP, "gradient_steps", [0, 1.5, -2], "gradient_steps must be"),
    (DEEP, "learning_starts", [-1, 0.5], "learning_starts must be"),
    (DEEP, "target_update_interval", [0], "target_update_interval must be at least 1, got 0"),
    (DEEP, "tau", [0.0, 1.1], "tau must be in (0, 1], got"),
    (DEEP, "exploration_final_eps", [1.1, -0.1], "exploration_final_eps must be in [0, 1], got"),
    (DEEP, "exploration_fraction", [1.1, math.nan], "exploration_fraction must be in [0, 1], got"),
    (DEEP, "max_grad_norm", [0.0, math.nan], "max_grad_norm must be a finite number above 0 or None, got"),
    (DEEP, "double", [1, None], "double must be True or False, got"),
    (DEEP[:1], "loss", ["l1"], "loss must be 'huber' or 'mse', got 'l1'"),
    (DEEP[1:], "trace", [1.5], "trace must be in [0, 1], got 1.5"),
]


def lake() -> gym.Env[Any, Any]:
    return gym.make("bellglass/FrozenLake-v0")


@pytest.mark.parametrize(
    ("learner", "name", "values", "says"),
    [(learner, *rest) for learners, *rest in WRONG for learner in learners],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_constructor_and_assignment_refuse_the_same_in_the_same_words(
    learner: Any, name: str, values: list[Any], says: str
) -> None:
    agent = learner(lake())
    before = getattr(agent, name)
    for value in values:
        told = []
        for attempt in (
            lambda value=value: learner(lake(), **{name: value}),
            lambda value=value: setattr(agent, name, value),
        ):
            with pytest.raises(ValueError, match=name) as error:
                attempt()
            told.append(str(error.value))
        assert told[0] == told[1]
        assert says in told[0]
        assert getattr(agent, name) == before  # nothing of it is kept


@pytest.mark.parametrize(
    ("learner", "name", "value", "why"),
    [
        *((learner, "seed", 3, "the generators were made from it") for learner in TABULAR + DEEP),
        *((learner, "initial_value", 1.0, "every pair began with it") for learner in TABULAR[:-1]),
        *((learner, "buffer_size", 9, "the replay memory was made for it") for learner in DEEP),
        *((learner, "dueling", True, "the networks were made by it") for learner in DEEP),
        (DQN, "hidden_sizes", (8,), "the networks were made by it"),
        (DQN, "dropout", 0.5, "the networks were made by it"),
        (RecurrentDQN, "window", 8, "the replay memory was made for it"),
        (RecurrentDQN, "hidden_size", 8, "the networks were made by it"),
        *(
            (planner, name, 0.5, "the plan was made with it")
            for planner in PLANNERS
            for name in ("discount", "tolerance")
        ),
        *((learner, "epsilon", 0.1, "exploration_final_eps") for learner in DEEP),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_change_says_why(learner: Any, name: str, value: Any, why: str) -> None:
    with pytest.raises(AttributeError, match=f"{name} .*{why}"):
        setattr(learner(lake()), name, value)


def test_assigned_settings_are_in_force() -> None:
    agent = QLearning(lake(), step_size=1.0, discount=0.5)
    agent.epsilon = 0.25
    assert agent.exploration_rate == 0.25
    agent.epsilon = {"kind": "linear", "start": 1.0, "end": 0.0}
    assert agent.epsilon == Linear(1.0, 0.0)
    agent.step_size = np.float64(0.5)
    assert agent.step_size == Constant(0.5)
    deep = DQN(lake(), batch_size=32.0, learning_starts=0)  # type: ignore[arg-type]  # a whole number
    assert (deep.batch_size, type(deep.batch_size)) == (32, int)
    deep.learning_rate = 1e-4
    deep.exploration_initial_eps, deep.exploration_final_eps = 0.3, 0.1
    assert deep.exploration_rate == 0.3
    deep.exploration_fraction = 0.0
    assert deep.exploration_rate == 0.1
    model = CertaintyEquivalence(lake(), discount=0.9).learn(500)
    high = model.q_values.copy()
    model.discount = 0.1
    assert model.q_values[0].max() < high[0].max()


@pytest.mark.parametrize("steps", [10_000, 200_000])
def test_a_step_size_assigned_between_two_calls_is_the_one_of_the_second(steps: int) -> None:
    """On the fast path too, which keeps a table of step sizes."""
    first = QLearning(lake(), step_size={"kind": "polynomial"}, epsilon=1.0).learn(steps)
    before = first.q_values.copy()
    first.step_size = 0.0
    np.testing.assert_array_equal(first.learn(steps).q_values, before)


def test_another_default_is_a_class_attribute() -> None:
    class Restless(QLearning):
        usual_epsilon = Constant(1.0)

    assert Restless(lake()).exploration_rate == 1.0
    assert Restless(lake(), epsilon=0.5).exploration_rate == 0.5
    assert QLearning(lake()).step_size(1) == 1.0
    assert Sarsa(lake()).step_size(1) == MonteCarlo(lake()).step_size(7) == 0.1


@pytest.mark.parametrize("learner", TABULAR + DEEP)
def test_every_setting_is_written_and_read_by_its_name(learner: Any, tmp_path: Path) -> None:
    agent = learner(lake(), discount=0.5, max_episode_steps=7, seed=9)
    agent.save(tmp_path / "agent")
    again = learner.load(tmp_path / "agent")
    assert settings_of(again) == settings_of(agent)
    assert settings_of(agent)["max_episode_steps"] == 7


def test_old_names_say_the_new_ones() -> None:
    old: Any = CertaintyEquivalence
    with pytest.raises(TypeError, match="heaven is called optimistic_value now"):
        old(lake(), heaven=1.0)
    with pytest.raises(TypeError, match="optimism is called optimistic_visits now"):
        old(lake(), optimism=1.0)


# -- whole numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agent", [*TABULAR, *PLANNERS, DQN, RecurrentDQN])
def test_whole_floats_are_steps_and_others_are_refused_by_name(agent: Any) -> None:
    deep = {"learning_starts": 10} if agent in DEEP else {}
    for steps in (3e2, np.int64(300), np.float32(300)):
        learned = agent(lake(), **deep).learn(steps)
        assert learned.num_timesteps == (0 if agent in PLANNERS else 300)
    for wrong in (math.nan, math.inf, 1000.5, True, "5", -1):
        with pytest.raises(ValueError, match=r"total_timesteps must be .*at least 0, got"):
            agent(lake()).learn(wrong)


def test_whole_takes_whole_numbers_of_any_kind() -> None:
    for given in (5, 5.0, np.int8(5), np.float16(5.0), np.uint64(5)):
        assert (whole("n", given, 1), type(whole("n", given, 1))) == (5, int)
    assert whole("n", 2**70, 1) == 2**70


# -- schedules of one's own ------------------------------------------------------------------------------------


def test_a_schedule_of_ones_own_is_checked_at_every_number_it_gives() -> None:
    def late(progress: float) -> float:
        return 0.5 if progress < 0.5 else math.nan if progress < 1.0 else 0.1

    agent = DoubleQLearning(lake(), epsilon=late)
    with pytest.raises(
        ValueError, match=r"epsilon must lie in \[0, 1\], but its schedule .* gives nan at progress 0.5"
    ):
        agent.learn(100)
    assert agent.num_timesteps == 50
    with pytest.raises(
        ValueError, match=r"learning_rate must lie in \[0, inf\), .* gives -1.0 at progress 0"
    ):
        DQN(lake(), learning_rate=lambda progress: -1.0 + progress)
    with pytest.raises(ValueError, match=r"step_size must lie in \[0, 1\], .* gives 1.5 at count 1$"):
        QLearning(lake(), step_size=lambda n: 1.5 / n)
    with pytest.raises(ValueError, match="gives 'much' at count 1"):
        QLearning(lake(), step_size=lambda n: "much")  # type: ignore[arg-type]  # the point


def test_the_tables_of_the_fast_path_are_checked_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    from bellglass.agents.tabular import q_learning

    monkeypatch.setattr(q_learning, "worth_compiling", lambda function, steps: True)
    with pytest.raises(ValueError, match=r"step_size must lie in \[0, 1\], .* gives nan at count 100"):
        QLearning(lake(), step_size=lambda n: 0.1 if n < 100 else math.nan).learn(3000)
    with pytest.raises(ValueError, match=r"epsilon must lie in \[0, 1\], .* gives 2.0 at progress 0.5"):
        QLearning(lake(), epsilon=lambda x: 2.0 if x == 0.5 else 0.1).learn(3000)


def test_a_schedule_never_runs_backwards_silently() -> None:
    """Ours run from 0 up to 1, Stable-Baselines3's from 1 down to 0."""

    def rates(given: Any) -> list[float]:
        schedule = DQN(lake(), learning_rate=given).learning_rate
        return [schedule(progress) for progress in (0.0, 0.5, 1.0)]

    falling = [1e-3, 5e-4, 0.0]
    assert rates(lambda x: 1e-3 * (1.0 - x)) == falling
    assert rates(lambda progress_remaining: 1e-3 * progress_remaining) == falling
    from stable_baselines3.common.utils import LinearSchedule

    assert rates(LinearSchedule(1e-3, 0.0, 1.0)) == pytest.approx(falling)
    assert rates(lambda progress: 1e-3 * progress) == falling[::-1]  # its parameter says that it is meant
    with pytest.warns(
        UserWarning, match="rises from 0 at the first step to 0.001 at the last: progress runs from 0 up"
    ):
        rates(lambda remaining: 1e-3 * remaining)
    with pytest.warns(UserWarning, match="epsilon rises from 0 at the first step to 1 at the last"):
        QLearning(lake()).epsilon = lambda x: x
