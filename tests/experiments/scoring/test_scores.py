"""Exact scores, against published numbers, hand-worked sums and each other."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest
from helpers.memories import Unsolved

import bellglass
from bellglass.agents import DQN, QLearning, StableBaselines3
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.pomdp import TabularPOMDP, TabularPOMDPEnv
from bellglass.envs.tabular import TabularEnv
from bellglass.experiments.records import Criterion, ScoringSpec
from bellglass.experiments.scoring.evaluator import Evaluator
from bellglass.experiments.scoring.scores import Scorer
from bellglass.planning.policies.policies import uniform_chances

FloatArray = npt.NDArray[np.float64]


def judged(
    criterion: Criterion = "discounted", discount: float | None = None, horizon: int | None = None
) -> ScoringSpec:
    return ScoringSpec(criterion=criterion, discount=discount, horizon=horizon, points=1)


class Table:
    """Plays a table of probabilities [O, A], another one while it explores; remembers nothing."""

    def __init__(self, best: FloatArray, exploring: FloatArray | None = None) -> None:
        self.best, self.exploring = best, best if exploring is None else exploring

    def predict(self, observation: Any, deterministic: bool = False) -> tuple[Any, None]:  # noqa: D102
        return self.best[observation].argmax(axis=-1), None

    def action_probabilities(self, observation: Any, *, exploring: bool = False) -> FloatArray:  # noqa: D102
        return np.asarray((self.exploring if exploring else self.best)[observation])


def greedy(q_values: FloatArray, *, ties: str) -> FloatArray:
    best = q_values >= q_values.max(axis=1, keepdims=True) - 1e-9
    if ties == "lowest":
        lowest: FloatArray = np.eye(q_values.shape[1])[best.argmax(axis=1)]
        return lowest
    shared: FloatArray = best / best.sum(axis=1, keepdims=True)
    return shared


@pytest.mark.parametrize(("ties", "value"), [("uniform", -50.80005), ("lowest", -45.80332)])
def test_epsilon_greedy_around_the_optimum_of_the_cliff(ties: str, value: float) -> None:
    scorer = Scorer(gym.make("bellglass/CliffWalking-v0"), judged("total"))
    best = greedy(scorer.q_values, ties=ties)
    agent = Table(best, 0.1 / 4 + 0.9 * best)
    score = scorer.score(agent)
    assert score.value == pytest.approx(-13.0, abs=1e-9)
    assert score.exploring_value == pytest.approx(value, abs=5e-6)


def test_our_agents_share_ties_evenly_while_they_explore_and_take_the_lowest_when_asked() -> None:
    env = gym.make("bellglass/CliffWalking-v0")
    scorer = Scorer(env, judged("total"))
    agent = QLearning(env, discount=1.0, epsilon=0.1)
    agent.q_values[:] = scorer.q_values.round(9)
    score = scorer.score(agent)
    assert score.value == pytest.approx(-13.0, abs=1e-9)
    assert score.exploring_value == pytest.approx(-50.80005, abs=5e-6)


class OnlyPredicts:
    """Another library's policy: `predict` and nothing else."""

    def __init__(self, actions: npt.NDArray[np.int64]) -> None:
        self.actions = actions

    def predict(self, observation: Any, deterministic: bool = False) -> tuple[Any, None]:  # noqa: D102
        assert deterministic
        return self.actions[observation], None


def test_who_only_predicts_is_scored_and_how_it_explores_is_not_known() -> None:
    env = gym.make("bellglass/FrozenLake-v0")
    scorer = Scorer(env, judged("discounted", 0.99))
    best = np.asarray(scorer.best.policy)
    score = scorer.score(OnlyPredicts(best))
    assert score.value == score.low == score.high == pytest.approx(scorer.optimum, abs=1e-9)
    assert score.exploring_value is None
    assert scorer.episodic_regret(1.0, (0.5, None), 3) is None
    assert scorer.final_policy(OnlyPredicts(best)) == tuple(np.where(scorer.mdp.terminal, -1, best).tolist())


