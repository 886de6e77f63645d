"""Follows an agent with memory through every history, for the value of its policy where states are hidden.

A history is what the agent has seen; what it does is a function of that alone.  With it goes the weight of
every hidden state, w_h(s) = P(history h, state s).  One step, for all histories at once:

    value    +=  discount^t * sum_h sum_s w_h(s) r(s, a_h)
    w_ho(s') =   O(o | a_h, s') * sum_s w_h(s) p(s' | s, a_h)          over outcomes that go on

What is cut off, late or light, can be worth no more than the best value of its hidden states and no less than
the worst, so what comes out is an interval that holds.  The policy must be a function of the history: the one
that the agent believes best is (the one it explores with draws at random, and is left out).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..envs.mdp import TabularMDP
from ..envs.pomdp import TabularPOMDP
from .planners import solved
from .records import ScoringSpec

FloatArray = npt.NDArray[np.float64]

#: Histories followed at a time; of more, the lightest are cut off.
MOST_HISTORIES = 2_000

#: The interval may be this wide, as a share of what the best and the worst policy differ by.
WIDTH = 1e-4

#: Steps after which a history that goes on without a discount is cut off.
MOST_STEPS = 10_000


class Follower:
    """Values policies of agents with memory on one partially observed table.

    Args:
        pomdp: the table and what is seen of it.
        scoring: discounted, finite_horizon or total.
        best: [S] the most that the hidden states can be worth ([H+1, S] under a finite horizon).

    Raises:
        ValueError: the criterion is average, which no finite history tells.
    """

    def __init__(self, pomdp: TabularPOMDP, scoring: ScoringSpec, best: npt.ArrayLike) -> None:
        if scoring.criterion == "average":
            raise ValueError("agents with memory cannot be scored by criterion 'average'")
        self.pomdp = pomdp
        self.scoring = scoring
        self.discount = 1.0 if scoring.discount is None else scoring.discount
        self._best = np.asarray(best)
        self._worst = worst_values(pomdp.mdp, scoring)
        mdp = pomdp.mdp
        shape = (mdp.num_states, mdp.num_actions, mdp.num_states)
        played = np.where(mdp.action_mask, np.arange(mdp.num_actions), mdp.lowest_action[:, None])
        states = np.arange(mdp.num_states)[:, None]
        self._reward: FloatArray = mdp.expected_reward[states, played]
        self._going: FloatArray = mdp.transition_matrix.toarray().reshape(shape)[states, played]
        self._played = played

    def interval(self, agent: Any) -> tuple[float, float]:
        """Bounds of the start value of the policy that the agent believes best."""
        pomdp = self.pomdp
        initial = pomdp.mdp.initial / pomdp.mdp.initial.sum()
        weights = (initial[:, None] * pomdp.initial_observation).T  # [O, S]
        seen = np.flatnonzero(weights.sum(axis=1) > 0)
        weights = weights[seen]
        memory: Any = None
        first = self._left(0)
        enough = WIDTH * max(float(initial @ (first[1] - first[0])), 1e-300)
        done = low = high = 0.0
        steps = self.scoring.horizon if self.scoring.horizon is not None else MOST_STEPS
        for t in range(steps):
            scale = self.discount**t
            worst, best = self._left(t)
            if not len(seen) or scale * float((weights @ (best - worst)).sum()) <= enough:
                break
            if len(seen) > MOST_HISTORIES:
                heavy = np.sort(np.argsort(-weights.sum(axis=1), kind="stable")[:MOST_HISTORIES])
                light = np.setdiff1d(np.arange(len(seen)), heavy)
                low += scale * float((weights[light] @ worst).sum())
                high += scale * float((weights[light] @ best).sum())
                seen, weights, memory = seen[heavy], weights[heavy], rows_of(memory, heavy)
            starting = np.full(len(seen), t == 0)
            actions, memory = agent.predict(seen, memory, starting, deterministic=True)
            actions = np.asarray(actions, dtype=np.int64)
            done += scale * float((weights * self._reward[:, actions].T).sum())
            weights, seen, parents = self._step(weights, actions)
            memory = rows_of(memory, parents)
        else:
            t = steps
        if len(seen):
            worst, best = self._left(t)
            low += self.discount**t * float((weights @ worst).sum())
            high += self.discount**t * float((weights @ best).sum())
        return done + low, done + high

    def _step(
        self, weights: FloatArray, actions: npt.NDArray[np.int64]
    ) -> tuple[FloatArray, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The next weights [n', S], the observation of each history, and the history that it goes on from."""
        pomdp = self.pomdp
        if pomdp.observation_probability.ndim == 2:
            entered = np.einsum("hs,shn->hn", weights, self._going[:, actions])
            branched = entered[:, None, :] * pomdp.observation_probability.T[None]  # [n, O, S]
        else:
            branched = np.zeros((len(weights), pomdp.num_observations, pomdp.num_states))
            played = self._played[:, actions].T  # [n, S]: what is seen depends on the action as it was played
            for a in np.unique(played):
                here = np.where(played == a, weights, 0.0)
                entered = np.einsum("hs,shn->hn", here, self._going[:, actions])
                branched += entered[:, None, :] * pomdp.observation_probability[a].T[None]
        parents, seen = np.nonzero(branched.sum(axis=2) > 0)
        return branched[parents, seen], seen, parents

    def _left(self, t: int) -> tuple[FloatArray, FloatArray]:
        """[S] the least and the most that each state can be worth after t steps."""
        if self.scoring.criterion == "finite_horizon":
            return self._worst[t], self._best[t]
        return self._worst, self._best


def rows_of(memory: Any, rows: npt.NDArray[np.int64]) -> Any:
    """The memories of some of the histories."""
    return None if memory is None else tuple(part[rows] for part in memory)


def worst_values(mdp: TabularMDP, scoring: ScoringSpec) -> FloatArray:
    """[S], or [H+1, S]: the least that any policy can be worth, as the best value of the opposite rewards."""
    opposite = TabularMDP(
        first_outcome=mdp.first_outcome,
        probability=mdp.probability,
        next_state=mdp.next_state,
        reward=-mdp.reward,
        terminated=mdp.terminated,
        initial=mdp.initial,
    )
    return -np.asarray(solved(opposite, scoring).values)
