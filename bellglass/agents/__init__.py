"""Planners, tabular learners and deep learners behind one protocol.

Every name is imported when it is first asked for, so that importing this package stays light and that agents
without networks need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lend

if TYPE_CHECKING:
    from .base import Agent as Agent
    from .base import Callback as Callback
    from .base import Memory as Memory
    from .base import Transition as Transition
    from .neural.dqn import DQN as DQN
    from .neural.recurrent_dqn import RecurrentDQN as RecurrentDQN
    from .planners import PolicyIteration as PolicyIteration
    from .planners import ValueIteration as ValueIteration
    from .stable_baselines3 import StableBaselines3 as StableBaselines3
    from .tabular.certainty_equivalence import CertaintyEquivalence as CertaintyEquivalence
    from .tabular.double_q_learning import DoubleQLearning as DoubleQLearning
    from .tabular.estimation import estimate_mdp as estimate_mdp
    from .tabular.expected_sarsa import ExpectedSarsa as ExpectedSarsa
    from .tabular.monte_carlo import MonteCarlo as MonteCarlo
    from .tabular.q_learning import QLearning as QLearning
    from .tabular.sarsa import Sarsa as Sarsa

__all__, __getattr__, __dir__ = lend(
    __name__,
    {
        "base": ["Agent", "Callback", "Memory", "Transition"],
        "neural.dqn": ["DQN"],
        "neural.recurrent_dqn": ["RecurrentDQN"],
        "planners": ["PolicyIteration", "ValueIteration"],
        "stable_baselines3": ["StableBaselines3"],
        "tabular.certainty_equivalence": ["CertaintyEquivalence"],
        "tabular.double_q_learning": ["DoubleQLearning"],
        "tabular.estimation": ["estimate_mdp"],
        "tabular.expected_sarsa": ["ExpectedSarsa"],
        "tabular.monte_carlo": ["MonteCarlo"],
        "tabular.q_learning": ["QLearning"],
        "tabular.sarsa": ["Sarsa"],
    },
)
