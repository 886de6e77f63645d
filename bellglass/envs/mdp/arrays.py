"""Array types, and what is done with rows of outcomes: sums, running sums, a lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

Number = TypeVar("Number", bound=np.generic)

#: Gymnasium's toy-text form: P[s][a] = [(probability, next_state, reward, terminated), ...]
Outcomes = Mapping[int, Mapping[int, Sequence[tuple[float, int, float, bool]]]]

#: How far a row of probabilities may miss the sum of 1.
SUM_TOLERANCE = 1e-9


def row_sums(first_outcome: IntArray, numbers: FloatArray) -> FloatArray:
    """[S*A] sums of `numbers` [N] over each pair's outcomes; 0 where there are none."""
    sums = np.zeros(len(first_outcome) - 1)
    filled = np.flatnonzero(np.diff(first_outcome))
    if filled.size:
        sums[filled] = np.add.reduceat(numbers, first_outcome[filled])
    return sums


def cumulate(first_outcome: IntArray, probability: FloatArray) -> FloatArray:
    """[N] running sums within each row; exactly 1 from the last outcome of positive probability on."""
    running = probability.copy()
    lengths = np.diff(first_outcome)
    long = lengths > 64  # such as the starts: one row of S; np.cumsum adds in the same order
    for first, length in zip(first_outcome[:-1][long].tolist(), lengths[long].tolist(), strict=True):
        running[first : first + length] = np.cumsum(probability[first : first + length])
    short = np.where(long, 0, lengths)
    for k in range(1, int(short.max(initial=0))):
        here = first_outcome[:-1][short > k] + k
        running[here] += running[here - 1]
    outcomes = np.arange(len(probability))
    last_positive = np.zeros(len(lengths), dtype=np.int64)
    filled = np.flatnonzero(lengths)
    if filled.size:
        positive = np.where(probability > 0, outcomes, -1)
        last_positive[filled] = np.maximum.reduceat(positive, first_outcome[filled])
    running[outcomes >= np.repeat(last_positive, lengths)] = 1.0
    return running


def locked(array: npt.NDArray[Number]) -> npt.NDArray[Number]:
    """The same array, read-only from now on."""
    array.setflags(write=False)
    return array
