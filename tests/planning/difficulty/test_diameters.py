"""The diameter by certified sweeps, against the total-reward solver asked for every target, and closed forms."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
import scipy.sparse

import bellglass
from bellglass.envs.mdp import TabularMDP
from bellglass.planning.difficulty import diameters
from bellglass.planning.difficulty.diameters import Moves, diameter
from bellglass.planning.difficulty.measures import Restarting


def garnet(size: int, actions: int, branching: int, seed: int, *, skewed: bool = False) -> Moves:
    """Random pairs, and from every state one pair that may step on to the next: all reach each other."""
    rng = np.random.default_rng(seed)
    chances = np.zeros((size * actions, size))
    for pair in range(size * actions):
        targets = rng.choice(size, branching, replace=False)
        if pair % actions == 0:
            targets[0] = (pair // actions + 1) % size
        weights = rng.dirichlet(np.full(branching, 0.1 if skewed else 1.0)) + 1e-4
        np.add.at(chances[pair], targets, weights / weights.sum())
    return Moves(np.repeat(np.arange(size), actions), scipy.sparse.csr_array(chances))


def one_by_one(moves: Moves) -> float:
    """The most steps to any target, each by `solve(criterion="total")` on a table of its own."""
    size = moves.matrix.shape[1]
    actions = len(moves.state) // size
    matrix = moves.matrix.toarray()
    longest = 0.0
    for target in range(size):
        P = {
            s: {
                a: [(1.0, s, 0.0, True)]
                if s == target
                else [
                    (float(matrix[s * actions + a, j]), int(j), -1.0, bool(j == target))
                    for j in np.flatnonzero(matrix[s * actions + a])
                ]
                for a in range(actions)
            }
            for s in range(size)
        }
        table = TabularMDP.from_P(P, initial=np.full(size, 1 / size), normalise=True)
        values = bellglass.solve(table, criterion="total").values
        assert values is not None
        longest = max(longest, -float(values.min()))
    return longest


@pytest.mark.parametrize("small", [0, 1_000], ids=["sweeps", "policy iteration"])
@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_it_is_what_the_solver_says_target_by_target(
    seed: int, skewed: bool, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diameters, "SMALL", small)
    moves = garnet(25, 3, 4, seed, skewed=skewed)
    steps, pair = diameter(moves)
    assert steps == pytest.approx(one_by_one(moves), rel=1e-9)
    assert pair is not None
    assert pair[0] != pair[1]


@pytest.mark.parametrize("rounds", [0, 1, 3])
def test_giving_up_on_sweeps_early_changes_nothing(rounds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without rounds every target goes to policy iteration."""
    moves = garnet(120, 2, 3, seed=7, skewed=True)
    expected = diameter(moves)
    monkeypatch.setattr(diameters, "ROUNDS", rounds)
    found = diameter(moves)
    assert found[0] == pytest.approx(expected[0], rel=1e-10)
    assert found[1] == expected[1]


@pytest.mark.parametrize("size", [90, 110, 400])
def test_a_ring_of_equals_is_one_less_than_its_length(size: int) -> None:
    """Every target is as far as any other: all of them tie."""
    waits_or_goes = scipy.sparse.csr_array(
        np.stack([np.eye(size), np.roll(np.eye(size), 1, axis=1)], axis=1).reshape(2 * size, size)
    )
    assert diameter(Moves(np.repeat(np.arange(size), 2), waits_or_goes))[0] == pytest.approx(size - 1)


@pytest.mark.parametrize("forward", [0.8, 0.45, 0.2])
def test_a_walk_against_the_current_keeps_its_digits(forward: float) -> None:
    """One step up with `forward`, else one down (at 0: stay).

    From k to k + 1 it takes  t_k = (1 + (1 - p) t_{k-1}) / p  steps, t_0 = 1 / p; with p = .2 the sum is 10^72.
    """
    size, p = 120, min(forward, 1 - forward)  # downwards it is the same walk, seen from the other end
    matrix = np.zeros((size, size))
    for k in range(size):
        matrix[k, min(k + 1, size - 1)] += forward
        matrix[k, max(k - 1, 0)] += 1 - forward
    climb, total = 1 / p, 1 / p
    for _ in range(size - 2):
        climb = (1 + (1 - p) * climb) / p
        total += climb
    found, pair = diameter(Moves(np.arange(size), scipy.sparse.csr_array(matrix)))
    assert found == pytest.approx(total, rel=1e-9)
    assert pair is not None
    assert pair[1] == (
        size - 1 if forward < 0.5 else 0
    )  # the first sources are equally far, to the last digit


@pytest.mark.slow
def test_a_river_of_six_thousand_states_keeps_its_closed_form() -> None:
    """From k to k + 1 it takes  t_k = (1 + q_k t_{k-1}) / p_k  steps: one up has chance p_k, one down q_k."""
    size = 6_000
    river = bellglass.table_of(gym.make("bellglass/RiverSwim-v0", n=size))
    climb, total = 0.0, 0.0
    for k in range(size - 1):
        up, down = (sum(p for p, s, *_ in river.P[k][1] if s == k + step) for step in (1, -1))
        climb = (1.0 + down * climb) / up
        total += climb
    chain = Restarting(river)
    steps, pair = chain.diameter()
    assert steps == pytest.approx(total, rel=1e-9)
    assert pair == (0, size - 1)
