"""The loops that order the states of a table: a look for a cycle, strongly connected components, breadth-first search.

Plain functions that `agents.compiled` turns to machine code; shapes and habits are those of `kernels`.  An edge is an
outcome that goes on; those of a state stand together, first[s * A] : first[(s + 1) * A].
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray


def on_a_cycle(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    live: BoolArray,
    num_actions: int,
    start: int,
) -> bool:
    """Whether a walk from `start`, which always leaves by the first edge to another state, comes round.

    Brent (1980, BIT 20): an anchor is dropped at powers of two.
    """
    here, anchor = np.int64(start), np.int64(start)
    steps, limit = 0, 1
    while True:
        found = np.int64(-1)
        for k in range(np.uint64(first[here * num_actions]), np.uint64(first[(here + 1) * num_actions])):
            t = np.int64(next_state[k])
            if t != here and probability[k] > 0.0 and live[t]:
                found = t
                break
        if found < 0:
            return False
        if found == anchor:
            return True
        here = found
        steps += 1
        if steps == limit:
            anchor, steps, limit = here, 0, 2 * limit


def components(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    live: BoolArray,
    num_actions: int,
    part: IntArray,
    sequence: IntArray,
) -> int:
    """Strongly connected components of the live states (Tarjan 1972), downstream ones first.

    Fills part [S] with each state's component, and sequence [live states], component by component.

    Returns how many there are.
    """
    size = len(live)
    none = np.int64(size)
    number = np.zeros(size, dtype=part.dtype)  # when it was met, from 1 on
    low = np.empty(size, dtype=part.dtype)
    at = np.empty(size, dtype=np.int64)
    path = np.empty(len(sequence), dtype=part.dtype)
    waiting = np.empty(len(sequence), dtype=part.dtype)
    for n in range(size):
        part[n] = none
    met, placed, count, waits = 0, 0, 0, 0
    for root in range(size):
        if not live[root] or number[root] > 0:
            continue
        depth, new = 0, np.int64(root)
        while True:
            if new >= 0:
                met += 1
                number[new] = met
                low[new] = met
                at[new] = first[new * num_actions]
                path[depth] = new
                waiting[waits] = new
                depth, waits, new = depth + 1, waits + 1, np.int64(-1)
            s = np.int64(path[depth - 1])
            k, end = at[s], first[(s + 1) * num_actions]
            lowest = low[s]
            while k < end:
                t = np.int64(next_state[np.uint64(k)])
                if probability[np.uint64(k)] > 0.0 and live[t]:
                    if number[t] == 0:
                        new = t
                        break
                    if part[t] == none:
                        lowest = min(lowest, number[t])
                k += 1
            low[s] = lowest
            at[s] = k
            if new >= 0:
                continue
            depth -= 1
            if lowest == number[s]:
                while True:
                    waits -= 1
                    t = np.int64(waiting[waits])
                    part[t] = count
                    sequence[placed] = t
                    placed += 1
                    if t == s:
                        break
                count += 1
            if depth == 0:
                break
            above = np.int64(path[depth - 1])
            low[above] = min(low[above], lowest)
    return count


def breadth_first(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    num_actions: int,
    part: IntArray,
    sequence: IntArray,
) -> None:
    """Orders each component of the sequence by its distance from one of its outermost states.

    That is the last state that a first search finds (George and Liu 1979, ACM Transactions on Mathematical Software 5).
    """
    seen = np.zeros(len(part), dtype=np.uint8)
    begin = 0
    while begin < len(sequence):
        mine = part[sequence[begin]]
        start = np.int64(sequence[begin])
        end = begin
        for turn in range(1, 3):
            sequence[begin] = start
            seen[start] = turn
            end = begin + 1
            n = begin
            while n < end:
                s = np.int64(sequence[n])
                n += 1
                for k in range(np.uint64(first[s * num_actions]), np.uint64(first[(s + 1) * num_actions])):
                    t = np.int64(next_state[k])
                    if part[t] == mine and probability[k] > 0.0 and seen[t] < turn:
                        seen[t] = turn
                        sequence[end] = t
                        end += 1
            start = np.int64(sequence[end - 1])
        begin = end
