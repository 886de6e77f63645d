"""Average reward: closed forms by every method, several components, periods, and bounds that hold when refused."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from helpers.rational import exact_rows, long_run

from bellglass.envs.exploration.river_swim import closed_form_gain, river_swim
from bellglass.envs.mdp import TabularMDP
from bellglass.planning import ToleranceError, solve
from bellglass.planning.algebra.chains import closed_classes, stationary
from bellglass.planning.algebra.pairs import Pairs
from bellglass.planning.undiscounted.average import AVERAGE_METHODS, AverageMethod, solve_average

Transitions = dict[int, dict[int, list[tuple[float, int, float, bool]]]]


def table(transitions: Transitions) -> TabularMDP:
    """Starts in state 0."""
    return TabularMDP.from_P(transitions, initial=np.eye(1, len(transitions))[0])


def river(length: int) -> TabularMDP:
    return river_swim(length, "osband", r_left=0.005, r_right=1.0, reward_on="action")


def garnet(size: int, seed: int = 0) -> TabularMDP:
    """Three actions, four random next states each: mixes fast and fills in."""
    rng = np.random.default_rng(seed)
    pairs = 3 * size
    return TabularMDP(
        first_outcome=np.arange(0, 4 * pairs + 1, 4),
        probability=rng.dirichlet(np.ones(4), size=pairs).ravel(),
        next_state=rng.integers(size, size=4 * pairs),
        reward=np.repeat(rng.random(pairs), 4),
        terminated=np.zeros(4 * pairs, dtype=bool),
        initial=np.full(size, 1 / size),
        normalise=True,
    )


@pytest.mark.parametrize("method", AVERAGE_METHODS)
def test_the_river_of_twenty_gains_three_sevenths(method: AverageMethod) -> None:
    found = solve(river(20), criterion="average", method=method, tolerance=1e-9)
    exact = closed_form_gain(20, "osband", r_right=1.0, reward_on="action")
    assert found.start_value == pytest.approx(3 / 7, abs=1e-9)
    assert (found.lower <= exact + 1e-15).all()
    assert (exact - 1e-15 <= found.upper).all()
    assert (found.policy == 1).all()


def test_a_long_river_is_swum_to_its_end() -> None:
    """News of the reward travels from the far end, against a bias that outgrows float64 if evaluated too early."""
    found = solve(river(1_000), criterion="average")
    assert found.start_value == pytest.approx(3 / 7, abs=1e-9)
    assert (found.policy == 1).all()


@pytest.mark.parametrize("method", AVERAGE_METHODS)
def test_a_circle_has_a_period_and_a_gain(method: AverageMethod) -> None:
    circle = {s: {0: [(1.0, (s + 1) % 3, float(s), False)]} for s in range(3)}
    found = solve(table(circle), criterion="average", method=method)
    np.testing.assert_allclose(found.numbers, 1.0, atol=1e-8)
    assert found.bias is not None
    for s in range(3):
        assert found.bias[s] == pytest.approx(s - 1.0 + found.bias[(s + 1) % 3], abs=1e-7)
    assert found.bias.sum() == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("method", AVERAGE_METHODS)
def test_several_components_have_their_own_gains(method: AverageMethod) -> None:
    """From 0: stay for 1, or gamble for 3 or 0 with 1/2 each; 3 leaves for 1 by 4."""
    mdp = table(
        {
            0: {0: [(1.0, 0, 1.0, False)], 1: [(0.5, 1, 0.0, False), (0.5, 2, 0.0, False)]},
            1: {0: [(1.0, 1, 3.0, False)], 1: [(1.0, 0, 9.0, False)]},
            2: {0: [(1.0, 2, 0.0, False)], 1: [(1.0, 2, -1.0, False)]},
            3: {0: [(1.0, 4, 100.0, False)], 1: [(1.0, 2, 100.0, False)]},
            4: {0: [(1.0, 1, -100.0, False)], 1: [(1.0, 2, 0.0, False)]},
        }
    )
    found = solve(mdp, criterion="average", method=method)
    np.testing.assert_allclose(found.numbers, [3.0 * 0.5, 3.0, 0.0, 3.0, 3.0], atol=1e-8)
    assert found.policy.tolist() == [1, 0, 0, 0, 0]
    own = long_run(mdp, exact_rows(mdp), found.policy.tolist())[0]
    for low, value, high in zip(found.lower, own, found.upper, strict=True):
        assert Fraction(float(low)) <= value <= Fraction(float(high))


def test_what_costs_nothing_in_the_end_may_be_paid_on_the_way() -> None:
    mdp = table(
        {0: {0: [(1.0, 0, 1.0, False)], 1: [(1.0, 1, -1e6, False)]}, 1: {0: [(1.0, 1, 1.0 + 1e-6, False)]}}
    )
    found = solve(mdp, criterion="average", tolerance=1e-10)
    assert found.policy.tolist() == [1, 0]
    np.testing.assert_allclose(found.numbers, 1.0 + 1e-6, atol=1e-12)


def test_many_components_are_looked_at_together() -> None:
    size = 5_000
    rng = np.random.default_rng(0)
    paid = rng.random(size)
    mdp = TabularMDP(
        first_outcome=np.arange(2 * size + 1),
        probability=np.ones(2 * size),
        next_state=np.stack([np.arange(size), np.maximum(np.arange(size) - 1, 0)], axis=1).ravel(),
        reward=np.stack([paid, np.zeros(size)], axis=1).ravel(),
        terminated=np.zeros(2 * size, dtype=bool),
        initial=np.full(size, 1 / size),
    )
    found = solve(mdp, criterion="average")
    np.testing.assert_allclose(found.numbers, np.maximum.accumulate(paid), atol=1e-12)


def test_large_random_tables_are_swept_and_every_method_agrees() -> None:
    mdp = garnet(6_000)
    swept = solve(mdp, criterion="average")
    solved = solve(mdp, criterion="average", method="policy_iteration")
    assert swept.method == "relative_value_iteration"
    assert (np.maximum(swept.lower, solved.lower) <= np.minimum(swept.upper, solved.upper)).all()
    assert swept.gain is not None
    assert swept.bias is not None
    rows = mdp.transition_matrix[np.arange(6_000) * 3 + swept.policy]
    paid = mdp.expected_reward[np.arange(6_000), swept.policy]
    own = float((paid + rows @ swept.bias - swept.bias).mean())
    np.testing.assert_allclose(paid + rows @ swept.bias - swept.bias, own, atol=1e-8)
    assert own == pytest.approx(swept.start_value, abs=1e-8)


def test_stationary_distributions_of_large_chains_are_stationary() -> None:
    mdp = garnet(3_000)
    chain = mdp.transition_matrix[np.arange(3_000) * 3].tocsr()
    members = closed_classes(chain, np.zeros(3_000, dtype=np.bool_)).members[0]
    weights = stationary(chain[members][:, members])
    np.testing.assert_allclose(chain[members][:, members].T @ weights, weights, atol=1e-12)
    assert weights.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("method", AVERAGE_METHODS)
def test_a_tolerance_beyond_float64_raises_with_bounds_that_hold(method: AverageMethod) -> None:
    mdp = river(6)
    with pytest.raises(ToleranceError, match="tolerance of 1e-18") as caught:
        solve(mdp, criterion="average", method=method, tolerance=1e-18)
    exact = long_run(mdp, exact_rows(mdp), [1] * 6)[0]
    for low, value, high in zip(caught.value.lower, exact, caught.value.upper, strict=True):
        assert Fraction(float(low)) <= value <= Fraction(float(high))
        assert high - low < 1e-9


def test_tables_that_end_are_refused_unless_they_start_again() -> None:
    mdp = table({0: {0: [(0.5, 0, 1.0, False), (0.5, 1, 3.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}})
    with pytest.raises(ValueError, match="never end, but state 0, action 0 may"):
        solve(mdp, criterion="average")
    found = solve(mdp, criterion="average", restart=True)
    assert found.start_value == pytest.approx(2.0)


def test_a_good_start_is_recognised() -> None:
    pairs = Pairs.of(garnet(500))
    cold = solve_average(pairs, tolerance=1e-9, relative=True, method="policy_iteration")
    warm = solve_average(pairs, tolerance=1e-9, relative=True, method="policy_iteration", policy=cold.policy)
    assert warm.iterations < cold.iterations
    swept = solve_average(pairs, tolerance=1e-9, relative=True, method="relative_value_iteration")
    again = solve_average(
        pairs, tolerance=1e-9, relative=True, method="relative_value_iteration", start=cold.bias
    )
    assert again.iterations < swept.iterations / 2
