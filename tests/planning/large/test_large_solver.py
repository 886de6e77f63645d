"""Compiled kernels: every method against exact rational arithmetic, and against NumPy's road on larger tables."""

from __future__ import annotations

from fractions import Fraction

import gymnasium as gym
import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.csgraph
from helpers.rational import exact_optimum, exact_q, exact_rows, exact_values, random_table

from bellglass.envs.mdp import IntArray, TabularMDP
from bellglass.envs.tables import table_of
from bellglass.planning import ToleranceError, solve
from bellglass.planning.algebra.pairs import Pairs
from bellglass.planning.discounted import policy_iteration
from bellglass.planning.large.compiled_bounds import certify_rows
from bellglass.planning.large.large_solver import solve_large
from bellglass.planning.large.orders import Components, near_order, seems_to_end
from bellglass.planning.large.search import Search
from bellglass.planning.large.table_rows import Rows
from bellglass.planning.questions import Method

METHODS = [
    "auto",
    "gauss_seidel_value_iteration",
    "prioritised_value_iteration",
    "iterative_policy_iteration",
    "inexact_policy_iteration",
]


def check_kernels(seed: int, method: str) -> None:
    mdp = random_table(seed)
    swept = method.endswith("value_iteration")
    discount = [0.0, 0.5, 0.9, 0.99, 0.995 if swept else 0.9999][seed % 5]
    found, _, _ = solve_large(
        mdp, discount, method=method, tolerance=1e-8, relative=True, start=None, report=None
    )
    values, lower, upper, policy = found.values, found.lower, found.upper, found.policy
    q_values, optimal = found.q_values, found.optimal
    best, _ = exact_optimum(mdp, Fraction(discount))
    rows = exact_rows(mdp)
    own = exact_values(mdp, rows, policy.tolist(), Fraction(discount))
    scale = max(1.0, float(max(abs(v) for v in best)))
    for s, value in enumerate(best):
        low, high = Fraction(float(lower[s])), Fraction(float(upper[s]))
        assert low <= own[s] <= value <= high
        assert float(high - low) <= 1e-8 * scale
        assert low <= Fraction(float(values[s])) <= high
        for a in range(mdp.num_actions):
            if (s, a) not in rows:
                assert q_values[s, a] == -np.inf
                assert not optimal[s, a]
                continue
            exact = exact_q(rows[s, a], best, Fraction(discount))
            assert abs(q_values[s, a] - float(exact)) <= 2e-8 * scale
            if exact == value:
                assert optimal[s, a], "an exactly optimal action is never missed"
            elif float(value - exact) > 1e-6 * scale:
                assert not optimal[s, a]
    assert (policy[mdp.terminal] == 0).all()
    assert (values[mdp.terminal] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", range(25))
def test_every_compiled_certificate_is_true_in_rational_arithmetic(seed: int, method: str) -> None:
    check_kernels(seed, method)


@pytest.mark.slow
def test_five_hundred_compiled_certificates_are_true() -> None:
    for seed in range(500):
        for method in METHODS:
            check_kernels(1000 + seed, method)


def random_mdp(size: int, *, ends: float, back: bool, seed: int) -> TabularMDP:
    """Two actions, three outcomes each, which end with chance `ends`; if not `back`, only to higher states."""
    rng = np.random.default_rng(seed)
    pairs = size * 2
    state = np.repeat(np.arange(size), 6)
    targets = (
        rng.integers(size, size=6 * size)
        if back
        else np.minimum(state + 1 + rng.integers(5, size=6 * size), size - 1)
    )
    return TabularMDP(
        first_outcome=np.arange(0, 3 * pairs + 1, 3),
        probability=rng.dirichlet(np.ones(3), size=pairs).ravel(),
        next_state=targets,
        reward=rng.normal(size=6 * size),
        terminated=(rng.random(6 * size) < ends) | (~np.bool_(back) & (state == size - 1)),
        initial=np.full(size, 1 / size),
        normalise=True,
    )


@pytest.mark.parametrize("ends", [0.0, 0.1])
@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("method", METHODS)
def test_kernels_and_a_direct_solve_agree(ends: float, back: bool, method: str) -> None:
    mdp = random_mdp(700, ends=ends, back=back, seed=3)
    values, _ = policy_iteration(Pairs.of(mdp), 0.99)
    found, _, _ = solve_large(
        mdp, 0.99, method=method, tolerance=1e-10, relative=True, start=None, report=None
    )
    np.testing.assert_allclose(found.values, values, atol=1e-9)
    assert (found.lower <= values + 1e-11).all()
    assert (values <= found.upper + 1e-11).all()


def shuffled(mdp: TabularMDP, seed: int) -> tuple[TabularMDP, IntArray]:
    """The table with its states in a random order, and that order: [S] the old number of each new state."""
    old = np.random.default_rng(seed).permutation(mdp.num_states)
    new = np.argsort(old)
    rows = {
        (int(new[s]), a): [(p, int(new[t]), r, end) for p, t, r, end in outcomes]
        for s, actions in mdp.P.items()
        for a, outcomes in actions.items()
        if outcomes
    }
    return TabularMDP.from_P(
        {s: {a: rows.get((s, a), []) for a in range(mdp.num_actions)} for s in range(len(old))},
        initial=mdp.initial[old],
    ), old


def chain_of_rooms(rooms: int, size: int, *, seed: int) -> TabularMDP:
    """Rooms [size] whose states lead to each other, and to the next room; the last one ends."""
    rng = np.random.default_rng(seed)

    def model(s: int, a: int) -> list[tuple[float, int, float, bool]]:
        room = s // size
        inside = [
            (0.25, room * size + int(t), float(rng.normal()), False) for t in rng.integers(size, size=2)
        ]
        on = (room + 1) * size + int(rng.integers(size))
        return [*inside, (0.5, on, 0.0, False) if room + 1 < rooms else (0.5, s, 1.0, True)]

    return TabularMDP.from_function(model, range(rooms * size), range(2), initial={0: 1.0})


def test_tables_without_cycles_take_one_pass_whatever_the_order_of_their_states() -> None:
    mdp = random_mdp(700, ends=0.0, back=False, seed=3)
    mixed, old = shuffled(mdp, 0)
    for table, values in ((mdp, slice(None)), (mixed, old)):
        found, passes, done = solve_large(
            table, 0.99, method="auto", tolerance=1e-10, relative=True, start=None, report=None
        )
        assert (passes, done) == (1, "one pass in topological order")
        exact, _ = policy_iteration(Pairs.of(mdp), 0.99)
        np.testing.assert_allclose(found.values, exact[values], atol=1e-9)


@pytest.mark.parametrize("seed", range(20))
def test_components_are_scipys_and_stand_downstream_first(seed: int) -> None:
    mdp, _ = shuffled(chain_of_rooms(6, 1 + seed % 5, seed=seed), seed)
    rows, pairs = Rows.of(mdp), Pairs.of(mdp)
    found = Components.of(rows)
    graph = scipy.sparse.csr_array(
        (
            np.ones(pairs.matrix.nnz),
            (np.repeat(pairs.state, np.diff(pairs.matrix.indptr)), pairs.matrix.indices),
        )
    )
    graph.resize((mdp.num_states, mdp.num_states))
    count, label = scipy.sparse.csgraph.connected_components(graph, connection="strong")
    assert found.count == count
    assert len({(int(a), int(b)) for a, b in zip(found.part, label, strict=True)}) == count
    source, target = graph.nonzero()
    assert (found.part[source] >= found.part[target]).all()
    assert sorted(found.sequence.tolist()) == list(range(mdp.num_states))
    assert (np.diff(found.part[found.sequence].astype(np.int64)) >= 0).all()
    assert seems_to_end(rows) or count < mdp.num_states, "no cycle is ever seen where there is none"


def test_an_order_is_found_that_undoes_a_shuffle() -> None:
    river = table_of(gym.make("bellglass/RiverSwim-v0", n=2_000))
    mixed, old = shuffled(river, 1)
    assert not len(near_order(Rows.of(river))), "its own order is good enough"
    sequence = near_order(Rows.of(mixed))
    assert (np.abs(np.diff(old[sequence])) == 1).all()
    answers = [
        solve_large(table, 0.999, method="auto", tolerance=1e-9, relative=True, start=None, report=None)
        for table in (river, mixed)
    ]
    np.testing.assert_allclose(answers[1][0].values, answers[0][0].values[old], rtol=1e-8)
    assert answers[1][1] <= 2 * answers[0][1], "a shuffle costs no more improvements"


@pytest.mark.parametrize("back", [True, False])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [2.0**130, 2.0**500, 2.0**-200])
def test_rewards_that_single_precision_does_not_hold_change_nothing(
    factor: float, method: str, back: bool
) -> None:
    mdp = random_mdp(300, ends=0.05, back=back, seed=4)
    scaled = TabularMDP(
        first_outcome=mdp.first_outcome,
        probability=mdp.probability,
        next_state=mdp.next_state,
        reward=mdp.reward * factor,
        terminated=mdp.terminated,
        initial=mdp.initial,
    )
    exact, _ = policy_iteration(Pairs.of(mdp), 0.9)
    width = 1e-9 * factor if factor < 1 else 1e-9
    found, _, _ = solve_large(
        scaled, 0.9, method=method, tolerance=width, relative=factor > 1, start=None, report=None
    )
    np.testing.assert_allclose(found.values / factor, exact, atol=1e-7)
    assert (found.lower / factor <= exact + 1e-11).all()
    assert (exact <= found.upper / factor + 1e-11).all()
    assert float((found.upper - found.lower).max()) <= width * max(1.0, np.abs(found.values).max())


