"""The smallest loss that one wrong action can cost.

Let the policy play another action a in the one state s.  With x(s) = discounted visits to s from the start,
C the inverse of I - discount * P_pi, and  d = (row of (s, a)) - (row of (s, pi(s))),  Sherman and Morrison
(1950) give

    loss  =  x(s) * (v(s) - q(s, a)) / (1 - discount * d . C[:, s])

so one solve a state, in blocks, prices all its actions; in a state that no action ever leads back to, the denominator
is 1.  Pairs that the bounds leave open as optimal lose
nothing, and states that the policy never visits cost nothing; both are decided on the graph and the bounds,
not on rounding.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ..algebra.chains import Classes, closed_classes, long_run, stationary, total_reward
from ..algebra.linear import MANY, factorised
from ..algebra.pairs import Pairs, summed
from ..errors import UnboundedError
from ..solutions.solution import Solution

#: Columns of the inverse that are held at once.
BLOCK = 128


def smallest_loss(pairs: Pairs, best: Solution) -> float:
    """Smallest positive loss of start value by changing `best.policy` in one state; inf if there is none."""
    if best.criterion == "finite_horizon":
        return _finite_horizon(pairs, best)
    if best.criterion == "discounted":
        assert best.values is not None
        rows = pairs.rows_of(best.policy)
        worse = ~best.optimal_actions[pairs.state, pairs.action]
        return float(
            _losses(pairs, rows, worse, best.values, pairs.reward, best.discount).min(initial=np.inf)
        )
    if best.criterion == "total":
        return float(total_losses(pairs, best).min(initial=np.inf))
    return float(average_losses(pairs, best).min(initial=np.inf))


def _finite_horizon(pairs: Pairs, best: Solution) -> float:
    """Changing one decision: its state's chance at that step times what is lost there."""
    assert best.values is not None
    assert best.horizon is not None
    visits, weight, smallest = pairs.initial.copy(), 1.0, np.inf
    for h in range(best.horizon):
        q = best.q_values[h][pairs.state, pairs.action]
        worse = ~best.optimal_actions[h][pairs.state, pairs.action] & (visits[pairs.state] > 0)
        lost = visits[pairs.state] * (best.values[h][pairs.state] - q) * weight
        smallest = min(smallest, float(lost[worse].min(initial=np.inf)))
        rows = pairs.rows_of(best.policy[h])
        visits = visits[pairs.live] @ pairs.matrix[rows]
        weight *= best.discount
    return smallest


def visited(pairs: Pairs, rows: IntArray) -> BoolArray:
    """[S] states that the chosen pairs can reach from the start."""
    graph = scipy.sparse.csr_array(pairs.matrix[rows])
    here = pairs.live
    seen = pairs.initial > 0
    while True:
        more = seen.copy()
        more[graph[seen[here]].indices] = True
        if (more == seen).all():
            return seen
        seen = more


def met_once(pairs: Pairs) -> BoolArray:
    """[S] live states that lie on no cycle, whatever one does: an episode meets them at most once."""
    graph = pairs.matrix.tocoo()
    source = pairs.state[graph.row]
    moves = scipy.sparse.csr_array((np.ones(graph.nnz), (source, graph.col)), shape=(pairs.num_states,) * 2)
    _, group = scipy.sparse.csgraph.connected_components(moves, connection="strong")
    alone = np.bincount(group)[group] == 1
    alone[source[source == graph.col]] = False
    return np.asarray(alone)


