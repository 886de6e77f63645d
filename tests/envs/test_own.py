"""Ids of one's own: registered in one line, alone and by the thousand, and written as JSON."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env, data_equivalence

import bellglass
from bellglass.envs import TabularEnv, TabularPOMDP, TabularVectorEnv, pomdp_of, register, table_of
from bellglass.envs.mdp import TabularMDP
from bellglass.envs.own import found

ID = "mine/Corridor-v0"


def corridor(length: int = 5, slip: float = 0.2) -> TabularMDP:
    def model(s: int, a: str) -> list[tuple[float, int, float]]:
        if s == length:
            return []
        if a == "left":
            return [(1.0, max(s - 1, 0), 0.0)]
        return [(1 - slip, s + 1, float(s + 1 == length)), (slip, s, 0.0)]

    return TabularMDP.from_function(model, states=range(length + 1), actions=["left", "right"])


def foggy(length: int = 5) -> TabularPOMDP:
    mdp = corridor(length)
    seen = np.eye(2)[(np.arange(length + 1) == length).astype(int)]
    return TabularPOMDP(mdp, seen, seen)


class Corridor(TabularEnv):
    """Walk right.

    Args:
        length: steps to the goal.
    """

    def __init__(self, length: int = 5, *, render_mode: Any = None, invalid_actions: Any = "lowest") -> None:
        super().__init__(corridor(length), render_mode=render_mode, invalid_actions=invalid_actions)


def no_table() -> int:
    return 3


@pytest.fixture(autouse=True)
def only_for_this_test() -> Iterator[None]:
    yield
    for env_id in [env_id for env_id in gym.registry if env_id.startswith("mine/")]:
        del gym.registry[env_id]


@pytest.mark.parametrize("maker", [corridor, Corridor, foggy], ids=lambda maker: maker.__name__)
@pytest.mark.filterwarnings("ignore:.*different from the unwrapped version")
def test_a_function_or_a_class_becomes_an_id_like_any_other(maker: Any) -> None:
    register(ID, maker, max_episode_steps=40)
    env: Any = gym.make(ID, length=7, render_mode="rgb_array")
    check_env(gym.make(ID, length=7).unwrapped)
    assert table_of(env).fingerprint == corridor(7).fingerprint
    assert env.spec.max_episode_steps == 40
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.spec == env.spec
    assert table_of(again).fingerprint == corridor(7).fingerprint
    assert again.reset(seed=0)[0] == env.reset(seed=0)[0]
    assert env.render().ndim == 3
    if maker is foggy:
        assert pomdp_of(again).num_observations == 2


@pytest.mark.parametrize("maker", [corridor, Corridor, foggy], ids=lambda maker: maker.__name__)
def test_its_copies_walk_as_single_environments_do(maker: Any) -> None:
    register(ID, maker, max_episode_steps=9, keywords={"length": 4})
    ours: Any = gym.make_vec(ID, num_envs=3)
    theirs: Any = gym.make_vec(ID, num_envs=3, vectorization_mode="sync")
    assert isinstance(ours, TabularVectorEnv)
    assert table_of(ours).num_states == 5
    assert data_equivalence(ours.reset(seed=[1, 2, 3]), theirs.reset(seed=1))
    rng = np.random.default_rng(0)
    for _ in range(40):
        actions = rng.integers(2, size=3)
        assert data_equivalence(ours.step(actions), theirs.step(actions))
    assert table_of(gym.make_vec(ID, num_envs=2, length=6)).num_states == 7


def test_a_saved_table_becomes_an_id_and_the_file_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corridor(3).save(tmp_path / "corridor.npz")
    monkeypatch.chdir(tmp_path)
    register(ID, "corridor.npz")
    monkeypatch.chdir("/")
    env = gym.make(ID)
    assert table_of(env).fingerprint == corridor(3).fingerprint
    assert table_of(gym.make_vec(ID, num_envs=2)).fingerprint == corridor(3).fingerprint
    assert env.spec is not None
    assert table_of(gym.make(EnvSpec.from_json(env.spec.to_json()))).num_states == 4
    register("mine/Other-v0", tmp_path / "corridor.npz")
    assert bellglass.solve(gym.make("mine/Other-v0"), criterion="total").start_value == pytest.approx(1.0)


def test_registering_again_replaces() -> None:
    register(ID, corridor, keywords={"length": 2})
    register(ID, corridor, keywords={"length": 3})
    assert table_of(gym.make(ID)).num_states == 4


def test_another_process_reads_the_specification(tmp_path: Path) -> None:
    (tmp_path / "mine_elsewhere.py").write_text(
        "import bellglass\n"
        "def walk(n=3):\n"
        "    rows = lambda s, a: [] if s == n else [(1.0, s + 1, 1.0)]\n"
        "    return bellglass.TabularMDP.from_function(rows, states=range(n + 1), actions=['on'])\n"
        "bellglass.envs.register('mine/Walk-v0', walk)\n",
        encoding="utf-8",
    )
    write = "import mine_elsewhere, gymnasium as gym; print(gym.make('mine/Walk-v0', n=6).spec.to_json())"
    read = (
        "import sys, gymnasium as gym, bellglass; from gymnasium.envs.registration import EnvSpec;"
        "env = gym.make(EnvSpec.from_json(sys.argv[1])); print(bellglass.table_of(env).num_states)"
    )
    text = subprocess.run(
        [sys.executable, "-c", write], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    told = subprocess.run(
        [sys.executable, "-c", read, text],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    assert told == "7\n"


def test_what_cannot_be_registered_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="at the top of a module"):
        register(ID, lambda: corridor())
    with pytest.raises(TypeError, match="lives in this process only"):
        register(ID, corridor())  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(
        TypeError, match="table must be a function, a class or the name of an npz file, got 3"
    ):
        register(ID, 3)  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(FileNotFoundError, match=r"nowhere\.npz"):
        register(ID, tmp_path / "nowhere.npz")
    with pytest.raises(ValueError, match="the namespace bellglass is taken"):
        register("bellglass/Corridor-v0", corridor)
    with pytest.raises(ValueError, match="max_episode_steps, if not None, must be at least 1, got 0"):
        register(ID, corridor, max_episode_steps=0)
    with pytest.raises(TypeError, match=r"must be a whole number at least 1, got 2\.5"):
        register(ID, corridor, max_episode_steps=2.5)  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(ValueError, match="keywords must be what JSON can hold"):
        register(ID, corridor, keywords={"length": object()})
    before = dict(gym.registry)
    with pytest.raises(
        ValueError, match="keywords must not say 'maker', which says where the table comes from"
    ):
        register(ID, corridor, keywords={"maker": "os:getcwd"})
    corridor().save(tmp_path / "table.npz")
    with pytest.raises(ValueError, match="keywords must not say 'path'"):
        register(ID, tmp_path / "table.npz", keywords={"path": "elsewhere.npz"})
    assert gym.registry == before
    with pytest.raises(ValueError, match=r"keywords must be what JSON can hold, by name, got \['length'\]"):
        register(ID, corridor, keywords=["length"])  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(ValueError, match="env_id: Malformed environment ID"):
        register("mine/a corridor", corridor)
    assert ID not in gym.registry


def test_a_refused_id_leaves_the_earlier_one_alone() -> None:
    register("mine/Corridor", corridor)
    gym.registry[ID] = EnvSpec(ID)  # where one has a version, Gymnasium allows none without
    with pytest.raises(ValueError, match="env_id: Can't register the unversioned environment"):
        register("mine/Corridor", foggy)
    assert gym.registry["mine/Corridor"].kwargs["maker"].endswith(":corridor")


def test_what_makes_no_table_is_told_when_it_is_made() -> None:
    register(ID, no_table)  # type: ignore[arg-type]  # the mistake in question
    with pytest.raises(TypeError, match="no_table must return a TabularMDP or a TabularPOMDP, got 3"):
        gym.make(ID)
    register(ID, corridor)
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        gym.make(ID, colour="red")
    for name in ("no_such_module_of_mine:x", "bellglass:nothing", "nothing"):
        with pytest.raises(ValueError, match="maker must be 'module:name' of what can be imported"):
            found(name)