@pytest.mark.parametrize("guess", [np.nan, np.inf, 1e300])
def test_no_guess_however_wrong_is_certified(guess: float) -> None:
    """Comparisons do not see what is no number: bounds once passed for narrow that were none."""
    mdp = random_mdp(300, ends=0.05, back=True, seed=4)
    with pytest.raises(ToleranceError) as caught:
        certify_rows(Rows.of(mdp), np.full(300, guess), 0.9, tolerance=1e-9, relative=True)
    exact, _ = policy_iteration(Pairs.of(mdp), 0.9)
    assert (caught.value.lower <= exact).all()
    assert (exact <= caught.value.upper).all()


def test_a_wild_guess_to_begin_with_costs_time_alone() -> None:
    mdp = random_mdp(300, ends=0.05, back=True, seed=4)
    exact, _ = policy_iteration(Pairs.of(mdp), 0.9)
    found, _, _ = solve_large(
        mdp, 0.9, method="auto", tolerance=1e-9, relative=True, start=np.full(300, 1e300), report=None
    )
    np.testing.assert_allclose(found.values, exact, atol=1e-8)


@pytest.mark.parametrize("method", ["auto", "inexact_policy_iteration"])
def test_systems_keep_their_digits_very_near_discount_one(method: Method) -> None:
    lake = table_of(gym.make("bellglass/FrozenLake-v0", map_name="8x8"))
    exact = solve(lake, 1 - 1e-8, method="policy_iteration", tolerance=1e-6)
    found, _, _ = solve_large(
        lake, 1 - 1e-8, method=method, tolerance=1e-6, relative=True, start=None, report=None
    )
    assert (found.lower <= exact.upper).all()
    assert (exact.lower <= found.upper).all()
    assert float((found.upper - found.lower).max()) <= 1e-6


