"""Total and average reward, policies and gaps, against every policy of small tables in rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from helpers.rational import all_policies, exact_rows, long_run, random_table

from bellglass.envs.mdp import TabularMDP
from bellglass.planning import ToleranceError, UnboundedError, evaluate, policy_values, solve
from bellglass.planning.questions import METHODS


def start_of(mdp: TabularMDP, values: list[Fraction | float]) -> float:
    """Mean over the start; infinite or nan as the values are."""
    total = sum(float(p) for p in mdp.initial)
    return sum(float(mdp.initial[s]) / total * float(values[s]) for s in np.flatnonzero(mdp.initial))


def reached(mdp: TabularMDP, policy: list[int] | None = None) -> set[int]:
    """States that some play (or the policy) reaches from a start."""
    met = set(np.flatnonzero(mdp.initial > 0).tolist())
    frontier = list(met)
    rows = exact_rows(mdp)
    while frontier:
        s = frontier.pop()
        for a in range(mdp.num_actions) if policy is None else [policy[s]]:
            for _, t, _, ends in rows.get((s, a), []):
                if not ends and t not in met:
                    met.add(t)
                    frontier.append(t)
    return met


def check_total(seed: int, method: str = "auto", most_states: int = 5) -> None:
    mdp = random_table(seed, most_states=most_states)
    rows = exact_rows(mdp)
    policies = {tuple(policy): long_run(mdp, rows, policy)[1] for policy in all_policies(mdp)}
    met = reached(mdp)
    refused: UnboundedError | None = None
    missed: ToleranceError | None = None
    try:
        found = solve(mdp, criterion="total", method=method)  # type: ignore[arg-type] # one of four names
    except UnboundedError as error:
        refused = error
    except ToleranceError as error:
        missed = error
    if missed is not None:
        assert method == "value_iteration", "only sweeps may be too many"
        for s in met:
            best = max(totals[s] for totals in policies.values())
            if np.isfinite(missed.lower[s]) and np.isfinite(missed.upper[s]):
                assert Fraction(float(missed.lower[s])) <= best <= Fraction(float(missed.upper[s]))
        return
    if refused is not None:
        assert refused.state in met
        here = [totals[refused.state] for totals in policies.values()]
        if refused.value == np.inf:
            assert any(v == np.inf for v in here)
        elif refused.value == -np.inf:
            assert all(v == -np.inf for v in here)
        else:
            assert any(v != v for v in here), "some policy goes round among rewards of both signs"
        return
    assert found.values is not None
    own = policies[tuple(found.policy.tolist())]
    for s in met:
        assert not any(totals[s] == np.inf or totals[s] != totals[s] for totals in policies.values())
        best = max(totals[s] for totals in policies.values())
        assert found.lower[s] <= float(best) + 1e-300 or best == -np.inf
        if best == -np.inf:
            assert found.values[s] == -np.inf
            continue
        assert isinstance(best, Fraction)
        assert Fraction(float(found.lower[s])) <= best <= Fraction(float(found.upper[s]))
        assert Fraction(float(found.lower[s])) <= own[s] <= best, "the policy earns what is promised"
        assert found.upper[s] - found.lower[s] <= 1e-8 * max(1.0, float(np.abs(found.upper[list(met)]).max()))


def check_average(seed: int, method: str = "auto", most_states: int = 5) -> None:
    mdp = random_table(seed, most_states=most_states, ends=False)
    rows = exact_rows(mdp)
    gains = [long_run(mdp, rows, policy)[0] for policy in all_policies(mdp)]
    missed: ToleranceError | None = None
    try:
        found = solve(mdp, criterion="average", method=method)  # type: ignore[arg-type] # one of four names
    except ToleranceError as error:
        missed = error
    if missed is not None:
        assert method == "relative_value_iteration", "only sweeps may be too many"
        for s in range(mdp.num_states):
            best = max(gain[s] for gain in gains)
            if np.isfinite(missed.lower[s]) and np.isfinite(missed.upper[s]):
                assert Fraction(float(missed.lower[s])) <= best <= Fraction(float(missed.upper[s]))
        return
    assert found.gain is not None
    own = long_run(mdp, rows, found.policy.tolist())[0]
    for s in range(mdp.num_states):
        best = max(gain[s] for gain in gains)
        assert Fraction(float(found.lower[s])) <= best <= Fraction(float(found.upper[s]))
        assert found.upper[s] - found.lower[s] <= 1e-8 * max(1.0, float(np.abs(found.gain).max()))
        assert Fraction(float(found.lower[s])) <= own[s] <= best, "the policy earns what is promised"


def check_policies(seed: int) -> None:
    """Every policy's total and gain, inf and nan included."""
    mdp = random_table(seed, most_states=4)
    rows = exact_rows(mdp)
    for policy in all_policies(mdp)[:20]:
        gains, totals = long_run(mdp, rows, policy)
        ends = any(end for row in rows.values() for *_, end in row)
        if not ends:
            np.testing.assert_allclose(
                policy_values(mdp, np.array(policy), criterion="average"),
                [float(g) for g in gains],
                atol=1e-9,
            )
        if any(totals[s] != totals[s] for s in reached(mdp, policy)):
            with pytest.raises(UnboundedError, match="has no limit"):
                policy_values(mdp, np.array(policy), criterion="total")
            continue
        values = policy_values(mdp, np.array(policy), criterion="total")
        np.testing.assert_allclose(values, [float(v) for v in totals], atol=1e-9, rtol=1e-9)