def _losses(
    pairs: Pairs, rows: IntArray, worse: BoolArray, values: FloatArray, reward: FloatArray, discount: float
) -> FloatArray:
    """Losses of all the `worse` pairs [M] of visited states."""
    live = pairs.live
    position = np.full(pairs.num_states, -1, dtype=np.int64)
    position[live] = np.arange(len(live))
    chosen = scipy.sparse.csr_array(pairs.matrix[rows][:, live])
    solve = factorised(chosen, discount, dense_up_to=MANY)
    visits = solve(pairs.initial[live], True)
    reached = visited(pairs, rows)
    priced = np.flatnonzero(worse & reached[pairs.state])
    loss = values[pairs.state[priced]] - (reward + discount * (pairs.matrix @ values))[priced]
    found: FloatArray = visits[position[pairs.state[priced]]] * loss
    columns = np.unique(position[pairs.state[priced[~met_once(pairs)[pairs.state[priced]]]]])
    for begin in range(0, len(columns), BLOCK):
        block = columns[begin : begin + BLOCK]
        units = np.zeros((len(live), len(block)))
        units[block, np.arange(len(block))] = 1.0
        inverse = solve(units, False)
        mine, column = _of_block(position[pairs.state[priced]], block, len(live))
        pair = priced[mine]
        gone_on = _products(pairs.matrix[pair][:, live], inverse, column)
        stayed = _products(chosen[position[pairs.state[pair]]], inverse, column)
        denominator = 1.0 - discount * (gone_on - stayed)
        found[mine] = visits[position[pairs.state[pair]]] * loss[mine] / denominator
    return found


def _products(matrix: scipy.sparse.csr_array, inverse: FloatArray, column: IntArray) -> FloatArray:
    """[n] of row i of `matrix` [n, L] times column `column[i]` of `inverse` [L, K]."""
    entries = scipy.sparse.coo_array(matrix)
    terms = entries.data * inverse[entries.col, column[entries.row]]
    return summed(entries.row, terms, matrix.shape[0])


def _of_block(positions: IntArray, block: IntArray, size: int) -> tuple[IntArray, IntArray]:
    """Which entries of `positions` lie in the block, and in which of its columns."""
    column_of = np.full(size, -1, dtype=np.int64)
    column_of[block] = np.arange(len(block))
    mine = np.flatnonzero(column_of[positions] >= 0)
    return mine, column_of[positions[mine]]


class _Played:
    """The chain of a deterministic policy, with one state's action to be exchanged."""

    def __init__(self, pairs: Pairs, rows: IntArray) -> None:
        self.pairs = pairs
        self.row_of = np.full(pairs.num_states, -1, dtype=np.int64)
        self.row_of[pairs.live] = rows
        live = pairs.live
        spread = scipy.sparse.csr_array(
            (np.ones(len(live)), (live, rows)), shape=(pairs.num_states, pairs.num_pairs)
        )
        self.transition = scipy.sparse.csr_array(spread @ pairs.matrix)
        self.reward, self.size = spread @ pairs.reward, spread @ pairs.size
        self.leaks = np.ones(pairs.num_states, dtype=np.bool_)
        self.leaks[live] = pairs.going_on[rows] < 1.0
        self.classes: Classes = closed_classes(self.transition, self.leaks)

    def exchanged(self, pair: int) -> _Played:
        """The chain with `pair` played in its state."""
        rows = self.row_of[self.pairs.live].copy()
        rows[np.searchsorted(self.pairs.live, self.pairs.state[pair])] = pair
        return _Played(self.pairs, rows)

    def total(self) -> float:
        """Total reward from the start; nan where it has no limit."""
        begin = self.pairs.initial > 0
        try:
            values = total_reward(self.transition, self.reward, self.size, self.leaks, self.pairs.initial)
        except UnboundedError:
            return np.nan
        return float(self.pairs.initial[begin] @ values[begin])

    def gain(self) -> float:
        """Average reward from the start."""
        return float(self.pairs.initial @ long_run(self.transition, self.reward, self.leaks)[0])


