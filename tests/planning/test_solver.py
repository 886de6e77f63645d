"""`solve`, discounted and within a horizon, against exact rational arithmetic and its own methods."""

from __future__ import annotations

from fractions import Fraction

import gymnasium as gym
import numpy as np
import pytest
from helpers.rational import exact_optimum, exact_q, exact_rows, exact_values, random_table

import bellglass  # noqa: F401 (registers the ids)
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.tables import table_of
from bellglass.planning import ToleranceError, solve

METHODS = ["auto", "value_iteration", "policy_iteration", "modified_policy_iteration", "linear_programming"]


def check_discounted(seed: int, method: str) -> None:
    mdp = random_table(seed)
    swept = method in ("value_iteration", "modified_policy_iteration")
    discount = [0.0, 0.5, 0.9, 0.99, 0.995 if swept else 0.9999][seed % 5]
    found = solve(mdp, discount, method=method)  # type: ignore[arg-type] # a str here, checked by solve
    values, lowest = exact_optimum(mdp, Fraction(discount))
    rows = exact_rows(mdp)
    own = exact_values(mdp, rows, found.policy.tolist(), Fraction(discount))
    assert found.values is not None
    scale = max(1.0, float(max(abs(v) for v in values)))
    for s, value in enumerate(values):
        low, high = Fraction(float(found.lower[s])), Fraction(float(found.upper[s]))
        assert low <= own[s] <= value <= high
        assert float(high - low) <= 1e-8 * scale
        assert low <= Fraction(float(found.values[s])) <= high
        for a in range(mdp.num_actions):
            if (s, a) not in rows:
                assert found.q_values[s, a] == -np.inf
                assert not found.optimal_actions[s, a]
            else:
                exact = exact_q(rows[s, a], values, Fraction(discount))
                assert abs(found.q_values[s, a] - float(exact)) <= 2e-8 * scale
                if exact == value:
                    assert found.optimal_actions[s, a], "an exactly optimal action is never missed"
                elif float(value - exact) > 1e-6 * scale:
                    assert not found.optimal_actions[s, a]
    if method == "policy_iteration":
        assert found.policy.tolist() == lowest
    assert (found.policy[mdp.terminal] == 0).all()
    assert (found.values[mdp.terminal] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(15))
def test_every_certificate_is_true_in_rational_arithmetic(seed: int, method: str) -> None:
    check_discounted(seed, method)


