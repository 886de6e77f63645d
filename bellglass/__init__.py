"""Reinforcement learning under glass: every table is open, every optimum exact, every agent scored by it.

>>> import bellglass, gymnasium as gym
>>> env = gym.make("bellglass/FrozenLake-v0")
>>> best = bellglass.solve(env, discount=0.99)
>>> round(best.start_value, 6)
0.542026
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .envs.registration import register_envs
from .lazy import lend

if TYPE_CHECKING:
    from .agents.tabular.estimation import estimate_mdp as estimate_mdp
    from .envs.cassandra import read_cassandra as read_cassandra
    from .envs.extraction import extract as extract
    from .envs.mdp import TabularMDP as TabularMDP
    from .envs.pomdp import TabularPOMDP as TabularPOMDP
    from .envs.pomdp import pomdp_of as pomdp_of
    from .envs.tables import table_of as table_of
    from .planning import Hardness as Hardness
    from .planning import Ladder as Ladder
    from .planning import Score as Score
    from .planning import Solution as Solution
    from .planning import Verdict as Verdict
    from .planning import check as check
    from .planning import evaluate as evaluate
    from .planning import hardness as hardness
    from .planning import information_ladder as information_ladder
    from .planning import solve as solve

__version__ = "0.1.0"

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "planning": [
            "Hardness",
            "Ladder",
            "Score",
            "Solution",
            "Verdict",
            "check",
            "evaluate",
            "hardness",
            "information_ladder",
            "solve",
        ],
        "agents.tabular.estimation": ["estimate_mdp"],
        "envs.cassandra": ["read_cassandra"],
        "envs.extraction": ["extract"],
        "envs.mdp": ["TabularMDP"],
        "envs.pomdp": ["TabularPOMDP", "pomdp_of"],
        "envs.tables": ["table_of"],
    },
    "__version__",
)

register_envs()
