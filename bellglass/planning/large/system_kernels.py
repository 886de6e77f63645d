"""The loops of systems: the order of the states, the matrix of a policy with its preconditioner, and BiCGSTAB.

Plain functions that `agents.compiled` turns to machine code; shapes and habits are those of `kernels`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .table_kernels import ONE

#: Reals, or doubles very near discount 1.
Reals = npt.NDArray[np.floating[Any]]


def levels(
    first: IntArray,
    next_state: IntArray,
    live: BoolArray,
    choice: IntArray,
    sequence: IntArray,
    place: IntArray,
    order: IntArray,
    level: IntArray,
) -> int:
    """Orders the live states so that those of one level, which no outcome of the policy links, come together.

    A state's level is one more than the highest among the earlier states that it is linked with, either way; so the
    order changes nothing that a pass in the order of the `sequence` would do (of the states' numbers, where that is
    empty), but its steps no longer wait for each other (level scheduling: Saad 2003, section 11.6.3).  `place` [S]
    says where a state stands in the sequence.

    Returns the number of levels.
    """
    size, ordered = len(live), len(sequence) > 0
    for n in range(size):
        level[n] = 0
    top = 0
    for n in range(len(sequence) if ordered else size):
        s = np.int64(sequence[n] if ordered else n)
        here = np.int64(place[s] if ordered else n)
        if live[s]:
            j = choice[s]
            mine = level[s]
            for k in range(np.uint64(first[j]), np.uint64(first[j + 1])):
                t = np.int64(next_state[k])
                if live[t] and (np.int64(place[t]) if ordered else t) < here:
                    mine = max(mine, level[t] + 1)
            level[s] = mine
            top = max(top, mine)
            for k in range(np.uint64(first[j]), np.uint64(first[j + 1])):
                t = np.int64(next_state[k])
                if (np.int64(place[t]) if ordered else t) > here:
                    level[t] = max(level[t], mine + 1)
    starts = np.zeros(top + 2, dtype=np.int64)
    for n in range(size):
        if live[n]:
            starts[level[n] + 1] += 1
    for n in range(1, top + 2):
        starts[n] += starts[n - 1]
    for n in range(size):
        if live[n]:
            order[starts[level[n]]] = n
            starts[level[n]] += 1
    return top + 1


def beside(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    live: BoolArray,
    choice: IntArray,
    negligible: float,
    spot: IntArray,
) -> tuple[int, int, int]:
    """What `system` would hold beside the diagonal: the most entries of a row below it, above it, and all of them."""
    widest_low, widest_up, total = 0, 0, 0
    for s in range(len(live)):
        if not live[s]:
            continue
        i = np.int64(spot[s])
        b, e = first[choice[s]], first[choice[s] + 1]
        small = negligible / max(e - b, 1)
        low, up = 0, 0
        for k in range(b, e):
            t = np.int64(spot[next_state[k]])
            if (
                probability[k] > small and live[next_state[k]]
            ):  # a branch: without it LLVM gathers, which is slow
                if t < i:
                    low += 1
                elif t > i:
                    up += 1
        widest_low, widest_up = max(widest_low, low), max(widest_up, up)
        total += low + up
    return widest_low, widest_up, total


def system(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    scale: FloatArray,
    live: BoolArray,
    choice: IntArray,
    discount: float,
    negligible: float,
    spot: IntArray,
    low_width: int,
    built: IntArray,
    begins: IntArray,
    below: IntArray,
    above: IntArray,
    column: IntArray,
    entry: Reals,
    pivot: Reals,
    excess: Reals,
) -> bool:
    """The matrix I - discount P of the policy, its rows divided by the pivots of DILU.

    These are the diagonal that makes  (pivot + lower) pivot^-1 (pivot + upper)  agree with the matrix on the diagonal
    (Saad 2003, section 10.3.2).  Row i = spot[s] is that of the live state s; its place is begins[i] : begins[i + 1],
    its entries below the diagonal stand in front of below[i], those above from above[i] on.  Where `low_width` is not
    negative, both are begins[i] + low_width, and zeros fill up.  `excess` is the diagonal less 2, both divided by the
    pivot.

    Only rows whose pair is not the one they were `built` from are written.  Where they are few, the other pivots stay
    as they are: a preconditioner may be a little out of date.  Outcomes that all together have a chance of at most
    `negligible` are taken for staying.

    Returns False where a row does not fit.
    """
    size, uneven = len(built), np.int64(len(scale) > 1)
    fresh = np.zeros(size, dtype=np.bool_)
    written = 0
    for s in range(len(live)):
        if not live[s]:
            continue
        i, j = np.int64(spot[s]), choice[s]
        if built[i] == j:
            continue
        built[i] = j
        low, up, own = np.int64(begins[i]), np.int64(begins[i + 1]), 1.0
        b, e = first[j], first[j + 1]
        small = negligible / max(e - b, 1)
        for k in range(np.uint64(b), np.uint64(e)):
            if not live[next_state[k]]:
                continue
            t = np.int64(spot[next_state[k]])
            x = -discount * probability[k] * scale[j * uneven]
            if t == i or probability[k] <= small:
                own += x
            elif low == up:
                return False
            elif t < i:
                column[low] = t
                entry[low] = x
                low += 1
            else:
                up -= 1
                column[up] = t
                entry[up] = x
        if low_width >= 0:
            middle = np.int64(begins[i] + low_width)
            if low > middle or up < middle:
                return False
            for n in range(low, up):
                column[n] = i
                entry[n] = 0.0
            low, up = middle, middle
        below[i], above[i] = low, up
        excess[i] = own - 2.0
        pivot[i] = 1.0
        fresh[i] = True
        written += 1
    for i in np.arange(size):
        if not fresh[i] and written < 0.02 * size:
            continue
        before = np.float64(pivot[i])
        diagonal = (excess[i] + 2.0) * before
        own = diagonal
        for k in range(np.uint64(begins[i]), np.uint64(below[i])):
            t = column[k]
            for h in range(np.uint64(above[t]), np.uint64(begins[t + 1])):
                if column[h] == i:
                    own -= before * entry[k] * entry[h]  # row t is divided by its pivot already
        own = max(own, 1e-3 * diagonal)  # it is that of an M-matrix, and positive, but for rounding
        pivot[i] = own
        excess[i] = diagonal / own - 2.0
        scaled = before / own
        for k in range(np.uint64(begins[i]), np.uint64(begins[i + 1])):
            entry[k] *= scaled
    return True


def bicgstab(
    begins: IntArray,
    below: IntArray,
    above: IntArray,
    column: IntArray,
    entry: Reals,
    pivot: Reals,
    excess: Reals,
    order: IntArray,
    right: FloatArray,
    goal: float,
    most: int,
    jitter: float,
    x: FloatArray,
    work: FloatArray,
) -> tuple[int, float]:
    """Solves the `system` for right[order] from x = 0 by BiCGSTAB (van der Vorst 1992), preconditioned on both sides.

    A product with the preconditioned matrix costs no more than the two substitutions (Eisenstat 1981):

        t = (1 + above)^-1 p       u = (1 + below)^-1 (p + excess t)       product = t + u

    The matrix may be held in single precision, the vectors are in double: whoever asks for more digits corrects again.
    Stops when no entry of the (preconditioned) residual is greater than `goal`, or after `most` iterations, or at a
    breakdown; what is left in `x` [S] is then the best that was seen, to within a factor of two.  `work` is [7, S].
    `jitter` moves the shadow residual off `right` by a share of it: where that is 0 but for a few states, the method
    may break down at its first step.

    Returns:
        Iterations, and the greatest entry of the residual.
    """
    size = len(x)
    r, shadow, p, v, t, u, kept = work[0], work[1], work[2], work[3], work[4], work[5], work[6]
    norm = 0.0
    for s in range(size):
        p[s], v[s], t[s], u[s], x[s], kept[s], r[s] = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        z = right[order[s]] / pivot[s]
        for k in range(np.uint64(begins[s]), np.uint64(below[s])):
            z -= entry[k] * r[column[k]]
        r[s] = z
        norm = max(norm, abs(z))
    for s in range(size):
        shadow[s] = r[s]
        if jitter > 0.0:
            shadow[s] += jitter * norm * ((s * 619 + 271) % 1009 / 1009.0 - 0.5)
    least = norm
    rho, alpha, omega = 1.0, 1.0, 1.0
    n = 0
    fresh = 0.0
    for s in range(size):
        fresh += shadow[s] * r[s]
    while n < most and norm > goal:
        n += 1
        if fresh == 0.0 or omega == 0.0:
            break
        beta = (fresh / rho) * (alpha / omega)
        for i in range(size):
            h = np.uint64(size - 1 - i)
            p[h] = r[h] + beta * (p[h] - omega * v[h])
            z = p[h]
            for k in range(np.uint64(above[h]), np.uint64(begins[h + ONE])):
                z -= entry[k] * t[column[k]]
            t[h] = z
        under = 0.0
        for s in range(size):
            z = p[s] + excess[s] * t[s]
            for k in range(np.uint64(begins[s]), np.uint64(below[s])):
                z -= entry[k] * u[column[k]]
            u[s] = z
            v[s] = z + t[s]
            under += shadow[s] * v[s]
        if under == 0.0:
            break
        alpha = fresh / under
        for i in range(size):
            h = np.uint64(size - 1 - i)
            r[h] -= alpha * v[h]
            z = r[h]
            for k in range(np.uint64(above[h]), np.uint64(begins[h + ONE])):
                z -= entry[k] * t[column[k]]
            t[h] = z
        along, square = 0.0, 0.0
        for s in range(size):
            z = r[s] + excess[s] * t[s]
            for k in range(np.uint64(begins[s]), np.uint64(below[s])):
                z -= entry[k] * u[column[k]]
            u[s] = z
            z += t[s]
            along += z * r[s]
            square += z * z
        omega = along / square if square > 0.0 else 0.0
        norm, rho, fresh = 0.0, fresh, 0.0
        for s in range(size):
            x[s] += alpha * p[s] + omega * r[s]
            r[s] -= omega * (t[s] + u[s])
            fresh += shadow[s] * r[s]
            norm = max(norm, abs(r[s]))
        if not norm < 1e300:
            break
        if norm < 0.5 * least:
            least = norm
            for s in range(size):
                kept[s] = x[s]
    if not norm <= 2.0 * least:
        norm = least
        for s in range(size):
            x[s] = kept[s]
    for i in range(size):
        h = np.uint64(size - 1 - i)
        z = x[h]
        for k in range(np.uint64(above[h]), np.uint64(begins[h + ONE])):
            z -= entry[k] * x[column[k]]
        x[h] = z
    return n, norm