def test_threads_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    from bellglass.planning.large import table_rows as rows

    mdp = random_mdp(5_000, ends=0.05, back=True, seed=1)
    one, *_ = solve_large(mdp, 0.99, method="auto", tolerance=1e-9, relative=True, start=None, report=None)
    monkeypatch.setattr(rows, "WORTH_A_THREAD", 0)
    monkeypatch.setattr(rows, "cpus", lambda: 2)
    two, *_ = solve_large(mdp, 0.99, method="auto", tolerance=1e-9, relative=True, start=None, report=None)
    for name in ("values", "lower", "upper", "policy", "q_values", "optimal"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))


def test_nothing_but_higher_states_takes_one_pass() -> None:
    found = solve_large(
        random_mdp(500, ends=0.1, back=False, seed=0),
        0.9,
        method="auto",
        tolerance=1e-10,
        relative=True,
        start=None,
        report=None,
    )
    assert found[1:] == (1, "one pass in topological order")


def test_a_good_start_saves_passes_and_changes_no_bound() -> None:
    mdp = random_mdp(5_000, ends=0.0, back=True, seed=2)
    settings = {"tolerance": 1e-9, "relative": True, "report": None}
    cold, many, _ = solve_large(mdp, 0.99, method="auto", start=None, **settings)  # type: ignore[arg-type] # a dict of settings
    warm, few, _ = solve_large(mdp, 0.99, method="auto", start=cold.values, **settings)  # type: ignore[arg-type] # the same
    assert few == 1 < many
    assert (np.maximum(cold.lower, warm.lower) <= np.minimum(cold.upper, warm.upper)).all()


