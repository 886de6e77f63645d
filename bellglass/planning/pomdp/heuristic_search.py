"""Heuristic search: draws certified bounds of beliefs together where the start leads.

A trial walks from the start along the action of the greatest upper bound and the observation where the bounds are
farthest apart, until they are as near as the width asks there, and improves both on the way back:

    alpha  <-  r_a + discount * sum_o T_a O_o alpha_(best for o)        v  <-  max_a r(b, a) + discount * sum upper(b')

Smith and Simmons, Point-based POMDP algorithms: improved analysis and implementation (HSVI2), UAI 2005.

Between trials `closed` looks whether few beliefs are left in play: an action whose upper bound lies below the lower
bound of the belief is not the best there, and what only such actions reach does not matter.  If the beliefs that the
others reach are few, they make a table, and its solution is exact.  (Derived here; it is how problems whose best
policy comes back to few beliefs are solved to the last digit, long before the bounds meet.)  `with_all_actions` then
prices the ruled-out actions of those beliefs too: it follows each for a step, and best play from there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, TabularMDP
from ...envs.mdp.outcomes import sorted_outcomes
from ...envs.pomdp import TabularPOMDP
from ..algebra.pairs import UNIT
from ..table_solver import solve_table
from .belief_bounds import BLOCK, LowerBound, UpperBound
from .beliefs import BeliefTable, TooManyBeliefs, belief_table
from .dense_pomdp import DenseHidden

if TYPE_CHECKING:
    from ..solutions.record import Beliefs

#: Beside each belief in play so many more may be looked at to price the actions that are ruled out there.
SIDE_BELIEFS = 20

#: How often, and with how many walks each time, the bounds beside the beliefs in play are improved.
SIDE_ROUNDS, SIDE_WALKS = 3, 60

#: Steps of a walk at most.
MOST_STEPS = 400


class HeuristicSearch:
    """Draws the two bounds together where the start leads.

    Args:
        pomdp: a small partially observed table.
        discount: in [0, 1], below 1 unless the table ends after some steps, whatever one does.
        horizon: those steps; None: the table need not end.
    """

    def __init__(self, pomdp: TabularPOMDP, discount: float, horizon: int | None = None) -> None:
        self.pomdp = pomdp
        self.discount = discount
        self.horizon = horizon
        self.model = DenseHidden.of(pomdp)
        steps = 1.0 / (1.0 - discount) if horizon is None else float(horizon)
        if horizon is None:
            observed = solve_table(pomdp.mdp, discount, tolerance=1e-9)
        else:
            observed = solve_table(
                pomdp.mdp, discount, criterion="finite_horizon", horizon=horizon, tolerance=1e-9
            )
        greatest = float(np.abs(self.model.reward).max()) * steps
        size = pomdp.num_states + pomdp.num_observations
        #: more than all rounding of a backup, summed over the discounted steps
        self.slack = 8.0 * UNIT * (size + 8) * greatest * steps
        self.lower = LowerBound(self.model, discount, steps, self.slack)
        self.upper = UpperBound(self.model, discount, observed.upper)
        self.trials = 0

    def start_bounds(self) -> tuple[FloatArray, FloatArray]:
        """[B] certified bounds at each belief of the start."""
        starts = self.model.starts
        return self.lower.at(starts) - self.slack, self.upper.at(starts) + self.slack

    def q_bounds(self, beliefs: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[n, A] certified bounds of each action at beliefs [n, S]."""
        joint = self.model.joint(beliefs)
        reward = beliefs @ self.model.reward.T
        low = reward + self.discount * self.lower.at(joint).sum(axis=2)
        high = reward + self.discount * self.upper.at(joint).sum(axis=2)
        return low - self.slack, high + self.slack

    def trial(self, width: float) -> None:
        """One walk from the start; `width` is how near the bounds there shall come."""
        low, high = self.lower.at(self.model.starts), self.upper.at(self.model.starts)
        self.walk(self.model.starts[int((self.model.chances * (high - low)).argmax())], width)
        self.trials += 1

    def walk(self, belief: FloatArray, width: float) -> None:
        """Down and back up from a belief [S], where the bounds shall come as near as `width`."""
        walked: list[FloatArray] = []
        allowed = width
        while len(walked) < MOST_STEPS:
            if float(self.upper.at(belief) - self.lower.at(belief)) <= allowed:
                break
            walked.append(belief)
            joint = self.model.joint(belief[None])[0]
            later = self.upper.at(joint)  # [A, O]
            q = self.model.reward @ belief + self.discount * later.sum(axis=1)
            action = int(np.where(self.model.available(belief[None])[0], q, -np.inf).argmax())
            allowed /= self.discount or 1e-300
            apart = later[action] - self.lower.at(joint[action]) - allowed * joint[action].sum(axis=1)
            seen = int(apart.argmax())
            if not apart[seen] > 0.0:
                break
            belief = joint[action, seen] / joint[action, seen].sum()
        for belief in reversed(walked):
            self.improve(belief)

    def improve(self, belief: FloatArray) -> None:
        """Backs up both bounds at a belief [S]."""
        model = self.model
        joint = model.joint(belief[None])[0]
        possible = model.available(belief[None])[0]
        q = model.reward @ belief + self.discount * self.upper.at(joint).sum(axis=1)
        self.upper.set(belief, float(q[possible].max()))
        vectors = model.reward + self.discount * model.backed_up(self.lower.vectors, self.lower.best(joint))
        action = int(np.where(possible, vectors @ belief, -np.inf).argmax())
        self.lower.add(vectors[action], action)

    def in_play(self, beliefs: FloatArray) -> BoolArray:
        """[n, A] the actions that the bounds leave open as optimal."""
        kept = []
        step = max(1, BLOCK // (self.model.seen.size * 8))
        for begin in range(0, len(beliefs), step):
            part = beliefs[begin : begin + step]
            low = self.lower.at(part) - self.slack
            kept.append(self.q_bounds(part)[1] >= low[:, None])
        return np.concatenate(kept)

    def closed(self, max_beliefs: int) -> BeliefTable | None:
        """The table of the beliefs in play, or None if they are more than `max_beliefs`."""
        try:
            return belief_table(self.pomdp, max_beliefs=max_beliefs, keep=self.in_play)
        except TooManyBeliefs:
            return None

    def with_all_actions(self, table: BeliefTable, *, rounds: int) -> BeliefTable:
        """The same with every available action of its beliefs, each followed by best play.

        Where that takes too many beliefs even after some rounds of walks, an action that was ruled out pays its
        upper bound, and ends.
        """
        beliefs = as_array(table.beliefs)
        max_beliefs = SIDE_BELIEFS * len(beliefs) + 1_000
        known = {_key(belief) for belief in beliefs}

        def keep(reached: FloatArray) -> BoolArray:
            inside = np.array([_key(belief) in known for belief in reached])
            return np.asarray(self.in_play(reached) | inside[:, None])

        for _ in range(rounds):
            try:
                return belief_table(self.pomdp, max_beliefs=max_beliefs, keep=keep)
            except TooManyBeliefs:
                self._walk_beside(beliefs)
        return self._with_upper_bounds(table, beliefs)

    def _walk_beside(self, beliefs: FloatArray) -> None:
        """Walks from where the bounds are farthest apart a step after some of the beliefs [B, S]."""
        most = max(1, BLOCK // (self.model.seen.size))
        joint = self.model.joint(beliefs[:most]).reshape(-1, beliefs.shape[1])
        joint = joint[joint.sum(axis=1) > 1e-12]
        after = np.unique(np.round(joint / joint.sum(axis=1, keepdims=True), 12), axis=0)
        after /= after.sum(axis=1, keepdims=True)
        high = self.upper.at(after)
        apart = high - self.lower.at(after)
        width = 1e-6 * max(1.0, float(np.abs(high).max()))
        for k in np.argsort(-apart, kind="stable")[:SIDE_WALKS]:
            self.walk(after[k], width)

    def _with_upper_bounds(self, table: BeliefTable, beliefs: FloatArray) -> BeliefTable:
        mdp, end = table.mdp, len(beliefs)
        b, a = np.nonzero(self.model.available(beliefs) & ~mdp.action_mask[:end])
        full = TabularMDP(
            **sorted_outcomes(
                mdp.num_states * mdp.num_actions,
                pair=np.concatenate([mdp.row_of_outcome, b * mdp.num_actions + a]),
                probability=np.append(mdp.probability, np.ones(len(b))),
                next_state=np.append(mdp.next_state, np.full(len(b), end)),
                reward=np.append(mdp.reward, self.q_bounds(beliefs)[1][b, a]),
                terminated=np.append(mdp.terminated, np.ones(len(b), dtype=np.bool_)),
            ),
            initial=mdp.initial,
            state_labels=mdp.state_labels,
            action_labels=mdp.action_labels,
            normalise=True,
        )
        return replace(table, mdp=full)


def _key(belief: FloatArray) -> bytes:
    """Equal for beliefs that are taken for one."""
    return (np.round(belief, 12) + 0.0).tobytes()


def as_array(beliefs: Beliefs) -> FloatArray:
    """[B, S] as a plain array."""
    return beliefs if isinstance(beliefs, np.ndarray) else np.asarray(beliefs.toarray())
