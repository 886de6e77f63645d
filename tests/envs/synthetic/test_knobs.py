"""Knobs: what each knob does to the table, and to the optimum."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs import table_of
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.rendering.cells import AGENT
from bellglass.envs.rendering.layout_artist import LayoutArtist
from bellglass.envs.synthetic.knobs import knobs
from bellglass.envs.synthetic.knobs_pictures import KnobsArtist


def turned(**keywords: Any) -> TabularMDP:
    return table_of(gym.make("bellglass/Knobs-v0", **keywords))


#: Two actions, two rings; place 0 earns by action 1.
LEADS = np.array([[2, 3], [3, 2], [0, 1], [1, 0]])
EARNS = np.array([[False, True], [False, False], [False, False], [False, False]])


def test_without_any_knob_an_action_leads_where_it_was_drawn_to() -> None:
    mdp = knobs(LEADS, EARNS, stochasticity=0.0, delay=0, noise=0.0)
    assert mdp.state_labels == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert mdp.P[0] == {0: [(1.0, 2, 0.0, False)], 1: [(1.0, 3, 1.0, False)]}
    assert mdp.P[3] == {0: [(1.0, 1, 0.0, False)], 1: [(1.0, 0, 0.0, False)]}
    assert mdp.initial.tolist() == [0.25] * 4


def test_stochasticity_ignores_the_action_and_noise_splits_the_payment() -> None:
    mdp = knobs(LEADS, EARNS, stochasticity=0.5, delay=0, noise=0.25)
    assert mdp.P[0][1] == [
        *[(0.125, 2, 0.75, False), (0.125, 2, 1.25, False)],
        *[(0.375, 3, 0.75, False), (0.375, 3, 1.25, False)],
    ]


def test_delay_pays_the_oldest_earning_and_keeps_the_others() -> None:
    mdp = knobs(LEADS, EARNS, stochasticity=0.0, delay=2, noise=0.0)
    assert mdp.num_states == 4 * 4
    assert mdp.decode(mdp.encode((1, 0, 1, 0))) == (1, 0, 1, 0)
    ((_, after, paid, _),) = mdp.P[mdp.encode((0, 0, 1, 0))][1]
    assert (mdp.decode(after), paid) == ((1, 1, 0, 1), 1.0)
    ((_, after, paid, _),) = mdp.P[mdp.encode((0, 0, 0, 1))][0]
    assert (mdp.decode(after), paid) == ((1, 0, 1, 0), 0.0)
    assert [mdp.decode(int(s)) for s in np.flatnonzero(mdp.initial)] == [
        *[(0, 0, 0, 0), (0, 1, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0)]
    ]


@pytest.mark.parametrize("stochasticity", [0.0, 0.3])
def test_a_delayed_world_is_worth_its_closed_form_and_noise_changes_nothing(stochasticity: float) -> None:
    settings: dict[str, Any] = {"stochasticity": stochasticity, "model_seed": 5}
    at_once = np.asarray(bellglass.solve(turned(**settings), 0.9).values)
    late = turned(**settings, delay=3, noise=2.0)
    values = np.asarray(bellglass.solve(late, 0.9).values)
    for s in range(late.num_states):
        label: Any = late.decode(s)
        (ring, number), pending = label[:2], label[2:]
        owed = sum(0.9**k * earned for k, earned in enumerate(pending))
        assert values[s] == pytest.approx(0.9**3 * at_once[4 * ring + number] + owed, abs=1e-7)


@pytest.mark.parametrize(("num_actions", "diameter"), [(2, 1), (2, 5), (3, 4), (5, 2)])
def test_the_diameter_is_the_diameter(num_actions: int, diameter: int) -> None:
    for seed in range(3):
        mdp = turned(num_actions=num_actions, diameter=diameter, model_seed=seed)
        assert bellglass.hardness(mdp, discount=0.9).diameter == pytest.approx(diameter, abs=1e-9)


def test_sparsity_counts_the_pairs_that_earn_nothing_but_leaves_one() -> None:
    for sparsity, earning in ((0.0, 48), (0.75, 12), (0.99, 1), (1.0, 1)):
        assert int(turned(sparsity=sparsity).expected_reward.sum()) == earning


def test_the_actions_of_a_place_lead_to_different_places() -> None:
    mdp = turned(num_actions=6, diameter=2, model_seed=2)
    assert all(len(set(row)) == 6 for row in mdp.next_state.reshape(12, 6).tolist())
    assert mdp.fingerprint == turned(num_actions=6, diameter=2, model_seed=2).fingerprint
    assert mdp.fingerprint != turned(num_actions=6, diameter=2, model_seed=3).fingerprint


@pytest.mark.parametrize(
    ("keywords", "error", "problem"),
    [
        ({"num_actions": 1}, ValueError, "num_actions must be at least 2, got 1"),
        ({"diameter": 0}, ValueError, "diameter must be at least 1, got 0"),
        ({"delay": -1}, ValueError, "delay must be at least 0, got -1"),
        ({"delay": 60}, ValueError, "GiB of memory"),
        ({"sparsity": 2}, ValueError, r"sparsity must be in \[0, 1\], got 2"),
        ({"stochasticity": "much"}, TypeError, "stochasticity must be a number"),
        ({"noise": -1}, ValueError, "noise must be at least 0, got -1"),
        ({"model_seed": None}, TypeError, "model_seed must be a whole number at least 0, got None"),
    ],
)
def test_settings_out_of_range_are_refused(
    keywords: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        turned(**keywords)


@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"num_actions": 2, "diameter": 1},
        {"num_actions": 9, "diameter": 5, "delay": 1},
        {"num_actions": 3, "diameter": 24},
        {"delay": 4, "stochasticity": 0.3},
    ],
)
def test_the_rings_are_drawn_and_every_state_looks_different(keywords: dict[str, Any]) -> None:
    env: Any = gym.make("bellglass/Knobs-v0", **keywords).unwrapped
    assert isinstance(env.artist, KnobsArtist)
    pictures = [env.artist.picture(s) for s in range(min(env.mdp.num_states, 60))]
    assert len({picture.tobytes() for picture in pictures}) == len(pictures)
    assert all((picture == AGENT).all(axis=2).any() for picture in pictures)
    assert env.artist.text(0).startswith("[")


def test_a_world_too_large_for_columns_is_drawn_as_any_table() -> None:
    env: Any = gym.make("bellglass/Knobs-v0", num_actions=2, diameter=30).unwrapped
    assert isinstance(env.artist, LayoutArtist)
