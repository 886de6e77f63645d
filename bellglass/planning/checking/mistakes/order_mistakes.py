"""Mistakes in writing numbers down: in another order, on another scale, or from a table that was turned over."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.optimize

from ....envs.mdp import FloatArray, IntArray, TabularMDP
from ..answers import distance
from ..hypotheses import Hypotheses, Hypothesis, Question

#: Entries of a dense table beyond which a transposed one is not tried.
MOST_DENSE = 2_000_000


def orders(question: Question) -> Hypotheses:
    """The right numbers, state by state in another order."""
    best, mdp = question.best, question.mdp
    for words, order in _orders_of_states(mdp):
        because = f"the right numbers in another order of the states: {words}"
        values = question.values[..., order]
        if question.criterion == "average":
            yield Hypothesis("states in another order", because, values, None, best.optimal_actions[order])
        else:
            q, optimal = best.q_values[..., order, :], best.optimal_actions[..., order, :]
            yield Hypothesis("states in another order", because, values, q, optimal)


def _orders_of_states(mdp: TabularMDP) -> Iterator[tuple[str, IntArray]]:
    size = mdp.num_states
    yield "last first", np.arange(size)[::-1]
    yield "each one place up, as if states were numbered from 1", np.roll(np.arange(size), -1)
    yield "each one place down", np.roll(np.arange(size), 1)
    cells: IntArray | None = None
    if mdp.layout is not None and mdp.layout.rows * mdp.layout.columns == size:
        at = mdp.layout.cell
        number = at[:, 0] * mdp.layout.columns + at[:, 1]
        if np.array_equal(number, np.arange(size)):
            cells = number.reshape(mdp.layout.rows, mdp.layout.columns)
    elif round(size**0.5) ** 2 == size and size > 1:
        cells = np.arange(size).reshape(round(size**0.5), -1)
    if cells is not None:
        if cells.shape[0] == cells.shape[1]:
            yield "rows and columns of the grid exchanged", cells.T.ravel()
        else:
            yield "column by column", cells.T.ravel()
            yield "column by column", np.argsort(cells.T.ravel())
        yield "the grid upside down", cells[::-1].ravel()
        yield "the grid left to right", cells[:, ::-1].ravel()


def actions_of_q(question: Question, q_values: FloatArray) -> Hypotheses:
    """The right columns in another order, found as a matching."""
    right, mdp = question.best.q_values, question.mdp
    if q_values.shape != right.shape or not mdp.action_mask[~mdp.terminal].all():
        return
    live = ~mdp.terminal
    mine, best = q_values[..., live, :], right[..., live, :]
    apart = np.array(
        [
            [float(distance(mine[..., a], best[..., b]).max(initial=0.0)) for b in range(mdp.num_actions)]
            for a in range(mdp.num_actions)
        ]
    )
    if np.isfinite(apart).all():
        order = scipy.optimize.linear_sum_assignment(apart)[1]
        because = f"the right columns, but in the order of actions {order.tolist()}"
        yield Hypothesis("actions in another order", because, None, right[..., order])


def actions_of_policy(question: Question, actions: IntArray) -> Hypotheses:
    """The right policy with its actions renamed, found as a matching."""
    mdp, optimal = question.mdp, question.best.optimal_actions
    live = ~mdp.terminal
    allowed = np.ones((mdp.num_actions, mdp.num_actions), dtype=np.bool_)
    good = np.broadcast_to(optimal, (*actions.shape, mdp.num_actions))
    for a in range(mdp.num_actions):
        allowed[a] = good[live & (actions == a)].all(axis=0)
    order = scipy.optimize.linear_sum_assignment(~allowed)[1]
    used = np.unique(actions[..., live])
    if len(used) > 1 and ((used >= 0) & (used < mdp.num_actions)).all() and allowed[used, order[used]].all():
        pairs = ", ".join(f"{a} for {order[a]}" for a in used.tolist() if a != order[a])
        because = f"the right policy with its actions numbered otherwise: {pairs}"
        named = np.zeros_like(good)
        np.put_along_axis(named, actions[..., None] % mdp.num_actions, True, axis=-1)
        yield Hypothesis("actions in another order", because, None, None, named)


def scales(question: Question, given: FloatArray, *, is_q: bool) -> Hypotheses:
    """The right numbers times one number, or plus one wherever something can still be done."""
    right = question.best.q_values if is_q else question.values
    counted = np.broadcast_to(
        question.mdp.action_mask if is_q else ~question.mdp.terminal, right.shape
    ).copy()
    if question.horizon is not None and not is_q:
        counted[-1] = False
    if given.shape != right.shape or not (np.isfinite(right) & np.isfinite(given))[counted].all():
        return
    mine, best = given[counted], right[counted]
    if len(best) < 2 or not best.any():
        return
    factor = float(mine @ best / (best @ best))
    if factor != 0.0:
        near = {
            1.0 - question.discount: " (1 - discount: a mean per step)",
            question.discount: " (the discount)",
        }
        word = next((text for g, text in near.items() if abs(factor - g) <= 1e-4 * abs(g)), "")
        numbers = np.where(counted, factor * np.where(counted, right, 0.0), right)
        yield _of_kind("scaled", f"the right numbers times {factor:.6g}{word}", numbers, is_q)
    shift = float((mine - best).mean())
    if abs(shift) < 0.02 * float(np.abs(best).max()):
        return  # sweeps that stop early are off by much the same everywhere, too
    because = f"the right numbers plus {shift:.6g} everywhere"
    if question.criterion == "discounted":
        because += f", as if every step paid {shift * (1 - question.discount):.6g} more"
    yield _of_kind("shifted", because, np.where(counted, right + shift, right), is_q)


def _of_kind(mistake: str, because: str, numbers: FloatArray, is_q: bool) -> Hypothesis:
    return Hypothesis(mistake, because, None if is_q else numbers, numbers if is_q else None)


def transposed(question: Question) -> Hypotheses:
    """Sums over P(s, a | s') in place of P(s' | s, a)."""
    mdp = question.mdp
    shape = (mdp.num_states, mdp.num_actions, mdp.num_states)
    if not question.stationary or np.prod(shape) > MOST_DENSE:
        return
    kept = mdp.transition_matrix.toarray().reshape(shape)
    into = np.zeros(shape)  # with the ends, and with terminal states that stay where they are
    np.add.at(
        into.reshape(-1, mdp.num_states), (mdp.row_of_outcome, mdp.next_state), mdp.normalised_probability
    )
    into[mdp.terminal, :, mdp.terminal] = 1.0
    for forward in (kept, into):
        back = np.ascontiguousarray(forward.transpose(1, 2, 0))  # [A, next, S]: rows are columns
        values = np.zeros(mdp.num_states)
        for _ in range(3000):
            q = mdp.expected_reward + question.discount * (back @ values).T
            before, values = values, q.max(axis=1)
            if not np.isfinite(values).all() or np.abs(values).max() > 1e12:
                return
            if np.abs(values - before).max() <= 1e-10 * max(1.0, float(np.abs(values).max())):
                because = "the transitions are transposed: chances of coming from s', not of going there"
                top = q >= values[:, None] - 1e-9 * np.maximum(1.0, np.abs(values[:, None]))
                yield Hypothesis("transition transposed", because, values, q, top)
                break
