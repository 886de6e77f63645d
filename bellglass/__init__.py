"""Reinforcement learning under glass: every table is open, every optimum exact, every agent scored by it.

>>> import bellglass, gymnasium as gym
>>> env = gym.make("bellglass/FrozenLake-v0")
>>> best = bellglass.solve(env, discount=0.99)
>>> round(best.start_value, 6)
0.542026
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .envs.registration import register_envs

if TYPE_CHECKING:
    from .agents.planning import Hardness as Hardness
    from .agents.planning import Ladder as Ladder
    from .agents.planning import Score as Score
    from .agents.planning import Solution as Solution
    from .agents.planning import Verdict as Verdict
    from .agents.planning import check as check
    from .agents.planning import evaluate as evaluate
    from .agents.planning import hardness as hardness
    from .agents.planning import information_ladder as information_ladder
    from .agents.planning import solve as solve
    from .agents.tabular.estimation import estimate_mdp as estimate_mdp
    from .envs.cassandra import read_cassandra as read_cassandra
    from .envs.extraction import extract as extract
    from .envs.mdp import TabularMDP as TabularMDP
    from .envs.mdp import table_of as table_of
    from .envs.pomdp import TabularPOMDP as TabularPOMDP
    from .envs.pomdp import pomdp_of as pomdp_of

__version__ = "0.1.0"

#: Where each name of the face lives; it is imported when it is first asked for.
_HOMES = {
    "Hardness": "agents.planning",
    "Ladder": "agents.planning",
    "Score": "agents.planning",
    "Solution": "agents.planning",
    "TabularMDP": "envs.mdp",
    "TabularPOMDP": "envs.pomdp",
    "Verdict": "agents.planning",
    "check": "agents.planning",
    "estimate_mdp": "agents.tabular.estimation",
    "evaluate": "agents.planning",
    "extract": "envs.extraction",
    "hardness": "agents.planning",
    "information_ladder": "agents.planning",
    "pomdp_of": "envs.pomdp",
    "read_cassandra": "envs.cassandra",
    "solve": "agents.planning",
    "table_of": "envs.mdp",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'bellglass' has no attribute {name!r}")
    value: object = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


register_envs()
