"""Occupancies: flow in equals flow out, rewards sum to the start value, fractions agree."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from helpers.policies import Policy, flow_gap, mixed, random_actions, random_chances, stacked
from helpers.rational import Row, exact_rows, long_run, random_table, solved

from bellglass.envs.mdp import TabularMDP
from bellglass.planning import UnboundedError, evaluate, occupancy
from bellglass.planning.algebra.chains import reached_from
from bellglass.planning.policies.policies import checked_policy
from bellglass.planning.policies.policy_chain import policy_chains


def start_of(mdp: TabularMDP) -> list[Fraction]:
    weights = [Fraction(float(p)) for p in mdp.initial]
    return [w / sum(weights) for w in weights]


def exact_visits(
    mdp: TabularMDP, rows: dict[tuple[int, int], Row], discount: Fraction, begin: list[Fraction]
) -> list[Fraction]:
    """The x with  x = begin + discount P^T x, by elimination."""
    size = mdp.num_states
    matrix = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    for (s, _), row in rows.items():
        for p, t, _, ends in row:
            if not ends:
                matrix[t][s] -= discount * p
    found = solved(matrix, begin)
    assert found is not None
    return found


@pytest.mark.parametrize("draw", [random_actions, random_chances])
@pytest.mark.parametrize("seed", range(40))
def test_discounted_occupancy_is_what_fractions_say(seed: int, draw: object) -> None:
    mdp, discount = random_table(seed), [0.0, 0.5, 0.9, 0.99][seed % 4]
    policy: Policy = draw(mdp, np.random.default_rng(seed))  # type: ignore[operator] # one of two functions
    x = occupancy(mdp, policy, discount)
    start = start_of(mdp)
    exact = exact_visits(mdp, mixed(mdp, policy), Fraction(discount), start)
    live = ~mdp.terminal
    np.testing.assert_allclose(x.sum(axis=1)[live], np.array([float(v) for v in exact])[live], atol=1e-12)
    assert (x[~mdp.action_mask] == 0).all()
    assert flow_gap(mdp, x, np.array([float(v) for v in start]), discount) < 1e-12
    score = evaluate(mdp, policy, discount)
    assert (x * mdp.expected_reward).sum() == pytest.approx(score.start_value, rel=1e-11, abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_expected_visits_until_the_end_are_infinite_exactly_where_play_goes_round(seed: int) -> None:
    mdp = random_table(seed)
    policy = random_chances(mdp, np.random.default_rng(seed))
    x = occupancy(mdp, policy, criterion="total")
    chain = policy_chains(mdp).chain(checked_policy(mdp, policy))
    met = reached_from(chain.sparse, mdp.initial > 0)
    rows = mixed(mdp, policy)
    follows = [reached_from(chain.sparse, np.arange(mdp.num_states) == s) for s in range(mdp.num_states)]
    for s in np.flatnonzero(~mdp.terminal).tolist():
        closed = all(follows[t][s] and not chain.leaks[t] for t in np.flatnonzero(follows[s]))
        assert bool(np.isinf(x[s].sum())) == bool(met[s] and closed)
        if not met[s]:
            assert (x[s] == 0).all()
    open_ = {s: row for (s, _), row in rows.items() if np.isfinite(x[s].sum())}
    inner = {(s, 0): [k for k in row if k[1] in open_] for s, row in open_.items()}
    begin = [w if s in open_ and met[s] else Fraction(0) for s, w in enumerate(start_of(mdp))]
    kept = {pair: row for pair, row in inner.items() if met[pair[0]]}
    exact = exact_visits(mdp, kept, Fraction(1), begin)
    for s in open_:
        assert x[s].sum() == pytest.approx(float(exact[s]), rel=1e-11, abs=1e-12)
    if not np.isinf(x).any():
        try:
            score = evaluate(mdp, policy, criterion="total")
        except UnboundedError:
            return  # the optimum is not defined
        assert (x * mdp.expected_reward).sum() == pytest.approx(score.start_value, rel=1e-10, abs=1e-9)


@pytest.mark.parametrize("seed", range(40))
def test_long_run_shares_earn_the_gain_and_balance(seed: int) -> None:
    mdp = random_table(seed, most_states=5, ends=False)
    policy = random_chances(mdp, np.random.default_rng(seed))
    x = occupancy(mdp, policy, criterion="average")
    assert x.sum() == pytest.approx(1.0, rel=1e-13)
    assert flow_gap(mdp, x, np.zeros(mdp.num_states), 1.0) < 1e-13
    gains = long_run(mdp, mixed(mdp, policy), [0] * mdp.num_states)[0]
    start = sum((w * g for w, g in zip(start_of(mdp), gains, strict=True)), Fraction(0))
    assert (x * mdp.expected_reward).sum() == pytest.approx(float(start), rel=1e-11, abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_within_a_horizon_each_step_has_its_own_occupancy(seed: int) -> None:
    mdp, horizon, discount = random_table(seed), 4, [1.0, 0.9][seed % 2]
    rng = np.random.default_rng(seed)
    for draw in (random_actions, random_chances):
        rules = stacked([draw(mdp, rng) for _ in range(horizon)])
        x = occupancy(mdp, rules, discount, criterion="finite_horizon", horizon=horizon)
        assert x.shape == (horizon, mdp.num_states, mdp.num_actions)
        here = start_of(mdp)
        for h in range(horizon):
            live = ~mdp.terminal
            np.testing.assert_allclose(
                x[h].sum(axis=1)[live], np.array([float(v) for v in here])[live], atol=1e-14
            )
            after = [Fraction(0)] * mdp.num_states
            for (s, _), row in mixed(mdp, rules[h]).items():
                for p, t, _, ends in row:
                    if not ends:
                        after[t] += Fraction(discount) * p * here[s]
            here = after
        score = evaluate(mdp, rules, discount, criterion="finite_horizon", horizon=horizon)
        assert (x * mdp.expected_reward).sum() == pytest.approx(score.start_value, rel=1e-12, abs=1e-12)


def test_by_hand() -> None:
    """0 goes on to 1 with a half and stays with a half; 1 ends.  Visits of 0: 1 + 1/2 + 1/4 + ... = 2."""
    mdp = TabularMDP.from_P(
        {0: {0: [(0.5, 0, 0.0, False), (0.5, 1, 0.0, False)]}, 1: {0: [(1.0, 1, 1.0, True)]}}, initial=[1, 0]
    )
    np.testing.assert_allclose(occupancy(mdp, [0, 0], criterion="total"), [[2.0], [1.0]], rtol=1e-15)
    np.testing.assert_allclose(occupancy(mdp, [0, 0], 0.5), [[4 / 3], [1 / 3]], rtol=1e-15)
    assert exact_rows(mdp)[1, 0][0][3]


def test_an_average_of_a_table_that_ends_is_refused_by_name() -> None:
    mdp = TabularMDP.from_P({0: {0: [(1.0, 0, 1.0, True)]}}, initial=[1])
    with pytest.raises(ValueError, match="state 0, action 0 ends with chance 1"):
        occupancy(mdp, [0], criterion="average")
