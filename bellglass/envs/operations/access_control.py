"""AccessControl: few servers, customers of four priorities; whom to serve, and whom to turn away?

    state     (free servers, priority of the customer at the head of the queue), priority 1, 2, 4 or 8
    accept    (1) pays the priority and occupies a free server; with none free it is a rejection
    reject    (0) pays nothing
    then      every busy server, the one just occupied included, frees with chance p;
              the next customer's priority is drawn anew, each with chance 1/4

States are numbered free * 4 + (0, 1, 2, 3 for the priorities 1, 2, 4, 8).

No closed form: the solver's certificate stands behind it.  The best policy for the defaults never serves
priority 1, serves 2 from 4 free servers on, and 4 and 8 always.

Sutton & Barto, 2nd ed. (2018), Example 10.2.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import FloatArray, IntArray, Layout, TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import Artist
from ..tabular import EnvSettings, TabularEnv
from .lots_and_servers import ServersArtist

PRIORITIES = (1, 2, 4, 8)
REJECT, ACCEPT = 0, 1


def access_control(servers: int, *, p: float) -> TabularMDP:
    """The table: (free servers, priority), the priority counting fastest."""
    num_free, num_priorities = servers + 1, len(PRIORITIES)
    num_states = num_free * num_priorities
    require_memory_to_make(num_states, 2, num_priorities * num_states * (num_free + 2), {"servers": servers})
    s, a, next_s = np.ix_(np.arange(num_states), np.arange(2), np.arange(num_states))
    free, priority = s // num_priorities, np.array(PRIORITIES)[s % num_priorities]
    served = (a == ACCEPT) & (free > 0)
    probability = freeing(servers, p)[free - served, next_s // num_priorities] / num_priorities
    fields = sorted_outcomes(
        2 * num_states,
        pair=2 * s + a,
        probability=probability,
        next_state=next_s,
        reward=np.where(served, priority, 0.0),
        terminated=False,
    )
    labels = [(n, value) for n in range(num_free) for value in PRIORITIES]
    return TabularMDP(
        **fields,
        initial=np.append(np.zeros(num_states - num_priorities), np.full(num_priorities, 0.25)),
        state_labels=labels,
        action_labels=("reject", "accept"),
        layout=_layout(num_free),
    )


def freeing(servers: int, p: float) -> FloatArray:
    """[servers + 1, servers + 1] chance that so many are free after so many were: binomial."""
    chances = np.zeros((servers + 1, servers + 1))
    chances[servers, servers] = 1.0
    for free in range(servers - 1, -1, -1):  # one more busy server: it frees, or it does not
        chances[free, free:] += p * chances[free + 1, free:]
        chances[free, free:-1] += (1.0 - p) * chances[free + 1, free + 1 :]
    return chances


def _layout(num_free: int) -> Layout:
    """Priorities downwards, free servers to the right."""
    n = len(PRIORITIES)
    cell: IntArray = np.stack(np.divmod(np.arange(num_free * n), n)[::-1], axis=1)
    return Layout(
        background=(" " * num_free,) * n,
        cell=cell,
        arrows=("R", "A"),
        row_labels=tuple(f"priority {value}" for value in PRIORITIES),
    )


class AccessControl(TabularEnv):
    """Decide who is served.

    Args:
        servers: number of servers, at least 1.
        p: chance in [0, 1] that a busy server frees in a step.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(self, servers: int = 10, p: float = 0.06, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(access_control(whole("servers", servers, 1), p=real("p", p, 0.0, 1.0)), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the servers and the customer."""
        return ServersArtist(self.mdp, self.mdp.num_states // len(PRIORITIES) - 1)
