"""What reset() shows: an observation like any other, or the extra last symbol 'none', which tells nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..mdp import FloatArray, TabularMDP
from ..pomdp import TabularPOMDP

#: Name of the symbol that carries no information.
NONE = "none"


def hidden(
    mdp: TabularMDP, seen: FloatArray, labels: Sequence[str], *, at_reset: FloatArray | None
) -> TabularPOMDP:
    """The partially observed table.

    Args:
        mdp: the table of the hidden states.
        seen: [S, O] or [A, S, O] chance of each observation after a step.
        labels: [O] their names.
        at_reset: [S, O] chance of each at reset; None: reset shows 'none', which becomes observation O.
    """
    if at_reset is not None:
        return TabularPOMDP(mdp, seen, at_reset, observation_labels=labels)
    never = np.zeros((*seen.shape[:-1], 1))
    nothing = np.zeros((mdp.num_states, len(labels) + 1))
    nothing[:, -1] = 1.0
    return TabularPOMDP(
        mdp, np.concatenate([seen, never], axis=-1), nothing, observation_labels=[*labels, NONE]
    )
