"""The mixing time against powers taken one by one, and the stationary distribution that it needs."""

from __future__ import annotations

import math

import gymnasium as gym
import numpy as np
import pytest
import scipy.sparse

import bellglass
from bellglass.planning.algebra.chains import stationary
from bellglass.planning.difficulty import mixing
from bellglass.planning.difficulty.mixing import mixing_time


def birth_and_death(size: int, up: float) -> scipy.sparse.csr_array:
    """One step up with chance `up`, one down with 1 - up; at an end the step that leaves is not made."""
    k = np.arange(size)
    rows = np.concatenate([k, k])
    columns = np.concatenate([np.minimum(k + 1, size - 1), np.maximum(k - 1, 0)])
    chances = np.repeat([up, 1.0 - up], size)
    return scipy.sparse.coo_array((chances, (rows, columns)), shape=(size, size)).tocsr()


def step_by_step(chain: np.ndarray, limit: np.ndarray) -> int:
    """Every power of the lazy chain, from the first."""
    lazy, power, steps = 0.5 * (chain + np.eye(len(chain))), np.eye(len(chain)), 0
    while 0.5 * np.abs(power - limit).sum(axis=1).max() > 0.25 + 1e-12:
        power, steps = power @ lazy, steps + 1
    return steps


@pytest.mark.parametrize("blocks", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_first_power_that_is_close(
    seed: int, blocks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if blocks:
        monkeypatch.setattr(mixing, "DENSE", 0)
        monkeypatch.setattr(mixing, "BLOCK", 7)
        monkeypatch.setattr(mixing, "FULL", 0.1 * seed)
    rng = np.random.default_rng(seed)
    size = 30
    chain = np.zeros((size, size))
    for s in range(size):  # some states are left for ever: the cycle runs through the upper half only
        chain[s, rng.choice(np.arange(size // 2, size), 2, replace=False)] += rng.dirichlet([1, 1]) * 0.5
        chain[s, s + 1 if s + 1 < size else size // 2] += 0.5
    limit = np.linalg.matrix_power(chain, 2**14)[0]
    assert mixing_time(scipy.sparse.csr_array(chain)) == step_by_step(chain, limit)


@pytest.mark.parametrize("stay", [0.9, 0.999])
def test_the_farthest_start_may_be_close_long_before_the_slowest(stay: float) -> None:
    """A corridor of 40 states is at distance 1 until its end, and mixed there; both states behind it stay long."""
    size = 42
    chain = np.diag(np.ones(size - 1), 1)
    chain[size - 3, size - 2 :] = 0.5
    chain[size - 2 :, size - 2 :] = [[stay, 1 - stay], [1 - stay, stay]]
    limit = np.zeros(size)
    limit[size - 2 :] = 0.5
    assert mixing_time(scipy.sparse.csr_array(chain)) == step_by_step(chain, limit)


def test_two_closed_classes_never_mix() -> None:
    assert mixing_time(scipy.sparse.eye_array(3, format="csr")) == math.inf


def test_blocks_and_whole_powers_agree_on_a_large_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    walk = birth_and_death(600, 0.6)
    whole = mixing_time(walk)
    monkeypatch.setattr(mixing, "DENSE", 0)
    assert mixing_time(walk) == whole
    # Lazy, it drifts up by .1 a step, and its share of 600 / .1 steps spreads by about sqrt(6000 * .24) / .1.
    assert 6_000 < whole < 6_000 + 3 * math.sqrt(6_000 * 0.49) / 0.1


@pytest.mark.parametrize(("size", "up"), [(800, 0.6), (800, 0.4), (2_000, 0.7), (1_000, 0.5)])
def test_a_stationary_distribution_does_not_hang_on_a_state_that_is_never_met(size: int, up: float) -> None:
    """Weights are a geometric series; state 0, or the last, has as little as 10^-700."""
    found = stationary(birth_and_death(size, up))
    exponents = np.arange(size) * math.log(up / (1 - up))
    expected = np.exp(exponents - exponents.max())
    np.testing.assert_allclose(found, expected / expected.sum(), atol=1e-12)


@pytest.mark.slow
def test_the_racetracks_best_driver_mixes() -> None:
    """Its chain of 1263 recurrent states was once solved relative to a state that it hardly ever meets."""
    track = bellglass.table_of(gym.make("bellglass/Racetrack-v0"))
    assert bellglass.hardness(track, 0.99).mixing_time == 31