@pytest.mark.parametrize("method", ["policy_iteration", "modified_policy_iteration", "auto"])
def test_warm_starts_are_taken_on_every_road(method: str) -> None:
    mdp = random_mdp(50, ends=0.0, back=True, seed=2)
    best = solve(mdp, 0.95)
    by_values = solve(mdp, 0.95, method=method, initial_values=best.values)  # type: ignore[arg-type] # a name
    by_policy = solve(mdp, 0.95, method=method, initial_policy=best.policy)  # type: ignore[arg-type] # a name
    assert by_values.iterations <= 2
    assert by_policy.iterations <= 2
    with pytest.raises(ValueError, match=r"initial_values must have shape \[50\]"):
        solve(mdp, 0.95, initial_values=[1.0])
    with pytest.raises(ValueError, match=r"initial_values\[3\] is nan"):
        solve(mdp, 0.95, initial_values=[0.0] * 3 + [float("nan")] + [0.0] * 46)
    with pytest.raises(ValueError, match="not both"):
        solve(mdp, 0.95, initial_values=best.values, initial_policy=best.policy)
    with pytest.raises(ValueError, match="are not for criterion 'finite_horizon'"):
        solve(mdp, criterion="finite_horizon", horizon=3, initial_values=best.values)
    with pytest.raises(ValueError, match="are not for method 'linear_programming'"):
        solve(mdp, 0.9, method="linear_programming", initial_values=best.values)
    with pytest.raises(TypeError, match="must hold integers"):
        solve(mdp, 0.9, initial_policy=np.full((50, 2), 0.5))


def test_kernels_refuse_a_tolerance_beyond_float64_with_bounds_that_hold() -> None:
    mdp = random_mdp(300, ends=0.0, back=True, seed=4)
    with pytest.raises(ToleranceError, match="tolerance of 1e-16") as caught:
        solve_large(mdp, 0.999, method="auto", tolerance=1e-16, relative=True, start=None, report=None)
    values, _ = policy_iteration(Pairs.of(mdp), 0.999)
    assert (caught.value.lower <= values + 1e-10).all()
    assert (values <= caught.value.upper + 1e-10).all()
    assert (caught.value.upper - caught.value.lower).max() < 1e-6


def test_a_residual_in_one_state_alone_breaks_no_solver_down() -> None:
    """A table on which BiCGSTAB, its shadow residual 0 but for one state, broke down at its first step."""
    check_kernels(1384, "inexact_policy_iteration")
    check_kernels(1384, "auto")


def test_rounding_of_a_pair_nobody_plays_widens_no_bound() -> None:
    """A table of values near .2, where one bad pair pays -183: its rounding alone is more than the tolerance."""
    check_kernels(1109, "auto")


