"""Finite horizon over all beliefs: the value of h steps is a maximum of finitely many vectors.

    V_0 = {0}          Gamma_ao  =  prune { discount * T_a O_o alpha :  alpha in V_(h-1) }
                       Gamma_a   =  r_a + prune( ... prune(Gamma_a1 (+) Gamma_a2) ... (+) Gamma_aO)
                       V_h       =  prune( union of all Gamma_a )

where (+) adds each vector of one set to each of the other (Cassandra, Littman and Zhang, Incremental pruning, UAI
1997).  `prune` keeps a vector w if a linear programme finds a belief where it beats all others kept so far by more
than a hair (Lark's filter, in White 1991).  What is dropped costs little, and how little is certified by the
programme's dual, a mixture of the others: w is worth at most  max_s (w(s) - sum_i lambda_i u_i(s))  more than
they are, at any belief.  These losses, summed over the steps, are the distance of the bounds.  (Derived here.)
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import scipy.optimize

from ...envs.mdp import FloatArray, IntArray
from ...envs.pomdp import TabularPOMDP
from ..algebra.pairs import UNIT
from ..bounds import allowed_width, refuse
from ..progress_bar import Progress
from ..solutions.solution import Solution
from .dense_pomdp import DenseHidden, is_small
from .first_decisions import table_of_first_decisions

#: Vectors among which linear programmes may choose at a time; more would take minutes a step.
MOST_PLANS = 4_000

#: The least tolerance that HiGHS takes; its own 1e-7 would be a loss at every tie, many times a step.
LEAST = 1e-10

#: By how much differences are enlarged for HiGHS, whose tolerance is absolute.
FINER = 1e3

#: Linear programmes in all after which pruning gives up: one or two minutes.
MOST_PROGRAMMES = 60_000


class TooManyPlans(ValueError):
    """The vectors of a step, or the linear programmes about them, became too many."""


@dataclass(eq=False)
class Pruner:
    """Drops vectors that are nowhere the best by more than `hair`, and keeps count of what that may cost.

    A vector that another one covers goes first; where that one goes later, the losses of both count.

    Attributes:
        hair: what one `prune` may lose, half of it in each of the two ways.
        lost: the greatest loss of a `prune` certified since it was last set to 0.
        programmes: how many linear programmes were solved.
        most: how many may be.
    """

    hair: float
    lost: float = 0.0
    programmes: int = 0
    most: int = MOST_PROGRAMMES

    def prune(self, vectors: FloatArray) -> IntArray:
        """Which of the vectors [K, S] to keep."""
        waiting, covered = self._undominated(vectors)
        kept: list[int] = []
        beaten = 0.0
        for s in range(vectors.shape[1]):
            self._move_best(vectors, np.eye(vectors.shape[1])[s], waiting, kept)
        while waiting:
            candidate = waiting[-1]
            belief, loss = self._witness(vectors[candidate], vectors[kept])
            if belief is None:
                waiting.pop()
                beaten = max(beaten, loss)
            else:
                self._move_best(vectors, belief, waiting, kept)
        self.lost = max(self.lost, covered + beaten)
        return np.array(sorted(kept), dtype=np.int64)

    def _undominated(self, vectors: FloatArray) -> tuple[list[int], float]:
        """Indices without those that one other vector covers, and the most that is lost with those."""
        kept: list[int] = []
        lost = 0.0
        for k in np.argsort(-vectors.sum(axis=1), kind="stable"):
            if kept:
                loss = float((vectors[k] - vectors[kept]).max(axis=1).min())
                if loss <= self.hair / 2.0:
                    lost = max(lost, loss)
                    continue
            kept.append(int(k))
        return kept, lost

    @staticmethod
    def _move_best(vectors: FloatArray, belief: FloatArray, waiting: list[int], kept: list[int]) -> None:
        """The best at a belief of those that wait moves to the kept ones, unless one of these is as good."""
        if not waiting:
            return
        worth = vectors[waiting] @ belief
        place = int(worth.argmax())
        if not kept or worth[place] > float((vectors[kept] @ belief).max()):
            kept.append(waiting.pop(place))

    def _witness(self, vector: FloatArray, others: FloatArray) -> tuple[FloatArray | None, float]:
        """A belief where the vector beats the others, or None if it may be dropped; and what is lost then."""
        self.programmes += 1
        if self.programmes > self.most:
            raise TooManyPlans(f"more than {self.most} linear programmes")
        loss, belief = rise(vector, others)
        if loss > self.hair / 2.0 and float(vector @ belief) > float((others @ belief).max()):
            return belief, loss
        return (
            None,
            loss,
        )  # also at a tie to working precision: neither a witness nor a certificate within the hair


def rise(vector: FloatArray, others: FloatArray) -> tuple[float, FloatArray]:
    """A proven bound on how far the vector rises above the others at any belief, and where it does so most.

    Raises:
        ArithmeticError: the solver of the linear programme failed.
    """
    size = len(vector)
    found = scipy.optimize.linprog(
        np.append(np.zeros(size), -1.0),
        A_ub=np.column_stack([FINER * (others - vector), np.ones(len(others))]),
        b_ub=np.zeros(len(others)),
        A_eq=np.append(np.ones(size), 0.0)[None],
        b_eq=[1.0],
        bounds=[(0.0, None)] * size + [(None, None)],
        method="highs",
        options={"primal_feasibility_tolerance": LEAST, "dual_feasibility_tolerance": LEAST},
    )
    if found.status != 0:
        raise ArithmeticError(f"a linear programme over beliefs failed: {found.message}")
    mixture = np.maximum(-np.asarray(found.ineqlin.marginals), 0.0)
    proven = float((vector - mixture @ others / max(float(mixture.sum()), 1e-300)).max())
    belief: FloatArray = np.maximum(found.x[:-1], 0.0)
    return proven, belief / belief.sum()


def solve_within_horizon(
    pomdp: TabularPOMDP,
    discount: float,
    horizon: int,
    tolerance: float,
    relative: bool,
    progress_bar: bool,
    *,
    most_vectors: int | None = None,
) -> Solution:
    """The best with memory in `horizon` steps, at the beliefs of the start; with `most_vectors` a step at most.

    Row h of `values` and `q_values` tells what the same beliefs are worth with `horizon - h` steps left.

    Raises:
        ValueError: the table is too large for dense arrays.
        TooManyPlans: the vectors of a step, or the linear programmes about them, became too many.
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    if not is_small(pomdp):
        raise ValueError(
            f"too many beliefs can be reached within {horizon} steps, and {pomdp.num_states} states are too many "
            "for incremental pruning; give a larger max_beliefs, or a shorter horizon"
        )
    began = perf_counter()
    model = DenseHidden.of(pomdp)
    starts = model.starts
    num_actions, num_states = model.reward.shape
    num_seen = model.seen.shape[1]
    possible = model.available(starts)
    prunes = num_actions * (2 * num_seen - 1) + 1
    pruner = Pruner(tolerance / (1.25 * prunes * horizon))
    vectors, actions = np.zeros((1, num_states)), np.zeros(1, dtype=np.int64)
    values = np.zeros((horizon + 1, len(starts) + 1))
    q_values = np.full((horizon, len(starts) + 1, num_actions), -np.inf)
    optimal = np.zeros(q_values.shape, dtype=np.bool_)
    lost = 0.0
    with Progress(progress_bar) as report:
        for h in range(horizon - 1, -1, -1):
            ahead, lost = vectors, discount * lost
            by_action = []
            for action in range(num_actions):
                pruner.lost = 0.0
                by_action.append(plans_after(model, action, ahead, discount, pruner))
                lost += (2 * num_seen - 1) * pruner.lost
            pruner.lost = 0.0
            vectors = np.concatenate(by_action)
            actions = np.repeat(np.arange(num_actions), [len(part) for part in by_action])
            kept = pruner.prune(vectors)
            vectors, actions = vectors[kept], actions[kept]
            lost += pruner.lost
            if most_vectors is not None and len(vectors) > most_vectors:
                raise TooManyPlans(f"{len(vectors)} plans are best somewhere, {most_vectors} at most")
            q = np.stack([(starts @ part.T).max(axis=1) for part in by_action], axis=1)
            q_values[h, :-1] = np.where(possible, q, -np.inf)
            values[h, :-1] = q_values[h, :-1].max(axis=1)
            optimal[h, :-1] = possible & (q >= values[h, :-1, None] - 2.0 * lost)
            if report is not None:
                report(horizon - h, of=horizon)
    slack = 8.0 * UNIT * (num_states + num_seen + 8) * horizon * float(np.abs(model.reward).max()) * horizon
    low = values[0] - np.append(np.full(len(starts), slack), 0.0)
    high = values[0] + np.append(np.full(len(starts), lost + slack), 0.0)
    width = allowed_width(tolerance, relative, values[0])
    if float((high - low).max()) > width:
        refuse(low, high, tolerance, relative, width)
    return Solution(
        criterion="finite_horizon",
        discount=discount,
        horizon=horizon,
        start_value=float(model.chances @ values[0, :-1]),
        values=values,
        q_values=q_values,
        policy=optimal.argmax(axis=2),
        optimal_actions=optimal,
        lower=low,
        upper=high,
        method="incremental pruning",
        iterations=horizon,
        seconds=perf_counter() - began,
        mdp=table_of_first_decisions(pomdp, model, q_values[0, :-1]),
        beliefs=starts,
        alpha_vectors=vectors,
        alpha_actions=actions,
    )


def plans_after(
    model: DenseHidden, action: int, ahead: FloatArray, discount: float, pruner: Pruner
) -> FloatArray:
    """[K, S] what each plan that begins with the action is worth, those that are nowhere best left out."""
    plans: FloatArray | None = None
    begin, end = [*model.first_part, len(model.seen)][action : action + 2]
    for o in range(model.seen.shape[1]):
        part = np.zeros_like(ahead)
        for g in range(begin, end):
            part += discount * (ahead * model.seen[g, o]) @ model.transition[g].T
        part = part[pruner.prune(part)]
        if plans is None:
            plans = part
        else:
            if len(plans) * len(part) > MOST_PLANS:
                raise TooManyPlans(
                    f"{len(plans)} times {len(part)} plans to choose from, {MOST_PLANS} at most"
                )
            sums = (plans[:, None, :] + part[None, :, :]).reshape(-1, part.shape[1])
            plans = sums[pruner.prune(sums)]
    assert plans is not None
    return np.asarray(model.reward[action] + plans)
