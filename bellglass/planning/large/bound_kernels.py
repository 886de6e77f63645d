"""The two passes of the certificate; the proofs stand in `bounds` and `compiled_bounds`.

Plain functions that `agents.compiled` turns to machine code; shapes and habits are those of `kernels`.
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .table_kernels import Singles


def bracket(
    first: IntArray,
    probability: FloatArray,
    next_state: IntArray,
    mean: FloatArray,
    size: FloatArray,
    scale: FloatArray,
    live: BoolArray,
    values: FloatArray,
    discount: float,
    begin: int,
    end: int,
    num_actions: int,
    q_values: FloatArray,
    doubt: Singles,
    choice: IntArray,
    twin: IntArray,
    sums: FloatArray,
) -> tuple[float, float, float]:
    """Q [S*A] of states begin .. end, a bound [S*A] on its rounding, and the first best pair [S].

    Q is minus infinity where an action is not available.  A `scale` of a single element is off by 8 units at most.
    Where rows are shared, twin[j] is the first pair with the row of pair j, and sums [S*A, 2] room for what was found.

    Returns:
        The greatest max_j (q + doubt) - values, the least max_j (q - doubt) - values, the least of q - doubt - values
        along the choice.
    """
    unit = 2.0**-53
    high, low, own = -np.inf, np.inf, np.inf
    uneven, shared = np.int64(len(scale) > 1), len(twin) > 0
    for s in range(begin, end):
        if not live[s]:
            q_values[s * num_actions : (s + 1) * num_actions] = -np.inf
            continue
        top, most, least, chosen = -np.inf, -np.inf, -np.inf, np.int64(-1)
        for j in range(s * num_actions, (s + 1) * num_actions):
            b, e = np.uint64(first[j]), np.uint64(first[j + 1])
            if b == e:
                q_values[j] = -np.inf
                continue
            x, absolute = 0.0, 0.0
            i = np.int64(twin[j]) if shared else j
            if i < j and i >= begin * num_actions:
                x, absolute = sums[i, 0], sums[i, 1]
            else:
                for k in range(b, e):
                    z = probability[k] * values[next_state[k]]
                    x += z
                    absolute += abs(z)
                if shared:
                    sums[i, 0], sums[i, 1] = x, absolute
            mass = discount * scale[j * uneven]
            x = mean[j] + x * mass
            error = (2.0 * np.float64(e - b) + 20.0) * unit * (max(abs(mean[j]), size[j]) + absolute * mass)
            rounded = np.float32(
                error * (1.0 + 2.0**-20) + 1e-37
            )  # upwards, whichever way single precision rounds
            error = np.float64(rounded)
            q_values[j] = x
            doubt[j] = rounded
            most = max(most, x + error)
            least = max(least, x - error)
            chosen += np.int64(x > top) * (j - chosen)
            top = max(top, x)
        choice[s] = chosen
        around = 4.0 * unit * (abs(top) + abs(values[s]))
        high = max(high, most - values[s] + around)
        low = min(low, least - values[s] - around)
        own = min(own, q_values[chosen] - doubt[chosen] - values[s] - around)
    return high, low, own


def conclude(
    live: BoolArray,
    values: FloatArray,
    q_values: FloatArray,
    doubt: Singles,
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
) -> float:
    """Bounds [S], which pairs [S*A] may be optimal, and the lowest such action [S], of states begin .. end.

    `up` and `down` are what may be added to the values: values + down <= optimum <= values + up.  The masses of rows
    lie in [least, 1].

    Returns:
        The least of q - doubt - values along the policy.
    """
    unit = 2.0**-53
    own = np.inf
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
            if q_values[j] > -np.inf:
                most = max(most, q_values[j] + doubt[j])
                fewest = max(fewest, q_values[j] - doubt[j])
        large = abs(values[s]) + abs(up) + abs(down)
        edge = 8.0 * unit * (large + abs(most)) + 5e-324
        upper[s] = min(values[s] + up, most + up_after) + edge
        lower[s] = max(values[s] + down, fewest + down_after) - edge
        lowest = -1
        for j in range(s * num_actions, (s + 1) * num_actions):
            if q_values[j] > -np.inf:
                around = 8.0 * unit * (abs(q_values[j]) + abs(up)) + 5e-324
                may = q_values[j] + doubt[j] + up_after + around >= lower[s]
                optimal[j] = may
                if may and lowest < 0:
                    lowest = j
        policy[s] = lowest - s * num_actions
        around = 4.0 * unit * (abs(q_values[lowest]) + abs(values[s]))
        own = min(own, q_values[lowest] - doubt[lowest] - values[s] - around)
    return own


def finish(
    values: FloatArray,
    live: BoolArray,
    missing: float,
    down: float,
    lower: FloatArray,
    upper: FloatArray,
    own: FloatArray,
    found: FloatArray,
) -> float:
    """A policy's own lower bounds [S], never above those of the optimum, and values [S] between the bounds.

    Returns how far apart the bounds are at most; infinity where one of them is no number.
    """
    unit = 2.0**-53
    widest = 0.0
    for s in range(len(live)):
        low = values[s] + down - (8.0 * unit * (abs(values[s]) + abs(down)) + 5e-324)
        own[s] = min(low, lower[s]) if live[s] else 0.0
        found[s] = min(max(values[s] + missing, own[s]), upper[s])
        apart = upper[s] - own[s]
        widest = max(widest, apart if apart < np.inf else np.inf)
    return widest