def total_losses(pairs: Pairs, best: Solution) -> FloatArray:
    """Positive losses of total reward, one for each action of each visited state that costs something.

    As in the discounted sum with weight 1, among the states that the policy leaves for sure.  Where the
    exchanged action would never let go (its denominator is 0 on the graph), or where the policy rests for
    nothing, the exchanged chain is evaluated by itself.
    """
    assert best.values is not None
    rows = pairs.rows_of(best.policy)
    chain = _Played(pairs, rows)
    passing = (chain.classes.of < 0) & np.isfinite(best.values) & ~_terminal(pairs)
    inside = np.flatnonzero(passing)
    position = np.full(pairs.num_states, -1, dtype=np.int64)
    position[inside] = np.arange(len(inside))
    seen = visited(pairs, rows)
    tried = np.flatnonzero(seen[pairs.state] & (chain.row_of[pairs.state] != np.arange(pairs.num_pairs)))
    flagged = best.optimal_actions[pairs.state, pairs.action]
    fatal = pairs.matrix @ (best.values == -np.inf).astype(np.float64) > 0
    lost = np.zeros(pairs.num_pairs)
    lost[fatal] = np.inf

    priced = tried[passing[pairs.state[tried]] & ~fatal[tried]]
    direct: list[int] = tried[~passing[pairs.state[tried]] & ~fatal[tried]].tolist()
    if priced.size:
        chosen = scipy.sparse.csr_array(chain.transition[inside][:, inside])
        solve = factorised(chosen, dense_up_to=MANY)
        visits = solve(pairs.initial[inside], True)
        finite = np.where(np.isfinite(best.values), best.values, 0.0)
        loss = finite[pairs.state] - pairs.backup(finite, 1.0)
        once = met_once(pairs)[pairs.state[priced]]
        price = visits[position[pairs.state[priced]]] * loss[priced]
        lost[priced] = np.where(flagged[priced], 0.0, price)
        columns = np.unique(position[pairs.state[priced[~once]]])
        for begin in range(0, len(columns), BLOCK):
            block = columns[begin : begin + BLOCK]
            units = np.zeros((len(inside), len(block)))
            units[block, np.arange(len(block))] = 1.0
            inverse = solve(units, False)
            mine, column = _of_block(position[pairs.state[priced]], block, len(inside))
            pair = priced[mine]
            returning = inverse[position[pairs.state[pair]], column]
            left = returning - _products(pairs.matrix[pair][:, inside], inverse, column)
            held = left <= 1e-9 * returning  # perhaps it never lets go: the graph decides below
            for pair_ in pair[held].tolist():
                loses = _loses_for_ever(chain, pairs, pair_)
                if loses:
                    lost[pair_] = np.inf
                else:
                    direct.append(pair_)
            with np.errstate(divide="ignore", invalid="ignore"):
                price = visits[position[pairs.state[pair]]] * loss[pair] / left
            lost[pair] = np.where(held, lost[pair], np.where(flagged[pair], 0.0, price))
    for pair_ in direct:
        value = chain.exchanged(pair_).total()
        difference = best.start_value - value
        lost[pair_] = difference if difference > 1e-11 * max(1.0, abs(best.start_value)) else 0.0
    found = lost[tried]
    return np.asarray(found[found > 0])


