"""The loops that solve for a policy's values on the rows of that policy alone: sweeps, and BiCGSTAB with ILU(0).

Plain functions that `agents.compiled` turns to machine code; shapes and habits are those of `kernels`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ....envs.mdp import BoolArray, FloatArray, IntArray

Singles = npt.NDArray[np.float32]


def copy_rows(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    scale: FloatArray,
    live: BoolArray,
    choice: IntArray,
    copied: IntArray,
    place: IntArray,
    row_probability: Singles,
    row_next: IntArray,
) -> int:
    """Brings the copied rows of the policy up to date where its choice changed; returns how many did.

    Row s of the copy is place[s] : place[s + 1], filled up with outcomes of chance 0.
    """
    changed = 0
    for s in range(len(live)):
        if not live[s] or copied[s] == choice[s]:
            continue
        changed += 1
        j = choice[s]
        copied[s] = j
        n = place[s]
        for k in range(first[j], first[j + 1]):
            row_probability[n] = probability[k] * scale[j]
            row_next[n] = next_state[k]
            n += 1
        for k in range(n, place[s + 1]):
            row_probability[k] = 0.0
            row_next[k] = s
    return changed


def sweep(
    place: IntArray,
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
    `stop`.  In single precision: `residual` is small where the values are large.

    Returns:
        The number of sweeps, the greatest and the least change of the last one.  `spans` [most] gets each one's width.
    """
    n = 0
    high, low = residual[0] * 0, residual[0] * 0
    while n < most:
        high, low = residual[0] * 0 - np.float32(np.inf), residual[0] * 0 + np.float32(np.inf)
        for s in range(len(live)):
            k, e = place[s], place[s + 1]
            x = residual[0] * 0
            while k + 4 <= e:
                x += (
                    row_probability[k] * now[row_next[k]]
                    + row_probability[k + 1] * now[row_next[k + 1]]
                    + (
                        row_probability[k + 2] * now[row_next[k + 2]]
                        + row_probability[k + 3] * now[row_next[k + 3]]
                    )
                )
                k += 4
            while k < e:
                x += row_probability[k] * now[row_next[k]]
                k += 1
            x = residual[s] + discount * x
            then[s] = x
            if place[s] < e:
                high = max(high, x - now[s])
                low = min(low, x - now[s])
        now, then = then, now
        width = high - low if spread else max(abs(high), abs(low))
        spans[n] = width
        n += 1
        if width <= stop:
            break
    return n, high, low


def system(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    scale: FloatArray,
    live: BoolArray,
    choice: IntArray,
    discount: float,
    begins: IntArray,
    column: IntArray,
    entry: FloatArray,
    diagonal: IntArray,
) -> int:
    """I - discount P of the policy by rows, columns in order and merged, with every diagonal entry; their number."""
    n = 0
    for s in range(len(live)):
        begins[s] = n
        base = n
        own = 1.0
        if live[s]:
            j = choice[s]
            b, e = first[j], first[j + 1]
            falling = e - b > 1 and next_state[b] > next_state[e - 1]
            for i in range(b, e):
                k = e - 1 - (i - b) if falling else i
                t = np.int64(next_state[k])
                x = -discount * probability[k] * scale[j]
                if x == 0.0 or not live[t]:
                    continue
                if t == s:
                    own += x
                    continue
                h = n
                while h > base and column[h - 1] > t:
                    h -= 1
                if h > base and column[h - 1] == t:
                    entry[h - 1] += x
                    continue
                for c in range(n, h, -1):
                    column[c] = column[c - 1]
                    entry[c] = entry[c - 1]
                column[h] = t
                entry[h] = x
                n += 1
        h = n
        while h > base and column[h - 1] > s:
            h -= 1
        for c in range(n, h, -1):
            column[c] = column[c - 1]
            entry[c] = entry[c - 1]
        column[h] = s
        entry[h] = own
        diagonal[s] = h
        n += 1
    begins[len(live)] = n
    return n


