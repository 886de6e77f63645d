"""What a compiled loop may know of an environment that walks a table: enough to step it, bit for bit."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from .table import TabularMDP


@runtime_checkable
class TableWalker(Protocol):
    """An environment whose `step` and `reset` do exactly this and nothing else.

    reset: u = np_random.random(); the state is the first s with mdp.cumulative_initial[s] > u.
    step:  an unavailable action is played as mdp.lowest_action; u = np_random.random(); the outcome is the first
           row k of the pair with mdp.cumulative_probability[k] > u.

    A loop that does the same from the same generator, and leaves `state` and the generator where stepping would
    have left them, cannot be told from stepping.

    Attributes:
        mdp: the table.
        state: index of the current state.
        np_random: the generator that every draw comes from.
        walks_table: False where a subclass changes `step` or `reset`, or unavailable actions raise.
    """

    mdp: TabularMDP
    state: np.int64

    @property
    def np_random(self) -> np.random.Generator:
        """The generator that every draw comes from."""
        ...

    @property
    def walks_table(self) -> bool:
        """Whether the description above holds."""
        ...


def fingerprint_of(env: Any) -> str | None:
    """The fingerprint of the table that `env` walks, hidden states and wrappers included; None if it walks none.

    Nothing else of the table is told.
    """
    layer = env
    while layer is not None:  # the outermost: a wrapper that changes the dynamics walks a table of its own
        base = layer is getattr(layer, "unwrapped", layer)
        for name in ("pomdp", "mdp"):
            table = getattr(layer, name, None) if base else vars(layer).get(name)
            fingerprint = getattr(table, "fingerprint", None)
            if isinstance(fingerprint, str):
                return fingerprint
        layer = None if base else layer.env
    return None
