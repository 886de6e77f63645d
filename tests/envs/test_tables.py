"""table_of: ours as it is, anyone's P once the steps bear it out, and nothing is touched."""

from __future__ import annotations

from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.toy_text.frozen_lake import FrozenLakeEnv

from bellglass.envs import OneHotObservation, table_of

TOY_TEXT = [
    ("FrozenLake", {}),
    ("FrozenLake", {"map_name": "8x8", "success_rate": 0.8}),
    ("FrozenLake", {"is_slippery": False}),
    ("CliffWalking", {}),
    ("CliffWalking", {"is_slippery": True}),
    ("Taxi", {}),
    ("Taxi", {"is_rainy": True}),
]
VERSIONS = {"FrozenLake": "v1", "CliffWalking": "v1", "Taxi": "v4"}


def theirs(name: str, keywords: dict[str, Any]) -> gym.Env[Any, Any]:
    return gym.make(f"{name}-{VERSIONS[name]}", **keywords)


@pytest.mark.parametrize(("name", "keywords"), TOY_TEXT)
def test_gymnasiums_tables_are_read_and_equal_ours_to_the_bit(name: str, keywords: dict[str, Any]) -> None:
    read = table_of(theirs(name, keywords))
    ours = table_of(gym.make(f"bellglass/{name}-v0", **keywords))
    assert read.fingerprint == ours.fingerprint


@pytest.mark.parametrize(("name", "keywords"), TOY_TEXT)
def test_live_rows_are_gymnasiums_as_multisets(name: str, keywords: dict[str, Any]) -> None:
    P: Any = theirs(name, keywords).unwrapped.P  # type: ignore[attr-defined]  # toy_text has it
    ours = table_of(gym.make(f"bellglass/{name}-v0", **keywords))
    for s in np.flatnonzero(~ours.terminal).tolist():
        for a in range(ours.num_actions):
            rows = [(float(p), int(to), float(r), bool(ended)) for p, to, r, ended in P[s][a]]
            assert Counter(rows) == Counter(ours.P[s][a])


def test_a_table_of_ours_is_the_very_object_through_any_wrappers() -> None:
    env = OneHotObservation(gym.wrappers.RecordEpisodeStatistics(gym.make("bellglass/RiverSwim-v0")))
    assert table_of(env) is env.unwrapped.mdp  # type: ignore[attr-defined]  # ours has it
    envs = gym.wrappers.vector.RecordEpisodeStatistics(gym.make_vec("bellglass/RiverSwim-v0", num_envs=2))
    assert table_of(envs) is envs.unwrapped.mdp  # type: ignore[attr-defined]  # ours has it


def test_a_wrapper_that_changes_the_dynamics_lays_its_own_table_open() -> None:
    other = table_of(gym.make("bellglass/RiverSwim-v0", n=3))

    class Shorter(gym.Wrapper[Any, Any, Any, Any]):
        def __init__(self, env: gym.Env[Any, Any]) -> None:
            super().__init__(env)
            self.mdp = other

    assert table_of(Shorter(gym.make("bellglass/RiverSwim-v0"))) is other


def test_reading_neither_moves_the_environment_nor_draws_from_its_generator() -> None:
    env: Any = gym.make("Taxi-v4")
    env.reset(seed=3)
    env.step(0)
    before = env.unwrapped.s, env.unwrapped.lastaction, env.unwrapped.np_random.bit_generator.state
    table_of(env)
    assert (env.unwrapped.s, env.unwrapped.lastaction, env.unwrapped.np_random.bit_generator.state) == before


def test_a_fickle_taxi_is_found_out() -> None:
    with pytest.raises(ValueError, match=r"does not follow its P: action \d in state \d+ led to"):
        table_of(gym.make("Taxi-v4", fickle_passenger=True))


class Claimant(FrozenLakeEnv):
    """Gymnasium's FrozenLake, that steps by one table and claims another."""

    def __init__(self, success_rate: float) -> None:
        super().__init__()
        self.truth, self.claim = self.P, FrozenLakeEnv(success_rate=success_rate).P
        self.P = self.claim

    def step(self, a: Any) -> Any:
        """Steps by the truth, and shows the claim again."""
        self.P = self.truth
        outcome = super().step(a)  # type: ignore[no-untyped-call]  # Gymnasium leaves it untyped
        self.P = self.claim
        return outcome


@pytest.mark.parametrize("success_rate", [0.25, 0.45, 0.8])
def test_chances_that_are_not_the_ones_claimed_are_found_out(success_rate: float) -> None:
    with pytest.raises(ValueError, match=r"missed its chances by \d+ standard deviations"):
        table_of(Claimant(success_rate=success_rate))


def test_a_true_claim_is_believed_whatever_the_seed() -> None:
    assert table_of(Claimant(success_rate=1 / 3)).num_states == 16


def test_starts_must_be_known() -> None:
    env: Any = gym.make("Taxi-v4").unwrapped
    del env.initial_state_distrib
    env.reset = lambda seed=None, options=None: (int(env.np_random.integers(3)), {})
    with pytest.raises(ValueError, match="no initial_state_distrib, and its resets lead to several states"):
        table_of(env)
    env = gym.make("CliffWalking-v1").unwrapped
    env.initial_state_distrib = np.eye(48)[5]
    env.reset = lambda seed=None, options=None: (36, {})
    with pytest.raises(ValueError, match="starts in state 36, which its initial_state_distrib excludes"):
        table_of(env)


def test_an_environment_without_a_table_is_refused() -> None:
    with pytest.raises(TypeError, match="lays no table open"):
        table_of(gym.make("CartPole-v1"))
    with pytest.raises(TypeError, match="lays no table open"):
        table_of(gym.make("Acrobot-v1"))