def average_losses(pairs: Pairs, best: Solution) -> FloatArray:
    """Positive losses of gain, one for each action of each visited state that costs something.

    With one closed class and s in it, the exchanged chain returns to s after 1 + P(. | s, a) . m steps on
    average, m(j) being the expected steps from j to s, which do not depend on the action in s; so (derived
    here)

        loss  =  (bias(s) - q(s, a)) / (1 + P(. | s, a) . m)

    Where s is only passed on the way, or with several closed classes, the exchanged chain is evaluated by
    itself.
    """
    assert best.bias is not None
    rows = pairs.rows_of(best.policy)
    chain = _Played(pairs, rows)
    seen = visited(pairs, rows)
    tried = np.flatnonzero(seen[pairs.state] & (chain.row_of[pairs.state] != np.arange(pairs.num_pairs)))
    lost = np.zeros(pairs.num_pairs)
    direct: list[int] = []
    if len(chain.classes.members) == 1:
        members = chain.classes.members[0]
        recurrent = np.zeros(pairs.num_states, dtype=np.bool_)
        recurrent[members] = True
        priced = tried[recurrent[pairs.state[tried]]]
        passing = tried[~recurrent[pairs.state[tried]]]
        direct.extend(int(pair) for pair in passing if _never_back(chain, pairs, int(pair), recurrent))
        within = scipy.sparse.csr_array(chain.transition[members][:, members])
        weights = np.zeros(pairs.num_states)
        weights[members] = stationary(within)
        anchor = int(weights.argmax())
        kept = np.delete(np.arange(pairs.num_states), anchor)
        kept = kept[~_terminal(pairs)[kept]]
        solve = factorised(scipy.sparse.csr_array(chain.transition[kept][:, kept]), dense_up_to=MANY)
        flagged = best.optimal_actions[pairs.state, pairs.action]
        gain, bias = long_run(chain.transition, chain.reward, chain.leaks)
        loss = bias[pairs.state] - (pairs.reward - gain[pairs.state] + pairs.matrix @ bias)
        columns = np.unique(pairs.state[priced])
        for begin in range(0, len(columns), BLOCK):
            block = columns[begin : begin + BLOCK]
            units = np.zeros((pairs.num_states, len(block)))
            units[block, np.arange(len(block))] = 1.0
            units -= weights[block]
            deviation = np.zeros((pairs.num_states, len(block)))
            deviation[kept] = solve(units[kept], False)
            # Expected steps from each state to s, times the share of time spent in s (which may be tiny).
            steps = deviation[block, np.arange(len(block))] - deviation  # [S, K]
            mine, column = _of_block(pairs.state[priced], block, pairs.num_states)
            pair = priced[mine]
            share = weights[pairs.state[pair]]
            cycle = share + _products(scipy.sparse.csr_array(pairs.matrix[pair]), steps, column)
            costs = ~flagged[pair] & (share > 0) & (cycle > 0)
            lost[pair[costs]] = loss[pair[costs]] * share[costs] / cycle[costs]
    else:
        direct.extend(tried.tolist())
    for pair_ in direct:
        difference = best.start_value - chain.exchanged(pair_).gain()
        lost[pair_] = difference if difference > 1e-11 * max(1.0, abs(best.start_value)) else 0.0
    found = lost[tried]
    return np.asarray(found[found > 0])


def _follows(chain: _Played, pairs: Pairs, pair: int) -> BoolArray:
    """[S] the state of `pair`, and all that the chain with `pair` played there can still meet."""
    seen = np.zeros(pairs.num_states, dtype=np.bool_)
    seen[pairs.state[pair]] = True
    frontier = np.unique(pairs.matrix[[pair]].indices)
    while frontier.size:
        frontier = frontier[~seen[frontier]]
        seen[frontier] = True
        frontier = np.unique(chain.transition[frontier].indices)
    return seen


def _never_back(chain: _Played, pairs: Pairs, pair: int, recurrent: BoolArray) -> bool:
    """Whether playing `pair` keeps its state away from the closed class for ever, so that it recurs itself."""
    return not bool((_follows(chain, pairs, pair) & recurrent).any())


def _loses_for_ever(chain: _Played, pairs: Pairs, pair: int) -> bool:
    """Whether playing `pair` stays for ever among states that pay nothing or less, and less in its own state."""
    met = _follows(chain, pairs, pair)
    s = pairs.state[pair]
    met[s] = False
    ends = bool(chain.leaks[met].any()) or pairs.going_on[pair] < 1.0
    pays = bool((chain.reward[met] > 0).any() or pairs.reward[pair] > 0)
    return (
        not ends
        and not pays
        and bool(pairs.reward[pair] < 0)
        and not bool((chain.classes.of[met] >= 0).any())
    )


def _terminal(pairs: Pairs) -> BoolArray:
    terminal = np.ones(pairs.num_states, dtype=np.bool_)
    terminal[pairs.live] = False
    return terminal
