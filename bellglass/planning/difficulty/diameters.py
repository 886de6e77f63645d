"""The diameter: the longest of the shortest expected ways, among n states that all reach each other.

    h_t(s)  =  1 + min_a sum_j P(j | s, a) h_t(j),     h_t(t) = 0,     diameter  =  max over s, t of h_t(s)

Each target is a stochastic shortest path of its own, and only the worst need be known exactly.  Of any guess v >= 0
with v(t) = 0 let  e(s) = 1 + min_a P v - v(s)  be what is left over.  Then (derived here)

    e <= d < 1   gives   h_t <= v / (1 - d):     u = v / (1 - d) has u >= 1 + min_a P u
    e >= -d      gives   h_t >= v / (1 + d):     l = v / (1 + d) has l <= 1 + P_a l for every a

so a few sweeps bound a target's worst source, those that cannot hold the maximum are left, and the few that can are
solved exactly by policy iteration (Howard 1960; Bertsekas and Tsitsiklis 1991).  Targets are taken in the order of
Cuthill and McKee (1969), so that the last one's steps are a good first guess for the next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph
import scipy.sparse.linalg

from ...compiled import compiled
from ...envs.mdp import BoolArray, FloatArray, IntArray
from .diameter_kernels import bracket, eliminated, outwards

#: How well the worst source of each target is known before the worst targets are chosen, as a share of it.
ROUGH = 1e-3

#: A target that could be longer by this share only is not looked at again.
SAME = 1e-11

#: Rounds that a target gets before its systems are solved, and sweeps of a round.
ROUNDS, SWEEPS = 24, 8

#: States up to which every target is solved at once, without sweeps; systems are dense then.
SMALL = 100

#: Steps beyond which systems are solved without a subtraction: factors would lose as many digits as this has.
LARGE = 1e6

#: Improvements after which policy iteration is given up; it has never needed more than a dozen.
MOST_IMPROVEMENTS = 1_000


class Moves(NamedTuple):
    """Pairs (state, action) among n states that all reach each other.

    Attributes:
        state: [M] of each pair, ascending; every state has one.
        matrix: [M, n] chance of each state to come next; rows sum to 1.
    """

    state: IntArray
    matrix: scipy.sparse.csr_array


def diameter(moves: Moves) -> tuple[float, tuple[int, int] | None]:
    """(steps, the states it is taken at); (0, None) where there is one state only."""
    if moves.matrix.shape[1] == 1:
        return 0.0, None
    return _Diameter(moves).found()


class _Diameter:
    def __init__(self, moves: Moves) -> None:
        self.state, self.matrix = moves
        self.size = moves.matrix.shape[1]
        self.first: IntArray = np.flatnonzero(np.diff(moves.state, prepend=-1))
        self.leaving = moves.matrix.indptr[:-1]
        self.pair = np.repeat(np.arange(len(moves.state)), np.diff(moves.matrix.indptr))
        self.source, self.next = moves.state[self.pair], moves.matrix.indices
        links = scipy.sparse.coo_array(
            (np.ones(len(self.next)), (self.source, self.next)), shape=(self.size, self.size)
        )
        self.links, backwards = links.tocsr(), links.T.tocsr()
        self.came = backwards.indptr.astype(np.int64), backwards.indices.astype(np.int64)
        self.arrays = (
            np.append(self.first, len(moves.state)),
            moves.matrix.indptr.astype(np.int64),
            moves.matrix.indices.astype(np.int64),
            moves.matrix.data,
        )

    def found(self) -> tuple[float, tuple[int, int]]:
        """The diameter and its pair (from, to)."""
        upper = np.full(self.size, np.inf) if self.size <= SMALL else self.rough_bounds()
        best, pair, steps = 0.0, (0, 0), np.zeros(self.size)
        for target in np.argsort(-upper, kind="stable").tolist():
            ceiling = best * (1.0 + SAME)
            if upper[target] <= ceiling:
                break
            high, steps = self.exactly(target, steps, ceiling)
            if high > ceiling:
                source = int(steps.argmax())
                best, pair = float(steps[source]), (source, target)
        return best, pair

    def rough_bounds(self) -> FloatArray:
        """[n] upper bounds of the most steps to each target; close ones where they may be the most of all."""
        near = scipy.sparse.csgraph.reverse_cuthill_mckee(self.links, symmetric_mode=False)
        upper, steps, longest = self.bounds_of_one_step(), np.zeros(self.size), 0.0
        for target in near[np.argsort(-upper[near], kind="stable")].tolist():
            if upper[target] <= longest:
                break
            steps = steps.copy()
            order, moves = self.outwards(target)
            low, upper[target] = self.swept(order, steps, longest, ROUGH)
            if upper[target] > longest and low < (1.0 - ROUGH) * upper[target]:
                low, upper[target], steps = self.improved(order, moves, steps, longest, ROUGH)
            longest = max(longest, low)
        return upper

    def bounds_of_one_step(self) -> FloatArray:
        """[n] 1 / min over s of the greatest chance to step from s onto the target; inf where that is 0.

        The bound of a guess that is the same everywhere.
        """
        place = self.source * self.size + self.next
        links, which = np.unique(place, return_inverse=True)
        chance = np.zeros(len(links))
        np.maximum.at(chance, which, self.matrix.data)
        source, target = np.divmod(links, self.size)
        chance, target = chance[source != target], target[source != target]
        least = np.ones(self.size)
        np.minimum.at(least, target, chance)
        least[np.bincount(target, minlength=self.size) < self.size - 1] = 0.0
        return np.divide(1.0, least, out=np.full(self.size, np.inf), where=least > 0)

    def exactly(self, target: int, guess: FloatArray, ceiling: float) -> tuple[float, FloatArray]:
        """(upper bound of the most steps to the target, [n] steps), exact if it is above the ceiling."""
        steps = guess.copy()
        order, moves = self.outwards(target)
        if self.size > SMALL:
            _, high = self.swept(order, steps, ceiling, SAME)
            if high <= ceiling:
                return high, steps
        _, high, steps = self.improved(order, moves, steps, ceiling, 0.0)
        return high, steps

    def outwards(self, target: int) -> tuple[IntArray, IntArray]:
        """[n] states in the order of their fewest moves to the target, and [n] those moves."""
        order, moves = np.empty((2, self.size), dtype=np.int64)
        kernel = compiled(outwards) if self.size > SMALL else outwards
        kernel(*self.came, target, order, moves)
        return order, moves

    def swept(self, order: IntArray, steps: FloatArray, ceiling: float, width: float) -> tuple[float, float]:
        """(lower, upper) of the most steps to order[0] by sweeps of `steps`."""
        bounds = np.array([0.0, np.inf])
        compiled(bracket)(*self.arrays, order, steps, ceiling, width, ROUNDS, SWEEPS, bounds)
        return float(bounds[0]), float(bounds[1])

    # -- policy iteration --------------------------------------------------------------------------------------------

    def improved(
        self, order: IntArray, moves: IntArray, guess: FloatArray, ceiling: float, width: float
    ) -> tuple[float, float, FloatArray]:
        """(lower, upper, steps) of policies that get better until the bounds are that close, or below the ceiling.

        Width 0 asks for the optimum.
        """
        target, rows = order[0], self.proper(moves, guess)
        for _ in range(MOST_IMPROVEMENTS):
            steps = self.steps_of(order, rows)
            left, noise = self.left_over(steps)
            least = np.minimum.reduceat(left, self.first)
            least[target] = 0.0
            high = float(steps.max())
            low = high / (1.0 - min(0.0, float((least - noise[rows]).min())))
            better = least < left[rows] - noise[rows] - 1e-13
            better[target] = False
            if high <= ceiling or low >= (1.0 - width) * high or not better.any():
                return low, high, steps
            rows = np.where(better, self.lowest(left <= least[self.state]), rows)
        raise ArithmeticError(f"{MOST_IMPROVEMENTS} policies did not settle the shortest path to {target}")

    def proper(self, moves: IntArray, guess: FloatArray) -> IntArray:
        """[n] a pair for each state: of those that may come closer to the target, the best by the guess.

        So every state has a way to the target, and on a finite chain it is taken in the end.
        """
        closer = np.logical_or.reduceat(moves[self.next] < moves[self.source], self.leaving)
        cost = np.where(closer, self.matrix @ guess, np.inf)
        least = np.minimum.reduceat(cost, self.first)
        return np.where(moves == 0, self.first, self.lowest(cost <= least[self.state]))

    def lowest(self, chosen: BoolArray) -> IntArray:
        """[n] the first of each state's chosen pairs."""
        rows = np.zeros(self.size, dtype=np.int64)
        picked = np.flatnonzero(chosen)[::-1]
        rows[self.state[picked]] = picked
        return rows

    def left_over(self, steps: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[M] 1 + P v - v, taken in differences, and [M] what rounding may have done to it."""
        terms = self.matrix.data * (steps[self.next] - steps[self.source])
        noise = 4e-16 * (1.0 + np.add.reduceat(np.abs(terms), self.leaving))
        return 1.0 + np.add.reduceat(terms, self.leaving), noise

    def steps_of(self, order: IntArray, rows: IntArray) -> FloatArray:
        """[n] expected steps to order[0] of one policy; every digit of them, however many they are."""
        steps = self.solved(order[0], rows)
        if float(steps.max()) <= LARGE and float(steps.min()) >= 0.0:
            return steps
        chances = self.matrix[rows[order]][:, order].toarray()
        exact = np.empty(self.size)
        exact[order] = compiled(eliminated)(chances)
        return exact

    def solved(self, target: int, rows: IntArray) -> FloatArray:
        """[n] the same from factors, refined by what differences leave over."""
        others = np.delete(np.arange(self.size), target)
        own = self.matrix[rows[others]]
        solve = _solver(own[:, others])
        steps = np.zeros(self.size)
        right = np.ones(self.size - 1)
        source = np.repeat(others, np.diff(own.indptr))
        for _ in range(4):
            step = solve(right)
            steps[others] += step
            if not float(np.abs(step).max()) > 1e-13 * float(steps.max()) or np.isinf(step).any():
                break
            terms = own.data * (steps[own.indices] - steps[source])
            right = 1.0 + np.add.reduceat(terms, own.indptr[:-1])
        return steps


def _solver(chain: scipy.sparse.csr_array) -> Callable[[FloatArray], FloatArray]:
    """Solves  x = b + P x; what cannot be solved to working precision is infinite."""
    size = chain.shape[0]
    try:
        if size <= SMALL:
            inverse = np.linalg.inv(np.eye(size) - chain.toarray())
            return lambda b: np.asarray(inverse @ b)
        factors = scipy.sparse.linalg.splu((scipy.sparse.eye_array(size, format="csr") - chain).tocsc())
        return lambda b: np.asarray(factors.solve(b))
    except (np.linalg.LinAlgError, RuntimeError):
        return lambda b: np.full(size, np.inf)
