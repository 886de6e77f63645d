"""Agents that remember, a small table whose states are hidden, and a scorer that need not solve it."""

from __future__ import annotations

from typing import Any

import numpy as np

from bellglass.envs.mdp import TabularMDP
from bellglass.envs.pomdp import TabularPOMDP
from bellglass.experiments.scoring.scores import Scorer


class Counts:
    """Plays a fixed list of actions, over and over: what it does depends on the clock alone."""

    def __init__(self, *actions: int) -> None:
        self.actions = np.array(actions)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        """[n] actions, and how many each has played."""
        count = np.zeros(len(observation), dtype=np.int64) if state is None else state[0]
        return self.actions[count % len(self.actions)], (count + 1,)


class Parity:
    """Plays a parity of all that it has seen, and remembers everything: its histories never merge."""

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[Any, Any]:
        """[n] actions, and all that was seen in one number (of the last forty steps)."""
        seen = np.asarray(observation)
        before = np.ones(len(seen), dtype=np.int64) if state is None else state[0]
        everything = (2 * before + seen) % 2**40
        return np.array([int(code).bit_count() % 2 for code in everything]), (everything,)


def noisy(*, by_action: bool = False) -> TabularPOMDP:
    """Three states, two actions, two blurred observations; no end."""
    generator = np.random.default_rng(5)
    transition = generator.dirichlet(np.ones(3), size=(3, 2))
    mdp = TabularMDP.from_arrays(transition, generator.normal(size=(3, 2)), initial=[0.5, 0.3, 0.2])
    shape = (2, 3) if by_action else (3,)
    return TabularPOMDP(
        mdp, generator.dirichlet(np.ones(2), size=shape), generator.dirichlet(np.ones(2), size=3)
    )


class Unsolved(Scorer):
    """A scorer whose optimum nobody asks for: a belief-state planner would take its time."""

    def _solved(self, model: Any) -> Any:
        return super()._solved(self.mdp)
