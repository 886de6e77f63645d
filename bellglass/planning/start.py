"""The start value: the mean of values over where episodes begin."""

from __future__ import annotations

import numpy as np

from ..envs.mdp import FloatArray, TabularMDP


def start_value(mdp: TabularMDP, values: FloatArray) -> float:
    """Mean of `values` [S] over the start, where values of impossible starts may be infinite."""
    begins = np.flatnonzero(mdp.initial)
    weights = mdp.initial[begins] / mdp.initial.sum()
    return float(weights @ values[begins])