def check_gap(seed: int, criterion: str) -> None:
    """The smallest positive loss, by trying every single change."""
    mdp = random_table(seed, most_states=5, ends=criterion == "total")
    rows = exact_rows(mdp)
    try:
        best = solve(mdp, criterion=criterion)  # type: ignore[arg-type] # one of two names
        score = evaluate(mdp, best.policy, criterion=criterion)  # type: ignore[arg-type] # one of two names
    except UnboundedError:
        return
    which = 1 if criterion == "total" else 0
    optimum = start_of(mdp, list(long_run(mdp, rows, best.policy.tolist())[which]))
    losses = []
    for s, a in rows:
        changed = best.policy.tolist()
        changed[s] = a
        value = start_of(mdp, list(long_run(mdp, rows, changed)[which]))
        if optimum - value > 1e-9:
            losses.append(optimum - value)
    assert score.gap == pytest.approx(min(losses, default=np.inf), rel=1e-6)
    assert abs(score.regret) < 1e-8 * max(1.0, abs(optimum))


@pytest.mark.parametrize("method", METHODS["total"])
@pytest.mark.parametrize("seed", range(30))
def test_total_rewards_are_certified_or_refused_for_a_true_reason(seed: int, method: str) -> None:
    check_total(seed, method)


@pytest.mark.parametrize("method", METHODS["average"])
@pytest.mark.parametrize("seed", range(30))
def test_average_rewards_are_certified(seed: int, method: str) -> None:
    check_average(seed, method)


@pytest.mark.parametrize("seed", range(25))
def test_policies_are_worth_what_fractions_say(seed: int) -> None:
    check_policies(seed)


@pytest.mark.parametrize("criterion", ["total", "average"])
@pytest.mark.parametrize("seed", range(40))
def test_the_gap_is_the_smallest_loss_of_any_single_change(seed: int, criterion: str) -> None:
    check_gap(seed, criterion)


@pytest.mark.slow
@pytest.mark.parametrize("criterion", ["total", "average"])
def test_five_hundred_tables_by_every_method(criterion: str) -> None:
    check = check_total if criterion == "total" else check_average
    for seed in range(2000, 2500):
        for method in METHODS[criterion]:  # type: ignore[index] # one of two names
            check(seed, method, most_states=6)


def test_tall_totals_of_a_policy_keep_their_digits() -> None:
    """Values of 3e8 behind a narrow way out: bounds taken in the values themselves were 17.7 apart."""
    check_policies(1280)


@pytest.mark.slow
def test_five_hundred_tables_under_every_criterion() -> None:
    for seed in range(1000, 1500):
        check_total(seed)
        check_average(seed)
        check_gap(seed, "total")
        check_gap(seed, "average")
        if seed % 5 == 0:
            check_policies(seed)
