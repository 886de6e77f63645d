"""The linear programme: its values against fractions, its dual against the measure it must be."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from helpers.policies import flow_gap
from helpers.rational import exact_optimum, random_table

from bellglass.envs.mdp import TabularMDP
from bellglass.planning import occupancy, solve
from bellglass.planning.algebra.pairs import Pairs
from bellglass.planning.linear_programming import linear_programme


@pytest.mark.parametrize("seed", range(25))
def test_primal_and_dual_agree_with_fractions_and_with_the_measure(seed: int) -> None:
    mdp, discount = random_table(seed), [0.5, 0.9, 0.99][seed % 3]
    found = linear_programme(Pairs.of(mdp), discount)
    exact, _ = exact_optimum(mdp, Fraction(discount))
    scale = max(1.0, float(max(abs(v) for v in exact)))
    np.testing.assert_allclose(found.values, [float(v) for v in exact], atol=1e-7 * scale)
    start = mdp.initial / mdp.initial.sum()
    assert (found.occupancy * mdp.expected_reward).sum() == pytest.approx(
        float(start @ found.values), abs=1e-12 * scale / (1 - discount)
    )
    assert flow_gap(mdp, found.occupancy, np.where(mdp.terminal, 0, start), discount) < 1e-12
    np.testing.assert_allclose(found.occupancy, occupancy(mdp, found.policy, discount), atol=1e-12)
    assert flow_gap(mdp, found.dual, found.weights, discount) < 1e-6
    assert (found.dual * mdp.expected_reward).sum() == pytest.approx(
        float(found.weights @ found.values), rel=1e-6, abs=1e-6 * scale
    )


def test_states_that_no_start_meets_have_their_values_too() -> None:
    mdp = TabularMDP.from_function(
        lambda s, a: [(1.0, s, float(s + a))], states=range(3), actions=range(2), initial=[1.0, 0.0, 0.0]
    )
    found = linear_programme(Pairs.of(mdp), 0.5)
    np.testing.assert_allclose(found.values, [2.0, 4.0, 6.0], rtol=1e-14)
    np.testing.assert_allclose(found.occupancy, [[0, 2], [0, 0], [0, 0]], atol=1e-14)
    np.testing.assert_allclose(found.dual.sum(axis=1), 2.0 * found.weights, rtol=1e-9)


def test_the_programme_and_the_other_methods_meet() -> None:
    mdp = random_table(11)
    best = solve(mdp, 0.95)
    found = linear_programme(Pairs.of(mdp), 0.95)
    assert (found.values <= best.upper + 1e-9).all()
    assert (found.values >= best.lower - 1e-7).all()
