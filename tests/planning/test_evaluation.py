"""Bounds of policies against exact rational arithmetic, by hand, and on tables too large to factorise."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from helpers.policies import Policy, mixed, random_actions, random_chances, stacked
from helpers.rational import exact_q, exact_values, long_run, random_table

from bellglass.envs.mdp import TabularMDP
from bellglass.planning import ToleranceError, UnboundedError, evaluate, policy_bounds, policy_values
from bellglass.planning.solutions.record import Criterion


def assert_between(lower: float, exact: Fraction | float, upper: float) -> None:
    if isinstance(exact, Fraction):
        assert Fraction(float(lower)) <= exact <= Fraction(float(upper))
    else:
        assert lower == exact == upper


def check_discounted(mdp: TabularMDP, policy: Policy, discount: float) -> None:
    found = policy_bounds(mdp, policy, discount)
    exact = exact_values(mdp, mixed(mdp, policy), [0] * mdp.num_states, Fraction(discount))
    scale = max(1.0, *(abs(float(v)) for v in exact))
    for s, v in enumerate(exact):
        assert_between(found.lower[s], v, found.upper[s])
        assert found.lower[s] <= found.values[s] <= found.upper[s]
        assert found.upper[s] - found.lower[s] <= 1e-8 * scale
    assert (found.lower[mdp.terminal] == 0).all()
    assert (found.upper[mdp.terminal] == 0).all()


def check_finite_horizon(mdp: TabularMDP, rules: Policy, horizon: int, discount: float) -> None:
    """`rules` may depend on the time."""
    timed = rules.ndim > (1 if rules.dtype.kind == "i" else 2)
    found = policy_bounds(mdp, rules, discount, criterion="finite_horizon", horizon=horizon)
    values = [Fraction(0)] * mdp.num_states
    for h in range(horizon - 1, -1, -1):
        rows = mixed(mdp, rules[h] if timed else rules)
        values = [
            exact_q(rows[s, 0], values, Fraction(discount)) if (s, 0) in rows else Fraction(0)
            for s in range(mdp.num_states)
        ]
        np.testing.assert_allclose(found.values[h], [float(v) for v in values], atol=1e-9, rtol=1e-12)
    for s, v in enumerate(values):
        assert_between(found.lower[s], v, found.upper[s])
    assert (found.upper - found.lower).max() <= 1e-10 * max(1.0, np.abs(found.values).max())


def check_total(mdp: TabularMDP, policy: Policy) -> None:
    exact = long_run(mdp, mixed(mdp, policy), [0] * mdp.num_states)[1]
    refused: UnboundedError | None = None
    try:
        found = policy_bounds(mdp, policy, criterion="total")
    except UnboundedError as error:
        refused = error
    if refused is not None:
        assert np.isnan(float(exact[refused.state])), "no limit there in fractions either"
        return
    for s, v in enumerate(exact):
        if np.isnan(float(v)):
            assert np.isnan(found.values[s])
        else:
            assert_between(found.lower[s], v, found.upper[s])


def check_average(mdp: TabularMDP, policy: Policy) -> None:
    exact = long_run(mdp, mixed(mdp, policy), [0] * mdp.num_states)[0]
    found = policy_bounds(mdp, policy, criterion="average")
    for s, v in enumerate(exact):
        assert_between(found.lower[s], v, found.upper[s])
        assert found.lower[s] <= found.values[s] <= found.upper[s]


def check_seed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mdp, endless = random_table(seed), random_table(seed, most_states=5, ends=False)
    discount, horizon = [0.0, 0.5, 0.9, 0.99, 0.9999][seed % 5], 1 + seed % 6
    for draw in (random_actions, random_chances):
        policy: Policy = draw(mdp, rng)
        given = policy.copy()
        check_discounted(mdp, policy, discount)
        check_finite_horizon(mdp, policy, horizon, [1.0, 0.9, 0.0][seed % 3])
        check_finite_horizon(mdp, stacked([draw(mdp, rng) for _ in range(horizon)]), horizon, 1.0)
        check_total(mdp, policy)
        check_average(endless, draw(endless, rng))
        np.testing.assert_array_equal(policy, given)


@pytest.mark.parametrize("seed", range(40))
def test_every_bound_is_true_in_rational_arithmetic(seed: int) -> None:
    check_seed(seed)


@pytest.mark.parametrize("seed", range(40))
def test_bounds_of_tables_that_are_gathered_are_true_too(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellglass.planning.policies.policy_chain.DENSE", 0)
    check_seed(100 + seed)


@pytest.mark.slow
def test_five_hundred_tables_under_every_criterion_and_kind_of_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for seed in range(1000, 1500):
        if seed == 1250:
            monkeypatch.setattr("bellglass.planning.policies.policy_chain.DENSE", 0)
        check_seed(seed)


@pytest.mark.parametrize("seed", range(20))
def test_a_score_lies_between_its_bounds(seed: int) -> None:
    mdp, rng = random_table(seed), np.random.default_rng(seed)
    policy = random_chances(mdp, rng)
    score = evaluate(mdp, policy, 0.9)
    exact = exact_values(mdp, mixed(mdp, policy), [0] * mdp.num_states, Fraction(0.9))
    weights = [Fraction(float(p)) for p in mdp.initial]
    start = sum((w * v for w, v in zip(weights, exact, strict=True)), Fraction(0)) / sum(weights)
    assert Fraction(score.lower) <= start <= Fraction(score.upper)
    assert score.lower <= score.start_value <= score.upper
    assert score.upper - score.lower <= 1e-10 * max(1.0, abs(score.start_value))


def ring(size: int, seed: int = 0) -> TabularMDP:
    """Random moves to four states anywhere: what a factorisation fills in."""
    rng = np.random.default_rng(seed)
    pairs = size * 2
    return TabularMDP(
        first_outcome=np.arange(0, 4 * pairs + 1, 4),
        probability=rng.dirichlet(np.ones(4), size=pairs).ravel(),
        next_state=rng.integers(size, size=4 * pairs),
        reward=rng.random(4 * pairs),
        terminated=np.zeros(4 * pairs, dtype=bool),
        initial=np.full(size, 1 / size),
        normalise=True,
    )


@pytest.mark.slow
def test_large_random_tables_are_iterated_and_certified(monkeypatch: pytest.MonkeyPatch) -> None:
    mdp = ring(5_000)
    policy = np.arange(5_000) % 2
    found = policy_bounds(mdp, policy, 0.99, tolerance=1e-10)
    gain = policy_bounds(mdp, policy, criterion="average")
    monkeypatch.setattr("bellglass.planning.algebra.linear.NARROW", 10**9)
    direct = policy_bounds(mdp, policy, 0.99, tolerance=1e-10)
    assert (np.maximum(found.lower, direct.lower) <= np.minimum(found.upper, direct.upper)).all()
    np.testing.assert_allclose(found.values, direct.values, rtol=1e-10)
    assert gain.values[0] == pytest.approx(policy_values(mdp, policy, criterion="average")[0], rel=1e-10)


def test_a_chain_that_iteration_cannot_solve_is_factorised(monkeypatch: pytest.MonkeyPatch) -> None:
    """A walk of 3,000 steps to the right, shuffled: its band is wide until it is put in order."""
    size, rng = 3_000, np.random.default_rng(0)
    place = rng.permutation(size)
    target = np.empty(size, dtype=np.int64)
    target[place[:-1]], target[place[-1]] = place[1:], place[-1]
    mdp = TabularMDP(
        first_outcome=np.arange(size + 1),
        probability=np.ones(size),
        next_state=target,
        reward=(np.arange(size) == place[-1]).astype(float),
        terminated=np.zeros(size, dtype=bool),
        initial=np.full(size, 1 / size),
        normalise=True,
    )
    monkeypatch.setattr("bellglass.planning.algebra.krylov.STEPS", 10)
    found = policy_bounds(mdp, np.zeros(size, dtype=int), 0.9999)
    steps = np.empty(size)
    steps[place] = np.arange(size)[::-1]
    np.testing.assert_allclose(found.values, 0.9999**steps / (1 - 0.9999), rtol=1e-9)


def test_hand_made_totals_say_which_states_are_infinite() -> None:
    """0 gains 1 for ever, 1 loses 1 for ever, 2 stays for nothing, 3 ends after paying 5."""
    mdp = TabularMDP.from_P(
        {
            0: {0: [(1.0, 0, 1.0, False)]},
            1: {0: [(1.0, 1, -1.0, False)]},
            2: {0: [(1.0, 2, 0.0, False)]},
            3: {0: [(1.0, 3, 5.0, True)]},
        },
        initial=[0.25] * 4,
    )
    found = policy_bounds(mdp, [0, 0, 0, 0], criterion="total")
    for numbers in (found.values, found.lower, found.upper):
        np.testing.assert_allclose(numbers, [np.inf, -np.inf, 0.0, 5.0], rtol=1e-14)


def test_a_tolerance_beyond_float64_raises_with_bounds_that_hold() -> None:
    mdp = random_table(3)
    policy = random_chances(mdp, np.random.default_rng(0))
    with pytest.raises(ToleranceError, match="tolerance of 1e-18") as caught:
        policy_bounds(mdp, policy, 0.999, tolerance=1e-18)
    exact = exact_values(mdp, mixed(mdp, policy), [0] * mdp.num_states, Fraction(0.999))
    for low, v, high in zip(caught.value.lower, exact, caught.value.upper, strict=True):
        assert_between(low, v, high)


def test_bistable_chains_keep_their_gain() -> None:
    """Two wells that are left once in 1e12 steps: the bias is 1e12, so its digits are gone, the weights' are not."""
    leak = 1e-12
    mdp = TabularMDP.from_arrays(
        [[[1 - leak, leak]], [[2 * leak, 1 - 2 * leak]]], [[1.0], [0.0]], initial=[1, 0]
    )
    found = policy_bounds(mdp, [0, 0], criterion="average", tolerance=1e-12)
    total = [sum(map(Fraction, row)) for row in ([1 - leak, leak], [2 * leak, 1 - 2 * leak])]
    leave, back = Fraction(leak) / total[0], Fraction(2 * leak) / total[1]
    assert_between(found.lower[0], back / (leave + back), found.upper[0])


