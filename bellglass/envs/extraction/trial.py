"""Trying a table on a copy of an environment: how long, on which copy, and what the table claims of a pair."""

from __future__ import annotations

import copy
from collections import defaultdict
from typing import Any

import gymnasium as gym

from ..mdp import TabularMDP

#: Steps by which a `P` is put to the test, and the length of a walk from a start and from a state at random.
STEPS, FROM_START, FROM_ANYWHERE = 5000, 100, 20


#: (next state, reward, terminated)
Outcome = tuple[int, float, bool]


def twin_of(base: gym.Env[Any, Any], seed: int) -> gym.Env[Any, Any]:
    """A deep copy that shows nothing and draws from its own generator."""
    windows = {
        id(value): None for value in vars(base).values() if type(value).__module__.startswith("pygame")
    }
    twin = copy.deepcopy(base, windows)
    twin.render_mode = None
    twin.reset(seed=seed)
    return twin


def claim_of(mdp: TabularMDP, s: int, a: int) -> dict[Any, float]:
    """Chance of each different outcome; equal rows are added up."""
    claim: dict[Outcome, float] = defaultdict(float)
    for k in range(*mdp.first_outcome[s * mdp.num_actions + a :][:2].tolist()):
        outcome = int(mdp.next_state[k]), float(mdp.reward[k]), bool(mdp.terminated[k])
        claim[outcome] += float(mdp.probability[k])
    return dict(claim)
