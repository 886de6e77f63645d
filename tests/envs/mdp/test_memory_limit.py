"""Tables too large for memory: what a refusal announces is what making the table really takes."""

from __future__ import annotations

import gc
import tracemalloc
from typing import Any

import pytest

import bellglass.envs
from bellglass.envs.documentation import keywords_of
from bellglass.envs.mdp import memory_limit as room
from bellglass.envs.mdp.clocked import clocked
from bellglass.envs.registration import ENVIRONMENTS

#: For each id whose keywords set its size, tables of some MiB.
LARGE: list[tuple[str, dict[str, Any]]] = [
    ("AccessControl", {"servers": 60}),
    ("BernoulliBandit", {"n": 20}),
    ("Catch", {"rows": 20, "cols": 30}),
    ("CombinationLock", {"n": 5000, "actions": 10}),
    ("DeepSea", {"N": 50}),
    ("DieStopping", {"k": 1000}),
    ("ForestManagement", {"S": 30_000}),
    ("FrozenLake", {"desc": ["S" + "F" * 49, *["F" * 50] * 38, "F" * 49 + "G"]}),
    ("Gambler", {"goal": 200}),
    ("Garnet", {"num_states": 5000, "branching": 4}),
    ("Hanoi", {"n": 9}),
    ("Inventory", {"lo": -60, "hi": 120}),
    ("Knobs", {"num_actions": 10, "diameter": 5, "delay": 5, "stochasticity": 0.2, "noise": 1.0}),
    ("FrozenLake", {"desc": ["S" + "F" * 49, *["F" * 50] * 38, "F" * 49 + "G"], "is_slippery": False}),
    ("Map", {"drawing": ["S" + "~" * 59, *["~" * 60] * 48, "~" * 59 + "G"]}),
    ("Map", {"drawing": ["S" + ">" * 59, *[">" * 60] * 48, ">" * 59 + "G"], "slip": 0.1, "wind": 0.5}),
    ("Map", {"drawing": ["S" + "." * 59, *["." * 60] * 48, "." * 59 + "G"]}),
    ("MemoryChain", {"N": 50, "bits": 5}),
    ("NChain", {"n": 30_000}),
    ("Parking", {"N": 20_000}),
    ("Piglet", {"n": 30}),
    ("PutermanInventory", {"M": 200}),
    ("QueueAdmission", {"capacity": 30_000}),
    ("RandomWalk", {"n": 50_001}),
    ("RedBlackCards", {"r": 150, "b": 150}),
    ("RepeatPrevious", {"m": 4, "k": 3, "L": 40}),
    ("RiverSwim", {"n": 5000}),
    ("Secretary", {"n": 5000}),
    ("SlidingPuzzle", {"rows": 4, "cols": 2}),
    ("TMaze", {"N": 2000}),
    ("Tram", {"N": 50_000}),
    ("TwoStateLowerBound", {"actions": 30_000}),
    ("UmbrellaChain", {"N": 10_000}),
]


def test_every_id_whose_size_is_asked_for_is_here() -> None:
    sized = {
        row.name
        for row in ENVIRONMENTS
        for keyword in keywords_of(getattr(bellglass.envs, row.name))
        if keyword.kind == "int" and keyword.high is None and keyword.name != "model_seed"
    }
    assert sized <= {name for name, _ in LARGE}


def made(name: str, keywords: dict[str, Any]) -> None:
    getattr(bellglass.envs, name)(**keywords)


def most_held(name: str, keywords: dict[str, Any]) -> int:
    """Bytes held at the height of making the environment."""
    made(name, {})  # whatever is imported or cached by the first one
    gc.collect()
    tracemalloc.start()
    try:
        made(name, keywords)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


#: Of every family one or two whose large table is made in a second, with and without a layout, dense and ragged.
AT_ONCE = (
    "FrozenLake",
    "Map",
    "DeepSea",
    "NChain",
    "Gambler",
    "Hanoi",
    "Parking",
    "RandomWalk",
    "TMaze",
    "Garnet",
)


@pytest.mark.parametrize(
    ("name", "keywords"),
    [pytest.param(*one, id=one[0], marks=() if one[0] in AT_ONCE else pytest.mark.slow) for one in LARGE],
)
def test_a_table_is_refused_where_it_does_not_fit_and_made_where_it_surely_does(
    name: str, keywords: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = most_held(name, keywords)
    assert taken > 2**20, "too small to tell"
    monkeypatch.setattr(room, "SMALL", 0)
    monkeypatch.setattr(room, "free_memory", lambda: taken)
    with pytest.raises(room.TableTooLarge, match="of memory, but only"):
        made(name, keywords)
    monkeypatch.setattr(room, "free_memory", lambda: 3 * taken)
    made(name, keywords)


@pytest.mark.parametrize(
    ("name", "horizon"), [("FrozenLake", 2_000), ("Taxi", 100), ("Garnet", 1_000), ("RiverSwim", 10_000)]
)
def test_a_table_with_its_clock_is_refused_where_it_does_not_fit_and_made_where_it_surely_does(
    name: str, horizon: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mdp = getattr(bellglass.envs, name)().mdp
    clocked(mdp, 3)
    gc.collect()
    tracemalloc.start()
    try:
        clocked(mdp, horizon)
        taken = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert taken > 2**20, "too small to tell"
    monkeypatch.setattr(room, "SMALL", 0)
    monkeypatch.setattr(room, "free_memory", lambda: taken)
    with pytest.raises(room.TableTooLarge, match=f"^horizon = {horizon}: .* of memory, but only"):
        clocked(mdp, horizon)
    monkeypatch.setattr(room, "free_memory", lambda: 3 * taken)
    clocked(mdp, horizon)
