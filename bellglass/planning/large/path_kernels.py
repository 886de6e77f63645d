"""The loops that solve tables where every action has a single outcome: paths, followed backwards from where they end.

Plain functions that `agents.compiled` turns to machine code; shapes and habits are those of `kernels`.
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray


def predecessors(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    live: BoolArray,
    came_first: IntArray,
    came_pair: IntArray,
) -> None:
    """The pairs that go on to each live state s: came_pair[came_first[s] : came_first[s + 1]]."""
    size = len(live)
    for s in range(size + 1):
        came_first[s] = 0
    for k in range(len(next_state)):
        if probability[k] > 0.0 and live[next_state[k]]:
            came_first[next_state[k] + 1] += 1
    for s in range(size):
        came_first[s + 1] += came_first[s]
    for j in range(len(first) - 1):
        for k in range(first[j], first[j + 1]):
            if probability[k] > 0.0 and live[next_state[k]]:
                t = next_state[k]
                came_pair[came_first[t]] = j
                came_first[t] += 1
    for s in range(size, 0, -1):
        came_first[s] = came_first[s - 1]
    came_first[0] = 0


def outwards(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    num_actions: int,
    came_first: IntArray,
    came_pair: IntArray,
    least: float,
    most: int,
) -> int:
    """Values of the best paths to an end, corrected backwards, first come, first served, until nothing improves.

    Every value is that of a path, so none is too high.  A state that has found no path has the value `least`.

    Returns how many paths were looked at; no more than about `most`.
    """
    size = len(live)
    waiting = np.empty(size, dtype=np.int64)
    waits = np.zeros(size, dtype=np.bool_)
    head, count, looked = 0, 0, 0
    for s in range(size):
        values[s] = 0.0
        if not live[s]:
            continue
        top = -np.inf
        for j in range(s * num_actions, (s + 1) * num_actions):
            k = first[j]
            if first[j + 1] > k and (probability[k] == 0.0 or not live[next_state[k]]):
                top = max(top, mean[j])
        values[s] = top
        if top > -np.inf:
            waiting[count] = s
            waits[s] = True
            count += 1
    while count > 0 and looked < most:
        t = int(waiting[head])
        head = head + 1 if head + 1 < size else 0
        count -= 1
        waits[t] = False
        after = discount * values[t]
        for i in range(came_first[t], came_first[t + 1]):
            j = int(came_pair[i])
            s = j // num_actions
            x = mean[j] + after
            if x > values[s]:
                values[s] = x
                if not waits[s]:
                    waits[s] = True
                    n = head + count
                    waiting[n if n < size else n - size] = s
                    count += 1
        looked += int(came_first[t + 1] - came_first[t])
    for s in range(size):
        if values[s] == -np.inf:
            values[s] = least
    return looked
