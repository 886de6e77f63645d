"""FromTable: any saved table walks, and the game for who has none."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.envs.registration import EnvSpec

import bellglass
from bellglass.envs import table_of


def test_a_saved_table_comes_back_whole(tmp_path: Path) -> None:
    path = str(tmp_path / "gambler.npz")
    mdp = table_of(gym.make("bellglass/Gambler-v0", goal=8))
    mdp.save(path)
    env: Any = gym.make("bellglass/FromTable-v0", path=path, invalid_actions="raise")
    found = table_of(env)
    assert found.fingerprint == mdp.fingerprint
    assert found.action_labels == mdp.action_labels
    assert found.layout is not None
    env.reset(seed=0, options={"state": 1})
    with pytest.raises(ValueError, match="action 3 is not available in state 1"):
        env.step(3)
    envs: Any = gym.make_vec("bellglass/FromTable-v0", num_envs=3, path=path)
    assert table_of(envs).fingerprint == mdp.fingerprint
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert table_of(again).fingerprint == mdp.fingerprint


def cost_of(coins: tuple[str, ...]) -> float:
    """The formula of three heads: (c0/p0 + c1 + p1 c2) / (p1 p2)."""
    cost = {"fair": 1.0, "bent": 2.0}
    heads = {"fair": 0.5, "bent": 2 / 3}
    (c0, p0), (c1, p1), (c2, p2) = ((cost[coin], heads[coin]) for coin in coins)
    return (c0 / p0 + c1 + p1 * c2) / (p1 * p2)


def test_three_heads_cost_twelve() -> None:
    mdp = table_of(gym.make("bellglass/FromTable-v0"))
    assert mdp.P[1][0] == [(0.5, 2, -1.0, False), (0.5, 0, -1.0, False)]
    assert mdp.P[2][1] == [(2 / 3, 3, -2.0, True), (pytest.approx(1 / 3), 0, -2.0, False)]
    costs = {coins: cost_of(coins) for coins in product(("fair", "bent"), repeat=3)}
    assert min(costs.values()) == pytest.approx(12.0)
    assert bellglass.solve(mdp, criterion="total").start_value == pytest.approx(-12.0, abs=1e-9)
    for coins, cost in costs.items():
        policy = [("fair", "bent").index(coin) for coin in coins]
        found = bellglass.evaluate(mdp, [*policy, 0], criterion="total").start_value
        assert found == pytest.approx(-cost, abs=1e-9)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "text.npz"
    text.write_text("no table", encoding="utf-8")
    with pytest.raises(ValueError, match="not a table saved by bellglass"):
        gym.make("bellglass/FromTable-v0", path=str(text))
    with pytest.raises(FileNotFoundError, match=r"missing\.npz"):
        gym.make("bellglass/FromTable-v0", path=str(tmp_path / "missing.npz"))
    with pytest.raises(TypeError, match="path must be the name of an npz file or None, got 3"):
        gym.make("bellglass/FromTable-v0", path=3)
