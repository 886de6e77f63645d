"""Total reward: the cases that other solvers get wrong, every method against fractions and closed forms."""

from __future__ import annotations

from fractions import Fraction

import gymnasium as gym
import numpy as np
import pytest
from helpers.rational import exact_rows, long_run

import bellglass  # noqa: F401 (registers the ids)
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.tables import table_of
from bellglass.planning import ToleranceError, UnboundedError, solve
from bellglass.planning.algebra.differences import Moves, chance_to_end
from bellglass.planning.algebra.pairs import Pairs
from bellglass.planning.solutions.solution import Solution
from bellglass.planning.undiscounted import vanishing_discount as vanishing
from bellglass.planning.undiscounted.end_components import end_components
from bellglass.planning.undiscounted.total import TOTAL_METHODS, TotalMethod, solve_total

Transitions = dict[int, dict[int, list[tuple[float, int, float, bool]]]]


def table(transitions: Transitions) -> TabularMDP:
    """Starts in state 0."""
    return TabularMDP.from_P(transitions, initial=np.eye(1, len(transitions))[0])


def storm_1061() -> TabularMDP:
    """Storm's issue 1061: each step costs 10; 0 and 1 lead to each other with .9, to the end with .1."""
    return table(
        {
            0: {0: [(0.9, 1, -10.0, False), (0.1, 2, -10.0, True)]},
            1: {0: [(0.9, 0, -10.0, False), (0.1, 2, -10.0, True)]},
            2: {0: [(1.0, 2, 0.0, True)]},
        }
    )


def check(mdp: TabularMDP, found: Solution) -> None:
    """Tables of one action: the bounds hold in fractions."""
    exact = long_run(mdp, exact_rows(mdp), [0] * mdp.num_states)[1]
    for low, value, high in zip(found.lower, exact, found.upper, strict=True):
        assert Fraction(float(low)) <= value <= Fraction(float(high))


def walk(size: int) -> TabularMDP:
    """A fair walk on 1 .. size - 1 that ends at 0 and at `size`; each step costs 1.  V(s) = -s (size - s)."""
    inner = size - 1
    step = np.stack([np.arange(inner) - 1, np.arange(inner) + 1], axis=1)
    ends = (step < 0) | (step >= inner)
    return TabularMDP(
        first_outcome=np.arange(0, 2 * inner + 1, 2),
        probability=np.full(2 * inner, 0.5),
        next_state=np.where(ends, 0, step).ravel(),
        reward=np.full(2 * inner, -1.0),
        terminated=ends.ravel(),
        initial=np.full(inner, 1 / inner),
    )


def garnet_that_ends(size: int, stop: float, seed: int = 0) -> TabularMDP:
    """Three actions, four random next states each, rewards of both signs, an end with chance `stop`."""
    rng = np.random.default_rng(seed)
    pairs = 3 * size
    chances = np.concatenate(
        [rng.dirichlet(np.ones(4), size=pairs) * (1 - stop), np.full((pairs, 1), stop)], axis=1
    )
    ends = np.zeros((pairs, 5), dtype=bool)
    ends[:, 4] = True
    return TabularMDP(
        first_outcome=np.arange(0, 5 * pairs + 1, 5),
        probability=chances.ravel(),
        next_state=rng.integers(size, size=5 * pairs),
        reward=np.repeat(rng.normal(size=pairs), 5),
        terminated=ends.ravel(),
        initial=np.full(size, 1 / size),
        normalise=True,
    )


