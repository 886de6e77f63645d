"""The loops that bound expected steps to one target: sweeps in place, outwards from it, and what they leave over.

Plain functions that `agents.compiled` turns to machine code.  The pairs (state, action) of state s are those from
first_pair[s] to first_pair[s + 1]; pair j leads to the states next_state[first[j] : first[j + 1]].
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import FloatArray, IntArray


def outwards(
    came_first: IntArray, came_from: IntArray, target: int, order: IntArray, moves: IntArray
) -> None:
    """Writes all states in the order of their fewest moves to the target, and those moves [n]."""
    for s in range(len(moves)):
        moves[s] = -1
    order[0], moves[target] = target, 0
    done, found = 0, 1
    while done < found:
        t = order[done]
        done += 1
        for k in range(came_first[t], came_first[t + 1]):
            s = came_from[k]
            if moves[s] < 0:
                moves[s] = moves[t] + 1
                order[found] = s
                found += 1


def bracket(
    first_pair: IntArray,
    first: IntArray,
    next_state: IntArray,
    probability: FloatArray,
    order: IntArray,
    steps: FloatArray,
    ceiling: float,
    width: float,
    rounds: int,
    sweeps: int,
    bounds: FloatArray,
) -> bool:
    """Works on `steps` [n] until the greatest is known within `width` of itself, or is no more than `ceiling`.

    order[0] is the target.  A round looks at every pair, takes the bounds of `diameters` from what is left over, and
    sweeps in place over the best pair of each state, outwards from the target.  Where the slowest mode alone is left
    after that, it is summed to its end (Aitken); where that made things worse, it is undone and not tried again.
    bounds[0] and bounds[1] become certified bounds of the greatest number of steps, the latter inf as long as there is
    none.

    Returns whether it is known.
    """
    size = len(steps)
    best = np.zeros(size, dtype=np.int64)
    last, safe = np.zeros(size), np.empty(size)
    steps[order[0]] = 0.0
    spread, leaps, leapt = np.inf, True, False
    for _ in range(rounds):
        over, under, greatest = -np.inf, np.inf, 0.0
        for i in range(1, size):
            s = order[i]
            here = steps[s]
            least, lowest = np.inf, np.inf
            for j in range(first_pair[s], first_pair[s + 1]):
                left, leaving = 1.0, 0.0
                for k in range(first[j], first[j + 1]):
                    if next_state[k] != s:
                        leaving += probability[k]
                        left += probability[k] * (steps[next_state[k]] - here)
                if left < least:
                    least = left
                if leaving > 0.0 and left / leaving < lowest:
                    lowest = left / leaving
                    best[s] = j
            over, under = max(over, least), min(under, least)
            greatest = max(greatest, here)
        grain = 1e-15 * greatest
        bounds[0] = greatest / (1.0 - min(0.0, under - grain))
        bounds[1] = greatest / (1.0 - over - grain) if over + grain < 1.0 else np.inf
        if bounds[1] <= ceiling or bounds[0] >= (1.0 - width) * bounds[1]:
            return True
        if leapt and over - under > spread:
            for s in range(size):
                steps[s] = safe[s]
            leaps = False
        leapt, spread = False, over - under

        length, rate, rate_before = 0.0, -1.0, -1.0
        for _ in range(sweeps):
            along, length_before, length = 0.0, length, 0.0
            for i in range(1, size):
                s = order[i]
                cost, leaving = 1.0, 0.0
                for k in range(first[best[s]], first[best[s] + 1]):
                    if next_state[k] != s:
                        leaving += probability[k]
                        cost += probability[k] * steps[next_state[k]]
                change = cost / leaving - steps[s]
                steps[s] += change
                along += change * last[s]
                length += change * change
                last[s] = change
            rate_before = rate
            rate = along / length_before if length_before > 0.0 else -1.0
        if leaps and 0.0 < rate < 1.0 and abs(rate - rate_before) < 0.2 * (1.0 - rate):
            leapt = True
            for s in range(size):
                safe[s] = steps[s]
            for i in range(1, size):
                s = order[i]
                steps[s] = max(1.0, steps[s] + last[s] * rate / (1.0 - rate))
    return False


def eliminated(chances: FloatArray) -> FloatArray:
    """[n] expected steps to state 0 of a chain [n, n], which is overwritten.

    States are removed from the last, and what led to one leads to where it leads: nothing is ever subtracted, so all
    digits are kept (Grassmann, Taksar & Heyman 1985).
    """
    size = len(chances)
    cost, leaving, steps = np.ones(size), np.empty(size), np.zeros(size)
    for k in range(size - 1, 0, -1):
        begin, total = k, 0.0
        for j in range(k):
            if chances[k, j] > 0.0:
                begin, total = min(begin, j), total + chances[k, j]
        leaving[k] = total
        for i in range(1, k):
            if chances[i, k] > 0.0:
                share = chances[i, k] / total
                cost[i] += share * cost[k]
                for j in range(begin, k):
                    chances[i, j] += share * chances[k, j]
    for k in range(1, size):
        total = cost[k]
        for j in range(k):
            if chances[k, j] > 0.0:
                total += chances[k, j] * steps[j]
        steps[k] = total / leaving[k]
    return steps
