"""How hard a table is to learn: measures from the literature, computed exactly.

Diameter, bias span and mixing time speak of a chain that never ends, so a terminated outcome jumps to `initial` here.

    diameter       max over s != t of the least expected number of steps from s to t    (Jaksch, Ortner & Auer 2010)
    bias span      max - min of the optimal bias of the average reward                  (Bartlett & Tewari 2009)
    action gap     V*(s) - q*(s, a)                                                     (Simchowitz & Jamieson 2019)
    mixing time    least t with  max_s TV(P^t(s, .), stationary) <= 1/4  for the lazy chain (P + I) / 2 of the optimal
                   policy                                               (Levin, Peres & Wilmer 2017, section 4.5)
    Laidlaw's k    least k such that every policy greedy for Q^k is optimal, where Q^1 belongs to the uniform random
                   policy and Q^{k+1} is one backup of max_a Q^k       (Laidlaw, Russell & Dragan 2023, definition 5.1)
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ...envs.tables import table_of
from ..policies.policy_bounds import policy_values
from ..solutions.solution import Solution
from ..solver import solve
from .diameters import Moves, diameter
from .mixing import mixing_time

#: States up to which diameter and mixing time are computed.
MOST_STATES = 6_000

#: Backups after which Laidlaw's horizon is given up.
MOST_BACKUPS = 100_000


class Hardness(NamedTuple):
    """Measures of a table at one discount; None where a measure is not defined or the table is too large for it.

    Attributes:
        diameter: steps, over the live states that can be reached from `initial`; inf if one of them cannot be
            reached from another; None past 6,000 states.
        diameter_pair: (s, t) that the diameter is taken at; where it is inf, t cannot be reached from s.
        bias_span: reward units; None where the optimal gain differs between those states.
        action_gaps: [S, A] V*(s) - q*(s, a), 0 for optimal actions, inf where the action is not available.
        min_gap: the smallest positive action gap; inf if there is none.
        sum_inverse_gaps: sum of 1 / gap over the positive finite action gaps.
        effective_horizon: 1 / (1 - discount), steps.
        laidlaw_horizon: k above; None if not found within 100,000 backups.
        mixing_time: steps of the lazy chain; inf if it has several closed classes, or is not mixed after 10^15 steps;
            None past 6,000 states.
        discount: that values, gaps and the optimal policy are for.
    """

    diameter: float | None
    diameter_pair: tuple[int, int] | None
    bias_span: float | None
    action_gaps: FloatArray
    min_gap: float
    sum_inverse_gaps: float
    effective_horizon: float
    laidlaw_horizon: int | None
    mixing_time: float | None
    discount: float


def hardness(mdp: TabularMDP, discount: float = 0.99) -> Hardness:
    """Measures how hard the table is to learn.

    Args:
        mdp: the table, or an environment that walks one.
        discount: in [0, 1).

    Raises:
        ValueError: the discount is not in [0, 1).
    """
    if not isinstance(mdp, TabularMDP):
        mdp = table_of(mdp)
    best = solve(mdp, discount, tolerance=1e-10)
    gaps = _action_gaps(mdp, best)
    positive = gaps[(gaps > 0) & np.isfinite(gaps)]
    chain = Restarting(mdp)
    small = len(chain.states) <= MOST_STATES
    diameter, pair = chain.diameter() if small else (None, None)
    return Hardness(
        diameter=diameter,
        diameter_pair=pair,
        bias_span=_bias_span(mdp, chain.states),
        action_gaps=gaps,
        min_gap=float(positive.min(initial=np.inf)),
        sum_inverse_gaps=float((1.0 / positive).sum()),
        effective_horizon=1.0 / (1.0 - discount),
        laidlaw_horizon=_laidlaw_horizon(mdp, discount, best.optimal_actions, chain.states),
        mixing_time=chain.mixing_time(best.policy) if small else None,
        discount=discount,
    )


def _action_gaps(mdp: TabularMDP, best: Solution) -> FloatArray:
    assert best.values is not None
    with np.errstate(invalid="ignore"):
        gaps = np.maximum(0.0, best.values[:, None] - best.q_values)
    gaps[best.optimal_actions] = 0.0
    gaps[~mdp.action_mask] = np.inf
    return np.asarray(gaps)


def _bias_span(mdp: TabularMDP, states: IntArray) -> float | None:
    endless = solve(mdp, criterion="average", restart=True)
    assert endless.gain is not None
    assert endless.bias is not None
    gain = endless.gain[states]
    if float(np.ptp(gain)) > 1e-7 * max(1.0, float(np.abs(gain).max())):
        return None
    return float(np.ptp(endless.bias[states]))


def _laidlaw_horizon(mdp: TabularMDP, discount: float, optimal: BoolArray, states: IntArray) -> int | None:
    mask = mdp.action_mask
    uniform = mask / np.maximum(mask.sum(axis=1, keepdims=True), 1)
    values = policy_values(mdp, uniform, discount)
    for k in range(1, MOST_BACKUPS + 1):
        q = (mdp.expected_reward.ravel() + discount * (mdp.transition_matrix @ values)).reshape(mask.shape)
        q[~mask] = -np.inf
        values = np.where(mdp.terminal, 0.0, q.max(axis=1))
        greedy = q[states] >= (values - 1e-12 * (1.0 + np.abs(values)))[states, None]
        if not (greedy & ~optimal[states]).any():
            return k
    return None


class Restarting:
    """The live states that can be reached from the start, where an end jumps to the start.

    Attributes:
        states: [n] their indices in the table.
        moves: their pairs, with [M] the action of each in `pair_action`.
    """

    def __init__(self, mdp: TabularMDP) -> None:
        ends = mdp.terminated | mdp.terminal[mdp.next_state]
        initial = mdp.initial / mdp.initial.sum()
        num_pairs = mdp.num_states * mdp.num_actions
        going_on, p = ~ends, mdp.normalised_probability
        walk = scipy.sparse.coo_array(
            (p[going_on], (mdp.row_of_outcome[going_on], mdp.next_state[going_on])),
            shape=(num_pairs, mdp.num_states),
        ).tocsr()
        stopped = np.bincount(mdp.row_of_outcome, weights=p * ends, minlength=num_pairs)
        jump = scipy.sparse.csr_array(stopped[:, None]) @ scipy.sparse.csr_array(initial[None, :])
        full = scipy.sparse.csr_array(walk + jump)
        full.eliminate_zeros()

        pairs = np.flatnonzero(mdp.action_mask.ravel())
        graph = _by_state(pairs // mdp.num_actions, mdp.num_states) @ full[pairs]
        reached, frontier = initial > 0, initial > 0
        while frontier.any():
            grown = (frontier.astype(np.float64) @ graph) > 0
            frontier = grown & ~reached
            reached |= grown
        self.states: IntArray = np.flatnonzero(reached)
        here = np.full(mdp.num_states, -1)
        here[self.states] = np.arange(len(self.states))
        pairs = pairs[reached[pairs // mdp.num_actions]]
        self.pair_action: IntArray = pairs % mdp.num_actions  # [M]
        matrix = scipy.sparse.csr_array(full[pairs][:, self.states])  # [M, n]
        self.moves = Moves(here[pairs // mdp.num_actions], matrix)

    def diameter(self) -> tuple[float, tuple[int, int] | None]:
        """(steps, the pair it is taken at)."""
        n = len(self.states)
        graph = _by_state(self.moves.state, n) @ self.moves.matrix
        count, component = scipy.sparse.csgraph.connected_components(graph, connection="strong")
        if count > 1:
            sink = self._closed_class(graph, component)
            source = int(np.flatnonzero(component == sink)[0])
            target = int(np.flatnonzero(component != sink)[0])
            return math.inf, (int(self.states[source]), int(self.states[target]))
        steps, states = diameter(self.moves)
        return steps, None if states is None else (int(self.states[states[0]]), int(self.states[states[1]]))

    def _closed_class(self, graph: scipy.sparse.csr_array, component: IntArray) -> int:
        """A component that no edge leaves."""
        edges = graph.tocoo()
        leaving = set(component[edges.row[component[edges.row] != component[edges.col]]].tolist())
        return next(int(c) for c in component if int(c) not in leaving)

    def mixing_time(self, policy: IntArray) -> float:
        """Steps of the lazy chain of `policy` [S], over the states it can reach from the start."""
        rows = np.flatnonzero(self.pair_action == policy[self.states][self.moves.state])
        return mixing_time(scipy.sparse.csr_array(self.moves.matrix[rows]))


def _by_state(state: IntArray, num_states: int) -> scipy.sparse.csr_array:
    """[num_states, M] sums the pairs of each state."""
    pairs = np.arange(len(state))
    return scipy.sparse.csr_array((np.ones(len(state)), (state, pairs)), shape=(num_states, len(state)))