@pytest.mark.slow
def test_five_hundred_discounted_certificates_are_true() -> None:
    for seed in range(500):
        check_discounted(1000 + seed, METHODS[seed // 5 % len(METHODS)])


def check_finite_horizon(seed: int) -> None:
    mdp = random_table(seed)
    horizon, discount = 1 + seed % 7, [1.0, 0.9, 0.0][seed % 3]
    found = solve(mdp, discount, criterion="finite_horizon", horizon=horizon)
    assert found.values is not None
    assert found.values.shape == (horizon + 1, mdp.num_states)
    assert found.q_values.shape == (horizon, mdp.num_states, mdp.num_actions)
    rows = exact_rows(mdp)
    best = [Fraction(0)] * mdp.num_states
    own = list(best)
    for h in range(horizon - 1, -1, -1):
        q = {pair: exact_q(row, best, Fraction(discount)) for pair, row in rows.items()}
        mine = {pair: exact_q(row, own, Fraction(discount)) for pair, row in rows.items()}
        for s in np.flatnonzero(~mdp.terminal).tolist():
            available = [a for a in range(mdp.num_actions) if (s, a) in rows]
            best[s] = max(q[s, a] for a in available)
            own[s] = mine[s, int(found.policy[h, s])]
            for a in available:
                assert found.optimal_actions[h, s, a] == (float(best[s] - q[s, a]) <= 1e-9)
            assert found.policy[h, s] == np.flatnonzero(found.optimal_actions[h, s])[0]
        np.testing.assert_allclose(found.values[h], [float(v) for v in best], atol=1e-9, rtol=1e-12)
    for s in range(mdp.num_states):
        assert Fraction(float(found.lower[s])) <= own[s] <= best[s] <= Fraction(float(found.upper[s]))


@pytest.mark.parametrize("seed", range(30))
def test_backward_induction_is_right_in_rational_arithmetic(seed: int) -> None:
    check_finite_horizon(seed)


@pytest.mark.slow
def test_five_hundred_backward_inductions_are_right() -> None:
    for seed in range(500):
        check_finite_horizon(1000 + seed)


@pytest.mark.parametrize(
    ("name", "keywords", "discount", "value"),
    [
        ("FrozenLake", {"map_name": "8x8"}, 0.99, 0.414640361799),
        ("FrozenLake", {"map_name": "4x4", "is_slippery": False}, 0.99, 0.9509900499),
        ("Grid5x5", {}, 0.9, None),
    ],
)
def test_known_start_values_are_found_by_every_method(
    name: str, keywords: dict[str, object], discount: float, value: float | None
) -> None:
    mdp = table_of(gym.make(f"bellglass/{name}-v0", **keywords))  # type: ignore[arg-type] # keywords of the id
    found = [solve(mdp, discount, method=method).start_value for method in METHODS]  # type: ignore[arg-type] # names
    np.testing.assert_allclose(found, found[0], rtol=2e-8)
    if value is not None:
        assert found[0] == pytest.approx(value, abs=1e-6)


def test_a_tolerance_beyond_float64_raises_with_bounds_that_hold() -> None:
    mdp = table_of(gym.make("bellglass/RiverSwim-v0"))
    with pytest.raises(ToleranceError, match="tolerance of 1e-15") as caught:
        solve(mdp, 0.999, tolerance=1e-15)
    values, _ = exact_optimum(mdp, Fraction(0.999))
    for low, value, high in zip(caught.value.lower, values, caught.value.upper, strict=True):
        assert Fraction(float(low)) <= value <= Fraction(float(high))
        assert high - low < 1e-6


def test_large_tables_are_swept_and_certified() -> None:
    """A random table of 4,000 states: `auto` and policy iteration meet within their bounds."""
    rng = np.random.default_rng(0)
    size = 4_000
    pairs = size * 2
    mdp = TabularMDP(
        first_outcome=np.arange(0, 3 * pairs + 1, 3),
        probability=rng.dirichlet(np.ones(3), size=pairs).ravel(),
        next_state=rng.integers(size, size=3 * pairs),
        reward=np.repeat(rng.random(pairs), 3),
        terminated=np.zeros(3 * pairs, dtype=bool),
        initial=np.full(size, 1 / size),
        normalise=True,
    )
    swept = solve(mdp, 0.99)
    again = solve(mdp, 0.99, method="value_iteration", tolerance=1e-7)
    assert swept.method == "modified_policy_iteration"
    assert (np.maximum(swept.lower, again.lower) <= np.minimum(swept.upper, again.upper)).all()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs a discount"),
        ({"discount": 1.0}, r"discount must be in \[0, 1\)"),
        ({"discount": -0.1}, r"discount must be in \[0, 1\)"),
        ({"discount": float("nan")}, r"discount must be in \[0, 1\)"),
        ({"discount": 0.9, "horizon": 5}, "horizon is for criterion 'finite_horizon'"),
        ({"discount": 0.9, "criterion": "finite_horizon"}, "needs horizon="),
        ({"criterion": "finite_horizon", "horizon": 0}, "at least 1"),
        ({"criterion": "total", "discount": 0.5}, "must be None or 1"),
        ({"criterion": "average", "discount": 0.5}, "must be None or 1"),
        ({"criterion": "best"}, "criterion must be one of"),
        ({"discount": 0.9, "method": "magic"}, "method must be one of"),
        ({"discount": 0.9, "method": "backward_induction"}, "does not answer"),
        ({"discount": 0.9, "tolerance": 0.0}, "tolerance must be positive"),
        ({"discount": 0.9, "restart": True}, "restart is for"),
    ],
)
def test_impossible_settings_are_refused_by_name(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        solve(table_of(gym.make("bellglass/RiverSwim-v0")), **settings)  # type: ignore[arg-type] # wrong on purpose


def test_a_solution_reads_well() -> None:
    found = solve(gym.make("bellglass/FrozenLake-v0"), 0.99)
    lines = str(found).splitlines()
    assert lines[0].startswith("best discounted reward (discount 0.99) from the start: 0.542025932")
    assert lines[1].split() == ["←", "↑", "↑", "↑"]
    assert "H" in lines[2]
    assert found._repr_html_().startswith("<figure>")
    assert "within 1 decision" not in repr(found)


def test_zero_probability_outcomes_change_nothing() -> None:
    plain = TabularMDP.from_P({0: {0: [(1.0, 0, 1.0, False)]}}, initial=[1.0])
    padded = TabularMDP.from_P({0: {0: [(1.0, 0, 1.0, False), (0.0, 0, 1e300, True)]}}, initial=[1.0])
    assert solve(plain, 0.5).start_value == solve(padded, 0.5).start_value == 2.0


def test_near_discount_one_the_bounds_reach_what_float64_can_hold() -> None:
    """A table that mixes: its values are many times greater than their spread, which rounding is measured by."""
    mdp = table_of(gym.make("bellglass/RiverSwim-v0"))
    discount = 1.0 - 1e-8
    found = solve(mdp, discount, tolerance=1e-8)
    values, _ = exact_optimum(mdp, Fraction(discount))
    for low, value, high in zip(found.lower, values, found.upper, strict=True):
        assert Fraction(float(low)) <= value <= Fraction(float(high))
        assert high - low <= 1e-8 * float(max(values))


@pytest.mark.parametrize(
    "method", ["auto", "value_iteration", "modified_policy_iteration", "policy_iteration"]
)
def test_beyond_float64_every_method_raises_before_long(method: str) -> None:
    mdp = random_table(0, ends=False)
    with pytest.raises(ToleranceError, match="float64 reached"):
        solve(mdp, 0.99, tolerance=1e-17, method=method)  # type: ignore[arg-type] # a name


def test_warm_starts_reach_the_other_criteria() -> None:
    river = table_of(gym.make("bellglass/RiverSwim-v0"))
    lake = table_of(gym.make("bellglass/FrozenLake-v0"))
    cold = solve(river, criterion="average", method="policy_iteration")
    warm = solve(river, criterion="average", method="policy_iteration", initial_policy=cold.policy)
    assert warm.iterations < cold.iterations
    assert warm.start_value == pytest.approx(cold.start_value, rel=1e-12)
    swept = solve(river, criterion="average", method="relative_value_iteration")
    again = solve(river, criterion="average", method="relative_value_iteration", initial_values=swept.bias)
    assert again.iterations < swept.iterations
    whole = solve(lake, criterion="total", method="value_iteration")
    more = solve(lake, criterion="total", method="value_iteration", initial_values=whole.values)
    assert more.iterations < whole.iterations
    best = solve(lake, criterion="total", method="policy_iteration")
    found = solve(lake, criterion="total", method="policy_iteration", initial_policy=best.policy)
    assert found.iterations <= best.iterations
    assert found.start_value == pytest.approx(14 / 17, rel=1e-12)
    with pytest.raises(ValueError, match="starts from initial_values, not from initial_policy"):
        solve(lake, criterion="total", method="value_iteration", initial_policy=best.policy)
    with pytest.raises(ValueError, match="whose state is observed"):
        solve(gym.make("bellglass/TMaze-v0"), 0.9, initial_values=[0.0])


def test_a_solver_that_breaks_down_raises_with_the_bounds_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the linear system is singular")

    monkeypatch.setattr("bellglass.planning.table_solver.solve_total", broken)
    with pytest.raises(ToleranceError, match="the linear system is singular") as caught:
        solve(table_of(gym.make("bellglass/FrozenLake-v0")), criterion="total")
    assert (caught.value.lower == -np.inf).all()
    assert (caught.value.upper == np.inf).all()


def test_a_horizon_too_long_for_memory_is_refused_with_its_size() -> None:
    with pytest.raises(
        ValueError, match=r"values and decisions of 1000000000000 steps in 6 states .* GiB of memory"
    ):
        solve(gym.make("bellglass/RiverSwim-v0"), criterion="finite_horizon", horizon=10**12)


def test_policy_iteration_near_discount_one_sees_small_gains() -> None:
    """A reward now, or 1e-7 more a step later: less than rounding of the values (5e7), which must not hide it."""
    P = {
        0: {0: [(1.0, 1, 1.0, False)], 1: [(1.0, 2, 0.0, False)]},
        1: {0: [(1.0, 0, 0.0, False)]},
        2: {0: [(1.0, 0, 1.0 + 1e-7, False)]},
    }
    mdp = TabularMDP.from_P(P, initial=[1.0, 0.0, 0.0])
    found = solve(mdp, 1.0 - 1e-8, tolerance=1e-8, method="policy_iteration")
    assert found.policy.tolist() == [1, 0, 0]