def test_models_of_stable_baselines3_are_scored_as_they_are() -> None:
    library = pytest.importorskip("stable_baselines3")
    env = gym.make("bellglass/FrozenLake-v0")
    scorer = Scorer(env, judged("discounted", 0.99))
    for kind, settings in ((library.PPO, {}), (library.DQN, {"buffer_size": 10})):
        model = kind("MlpPolicy", env, seed=0, device="cpu", **settings)
        played = [int(model.predict(np.int64(s), deterministic=True)[0]) for s in range(16)]
        assert scorer.score(model).value == pytest.approx(
            bellglass.evaluate(scorer.mdp, np.array(played), discount=0.99).start_value, abs=1e-9
        )
    ours = StableBaselines3(env, algorithm="PPO", discount=0.99, seed=0)
    score = scorer.score(ours)
    soft = ours.action_probabilities(np.arange(16))
    expected = bellglass.evaluate(scorer.mdp, soft, discount=0.99).start_value
    assert score.value == score.exploring_value == pytest.approx(expected, abs=1e-9)


class Answers:
    """Says the same of everything."""

    def __init__(self, chances: Any) -> None:
        self.chances = chances

    def action_probabilities(self, observation: Any, *, exploring: bool = False) -> Any:  # noqa: D102
        return self.chances


@pytest.mark.parametrize("id", ["bellglass/FrozenLake-v0", "bellglass/TMaze-v0"])
@pytest.mark.parametrize(
    ("chances", "says"),
    [
        (lambda n: np.full((n, 4), np.nan), "no distribution"),
        (lambda n: np.full((n, 4), 0.3), "no distribution"),
        (lambda n: np.tile([1.5, -0.5, 0.0, 0.0], (n, 1)), "no distribution"),
        (lambda n: np.full((n, 3), 1 / 3), r"shape \[\d+, 3\]"),
        (lambda n: np.full(4, 0.25), r"shape \[4\]"),
        (lambda n: np.zeros((0, 4)), r"shape \[0, 4\]"),
    ],
)
def test_answers_that_are_no_policy_are_refused(id: str, chances: Any, says: str) -> None:
    scorer = Scorer(gym.make(id), judged("discounted", 0.9))
    count = 16 if scorer.observed else 4
    with pytest.raises(ValueError, match=says):
        scorer.score(Answers(chances(count)))


@pytest.mark.parametrize("id", ["bellglass/FrozenLake-v0", "bellglass/TMaze-v0"])
def test_who_is_no_agent_is_told_so(id: str) -> None:
    with pytest.raises(TypeError, match="int"):
        Scorer(gym.make(id), judged("discounted", 0.9)).score(3)


