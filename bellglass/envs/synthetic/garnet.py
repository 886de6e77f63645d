"""Garnet: a random table of a given size and branching (Generic Average Reward Non-stationary Environment Testbed).

For each state and each action, drawn by `model_seed`:
    next states   `branching` different ones, every set of them equally likely
    chances       the lengths into which branching - 1 uniform cuts part [0, 1]
    reward        normal with mean 0 and variance 1, the same whichever next state is reached; a share `sparsity` of
                  all pairs of a state and an action, rounded to whole pairs, pays 0 instead

It starts in every state equally often and goes on for ever.  Here the rewards are the means (of Bhatnagar's
Garnet(n, m, b, sigma, tau), sigma = 0), and nothing drifts (tau = 0).  Not every Garnet lets one come from everywhere
to everywhere; with branching 3 or more nearly every one does.  A random table has no closed form: the solver's
certificate stands behind its values.

Archibald, McKinnon & Thomas, On the generation of Markov decision processes, J. Oper. Res. Soc. 46 (1995); Bhatnagar,
Sutton, Ghavamzadeh & Lee, Natural actor-critic algorithms, Automatica 45 (2009), section 7.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, IntArray, TabularMDP
from ..mdp.memory_limit import brief, require_memory, table_bytes
from ..tabular import EnvSettings, TabularEnv


def garnet(
    rng: np.random.Generator, *, num_states: int, num_actions: int, branching: int, sparsity: float
) -> TabularMDP:
    """A table drawn with `rng`."""
    num_pairs = num_states * num_actions
    next_states = different_numbers(rng, num_pairs, branching, below=num_states)
    cuts = np.sort(rng.random((num_pairs, branching - 1)), axis=1)
    chances: FloatArray = np.diff(cuts, axis=1, prepend=0.0, append=1.0)
    rewards = rng.standard_normal(num_pairs)
    rewards[rng.permutation(num_pairs)[: round(sparsity * num_pairs)]] = 0.0
    return TabularMDP(
        first_outcome=np.arange(num_pairs + 1) * branching,
        probability=chances.ravel(),
        next_state=next_states.ravel(),
        reward=rewards.repeat(branching),
        terminated=np.zeros(num_pairs * branching, dtype=np.bool_),
        initial=np.full(num_states, 1.0 / num_states),
        state_labels=range(num_states),
        action_labels=[str(a) for a in range(num_actions)],
    )


def different_numbers(rng: np.random.Generator, rows: int, size: int, *, below: int) -> IntArray:
    """[rows, size] in each row, in rising order, different numbers in [0, below), every set equally likely.

    Floyd's way: for j = below - size, ..., below - 1 draw t in [0, j], and take j if t is there already.
    """
    drawn = np.full((rows, size), -1)
    for k, j in enumerate(range(below - size, below)):
        t = rng.integers(j + 1, size=rows)
        drawn[:, k] = np.where((drawn == t[:, None]).any(axis=1), j, t)
    drawn.sort(axis=1)
    return drawn


class Garnet(TabularEnv):
    """Live in a random table.

    Args:
        num_states: number of states, at least 1.
        num_actions: number of actions, at least 1.
        branching: next states of each action, in [1, num_states].
        sparsity: share in [0, 1] of the pairs that pay nothing.
        model_seed: seed of the table, at least 0.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        num_states: int = 20,
        num_actions: int = 4,
        branching: int = 3,
        sparsity: float = 0.0,
        model_seed: int = 0,
        **settings: Unpack[EnvSettings],
    ) -> None:
        states, actions = whole("num_states", num_states, 1), whole("num_actions", num_actions, 1)
        branches = whole("branching", branching, 1, states)
        share = real("sparsity", sparsity, 0.0, 1.0)
        rng = np.random.default_rng(whole("model_seed", model_seed, 0))
        num_outcomes = states * actions * branches
        require_memory(  # besides the table itself, the cuts, their differences and a sorter's copy
            2 * table_bytes(states, actions, num_outcomes) + 36 * num_outcomes,
            f"a table of {brief(states)} states, {brief(actions)} actions and {brief(num_outcomes)} outcomes",
            {"num_states": states, "num_actions": actions, "branching": branches},
        )
        super().__init__(
            garnet(rng, num_states=states, num_actions=actions, branching=branches, sparsity=share),
            **settings,
        )