def incomplete_factors(
    begins: IntArray, column: IntArray, entry: FloatArray, diagonal: IntArray, factor: FloatArray
) -> bool:
    """ILU(0): factors on the matrix's own pattern, pivots stored inverted (Saad 2003, algorithm 10.4).

    Returns False where a pivot vanishes.
    """
    size = len(diagonal)
    where = np.full(size, -1, dtype=np.int64)
    for s in range(size):
        b, e, d = begins[s], begins[s + 1], diagonal[s]
        for k in range(b, e):
            factor[k] = entry[k]
            where[column[k]] = k
        for k in range(b, d):
            t = column[k]
            x = factor[k] * factor[diagonal[t]]
            factor[k] = x
            for h in range(diagonal[t] + 1, begins[t + 1]):
                k2 = where[column[h]]
                if k2 >= 0:
                    factor[k2] -= x * factor[h]
        for k in range(b, e):
            where[column[k]] = -1
        if not abs(factor[d]) > 1e-300:
            return False
        factor[d] = 1.0 / factor[d]
    return True


def bicgstab(
    begins: IntArray,
    column: IntArray,
    entry: FloatArray,
    factor: FloatArray,
    diagonal: IntArray,
    right: FloatArray,
    goal: float,
    most: int,
    jitter: float,
    x: FloatArray,
    work: FloatArray,
) -> tuple[int, float]:
    """Solves (I - discount P) x = right from x = 0 by BiCGSTAB with ILU(0) from the right (van der Vorst 1992).

    Stops when no entry of the residual is greater than `goal`, or after `most` iterations, or at a breakdown.  The
    iterate of least residual is what is left in `x` [S]; `work` [7, S].  `jitter` moves the shadow residual off `right`
    by a share of it: where that is 0 but for a few states, the method may break down at its first step.

    Returns:
        Iterations, and the greatest entry of the (recursive) residual.
    """
    size = len(right)
    r, shadow, p, v, y, t, kept = work[0], work[1], work[2], work[3], work[4], work[5], work[6]
    norm = 0.0
    for s in range(size):
        x[s] = 0.0
        kept[s] = 0.0
        r[s] = right[s]
        shadow[s] = right[s]
        p[s] = 0.0
        v[s] = 0.0
        norm = max(norm, abs(right[s]))
    for s in range(size):
        shadow[s] += jitter * norm * ((s * 619 + 271) % 1009 / 1009.0 - 0.5)
    least = norm
    rho, alpha, omega = 1.0, 1.0, 1.0
    n = 0
    while n < most and norm > goal:
        n += 1
        fresh = 0.0
        for s in range(size):
            fresh += shadow[s] * r[s]
        if fresh == 0.0 or omega == 0.0:
            break
        beta = (fresh / rho) * (alpha / omega)
        for s in range(size):  # y = M^-1 p, forwards
            p[s] = r[s] + beta * (p[s] - omega * v[s])
            z = p[s]
            for k in range(begins[s], diagonal[s]):
                z -= factor[k] * y[column[k]]
            y[s] = z
        for i in range(size):
            s = size - 1 - i
            z = y[s]
            for k in range(diagonal[s] + 1, begins[s + 1]):
                z -= factor[k] * y[column[k]]
            y[s] = z * factor[diagonal[s]]
        under = 0.0
        for s in range(size):  # v = A y
            z = 0.0
            for k in range(begins[s], begins[s + 1]):
                z += entry[k] * y[column[k]]
            v[s] = z
            under += shadow[s] * z
        if under == 0.0:
            break
        alpha = fresh / under
        norm = 0.0
        for s in range(size):
            r[s] -= alpha * v[s]
            x[s] += alpha * y[s]
            norm = max(norm, abs(r[s]))
        if norm <= goal:
            break
        for s in range(size):  # y = M^-1 r
            z = r[s]
            for k in range(begins[s], diagonal[s]):
                z -= factor[k] * y[column[k]]
            y[s] = z
        for i in range(size):
            s = size - 1 - i
            z = y[s]
            for k in range(diagonal[s] + 1, begins[s + 1]):
                z -= factor[k] * y[column[k]]
            y[s] = z * factor[diagonal[s]]
        along, square = 0.0, 0.0
        for s in range(size):  # t = A y
            z = 0.0
            for k in range(begins[s], begins[s + 1]):
                z += entry[k] * y[column[k]]
            t[s] = z
            along += z * r[s]
            square += z * z
        omega = along / square if square > 0.0 else 0.0
        norm = 0.0
        for s in range(size):
            x[s] += omega * y[s]
            r[s] -= omega * t[s]
            norm = max(norm, abs(r[s]))
        rho = fresh
        if not norm < 1e300:
            break
        if norm < least:
            least = norm
            for s in range(size):
                kept[s] = x[s]
    if not norm <= least:
        norm = least
        for s in range(size):
            x[s] = kept[s]
    return n, norm
