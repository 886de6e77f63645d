"""The loops that large discounted tables are solved with; plain functions that `agents.compiled` turns to machine code.

Shapes: S states, A actions, pairs j = s * A + a, N outcomes k in first[j] : first[j + 1].  An empty range is an action
that is not available; `live` [S] says where one is.  Values of states that are not live are 0 and stay so, hence an
outcome that enters one needs no special care.  A backup reads

    q(j)  =  reward(j) + discount * scale(j) * sum_k p_k v(next_k)             scale = 1 / sum_k p_k

Two habits make them fast (measured, MEASURED.md): sums run four outcomes at a time, and choices among actions are
made without a branch, since a branch that waits for a value out of reach of the cache stops everything behind it.
Each kernel stands alone: compiled functions that call compiled functions would miss the disk cache when edited.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from ....envs.mdp import BoolArray, FloatArray, IntArray

Singles = npt.NDArray[np.float32]


def measure(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    reward: FloatArray,
    terminated: BoolArray,
    live: BoolArray,
    begin: int,
    end: int,
    num_actions: int,
    mean: FloatArray,
    size: FloatArray,
    scale: FloatArray,
    room: IntArray,
) -> tuple[bool, float, int, int, int, int]:
    """Of states begin .. end: mean reward, mean absolute reward and scale of each pair, longest row of each state.

    Returns:
        Whether an outcome of positive chance terminates in a live state (then rows must be copied without it); the
        least chance to go on; outcomes that go on to higher states, to lower ones, to the same one; the longest row.
    """
    copies, least, up, down, stay, longest = False, 1.0, 0, 0, 0, 0
    for s in range(begin, end):
        widest = 0
        for j in range(s * num_actions, (s + 1) * num_actions):
            b, e = first[j], first[j + 1]
            if b == e:
                continue
            total, paid, absolute, gone = 0.0, 0.0, 0.0, 0.0
            for k in range(b, e):
                p = probability[k]
                t = np.int64(next_state[k])
                total += p
                paid += p * reward[k]
                absolute += p * abs(reward[k])
                if terminated[k] or not live[t]:
                    gone += p
                    copies |= live[t] and p > 0.0
                elif p > 0.0:
                    up += int(t > s)
                    down += int(t < s)
                    stay += int(t == s)
            mean[j] = paid / total
            size[j] = absolute / total
            scale[j] = 1.0 / total
            if gone > 0.0:
                least = min(least, 1.0 - gone / total)
            widest = max(widest, e - b)
        room[s] = widest
        longest = max(longest, widest)
    return copies, least, up, down, stay, longest


def without_ends(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    terminated: BoolArray,
    live: BoolArray,
    kept_first: IntArray,
    kept_probability: FloatArray,
    kept_next: IntArray,
) -> int:
    """Copies the outcomes that go on; returns their number."""
    n = 0
    for j in range(len(first) - 1):
        kept_first[j] = n
        for k in range(first[j], first[j + 1]):
            if not terminated[k] and live[next_state[k]] and probability[k] > 0.0:
                kept_probability[n] = probability[k]
                kept_next[n] = next_state[k]
                n += 1
    kept_first[len(first) - 1] = n
    return n


def improve(
    available: BoolArray,
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    begin: int,
    end: int,
    num_actions: int,
    best: FloatArray,
    choice: IntArray,
    q_values: Singles,
) -> tuple[float, float, int]:
    """One backup of states begin .. end: best [S] and the pair [S] that reaches it first.

    `q_values` [S*A] gets q less the state's value, unless it is empty.

    Returns:
        The greatest and the least best(s) - values(s) over live states, and how many choices changed.
    """
    high, low, changed = -np.inf, np.inf, 0
    noting = len(q_values) > 0
    for s in range(begin, end):
        if not live[s]:
            continue
        top, chosen = -np.inf, np.int64(-1)
        for j in range(s * num_actions, (s + 1) * num_actions):
            if not available[j]:
                continue
            k, e = first[j], first[j + 1]
            x = 0.0
            while k + 4 <= e:
                x += (
                    probability[k] * values[next_state[k]]
                    + probability[k + 1] * values[next_state[k + 1]]
                    + (
                        probability[k + 2] * values[next_state[k + 2]]
                        + probability[k + 3] * values[next_state[k + 3]]
                    )
                )
                k += 4
            while k < e:
                x += probability[k] * values[next_state[k]]
                k += 1
            x = mean[j] + discount * (x * scale[j])
            chosen += np.int64(x > top) * (j - chosen)
            top = max(top, x)
            if noting:
                q_values[j] = x - values[s]
        best[s] = top
        high = max(high, top - values[s])
        low = min(low, top - values[s])
        changed += int(choice[s] != chosen)
        choice[s] = chosen
    return high, low, changed


def shortlist(
    available: BoolArray,
    live: BoolArray,
    values: FloatArray,
    best: FloatArray,
    q_values: Singles,
    margin: float,
    num_actions: int,
    list_first: IntArray,
    listed: IntArray,
) -> int:
    """The pairs whose q is within `margin` of the best, as `improve` noted it; returns their number."""
    n = 0
    for s in range(len(live)):
        list_first[s] = n
        if live[s]:
            edge = best[s] - values[s] - margin
            for j in range(s * num_actions, (s + 1) * num_actions):
                listed[n] = j
                n += int(available[j] and q_values[j] >= edge)
    list_first[len(live)] = n
    return n


def improve_listed(
    list_first: IntArray,
    listed: IntArray,
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    best: FloatArray,
    choice: IntArray,
) -> tuple[float, float, int]:
    """As `improve`, among the listed pairs only."""
    high, low, changed = -np.inf, np.inf, 0
    for s in range(len(live)):
        if not live[s]:
            continue
        top, chosen = -np.inf, np.int64(-1)
        for i in range(list_first[s], list_first[s + 1]):
            j = listed[i]
            k, e = first[j], first[j + 1]
            x = 0.0
            while k + 4 <= e:
                x += (
                    probability[k] * values[next_state[k]]
                    + probability[k + 1] * values[next_state[k + 1]]
                    + (
                        probability[k + 2] * values[next_state[k + 2]]
                        + probability[k + 3] * values[next_state[k + 3]]
                    )
                )
                k += 4
            while k < e:
                x += probability[k] * values[next_state[k]]
                k += 1
            x = mean[j] + discount * (x * scale[j])
            chosen += np.int64(x > top) * (j - chosen)
            top = max(top, x)
        best[s] = top
        high = max(high, top - values[s])
        low = min(low, top - values[s])
        changed += int(choice[s] != chosen)
        choice[s] = chosen
    return high, low, changed


def gauss_seidel(
    available: BoolArray,
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    num_actions: int,
    backward: bool,
) -> float:
    """One backup of every state in place, in order or backwards; loops to the same state are solved exactly.

    Returns the greatest change.
    """
    num_states = len(live)
    most = 0.0
    for n in range(num_states):
        s = num_states - 1 - n if backward else n
        if not live[s]:
            continue
        top = -np.inf
        for j in range(s * num_actions, (s + 1) * num_actions):
            if not available[j]:
                continue
            x, own = 0.0, 0.0
            for k in range(first[j], first[j + 1]):
                t = np.int64(next_state[k])
                p = probability[k]
                here = np.float64(t == s)
                own += here * p
                x += (1.0 - here) * p * values[t]
            x = (mean[j] + discount * (x * scale[j])) / (1.0 - discount * own * scale[j])
            top = max(top, x)
        most = max(most, abs(top - values[s]))
        values[s] = top
    return most


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
    factor_begins: IntArray,
    factor_column: IntArray,
    factor: FloatArray,
    factor_diagonal: IntArray,
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
            for k in range(factor_begins[s], factor_diagonal[s]):
                z -= factor[k] * y[factor_column[k]]
            y[s] = z
        for i in range(size):
            s = size - 1 - i
            z = y[s]
            for k in range(factor_diagonal[s] + 1, factor_begins[s + 1]):
                z -= factor[k] * y[factor_column[k]]
            y[s] = z * factor[factor_diagonal[s]]
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
            for k in range(factor_begins[s], factor_diagonal[s]):
                z -= factor[k] * y[factor_column[k]]
            y[s] = z
        for i in range(size):
            s = size - 1 - i
            z = y[s]
            for k in range(factor_diagonal[s] + 1, factor_begins[s + 1]):
                z -= factor[k] * y[factor_column[k]]
            y[s] = z * factor[factor_diagonal[s]]
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


def bracket(
    available: BoolArray,
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    size: FloatArray,
    scale: FloatArray,
    lengths: IntArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    begin: int,
    end: int,
    num_actions: int,
    q_values: FloatArray,
    doubt: FloatArray,
    choice: IntArray,
) -> tuple[float, float, float]:
    """Q [S*A] of states begin .. end, a bound [S*A] on its rounding, and the first best pair [S].

    Returns:
        The greatest max_j (q + doubt) - values, the least max_j (q - doubt) - values, the least of q - doubt - values
        along the choice.
    """
    unit = 2.0**-53
    high, low, own = -np.inf, np.inf, np.inf
    for s in range(begin, end):
        if not live[s]:
            continue
        top, most, least, chosen = -np.inf, -np.inf, -np.inf, np.int64(-1)
        for j in range(s * num_actions, (s + 1) * num_actions):
            if not available[j]:
                continue
            x, absolute = 0.0, 0.0
            for k in range(first[j], first[j + 1]):
                z = probability[k] * values[next_state[k]]
                x += z
                absolute += abs(z)
            x = mean[j] + discount * (x * scale[j])
            error = (2.0 * lengths[j] + 12.0) * unit * (size[j] + discount * (absolute * scale[j]))
            q_values[j] = x
            doubt[j] = error
            chosen += np.int64(x > top) * (j - chosen)
            top = max(top, x)
            most = max(most, x + error)
            least = max(least, x - error)
        choice[s] = chosen
        around = 4.0 * unit * (abs(top) + abs(values[s]))
        high = max(high, most - values[s] + around)
        low = min(low, least - values[s] - around)
        own = min(own, q_values[chosen] - doubt[chosen] - values[s] - around)
    return high, low, own


def conclude(
    available: BoolArray,
    live: BoolArray,
    values: FloatArray,
    q_values: FloatArray,
    doubt: FloatArray,
    discount: float,
    up: float,
    down: float,
    least: float,
    begin: int,
    end: int,
    num_actions: int,
    lower: FloatArray,
    upper: FloatArray,
    optimal: BoolArray,
    policy: IntArray,
) -> tuple[float, float]:
    """Bounds [S], which pairs [S*A] may be optimal, and the lowest such action [S], of states begin .. end.

    `up` and `down` are what may be added to the values: values + down <= optimum <= values + up.  The masses of rows
    lie in [least, 1].

    Returns:
        The least of q - doubt - values along the policy, and the greatest distance of the bounds.
    """
    unit = 2.0**-53
    own, apart = np.inf, 0.0
    up_after = discount * (up if up >= 0.0 else least * up)
    down_after = discount * (down if down <= 0.0 else least * down)
    for s in range(begin, end):
        lower[s] = 0.0
        upper[s] = 0.0
        policy[s] = 0
        if not live[s]:
            continue
        most, fewest = -np.inf, -np.inf
        for j in range(s * num_actions, (s + 1) * num_actions):
            if available[j]:
                most = max(most, q_values[j] + doubt[j])
                fewest = max(fewest, q_values[j] - doubt[j])
        large = abs(values[s]) + abs(up) + abs(down)
        edge = 8.0 * unit * (large + abs(most)) + 5e-324
        upper[s] = min(values[s] + up, most + up_after) + edge
        lower[s] = max(values[s] + down, fewest + down_after) - edge
        apart = max(apart, upper[s] - lower[s])
        lowest = -1
        for j in range(s * num_actions, (s + 1) * num_actions):
            if available[j]:
                around = 8.0 * unit * (abs(q_values[j]) + abs(up)) + 5e-324
                may = q_values[j] + doubt[j] + up_after + around >= lower[s]
                optimal[j] = may
                if may and lowest < 0:
                    lowest = j
        policy[s] = lowest - s * num_actions
        around = 4.0 * unit * (abs(q_values[lowest]) + abs(values[s]))
        own = min(own, q_values[lowest] - doubt[lowest] - values[s] - around)
    return own, apart


def prioritised(
    available: BoolArray,
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    num_actions: int,
    came_first: IntArray,
    came_from: IntArray,
    goal: float,
    most: int,
) -> tuple[int, bool]:
    """Backs up the state whose value is most out of date, again and again, until none is by more than `goal`.

    `came_from` [came_first[s] : came_first[s + 1]] are the states that may go on to s.  The queue is a heap of
    (minus priority, state); an entry that is no longer true is skipped.

    Returns:
        The number of backups, and whether it was done within `most` of them.
    """
    num_states = len(live)
    fresh = np.zeros(num_states)
    urgent = np.zeros(num_states)
    queue = [(0.0, np.int64(0))]
    queue.clear()
    look = np.arange(num_states)
    backups = 0
    while True:
        for i in range(len(look)):
            s = look[i]
            if not live[s]:
                continue
            top = -np.inf
            for j in range(s * num_actions, (s + 1) * num_actions):
                if not available[j]:
                    continue
                x, own = 0.0, 0.0
                for k in range(first[j], first[j + 1]):
                    t = np.int64(next_state[k])
                    if t == s:
                        own += probability[k]
                    else:
                        x += probability[k] * values[t]
                top = max(top, (mean[j] + discount * (x * scale[j])) / (1.0 - discount * own * scale[j]))
            fresh[s] = top
            urgent[s] = abs(top - values[s])
            if urgent[s] > goal:
                heapq.heappush(queue, (-urgent[s], np.int64(s)))
        s = np.int64(-1)
        while len(queue) > 0:
            priority, candidate = heapq.heappop(queue)
            if -priority == urgent[candidate] and urgent[candidate] > goal:
                s = candidate
                break
        if s < 0:
            return backups, True
        if backups >= most:
            return backups, False
        values[s] = fresh[s]
        urgent[s] = 0.0
        backups += 1
        look = came_from[came_first[s] : came_first[s + 1]]
