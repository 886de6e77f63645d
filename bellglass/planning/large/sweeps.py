"""Modified policy iteration: policies evaluated by sweeps, stopped early (Puterman and Shin 1978).

    evaluate    x <- residual + discount P x,    then  v <- v + x                    on the rows of the policy alone

In single precision: x is small where v is large, so v keeps its digits. On tables that never end only the spread of
the changes counts, since a constant error is known and taken out at once (Puterman 1994, section 6.6).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from ...compiled import compiled
from . import sweep_kernels
from . import table_kernels as kernels
from .search import Search
from .systems import LEFT_OUT

#: An evaluation by sweeps ends when the changes have shrunk by this factor since the improvement.
SHRINK = 0.2

#: Where fewer choices than this share changed at last, the certificate is asked at once whether sweeps arrived.
SETTLED = 1e-5

#: Single precision holds no more than this: the next improvement takes it up again.
SINGLE = 1e-5

#: Where rows are longer than this, and a pass leaves no more than this share of the changes, passes are all it takes.
LONG_ROWS, STEEP = 32, 0.2

#: Sweeps carry news by one step each: where it has reached fewer states than this share, they are slow.
SPREAD = 0.1

#: The pair of a row that is none yet.
NOT_YET = 2**32 - 1

#: Sweeps after which their pace is judged, and the most of them that are worth waiting for.
JUDGED, WORTHWHILE = 12, 150


def sweep_policies(search: Search, *, patience: int | None = None) -> bool:
    """Modified policy iteration; whether it arrived, or False where it is slow (after `patience` sweeps at most)."""
    rows, discount, size = search.rows, search.discount, search.rows.num_states
    place, ends = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    room = 4 * size
    if rows.room.max(initial=0) > 4:
        place = np.concatenate([[0], np.cumsum(np.maximum(-(-rows.room.astype(np.int64) // 4), 1) * 4)])
        ends, room = place[:-1].copy(), int(place[-1])
    row_probability = np.zeros(room, dtype=np.float32)
    row_next = np.zeros(room, dtype=rows.next_state.dtype)
    copied = np.full(size, NOT_YET, dtype=rows.next_state.dtype if len(rows.mean) < NOT_YET else np.uint64)
    dead = np.flatnonzero(~rows.live)
    residual, now, then = (np.empty(size, dtype=np.float32) for _ in range(3))
    spans = np.empty(JUDGED if patience is not None else 200, dtype=np.float32)
    never = rows.never_ends
    steep = len(rows.probability) >= LONG_ROWS * rows.num_pairs
    before = np.inf
    while not search.improve():
        first = search.high - search.low if never else max(abs(search.high), abs(search.low))
        steep &= first <= STEEP * before
        if steep:
            before = first
            search.values[:] = search.best
            continue
        compiled(sweep_kernels.copy_rows)(
            *rows.arrays[:3],
            rows.scale,
            rows.live,
            search.choice,
            LEFT_OUT * (1.0 - discount),
            copied,
            place,
            ends,
            row_probability,
            row_next,
        )
        middle = 0.5 * (search.high + search.low) if never else 0.0
        compiled(kernels.residuals)(search.best, search.values, middle, rows.live, residual, now)
        few = search.changed < 1e-4 * size
        stop = max(search.goal, (SINGLE if few else SHRINK) * first)
        high = low = 0.0
        quick = True
        done = 0
        while True:
            count, high, low = compiled(sweep_kernels.sweep)(
                place,
                ends,
                row_probability,
                row_next,
                residual,
                rows.live,
                np.float32(discount),
                now,
                then,
                len(spans),
                np.float32(stop),
                never,
                spans,
            )
            done += count
            if count % 2:
                now, then = then, now
            width = float(spans[count - 1])
            if width <= stop or not width > 0.0:
                break
            spread = np.count_nonzero(now) >= SPREAD * size
            if patience is not None and not (spread and _quick(spans, search.goal)):
                quick = False
                break
            if done > 20_000:
                break
        search.values += now
        if never:
            search.values += middle / (1.0 - discount) + discount / (1.0 - discount) * 0.5 * (high + low)
        search.values[dead] = 0.0
        if not quick:
            return False
        if search.trusting and search.changed < SETTLED * size and width <= search.goal:
            search.guessed = True
            break
    return True


def _quick(spans: npt.NDArray[np.float32], goal: float) -> bool:
    """Whether sweeps that go on at this pace arrive within `WORTHWHILE` more."""
    early, late = float(spans[len(spans) // 3]), float(spans[-1])
    if not 0.0 < late < early:
        return False
    pace = math.log(early / late) / (len(spans) - 1 - len(spans) // 3)
    return math.log(late / goal) <= pace * WORTHWHILE if late > goal else True