def test_a_chance_to_end_too_small_for_float64_to_tell_from_none_is_not_taken_for_none() -> None:
    """Chances of 1 and 1e-20 sum to 1 in float64, and do end: the table may not be centred as if nothing ended."""
    mdp = TabularMDP.from_P({0: {0: [(1.0, 0, 1.0, False), (1e-20, 0, 1.0, True)]}}, initial=[1.0])
    rows = Rows.of(mdp)
    assert not rows.never_ends
    assert Fraction(rows.least) <= 1 / (1 + Fraction(1e-20)), "a lower bound on the mass, exactly"
    ends = TabularMDP.from_P({0: {0: [(1e-20, 0, 1.0, False), (1.0, 0, 1.0, True)]}}, initial=[1.0])
    assert 0.0 <= Fraction(Rows.of(ends).least) <= Fraction(1e-20) / (1 + Fraction(1e-20))


def test_a_guess_that_was_wrong_is_found_by_the_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first policy is swept to the end and taken for the answer: bounds and policy must be the same."""
    mdp = random_mdp(300, ends=0.0, back=True, seed=7)
    settings = {"method": "auto", "tolerance": 1e-6, "relative": True, "start": None, "report": None}
    plain, *_ = solve_large(mdp, 0.95, **settings)  # type: ignore[arg-type] # a dict of settings
    guesses = []
    doubt = Search.doubt

    def counted(self: Search) -> bool:
        guesses.append(self.guessed)
        return doubt(self)

    monkeypatch.setattr(Search, "doubt", counted)
    monkeypatch.setattr("bellglass.planning.large.sweeps.SETTLED", 2.0)
    monkeypatch.setattr("bellglass.planning.large.sweeps.SHRINK", 0.0)
    monkeypatch.setattr("bellglass.planning.large.sweeps.JUDGED", 1000)
    misled, *_ = solve_large(mdp, 0.95, **settings)  # type: ignore[arg-type] # the same
    assert guesses == [True]
    assert (np.maximum(plain.lower, misled.lower) <= np.minimum(plain.upper, misled.upper)).all()
    np.testing.assert_array_equal(plain.policy, misled.policy)


def deterministic(size: int, *, rewards: tuple[float, float], seed: int) -> TabularMDP:
    """Three roads a state, one outcome each; state 0 is the end, and some roads end where they lead."""
    rng = np.random.default_rng(seed)
    lengths = np.full(size * 3, 1)
    lengths[:3] = 0
    next_state = rng.integers(size, size=3 * (size - 1))
    starts = np.full(size, 1.0 / (size - 1))
    starts[0] = 0.0
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(lengths)]),
        probability=np.ones(3 * (size - 1)),
        next_state=next_state,
        reward=rng.uniform(*rewards, size=3 * (size - 1)),
        terminated=(next_state == 0) | (rng.random(3 * (size - 1)) < 0.01),
        initial=starts,
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("rewards", "ends"), [((-9.0, -1.0), True), ((-1.0, 1.0), False), ((0.0, 1.0), False)]
)
def test_paths_from_the_ends_are_the_answer_where_no_cycle_pays_better(
    rewards: tuple[float, float], ends: bool, seed: int
) -> None:
    mdp = deterministic(400, rewards=rewards, seed=seed)
    found, _, done = solve_large(
        mdp, 0.98, method="auto", tolerance=1e-9, relative=True, start=None, report=None
    )
    assert (done == "label correcting from the ends") == ends
    values, _ = policy_iteration(Pairs.of(mdp), 0.98)
    np.testing.assert_allclose(found.values, values, atol=1e-7)


def test_a_state_from_which_no_path_ends_is_solved_too() -> None:
    P = {
        0: {0: [(1.0, 0, -1.0, False)], 1: [(1.0, 1, -5.0, False)]},
        1: {0: [(1.0, 0, -1.0, False)]},
        2: {0: [(1.0, 3, -2.0, True)], 1: [(1.0, 0, 0.0, False)]},
        3: {0: [(1.0, 3, 0.0, True)]},
    }
    mdp = TabularMDP.from_P(P, initial=[0.5, 0.0, 0.5, 0.0])
    found, *_ = solve_large(mdp, 0.9, method="auto", tolerance=1e-9, relative=True, start=None, report=None)
    np.testing.assert_allclose(found.values, [-10.0, -10.0, -2.0, 0.0], atol=1e-7)