def layers(count: int, width: int) -> TabularMDP:
    """No cycle: two actions, three states of the next layer each, numbered at random; the last layer ends."""
    rng = np.random.default_rng(1)
    size = count * width
    pairs = 2 * size
    layer = np.repeat(np.arange(size) // width, 6)
    last = layer == count - 1
    target = np.where(last, 0, (layer + 1) % count * width + rng.integers(width, size=6 * size))
    name = rng.permutation(size)
    order = np.argsort(np.repeat(name, 6), kind="stable")
    return TabularMDP(
        first_outcome=np.arange(0, 3 * pairs + 1, 3),
        probability=np.full(3 * pairs, 1 / 3),
        next_state=name[target][order],
        reward=rng.normal(size=3 * pairs),
        terminated=last[order],
        initial=np.full(size, 1 / size),
        normalise=True,
    )


@pytest.mark.parametrize("method", TOTAL_METHODS)
def test_storms_issue_1061_is_worth_minus_one_hundred(method: TotalMethod) -> None:
    mdp = storm_1061()
    found = solve(mdp, criterion="total", method=method)
    assert found.start_value == pytest.approx(-100.0, rel=1e-8)
    check(mdp, found)


@pytest.mark.parametrize("method", TOTAL_METHODS)
def test_the_slippery_lake_is_worth_fourteen_seventeenths(method: TotalMethod) -> None:
    found = solve(gym.make("bellglass/FrozenLake-v0", map_name="4x4"), criterion="total", method=method)
    assert found.start_value == pytest.approx(14 / 17, abs=1e-8)
    assert found.lower[0] <= 14 / 17 <= found.upper[0]


@pytest.mark.parametrize("method", TOTAL_METHODS)
def test_a_way_out_of_chance_1e_minus_12_is_found(method: TotalMethod) -> None:
    mdp = table(
        {0: {0: [(1.0 - 1e-12, 0, -1.0, False), (1e-12, 1, -1.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
    )
    found = solve(mdp, criterion="total", method=method)
    assert found.start_value == pytest.approx(-1e12, rel=1e-4)
    check(mdp, found)


@pytest.mark.parametrize("method", ["auto", "policy_iteration"])
def test_a_rare_way_out_of_a_circle_is_found(method: TotalMethod) -> None:
    """No state stays, so nothing but exact differences helps: values of 1e12, neighbours 3 apart."""
    mdp = table(
        {
            0: {0: [(1.0, 1, -1.0, False)]},
            1: {0: [(1.0, 2, 2.0, False)]},
            2: {0: [(1.0 - 1e-12, 0, -3.0, False), (1e-12, 3, -3.0, True)]},
            3: {0: [(1.0, 3, 0.0, True)]},
        }
    )
    found = solve(mdp, criterion="total", method=method)
    assert found.start_value == pytest.approx(-2e12, rel=1e-4)
    check(mdp, found)


def test_what_gains_for_ever_is_infinite_and_named() -> None:
    mdp = table({0: {0: [(1.0, 1, -5.0, False)], 1: [(1.0, 0, 0.0, True)]}, 1: {0: [(1.0, 1, 1e-9, False)]}})
    with pytest.raises(UnboundedError, match="infinite: from state 1") as caught:
        solve(mdp, criterion="total")
    assert (caught.value.state, caught.value.value) == (1, np.inf)


def test_a_gain_of_both_signs_is_infinite_however_small() -> None:
    mdp = table({0: {0: [(1.0, 1, 1.0, False)]}, 1: {0: [(1.0, 0, -1.0 + 1e-12, False)]}})
    with pytest.raises(UnboundedError, match="is infinite"):
        solve(mdp, criterion="total")


def test_what_loses_for_ever_without_a_way_out_is_minus_infinity_and_named() -> None:
    mdp = table({0: {0: [(0.5, 1, 0.0, False), (0.5, 0, 0.0, True)]}, 1: {0: [(1.0, 1, -1.0, False)]}})
    with pytest.raises(UnboundedError, match="from state 0 is minus infinity") as caught:
        solve(mdp, criterion="total")
    assert caught.value.value == -np.inf


@pytest.mark.parametrize("method", TOTAL_METHODS)
def test_what_loses_for_ever_is_left_by_a_dear_way_out(method: TotalMethod) -> None:
    mdp = table(
        {0: {0: [(1.0, 0, -1e-3, False)], 1: [(1.0, 1, -100.0, True)]}, 1: {0: [(1.0, 1, 0.0, True)]}}
    )
    found = solve(mdp, criterion="total", method=method)
    assert found.start_value == pytest.approx(-100.0)
    assert found.policy[0] == 1


@pytest.mark.parametrize("method", TOTAL_METHODS)
def test_going_round_for_nothing_beats_a_way_out_that_costs(method: TotalMethod) -> None:
    transitions: Transitions = {
        0: {0: [(1.0, 1, 0.0, False)], 1: [(1.0, 2, -1.0, True)]},
        1: {0: [(1.0, 0, 0.0, False)], 1: [(1.0, 2, -2.0, True)]},
        2: {0: [(1.0, 2, 0.0, True)], 1: [(1.0, 2, 0.0, True)]},
    }
    found = solve(table(transitions), criterion="total", method=method)
    assert found.start_value == 0.0
    assert found.policy[:2].tolist() == [0, 0]
    transitions[1][1] = [(1.0, 2, 3.0, True)]
    found = solve(table(transitions), criterion="total", method=method)
    assert found.start_value == pytest.approx(3.0)
    assert found.policy[:2].tolist() == [0, 1]


def test_going_round_among_both_signs_has_no_limit_and_the_circle_is_named() -> None:
    mdp = table(
        {
            0: {0: [(1.0, 1, 0.0, False)]},
            1: {0: [(1.0, 2, 1.0, False)]},
            2: {0: [(1.0, 1, -1.0, False)], 1: [(1.0, 0, 0.0, True)]},
        }
    )
    with pytest.raises(UnboundedError, match="no limit: going round among the 2 states 1, 2") as caught:
        solve(mdp, criterion="total")
    assert caught.value.value != caught.value.value


@pytest.mark.parametrize(("size", "method"), [(40, m) for m in TOTAL_METHODS] + [(3_000, "auto")])
def test_a_fair_walk_takes_as_long_as_the_formula_says(size: int, method: TotalMethod) -> None:
    found = solve(walk(size), criterion="total", method=method)
    exact = [-s * (size - s) for s in range(1, size)]
    assert (found.lower <= exact).all()
    assert (exact <= found.upper).all()


def test_no_state_of_a_long_chain_that_ends_lies_in_a_component() -> None:
    """Its states fall one by one from the ends: searches that start again for each take for ever."""
    component, inside = end_components(Pairs.of(walk(60_000)))
    assert (component == -1).all()
    assert not inside.any()


def test_a_table_without_a_cycle_takes_one_pass() -> None:
    small = layers(12, 20)
    found = solve(small, criterion="total")
    again = solve(small, criterion="total", method="policy_iteration")
    assert (found.method, found.iterations) == ("one pass", 1)
    np.testing.assert_allclose(found.numbers, again.numbers, atol=1e-10)
    large = solve(layers(50, 400), criterion="total")  # compiled
    swept = solve(layers(50, 400), criterion="total", method="value_iteration")
    assert large.method == "one pass"
    assert (np.maximum(large.lower, swept.lower) <= np.minimum(large.upper, swept.upper)).all()


def test_large_random_tables_are_solved_without_filling_in() -> None:
    mdp = garnet_that_ends(8_000, 0.01)
    found = solve(mdp, criterion="total")
    swept = solve(mdp, criterion="total", method="value_iteration")
    assert "BiCGSTAB" in found.method
    assert (np.maximum(found.lower, swept.lower) <= np.minimum(found.upper, swept.upper)).all()


@pytest.mark.parametrize("method", TOTAL_METHODS)
def test_a_tolerance_beyond_float64_raises_with_bounds_that_hold(method: TotalMethod) -> None:
    mdp = storm_1061()
    with pytest.raises(ToleranceError, match="tolerance of 1e-18") as caught:
        solve(mdp, criterion="total", method=method, tolerance=1e-18)
    assert caught.value.lower[0] <= -99.99
    assert caught.value.upper[0] - caught.value.lower[0] < 1e-6


def test_a_good_start_is_recognised() -> None:
    mdp = garnet_that_ends(60, 0.05)
    pairs, stop = Pairs.of(mdp), chance_to_end(mdp)
    cold = solve_total(pairs, stop=stop, tolerance=1e-10, relative=True, method="policy_iteration")
    warm = solve_total(
        pairs, stop=stop, tolerance=1e-10, relative=True, method="policy_iteration", policy=cold.policy
    )
    known = solve_total(
        pairs, stop=stop, tolerance=1e-10, relative=True, method="policy_iteration", start=cold.values
    )
    assert warm.iterations == known.iterations == 1 < cold.iterations
    np.testing.assert_array_equal(warm.policy, cold.policy)


def test_infinite_values_of_unreached_states_are_shown() -> None:
    mdp = table_of(gym.make("bellglass/FrozenLake-v0"))
    assert np.isfinite(solve(mdp, criterion="total").values).all()  # type: ignore[arg-type] # never None here
    found = solve(
        table(
            {
                0: {0: [(1.0, 0, 1.0, True)]},
                1: {0: [(1.0, 1, 1.0, False)]},
                2: {0: [(1.0, 2, -1.0, False)]},
            }
        ),
        criterion="total",
    )
    assert found.values is not None
    assert found.values.tolist() == [1.0, np.inf, -np.inf]


@pytest.mark.parametrize("seed", range(8))
def test_the_start_from_a_vanishing_chance_to_end_changes_no_answer(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(seed)
    size = 600
    chances = rng.dirichlet(np.ones(3), size=size * 2)
    mdp = TabularMDP(
        first_outcome=np.arange(0, 3 * size * 2 + 1, 3),
        probability=chances.ravel(),
        next_state=rng.integers(size, size=3 * size * 2),
        reward=np.repeat(rng.normal(size=size * 2), 3),
        terminated=rng.random(3 * size * 2) < 0.05,
        initial=np.full(size, 1 / size),
        normalise=True,
    )
    plain = solve(mdp, criterion="total", tolerance=1e-9)
    asked = []
    near = vanishing.nearly_best

    def counted(moves: Moves) -> object:
        asked.append(near(moves))
        return asked[-1]

    monkeypatch.setattr(vanishing, "LARGE", 0)
    monkeypatch.setattr("bellglass.planning.undiscounted.shortest_paths.nearly_best", counted)
    ahead = solve(mdp, criterion="total", tolerance=1e-9)
    assert any(rows is not None for rows in asked)
    assert ahead.iterations <= plain.iterations
    assert plain.values is not None
    assert ahead.values is not None
    np.testing.assert_allclose(ahead.values, plain.values, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(ahead.policy, plain.policy)
