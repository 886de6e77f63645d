"""Planners, tabular learners and deep learners behind one protocol.

Every name is imported when it is first asked for, so that importing this package stays light and that agents
without networks need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .extras import missing_extra

if TYPE_CHECKING:
    from .base import Agent as Agent
    from .base import Callback as Callback
    from .base import Memory as Memory
    from .base import Transition as Transition
    from .neural.dqn import DQN as DQN
    from .neural.recurrent_dqn import RecurrentDQN as RecurrentDQN
    from .planning.agents import PolicyIteration as PolicyIteration
    from .planning.agents import ValueIteration as ValueIteration
    from .stable_baselines3 import StableBaselines3 as StableBaselines3
    from .tabular.certainty_equivalence import CertaintyEquivalence as CertaintyEquivalence
    from .tabular.double_q_learning import DoubleQLearning as DoubleQLearning
    from .tabular.estimation import estimate_mdp as estimate_mdp
    from .tabular.expected_sarsa import ExpectedSarsa as ExpectedSarsa
    from .tabular.monte_carlo import MonteCarlo as MonteCarlo
    from .tabular.q_learning import QLearning as QLearning
    from .tabular.sarsa import Sarsa as Sarsa

#: Every agent, and the module where it lives: what a suite may name, and what the tests hold to its promises.
AGENTS = {
    "CertaintyEquivalence": "tabular.certainty_equivalence",
    "DQN": "neural.dqn",
    "DoubleQLearning": "tabular.double_q_learning",
    "ExpectedSarsa": "tabular.expected_sarsa",
    "MonteCarlo": "tabular.monte_carlo",
    "PolicyIteration": "planning.agents",
    "QLearning": "tabular.q_learning",
    "RecurrentDQN": "neural.recurrent_dqn",
    "Sarsa": "tabular.sarsa",
    "StableBaselines3": "stable_baselines3",
    "ValueIteration": "planning.agents",
}

#: Where each name lives.
_HOME = AGENTS | {
    "Agent": "base",
    "Callback": "base",
    "Hardness": "planning",
    "Ladder": "planning",
    "Memory": "base",
    "Score": "planning",
    "Solution": "planning",
    "Transition": "base",
    "estimate_mdp": "tabular.estimation",
    "evaluate": "planning",
    "hardness": "planning",
    "information_ladder": "planning",
    "solve": "planning",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f".{home}", __name__), name)
    except ModuleNotFoundError as error:
        raise missing_extra(name, error) from error


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
