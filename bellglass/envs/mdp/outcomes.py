"""The flat arrays of a table from outcomes in any order: what vectorised environments build their tables with."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


def sorted_outcomes(
    num_pairs: int,
    *,
    pair: npt.ArrayLike,
    probability: npt.ArrayLike,
    next_state: npt.ArrayLike,
    reward: npt.ArrayLike,
    terminated: npt.ArrayLike,
) -> dict[str, Any]:
    """`first_outcome` and the four arrays [N] of TabularMDP, from one row an outcome.

    Args:
        num_pairs: S * A.
        pair: s * A + a of each outcome; outcomes of one pair keep their order.
        probability: chance of the outcome; outcomes without one are dropped.
        next_state: where it leads.
        reward: what it pays.
        terminated: whether it ends the episode.

    The arrays broadcast against each other and are read flat.

    >>> sorted_outcomes(2, pair=[1, 0], probability=1.0, next_state=0, reward=[5.0, 7.0], terminated=False)["reward"]
    array([7., 5.])
    """
    columns = np.broadcast_arrays(pair, probability, next_state, reward, terminated)
    kept = np.flatnonzero(columns[1].ravel() != 0)
    rows = columns[0].ravel()[kept].astype(np.int64)
    order = kept[np.argsort(rows, kind="stable")]
    return {
        "first_outcome": np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_pairs))]),
        "probability": columns[1].ravel()[order].astype(np.float64),
        "next_state": columns[2].ravel()[order].astype(np.int64),
        "reward": columns[3].ravel()[order].astype(np.float64),
        "terminated": columns[4].ravel()[order].astype(np.bool_),
    }
