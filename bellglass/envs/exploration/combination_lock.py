"""CombinationLock: n right choices in a row open it, and every wrong one starts over.

    0 --> 1 --> 2 --> ... --> n      the one right action of a state moves on; the last one pays 1 and opens the lock
    ^-----+-----+                    any other action returns to 0 and pays nothing

The right actions are drawn uniformly, by `model_seed`.  Who knows them earns  discount**(n - 1).  The uniform
random policy advances with chance 1/A, so the expected number m(i) of steps from state i obeys
m(i) = 1 + m(i + 1) / A + m(0) * (1 - 1/A),  which gives (derived here)

    m(0)  =  A + A**2 + ... + A**n,      for two actions  2**(n + 1) - 2.

Whitehead, AAAI 1991; Kearns & Singh, Near-optimal reinforcement learning in polynomial time, Machine Learning 49
(2002); Azar, Munos, Ghavamzadeh & Kappen, Speedy Q-learning, NIPS 2011.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import whole
from ..mdp import IntArray, TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv


def combination_lock(combination: IntArray, *, actions: int) -> TabularMDP:
    """The table: n right choices made so far, 0 .. n; n is open, and terminal.

    Args:
        combination: [n] the right action of each state.
        actions: number of actions.
    """
    n = len(combination)
    s, a = np.arange(n)[:, None], np.arange(actions)[None, :]
    right = a == combination[:, None]
    fields = sorted_outcomes(
        (n + 1) * actions,
        pair=s * actions + a,
        probability=1.0,
        next_state=np.where(right, s + 1, 0),
        reward=right & (s == n - 1),
        terminated=right & (s == n - 1),
    )
    return TabularMDP(
        **fields,
        initial=np.eye(1, n + 1)[0],
        state_labels=range(n + 1),
        action_labels=[str(action) for action in range(actions)],
        layout=in_rows("S".ljust(n) + "G", [str(action) for action in range(actions)]),
    )


def expected_random_steps(n: int, *, actions: int) -> float:
    """Mean steps until the uniform random policy opens the lock: the closed form above."""
    return float(sum(actions**i for i in range(1, n + 1)))


class CombinationLock(TabularEnv):
    """Open the lock.

    Args:
        n: length of the combination, at least 1.
        actions: number of actions, at least 1.
        model_seed: seed of the combination, at least 0.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self, n: int = 10, actions: int = 2, model_seed: int = 0, **settings: Unpack[EnvSettings]
    ) -> None:
        n, actions = whole("n", n, 1), whole("actions", actions, 1)
        require_memory_to_make(n + 1, actions, n * actions, {"n": n, "actions": actions})
        rng = np.random.default_rng(whole("model_seed", model_seed, 0))
        super().__init__(combination_lock(rng.integers(actions, size=n), actions=actions), **settings)
