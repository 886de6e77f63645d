"""The clock as part of the state, for horizons that are then ends like any other.

    state (t, s)  =  t * S + s,   t = 0 .. H steps since the start
    (t, s), a     ->  (t + 1, s') with the chances of s, a;  for t + 1 = H it ends there

What is best within H steps is what is best of this table.
"""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from ..keywords import whole
from .memory_limit import require_memory_to_make
from .table import TabularMDP


def clocked(mdp: TabularMDP, horizon: int) -> TabularMDP:
    """The exact table over state x clock: (horizon + 1) * S states, time by time; those of the last time are terminal.

    Args:
        mdp: the table without a clock.
        horizon: steps after which an episode ends, at least 1.
    """
    H, S, A, N = whole("horizon", horizon, 1), mdp.num_states, mdp.num_actions, mdp.num_outcomes
    require_memory_to_make((H + 1) * S, A, H * N, {"horizon": H})
    time = np.repeat(np.arange(H), N)
    starts = np.concatenate([mdp.first_outcome[:-1] + t * N for t in range(H)])
    return TabularMDP(
        first_outcome=np.concatenate([starts, np.full(S * A + 1, H * N)]),
        probability=np.tile(mdp.probability, H),
        next_state=(time + 1) * S + np.tile(mdp.next_state.astype(np.int64), H),
        reward=np.tile(mdp.reward, H),
        terminated=np.tile(mdp.terminated, H) | (time == H - 1),
        initial=np.concatenate([mdp.initial, np.zeros(H * S)]),
        state_labels=[_label(t, mdp.decode(s)) for t in range(H + 1) for s in range(S)],
        action_labels=mdp.action_labels,
    )


def _label(time: int, label: Hashable) -> tuple[Hashable, ...]:
    return (time, *label) if isinstance(label, tuple) else (time, label)
