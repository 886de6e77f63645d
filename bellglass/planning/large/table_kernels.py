"""The loops that large discounted tables are solved with; plain functions that `compiled.py` compiles.

Shapes: S states, A actions, pairs j = s * A + a, N outcomes k in first[j] : first[j + 1].  An empty range is an action
that is not available, and its `mean` reward is minus infinity; `live` [S] says where one is.  Values of states that are
not live are 0 and stay so, hence an outcome that enters one needs no special care.  A backup reads

    q(j)  =  reward(j) + discount * scale(j) * sum_k p_k v(next_k)             scale = 1 / sum_k p_k

`scale` has a single element, 1, where all rows add up to 1 as nearly as float64 can say.

Two habits make them fast (measured): sums run four outcomes at a time, and choices among actions are
made without a branch, since a branch that waits for a value out of reach of the cache stops everything behind it.
Each kernel stands alone: compiled functions that call compiled functions would miss the disk cache when edited.
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray, FloatArray, IntArray

Singles = npt.NDArray[np.float32]

#: Unsigned, like every place of an outcome in the loops: a signed one would be asked whether it counts from the end.
ONE, TWO, THREE, FOUR = (np.uint64(n) for n in (1, 2, 3, 4))


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
    room: IntArray,
) -> tuple[bool, float, int, int, int, float, bool, float]:
    """Of states begin .. end: mean reward of each pair, longest row of each state.

    Where rewards of both signs meet in a row, `size` gets their mean absolute reward.

    Returns:
        Whether an outcome of positive chance terminates in a live state (then chances must be copied without it); the
        least chance to go on, 1 exactly where nothing ends; outcomes that go on to higher states, and to lower ones;
        how many pairs are available; how far the chances of a row add up to less or more than 1; whether signs are
        mixed; the greatest mean absolute reward.
    """
    copies, least, up, down, pairs, off, mixed, largest = False, 1.0, 0, 0, 0, 0.0, False, 0.0
    for s in range(begin, end):
        widest = 0
        for j in range(s * num_actions, (s + 1) * num_actions):
            b, e = np.uint64(first[j]), np.uint64(first[j + 1])
            if b == e:
                continue
            pairs += 1
            total, paid, absolute, gone = 0.0, 0.0, 0.0, 0.0
            for k in range(b, e):
                p = probability[k]
                t = np.int64(next_state[k])
                total += p
                paid += p * reward[k]
                absolute += p * abs(reward[k])
                if terminated[k] or not live[next_state[k]]:
                    gone += p
                    copies |= live[next_state[k]] and p > 0.0
                elif p > 0.0:
                    up += int(t > s)
                    down += int(t < s)
            mean[j] = paid / total
            off = max(off, abs(total - 1.0))
            largest = max(largest, absolute / total)
            if absolute != abs(paid):
                mixed = True
                size[j] = absolute / total
            if gone > 0.0:  # never 1, however small the chance to end: "never ends" must be exact
                least = min(least, 1.0 - gone / total, 1.0 - 2.0**-53)
            widest = max(widest, int(e - b))
        room[s] = widest
    return copies, least, up, down, pairs, off, mixed, largest


def scales(first: IntArray, probability: FloatArray, scale: FloatArray) -> None:
    """1 / sum_k p_k of each pair."""
    for j in range(len(scale)):
        total = 0.0
        for k in range(np.uint64(first[j]), np.uint64(first[j + 1])):
            total += probability[k]
        scale[j] = 1.0 / total if total > 0.0 else 0.0


def greatest_rewards(
    mean: FloatArray, live: BoolArray, num_actions: int, best: FloatArray, choice: IntArray
) -> tuple[float, float, int]:
    """What `improve` finds where all values are 0."""
    high, low, changed = -np.inf, np.inf, 0
    for s in range(len(live)):
        if not live[s]:
            continue
        top, chosen = -np.inf, np.int64(-1)
        for j in range(s * num_actions, (s + 1) * num_actions):
            chosen += np.int64(mean[j] > top) * (j - chosen)
            top = max(top, mean[j])
        best[s] = top
        choice[s] = chosen
        high = max(high, top)
        low = min(low, top)
        changed += 1
    return high, low, changed


def improve(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    width: int,
    num_actions: int,
    begin: int,
    end: int,
    best: FloatArray,
    choice: IntArray,
) -> tuple[float, float, int]:
    """One backup of states begin .. end: best [S] and the pair [S] that reaches it first.

    `width` is the length of all rows, where they have but one (a look less), and 0 elsewhere.

    Returns:
        The greatest and the least best(s) - values(s) over live states, and how many choices changed.
    """
    high, low, changed = -np.inf, np.inf, 0
    uneven = np.int64(len(scale) > 1)
    for s in range(begin, end):
        if not live[s]:
            continue
        top, chosen = -np.inf, np.int64(-1)
        k = np.uint64(first[s * num_actions])
        for j in range(s * num_actions, (s + 1) * num_actions):
            e = k + np.uint64(width) if width > 0 else np.uint64(first[j + 1])
            x = 0.0
            while k + FOUR <= e:
                x += (
                    probability[k] * values[next_state[k]]
                    + probability[k + ONE] * values[next_state[k + ONE]]
                    + (
                        probability[k + TWO] * values[next_state[k + TWO]]
                        + probability[k + THREE] * values[next_state[k + THREE]]
                    )
                )
                k += FOUR
            while k < e:
                x += probability[k] * values[next_state[k]]
                k += ONE
            x = mean[j] + discount * (x * scale[j * uneven])
            chosen += np.int64(x > top) * (j - chosen)
            top = max(top, x)
        best[s] = top
        high = max(high, top - values[s])
        low = min(low, top - values[s])
        changed += int(choice[s] != chosen)
        choice[s] = chosen
    return high, low, changed


def improve_shared(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    num_actions: int,
    begin: int,
    end: int,
    best: FloatArray,
    choice: IntArray,
    twin: IntArray,
    sums: FloatArray,
) -> tuple[float, float, int]:
    """As `improve`, where rows are shared: pair j has the row of pair twin[j], and its sum is kept in sums [S*A]."""
    high, low, changed = -np.inf, np.inf, 0
    uneven = np.int64(len(scale) > 1)
    for j in range(begin * num_actions, end * num_actions):
        sums[j] = np.nan
    for s in range(begin, end):
        if not live[s]:
            continue
        top, chosen = -np.inf, np.int64(-1)
        for j in range(s * num_actions, (s + 1) * num_actions):
            i = np.int64(twin[j])
            x = sums[i] if i >= begin * num_actions else np.nan
            if np.isnan(x):
                x = 0.0
                k, e = np.uint64(first[j]), np.uint64(first[j + 1])
                while k + FOUR <= e:
                    x += (
                        probability[k] * values[next_state[k]]
                        + probability[k + ONE] * values[next_state[k + ONE]]
                        + (
                            probability[k + TWO] * values[next_state[k + TWO]]
                            + probability[k + THREE] * values[next_state[k + THREE]]
                        )
                    )
                    k += FOUR
                while k < e:
                    x += probability[k] * values[next_state[k]]
                    k += ONE
                if i >= begin * num_actions:
                    sums[i] = x
            x = mean[j] + discount * (x * scale[j * uneven])
            chosen += np.int64(x > top) * (j - chosen)
            top = max(top, x)
        best[s] = top
        high = max(high, top - values[s])
        low = min(low, top - values[s])
        changed += int(choice[s] != chosen)
        choice[s] = chosen
    return high, low, changed


def twins(
    first: IntArray,
    bits: IntArray,
    next_state: IntArray,
    begin: int,
    end: int,
    slots: IntArray,
    hashes: IntArray,
    twin: IntArray,
) -> int:
    """The first pair twin[j] that has the same outcomes as pair j, bit by bit, of the pairs begin .. end.

    `bits` are those of the probabilities.  `slots` (a power of two, more than the pairs, all -1) and `hashes` [S*A]
    are room for a hash table.  Returns how many rows are different.
    """
    mask = np.uint64(len(slots) - 1)
    different = 0
    for j in range(begin, end):
        b, e = first[j], first[j + 1]
        h = np.uint64(e - b)
        for k in range(b, e, max((e - b) // 8, 1)):  # some of them: rows that look alike are compared whole
            h = (h ^ bits[k] ^ (np.uint64(next_state[k]) << np.uint64(17))) * np.uint64(0x9E3779B97F4A7C15)
            h ^= h >> np.uint64(29)
        hashes[j] = h
        place = h & mask
        while True:
            i = slots[place]
            if i < 0:
                slots[place] = j
                twin[j] = j
                different += 1
                break
            if hashes[i] == h and first[i + 1] - first[i] == e - b:
                one, other = bits[b:e], bits[first[i] : first[i + 1]]
                here, there = next_state[b:e], next_state[first[i] : first[i + 1]]
                apart = np.uint64(0)
                for n in range(len(one)):
                    apart |= one[n] ^ other[n]
                for n in range(len(here)):
                    apart |= np.uint64(here[n] ^ there[n])
                if apart == 0:
                    twin[j] = i
                    break
            place = (place + np.uint64(1)) & mask
    return different


def residuals(
    best: FloatArray, values: FloatArray, middle: float, live: BoolArray, residual: Singles, now: Singles
) -> None:
    """What one backup adds, less `middle`, in single precision, twice."""
    for s in range(len(live)):
        x = best[s] - values[s] - middle if live[s] else 0.0
        residual[s] = x
        now[s] = x


def gauss_seidel(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    num_actions: int,
    sequence: IntArray,
    backward: bool,
) -> float:
    """One backup of every state in place, in order or backwards; loops to the same state are solved exactly.

    The order is that of the `sequence` of the live states, or of all states' numbers where that is empty.

    Returns the greatest change.
    """
    uneven, ordered = np.int64(len(scale) > 1), len(sequence) > 0
    size = len(sequence) if ordered else len(live)
    most = 0.0
    for n in range(size):
        s = np.int64(size - 1 - n if backward else n)
        if ordered:
            s = np.int64(sequence[s])
        if not live[s]:
            continue
        top = -np.inf
        for j in range(s * num_actions, (s + 1) * num_actions):
            x, own = 0.0, 0.0
            for k in range(np.uint64(first[j]), np.uint64(first[j + 1])):
                t = np.int64(next_state[k])
                p = probability[k]
                here = np.float64(t == s)
                own += here * p
                x += (1.0 - here) * p * values[next_state[k]]
            x = (mean[j] + discount * (x * scale[j * uneven])) / (1.0 - discount * own * scale[j * uneven])
            top = max(top, x)
        most = max(most, abs(top - values[s]))
        values[s] = top
    return most


def prioritised(
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
    num_states, uneven = len(live), np.int64(len(scale) > 1)
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
                x, own = 0.0, 0.0
                for k in range(np.uint64(first[j]), np.uint64(first[j + 1])):
                    t = np.int64(next_state[k])
                    if t == s:
                        own += probability[k]
                    else:
                        x += probability[k] * values[next_state[k]]
                top = max(
                    top,
                    (mean[j] + discount * (x * scale[j * uneven]))
                    / (1.0 - discount * own * scale[j * uneven]),
                )
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
