"""The mixing time of a chain with one closed class, by its powers.

    least t with  max_s 1/2 sum_j |L^t(s, j) - m(j)|  <=  1/4,     L = (P + I) / 2,  m stationary
                                                           (Levin, Peres & Wilmer 2017, section 4.5)

The distance of a start never grows with t.  So L is squared until every start is close, and t is then found bit by
bit, from the highest; starts that are close before the others are let go.  Powers are multiplied by blocks of rows,
without the columns where a block has no weight: a chain spreads slowly, and what it leaves for ever it loses.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from ...envs.mdp import BoolArray, FloatArray
from ..algebra.chains import closed_classes, stationary

#: The distance that counts as mixed, and what rounding may add to it.
MIXED, ROUNDING = 0.25, 1e-12

#: Squarings after which a chain counts as one that does not mix: 10^15 steps.
MOST_SQUARINGS = 50

#: Weights below this are let go; rows are made to sum to 1 again, so that this is a change of the chain's chances.
NOTHING = 1e-20

#: Rows that are multiplied at once.
BLOCK = 256

#: States up to which every power is stored whole.
DENSE = 1_000

#: Beyond that, a power is stored whole if more than this share of it has weight.
FULL = 0.5

Power: TypeAlias = "scipy.sparse.csr_array | FloatArray"


def mixing_time(chain: scipy.sparse.csr_array) -> float:
    """Steps of the lazy chain [n, n]; inf if it has several closed classes, or is not mixed after 2^50 steps."""
    size = chain.shape[0]
    closed = closed_classes(chain, np.zeros(size, dtype=np.bool_)).members
    if len(closed) > 1:
        return math.inf
    order = scipy.sparse.csgraph.reverse_cuthill_mckee(chain, symmetric_mode=False)
    chain = scipy.sparse.csr_array(chain[order][:, order])
    (recurrent,) = closed_classes(chain, np.zeros(size, dtype=np.bool_)).members
    limit = np.zeros(size)
    limit[recurrent] = stationary(chain[recurrent][:, recurrent])

    still: Power = np.eye(size) if size <= DENSE else scipy.sparse.eye_array(size, format="csr")
    if not far(still, limit).any():
        return 0.0
    powers: list[Power] = [0.5 * (chain + still)]  # L ** (2 ** k)
    while far(powers[-1], limit).any():
        if len(powers) > MOST_SQUARINGS:
            return math.inf
        powers.append(product(powers[-1], powers[-1]))
    steps, power = 0, still
    for k in reversed(range(len(powers) - 1)):
        further = product(power, powers[k])
        unmixed = far(further, limit)
        if unmixed.any():
            steps, power = steps + 2**k, further[np.flatnonzero(unmixed)]
    return float(steps + 1)


def far(power: Power, limit: FloatArray) -> BoolArray:
    """[r] whether a start is still far from the stationary distribution."""
    distances = [
        0.5 * np.abs(whole(power[begin : begin + BLOCK]) - limit).sum(axis=1)
        for begin in range(0, power.shape[0], BLOCK)
    ]
    return np.concatenate(distances) > MIXED + ROUNDING


def product(left: Power, right: Power) -> Power:
    """[r, n] left @ right, rows that sum to 1."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        full = left @ right
        return np.asarray(full / full.sum(axis=1, keepdims=True))
    blocks, filled = [], 0
    for begin in range(0, left.shape[0], BLOCK):
        own = whole(left[begin : begin + BLOCK])
        through = np.flatnonzero((own > 0).any(axis=0))
        onward = whole(right[through])
        into = np.flatnonzero((onward > 0).any(axis=0))
        block = own[:, through] @ onward[:, into]
        block[block < NOTHING] = 0.0
        block /= block.sum(axis=1, keepdims=True)
        filled += int(np.count_nonzero(block))
        sparse = scipy.sparse.csr_array(block)
        blocks.append(
            scipy.sparse.csr_array(
                (sparse.data, into[sparse.indices], sparse.indptr), (len(own), left.shape[1])
            )
        )
    joined = scipy.sparse.vstack(blocks, format="csr")
    return joined if filled <= FULL * joined.shape[0] * joined.shape[1] else joined.toarray()


def whole(rows: Power) -> FloatArray:
    """As a dense array."""
    return rows if isinstance(rows, np.ndarray) else np.asarray(rows.toarray())