@pytest.mark.parametrize(
    ("scoring", "says"),
    [
        (judged("discounted"), "discount"),
        (judged("discounted", 1.0), "discount"),
        (judged("discounted", float("nan")), "discount"),
        (judged("finite_horizon", 1.0), "horizon"),
        (judged("finite_horizon", 1.0, 0), "horizon"),
    ],
)
def test_a_criterion_out_of_range_is_refused(scoring: ScoringSpec, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Scorer(gym.make("bellglass/FrozenLake-v0"), scoring)


@pytest.mark.parametrize(
    ("map_name", "horizon", "optimum", "planner"),
    [("4x4", 100, 0.7441902878, 0.7401648978), ("8x8", 200, 0.9132201502, 0.8629553800)],
)
def test_even_a_perfect_planner_loses_under_a_time_limit(
    map_name: str, horizon: int, optimum: float, planner: float
) -> None:
    env = gym.make("bellglass/FrozenLake-v0", map_name=map_name)
    scorer = Scorer(env, judged("finite_horizon", 1.0, horizon))
    assert scorer.optimum == pytest.approx(optimum, abs=1e-9)
    assert scorer.optimum - scorer.floor(0.99) == pytest.approx(planner, abs=1e-9)


def test_the_floor_is_nothing_where_agent_and_suite_discount_alike() -> None:
    scorer = Scorer(gym.make("bellglass/FrozenLake-v0"), judged("discounted", 0.9))
    assert scorer.floor(0.9) == 0.0
    assert scorer.floor(0.5) >= 0.0


@pytest.mark.parametrize("discount", [-0.1, 1.5, float("nan"), float("inf")])
def test_a_discount_out_of_range_has_no_floor(discount: float) -> None:
    scorer = Scorer(gym.make("bellglass/FrozenLake-v0"), judged("discounted", 0.9))
    with pytest.raises(ValueError, match=rf"must be in \[0, 1\], got {discount}"):
        scorer.floor(discount)


def test_who_does_not_discount_plans_for_the_total_reward() -> None:
    env = gym.make("bellglass/FrozenLake-v0")
    planned = bellglass.solve(env, criterion="total")
    value = bellglass.evaluate(env, planned.policy, criterion="finite_horizon", horizon=30).start_value
    scorer = Scorer(env, judged("finite_horizon", 1.0, 30))
    assert scorer.floor(1.0) == pytest.approx(scorer.optimum - value, abs=1e-9)
    assert scorer.floor(1.0) > 0.001
    assert Scorer(env, judged("total")).floor(1.0) == 0.0


def test_a_planner_without_an_answer_leaves_no_floor() -> None:
    """RiverSwim pays for ever, so its total reward has no bound."""
    assert Scorer(gym.make("bellglass/RiverSwim-v0"), judged("finite_horizon", 1.0, 20)).floor(1.0) == 0.0


def impatient_with_the_tiger(steps: int) -> float:
    """Expected return of who listens only while that costs less than opening the likelier door.

    With d more growls from one side than from the other, the tiger is there with chance .85^d / (.85^d + .15^d).
    """
    values: dict[tuple[int, int], float] = {}
    for left in range(steps + 1):
        for d in range(steps + 1):
            sure = 0.85**d / (0.85**d + 0.15**d)
            growl = sure * 0.85 + (1 - sure) * 0.15
            if not left:
                values[left, d] = 0.0
            elif 10 * sure - 100 * (1 - sure) > -1:
                values[left, d] = 10 * sure - 100 * (1 - sure) + values[left - 1, 0]
            elif d < steps:
                after = values[left - 1, d + 1], values[left - 1, abs(d - 1)]
                values[left, d] = -1 + growl * after[0] + (1 - growl) * after[1]
    return values[steps, 0]


def test_where_states_are_hidden_the_floor_is_that_of_a_planner_that_remembers() -> None:
    scorer = Scorer(gym.make("bellglass/Tiger-v0"), judged("finite_horizon", 1.0, 10))
    assert scorer.floor(0.0) == pytest.approx(scorer.optimum - impatient_with_the_tiger(10), abs=1e-6)
    assert scorer.floor(0.0) > 1.0


def test_actions_that_a_state_has_not_shown_yet_are_not_what_an_explorer_plays_there() -> None:
    """Two of three actions are available, and the agent will see which when it comes."""
    mdp = TabularMDP.from_function(
        lambda s, a: [] if s == 1 or a == 0 else [(1.0, 1, float(a))], states=range(2), actions=range(3)
    )
    env = TabularEnv(mdp)
    scorer = Scorer(env, judged("discounted", 0.9))
    for agent in (QLearning(env, epsilon=1.0), DQN(env, learning_starts=10)):
        for _ in range(2):  # nothing is kept of what it was told
            score = scorer.score(agent)
            assert score.exploring_value == pytest.approx(1.5, abs=1e-9)
            assert agent.action_probabilities(0, exploring=True) == pytest.approx(np.full(3, 1 / 3))


def random_table(seed: int, *, ends: bool) -> TabularMDP:
    generator = np.random.default_rng(seed)
    transition = generator.dirichlet(np.ones(6), size=(6, 3))
    mask = generator.random((6, 3)) < 0.7
    mask[:, 1] = True
    return TabularMDP.from_arrays(
        transition,
        generator.normal(size=(6, 3)),
        initial=[0.5, 0.5, 0, 0, 0, 0],
        terminal=[5] if ends else None,
        action_mask=mask,
    )


@pytest.mark.parametrize("ends", [False, True])
def test_a_long_horizon_comes_to_the_discounted_value(ends: bool) -> None:
    mdp = random_table(0, ends=ends)
    played = Evaluator(mdp, judged("discounted", 0.9)).played(uniform_chances(mdp))
    discounted = Evaluator(mdp, judged("discounted", 0.9)).values(played)
    long = Evaluator(mdp, judged("finite_horizon", 0.9, 400)).values(played)
    np.testing.assert_allclose(discounted, long, rtol=0, atol=1e-12)


def test_dense_and_sparse_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp = random_table(1, ends=True)
    for scoring in (judged("discounted", 0.95), judged("finite_horizon", 1.0, 9)):
        dense = Evaluator(mdp, scoring)
        with monkeypatch.context() as patch:
            patch.setattr("bellglass.planning.policies.policy_chain.DENSE", 0)
            sparse = Evaluator(random_table(1, ends=True), scoring)  # chains are kept by table
        played = dense.played(uniform_chances(mdp))
        np.testing.assert_allclose(dense.values(played), sparse.values(played), rtol=1e-12)


def test_weight_on_an_unavailable_action_is_played_as_the_lowest_available_one() -> None:
    mdp = TabularMDP.from_function(
        lambda s, a: [] if s == 1 or a == 0 else [(1.0, 1, float(a))], states=range(2), actions=range(3)
    )
    played = Evaluator(mdp, judged("discounted", 0.9)).played(np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(played, [[0.0, 0.75, 0.25], [0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    "bad", [[[0.5, 0.6], [0, 1]], [[1.5, -0.5], [0, 1]], [[np.nan, 1.0], [0, 1]], [[1.0]]]
)
def test_what_is_no_policy_is_refused(bad: list[list[float]]) -> None:
    mdp = TabularMDP.from_arrays(np.full((2, 2, 2), 0.5), np.zeros(2), initial=[1, 0])
    with pytest.raises(ValueError, match="probabilities"):
        Evaluator(mdp, judged("discounted", 0.9)).played(bad)


def hidden(*, by_action: bool) -> TabularPOMDP:
    """Four states, two of them alike; what is seen at reset differs from what is seen later."""
    generator = np.random.default_rng(3)
    mdp = TabularMDP.from_arrays(
        generator.dirichlet(np.ones(4), size=(4, 2)), generator.normal(size=(4, 2)), initial=[0.25] * 4
    )
    shape = (2, 4) if by_action else (4,)
    at_reset = generator.dirichlet(np.ones(3), size=4)
    return TabularPOMDP(mdp, generator.dirichlet(np.ones(3), size=shape), at_reset)


def test_observations_by_state_and_by_action_are_scored_alike() -> None:
    """The same observations, told once as [S, O] and once as [A, S, O]."""
    plain = hidden(by_action=False)
    told_twice = TabularPOMDP(plain.mdp, plain.by_action, plain.initial_observation)
    agent = Table(np.random.default_rng(4).dirichlet(np.ones(2), size=3))
    for scoring in (judged("discounted", 0.9), judged("finite_horizon", 1.0, 5)):
        one, other = (
            Unsolved(TabularPOMDPEnv(pomdp), scoring).score(agent).value for pomdp in (plain, told_twice)
        )
        assert one == pytest.approx(other, rel=1e-12)


def test_a_policy_over_observations_is_worth_what_sampled_episodes_earn() -> None:
    pomdp = hidden(by_action=True)
    scorer = Unsolved(TabularPOMDPEnv(pomdp), judged("finite_horizon", 1.0, 5))
    policy = np.random.default_rng(4).dirichlet(np.ones(2), size=3)
    env, generator, returns = TabularPOMDPEnv(pomdp), np.random.default_rng(0), []
    for episode in range(4000):
        observation, _ = env.reset(seed=0 if episode == 0 else None)
        total = 0.0
        for _ in range(5):
            action = np.int64(generator.random() < policy[observation, 1])
            observation, reward, _, _, _ = env.step(action)
            total += float(reward)
        returns.append(total)
    error = float(np.std(returns)) / np.sqrt(len(returns))
    assert abs(np.mean(returns) - scorer.score(Table(policy)).value) < 4 * error


def test_gap_regret_is_on_average_the_regret_of_the_episodes() -> None:
    """The performance difference lemma, summed over the table instead of sampled."""
    mdp = random_table(2, ends=True)
    scorer = Scorer(TabularEnv(mdp), judged("discounted", 0.8))
    played = scorer.evaluator.played(uniform_chances(mdp))
    chain = np.einsum("sa,san->sn", played, mdp.transition_matrix.toarray().reshape(6, 3, 6))
    visits = np.linalg.solve(np.eye(6) - 0.8 * chain.T, mdp.initial)  # discounted, from the starts
    expected = float(visits @ (played * scorer.gaps.cost).sum(axis=1))
    assert scorer.optimum - scorer.random == pytest.approx(expected, rel=1e-9)
