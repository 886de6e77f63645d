"""What a chain does in the long run: closed classes, stationary distributions, gain, bias, total reward.

    gain   g  =  the stationary mean of r in each closed class, weighted by the chance to end up there
    bias   h  =  r - g + P h,     0 on average over the stationary distribution of each closed class
    total  v  =  r + P v,         0 in a closed class whose rewards are all 0, infinite where the gain is
    not 0

Classes are found on the graph of positive chances, never on rounded numbers.  Stationary distributions come
from the elimination of Grassmann, Taksar and Heyman (1985), which subtracts nothing and so keeps every
digit (plain least squares finds .3015 for RiverSwim(20), whose gain is 3/7).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ..errors import UnboundedError
from ..undiscounted.end_components import search_places
from .chain_solvers import chain_solver, gain_solver, is_banded
from .linear import factorised, levelled
from .pairs import UNIT

#: Classes up to this many states are eliminated densely.
DENSE = 700

#: Larger ones are solved relative to a state that is visited often: how many are tried, and the steps of the lazy chain
#: that look for one.
MOST_ANCHORS, LAZY_STEPS = 5, 300


@dataclass(frozen=True, eq=False)
class Classes:
    """The closed classes of a chain.

    Attributes:
        of: [S] which closed class each state belongs to; -1 for transient states.
        members: the states of each closed class.
    """

    of: IntArray
    members: tuple[IntArray, ...]


def closed_classes(transition: scipy.sparse.csr_array, leaks: BoolArray) -> Classes:
    """The strongly connected sets that nothing leaves; from the `leaks` [S] the chain may end."""
    count, label = scipy.sparse.csgraph.connected_components(transition, directed=True, connection="strong")
    closed = np.ones(count, dtype=np.bool_)
    closed[label[leaks]] = False
    edges = transition.tocoo()
    leaving = label[edges.row] != label[edges.col]
    closed[label[edges.row[leaving]]] = False
    number = np.full(count, -1, dtype=np.int64)
    number[closed] = np.arange(closed.sum())
    of = number[label]
    order = np.argsort(of, kind="stable")
    sizes = np.bincount(of[of >= 0], minlength=int(closed.sum()))
    inside = order[len(of) - int(sizes.sum()) :]
    members = np.split(inside, np.cumsum(sizes)[:-1]) if len(sizes) else []
    return Classes(of, tuple(np.asarray(part, dtype=np.int64) for part in members))


def stationary(transition: scipy.sparse.csr_array) -> FloatArray:
    """[n] stationary distribution of an irreducible chain [n, n]."""
    size = transition.shape[0]
    if size == 1:
        return np.ones(1)
    if size <= DENSE:
        return _eliminated(transition.toarray())
    if not is_banded(transition):
        found = levelled(transition, np.full(size, 1.0 / size), tolerance=1e-13 / size, transposed=True)
        if not found.residual <= 1e-6 / size:
            raise ZeroDivisionError(f"BiCGSTAB did not solve a chain of {size} states")
        shares = np.maximum(found.x, 0.0)
        return np.asarray(shares / shares.sum())
    weights: FloatArray = np.full(size, 1.0 / size)
    backwards = transition.T.tocsr()
    for _ in range(MOST_ANCHORS):
        for _ in range(LAZY_STEPS):
            weights = 0.5 * (weights + backwards @ weights)
        anchor = int(weights.argmax())  # visited often, which keeps the ratios to it small
        kept = np.delete(np.arange(size), anchor)
        solve = factorised(transition[kept][:, kept])
        visits = np.zeros(size)
        visits[anchor] = 1.0
        visits[kept] = np.maximum(solve(transition[[anchor]][:, kept].toarray().ravel(), True), 0.0)
        weights = visits / visits.sum()
        if (
            float(np.abs(weights - backwards @ weights).max()) <= 1e-13
            and weights[anchor] >= 0.5 * weights.max()
        ):
            return np.asarray(weights)
    raise ZeroDivisionError(f"no stationary distribution was found for a chain of {size} states")


def _eliminated(chances: FloatArray) -> FloatArray:
    """Removes states one by one from the last, then builds the weights up from the first."""
    size = len(chances)
    for k in range(size - 1, 0, -1):
        out = chances[k, :k].sum()
        chances[:k, k] /= out
        chances[:k, :k] += np.outer(chances[:k, k], chances[k, :k])
    weights = np.ones(size)
    for k in range(1, size):
        weights[k] = weights[:k] @ chances[:k, k]
    return np.asarray(weights / weights.sum())


def long_run(
    transition: scipy.sparse.csr_array, reward: FloatArray, leaks: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Gain [S] and bias [S] of a chain; where it ends, nothing more is paid."""
    size = len(reward)
    classes = closed_classes(transition, leaks)
    gain, bias = np.zeros(size), np.zeros(size)
    alone = np.array([m[0] for m in classes.members if len(m) == 1], dtype=np.int64)
    gain[alone] = reward[alone]
    for members in classes.members:
        if len(members) == 1:
            continue
        within = scipy.sparse.csr_array(transition[members][:, members])
        weights = stationary(within)
        mean = float(weights @ reward[members])
        solve, _ = gain_solver(within)
        relative, _ = solve(reward[members] - mean)
        relative += solve(reward[members] - mean - relative + within @ relative)[0]
        gain[members] = mean
        bias[members] = relative - weights @ relative
    transient = np.flatnonzero(classes.of < 0)
    if transient.size:
        rows = transition[transient]
        inner = scipy.sparse.csr_array(rows[:, transient])
        solver = chain_solver(inner)
        for into, paid in ((gain, np.zeros(len(transient))), (bias, reward[transient])):
            right = paid - (gain[transient] if into is bias else 0.0) + rows @ into
            x = solver.solve(right, False)
            into[transient] = x + solver.solve(right - x + inner @ x, False)
    return gain, bias


