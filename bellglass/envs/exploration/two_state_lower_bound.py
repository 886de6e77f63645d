"""TwoStateLowerBound: a poor state and a rich one, and a single action that leaves the poor one a little sooner.

              delta (action 0: delta + eps)
         s0 -----------------------------> s1      every action in s1 pays 1, in s0 nothing
            <-----------------------------
                         delta

It goes on for ever.  Being in s1 a share of the time, reward and share are one:

    optimal gain  =  (delta + eps) / (2 delta + eps),      delta / (2 delta) = 1/2 without action 0,

and the diameter is 1 / delta, the mean time back.  Telling action 0 from the others takes about delta / eps**2
visits, which is how every learner must lose  sqrt(D S A T)  on copies of it.

Jaksch, Ortner & Auer, Near-optimal regret bounds for reinforcement learning, JMLR 11 (2010), Fig. 3.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..tabular import EnvSettings, TabularEnv

POOR, RICH = 0, 1


def two_state_lower_bound(*, delta: float, eps: float, actions: int) -> TabularMDP:
    """The table: s0, where nothing is paid, and s1."""
    require_memory_to_make(2, actions, 4 * actions, {"actions": actions})
    leaves = np.full((2, actions), delta)
    leaves[POOR, 0] = delta + eps
    state, action = np.indices((2, actions))
    fields = sorted_outcomes(
        2 * actions,
        pair=np.stack([state * actions + action] * 2),
        probability=np.stack([1.0 - leaves, leaves]),
        next_state=np.stack([state, 1 - state]),
        reward=state == RICH,
        terminated=False,
    )
    return TabularMDP(
        **fields,
        initial=[1.0, 0.0],
        state_labels=("s0", "s1"),
        action_labels=[str(a) for a in range(actions)],
    )


def closed_form_gain(*, delta: float, eps: float) -> float:
    """Reward per step in the long run: the closed form above."""
    return (delta + eps) / (2 * delta + eps)


class TwoStateLowerBound(TabularEnv):
    """Find the one action that helps.

    Args:
        delta: chance in [0, 1] of leaving a state.
        eps: what action 0 adds to it in s0, in [0, 1 - delta].
        actions: number of actions, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self, delta: float = 0.1, eps: float = 0.05, actions: int = 2, **settings: Unpack[EnvSettings]
    ) -> None:
        delta, eps = real("delta", delta, 0.0, 1.0), real("eps", eps, 0.0, 1.0)
        if delta + eps > 1.0:
            raise ValueError(f"eps must be in [0, 1 - delta], got {eps} with delta {delta}")
        super().__init__(
            two_state_lower_bound(delta=delta, eps=eps, actions=whole("actions", actions, 1)), **settings
        )