def two_states() -> TabularMDP:
    return TabularMDP.from_function(
        lambda s, a: [] if s == 1 or a == 2 else [(1.0, 1, float(a))], states=range(2), actions=range(3)
    )


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ([2, 0], "state 0: action 2 is not available"),
        ([3, 0], "state 0: the policy plays action 3"),
        ([-1, 0], "state 0: the policy plays action -1"),
        ([0], r"must have shape \[2\]"),
        ([[0.5, 0.0, 0.5], [0.0, 0.0, 0.0]], "state 0: action 2 is not available, .* with chance 0.5"),
        ([[0.5, 0.4, 0.0], [0.0, 0.0, 0.0]], "state 0: the policy's chances sum to 0.9, not 1"),
        ([[np.nan, 1.0, 0.0], [0.0, 0.0, 0.0]], "state 0, action 0: nan is not a probability"),
        ([[1.5, -0.5, 0.0], [0.0, 0.0, 0.0]], "state 0, action 0: 1.5 is not a probability"),
    ],
)
def test_policies_that_cannot_be_played_are_refused_by_name(policy: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        policy_bounds(two_states(), policy, 0.9)  # type: ignore[arg-type] # wrong on purpose


def test_a_policy_that_depends_on_the_time_is_refused_with_its_step() -> None:
    with pytest.raises(ValueError, match="step 1, state 0: action 2 is not available"):
        policy_bounds(two_states(), [[0, 0], [2, 0]], criterion="finite_horizon", horizon=2)


@pytest.mark.parametrize("criterion", ["average", "total"])
def test_impossible_settings_are_refused(criterion: Criterion) -> None:
    with pytest.raises(ValueError, match="must be None or 1"):
        policy_bounds(two_states(), [0, 0], 0.5, criterion=criterion)
    with pytest.raises(ValueError, match="tolerance must be positive"):
        policy_bounds(two_states(), [0, 0], criterion=criterion, tolerance=0.0)
    with pytest.raises(ValueError, match="state 0, action 0 ends with chance 1"):
        policy_bounds(two_states(), [0, 0], criterion="average")
