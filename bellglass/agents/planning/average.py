"""Average reward: the greatest reward per step in the long run, from every state.

    g*(s)  =  max over policies of  lim 1/T E[ sum_{t<T} r_t | s_0 = s ]

In the long run play stays in some end component, so (derived here; multichain theory in Puterman 1994, chapter 9)

    1. in each maximal end component, `staying` finds the greatest gain of never leaving it, with bounds;
    2. components collapse into states that may stop, which pays their gain, and all other rewards are 0: the
       greatest mean pay is a total reward, and its certificate, widened by the components' own, is the gain's.

The bias returned is the bias of the policy returned, as `chains.long_run` defines it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray
from .bounds import allowed_width, apart, refuse
from .end_components import attracted, end_components
from .pairs import Pairs
from .quotient import collapse
from .staying import Stay, best_stay, long_run_of
from .total import solve_total


@dataclass(frozen=True, eq=False)
class Average:
    """What `solve_average` finds.

    Attributes:
        gain: [S].
        bias: [S] of `policy`.
        lower: [S] at most the gain of the best policy.
        upper: [S] at least the gain of the best policy.
        policy: [S].
        q_values: [M] r - gain + P bias.
        optimal: [M] pairs that keep the gain and, within rounding, the bias.
        iterations: policies tried.
    """

    gain: FloatArray
    bias: FloatArray
    lower: FloatArray
    upper: FloatArray
    policy: IntArray
    q_values: FloatArray
    optimal: BoolArray
    iterations: int


def solve_average(pairs: Pairs, *, tolerance: float, relative: bool) -> Average:
    """The greatest gain, its bounds and a policy that earns it.

    Raises:
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    component, inside = end_components(pairs)
    stays = [best_stay(pairs, component == c, inside) for c in range(int(component.max(initial=-1)) + 1)]
    gains = np.array([stay.gain for stay in stays])
    quotient = collapse(
        pairs, component, ~inside, np.zeros(pairs.num_pairs), gains, sizes=np.zeros(pairs.num_pairs)
    )
    settled = solve_total(quotient.pairs, tolerance=tolerance, relative=relative)

    below = max((stay.gain - stay.lower for stay in stays), default=0.0)
    above = max((stay.upper - stay.gain for stay in stays), default=0.0)
    gain = settled.values[quotient.class_of]
    lower = settled.lower[quotient.class_of] - below
    upper = settled.upper[quotient.class_of] + above
    width = allowed_width(tolerance, relative, gain)
    if apart(lower, upper) > width:
        refuse(lower, upper, tolerance, relative, width)

    rows = _rows(
        pairs, component, inside, stays, quotient.origin, quotient.class_of, quotient.pairs, settled.policy
    )
    full = np.zeros(pairs.num_states)
    full[pairs.live] = long_run_of(pairs, rows)[1]
    q = pairs.backup(full, 1.0) - gain[pairs.state]
    policy = np.zeros(pairs.num_states, dtype=np.int64)
    policy[pairs.live] = pairs.action[rows[pairs.live]]
    scale = 1.0 + float(np.abs(full).max(initial=0.0)) + float(pairs.size.max(initial=0.0))
    keeps = pairs.matrix @ gain >= gain[pairs.state] - 1e-9 * (1.0 + np.abs(gain[pairs.state]))
    optimal = keeps & (q >= full[pairs.state] - 1e-9 * scale)
    tried = sum(stay.tried for stay in stays) + settled.iterations
    return Average(gain, full, lower, upper, policy, np.where(keeps, q, -np.inf), optimal, tried)


def _rows(
    pairs: Pairs,
    component: IntArray,
    inside: BoolArray,
    stays: list[Stay],
    origin: IntArray,
    class_of: IntArray,
    quotient: Pairs,
    choice: IntArray,
) -> IntArray:
    """[S] the pair that each state plays: stay where stopping is chosen, leave by the chosen pair elsewhere."""
    rows = np.full(pairs.num_states, -1, dtype=np.int64)
    chosen = np.full(quotient.num_states, -1, dtype=np.int64)
    chosen[quotient.live] = origin[quotient.rows_of(choice)]
    for c, stay in enumerate(stays):
        states = component == c
        if chosen[c] < 0:
            rows[states] = stay.rows[states]
        else:
            goal = np.zeros(pairs.num_states, dtype=np.bool_)
            goal[pairs.state[chosen[c]]] = True
            none = np.zeros(pairs.num_pairs, dtype=np.bool_)
            way = attracted(pairs, goal, none, inside & states[pairs.state])
            rows[states] = way[states]
            rows[pairs.state[chosen[c]]] = chosen[c]
    single = np.flatnonzero((component < 0) & (chosen[class_of] >= 0))
    rows[single] = chosen[class_of[single]]
    return rows
