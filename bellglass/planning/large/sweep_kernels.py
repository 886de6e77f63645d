"""The loops of sweeps: the rows of a policy, copied in single precision, and repeated products with them.

Plain functions that `agents.compiled` turns to machine code; shapes and habits are those of `kernels`.
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .table_kernels import FOUR, ONE, THREE, TWO, Singles


def copy_rows(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    scale: FloatArray,
    live: BoolArray,
    choice: IntArray,
    negligible: float,
    copied: IntArray,
    place: IntArray,
    ends: IntArray,
    row_probability: Singles,
    row_next: IntArray,
) -> int:
    """Brings the copied rows of the policy up to date where its choice changed; returns how many did.

    Row s of the copy is place[s] : ends[s], or 4 s : 4 s + 4 where these are empty, filled up with outcomes of chance 0
    to a multiple of four.  Outcomes that all together have a chance of at most `negligible` are taken for staying.
    """
    changed, uneven, ragged = 0, np.int64(len(scale) > 1), len(place) > 0
    for s in range(len(live)):
        if not live[s] or copied[s] == choice[s]:
            continue
        changed += 1
        j = choice[s]
        copied[s] = j
        n = place[s] if ragged else 4 * s
        start = n
        small = negligible / max(first[j + 1] - first[j], 1)
        stays = 0.0
        for k in range(np.uint64(first[j]), np.uint64(first[j + 1])):
            if probability[k] > small:
                row_probability[n] = probability[k] * scale[j * uneven]
                row_next[n] = next_state[k]
                n += 1
            else:
                stays += probability[k]
        if stays > 0.0:
            row_probability[n] = stays * scale[j * uneven]
            row_next[n] = s
            n += 1
        while n % 4 or n == start:
            row_probability[n] = 0.0
            row_next[n] = s
            n += 1
        if ragged:
            ends[s] = n
    return changed


def sweep(
    place: IntArray,
    ends: IntArray,
    row_probability: Singles,
    row_next: IntArray,
    residual: Singles,
    live: BoolArray,
    discount: np.float32,
    now: Singles,
    then: Singles,
    most: int,
    stop: np.float32,
    spread: bool,
    spans: Singles,
) -> tuple[int, float, float]:
    """Repeats x <- residual + discount P x, from `now`; the last x is in `then` if the number is odd.

    At most `most` times; stops when the changes of one sweep spread (or, if not `spread`, reach) no farther than
    `stop`.  In single precision: `residual` is small where the values are large.  Rows of four, which are common, have
    a loop of their own: it takes little more than half the time.

    Returns:
        The number of sweeps, the greatest and the least change of the last one.  `spans` [most] gets each one's width.
    """
    n = 0
    zero = residual[0] * 0
    high, low = zero, zero
    while n < most:
        high, low = zero - np.float32(np.inf), zero + np.float32(np.inf)
        if len(place) == 0:
            for s in range(len(live)):
                i = FOUR * np.uint64(s)
                x = (
                    row_probability[i] * now[row_next[i]]
                    + row_probability[i + ONE] * now[row_next[i + ONE]]
                    + (
                        row_probability[i + TWO] * now[row_next[i + TWO]]
                        + row_probability[i + THREE] * now[row_next[i + THREE]]
                    )
                )
                x = residual[s] + discount * x
                then[s] = x
                if live[s]:
                    high = max(high, x - now[s])
                    low = min(low, x - now[s])
        else:
            for s in range(len(live)):
                x = zero
                for k in range(np.uint64(place[s]), np.uint64(ends[s]), FOUR):
                    x += (
                        row_probability[k] * now[row_next[k]]
                        + row_probability[k + ONE] * now[row_next[k + ONE]]
                        + (
                            row_probability[k + TWO] * now[row_next[k + TWO]]
                            + row_probability[k + THREE] * now[row_next[k + THREE]]
                        )
                    )
                x = residual[s] + discount * x
                then[s] = x
                if live[s]:
                    high = max(high, x - now[s])
                    low = min(low, x - now[s])
        now, then = then, now
        width = high - low if spread else max(abs(high), abs(low))
        spans[n] = width
        n += 1
        if width <= stop:
            break
    return n, high, low