def class_signs(
    transition: scipy.sparse.csr_array, reward: FloatArray, size: FloatArray, classes: Classes
) -> FloatArray:
    """The value of being in each closed class: 0 (never paid), inf, -inf, or nan where sums have no limit.

    Signs are read off the rewards where they agree; else the gain must stand clear of rounding.
    """
    worth = np.zeros(len(classes.members))
    for number, members in enumerate(classes.members):
        paid = reward[members]
        if not size[members].any():
            continue
        if (paid >= 0).all() and (paid > 0).any():
            worth[number] = np.inf
        elif (paid <= 0).all() and (paid < 0).any():
            worth[number] = -np.inf
        else:
            within = scipy.sparse.csr_array(transition[members][:, members])
            weights = stationary(within)
            mean = float(weights @ paid)
            doubt = 64.0 * UNIT * len(members) * float(weights @ size[members])
            worth[number] = np.nan if abs(mean) <= doubt else np.copysign(np.inf, mean)
    return worth


def total_reward(
    transition: scipy.sparse.csr_array,
    reward: FloatArray,
    size: FloatArray,
    leaks: BoolArray,
    initial: FloatArray,
) -> FloatArray:
    """[S] total reward of a chain; inf or -inf where it is so.

    Args:
        transition: [S, S] chance to go on; what it stores is positive.
        reward: [S] mean reward.
        size: [S] mean absolute reward.
        leaks: [S] states from which the chain may end.
        initial: [S] chance of starting in each state.

    Raises:
        UnboundedError: from a state that the start can reach, the sum of rewards has no limit.
    """
    classes = closed_classes(transition, leaks)
    worth = class_signs(transition, reward, size, classes)
    values = endless_totals(transition, classes, worth, initial)
    finite = np.flatnonzero((values == 0) & (classes.of < 0))
    if finite.size:
        values[finite] = factorised(scipy.sparse.csr_array(transition[finite][:, finite]))(
            reward[finite], False
        )
    return values


def endless_totals(
    transition: scipy.sparse.csr_array, classes: Classes, worth: FloatArray, initial: FloatArray
) -> FloatArray:
    """[S] inf, -inf or nan where the chain may end up in a class of that `worth`, 0 where the total is finite.

    Raises:
        UnboundedError: from a state that the start can reach, the sum of rewards has no limit.
    """
    backwards = transition.T.tocsr()
    reaches = {
        kind: reached_from(backwards, np.isin(classes.of, np.flatnonzero(same)))
        for kind, same in (("inf", worth == np.inf), ("-inf", worth == -np.inf), ("nan", np.isnan(worth)))
    }
    values = np.zeros(transition.shape[0])
    values[reaches["inf"]] = np.inf
    values[reaches["-inf"]] = -np.inf
    undefined = reaches["nan"] | (reaches["inf"] & reaches["-inf"])
    values[undefined] = np.nan
    met = reached_from(transition, initial > 0) & undefined
    if met.any():
        s = int(np.flatnonzero(met)[0])
        raise UnboundedError(
            f"the total reward from state {s} has no limit: rewards of both signs come for ever", s, np.nan
        )
    return values


def reached_from(transition: scipy.sparse.csr_array, begin: BoolArray) -> BoolArray:
    """[S] states that the chain can be in, from those where it may begin."""
    return search_places(transition, begin) >= 0
