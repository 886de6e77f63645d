"""The best play with memory as a policy on a table: its states are what is remembered, and what is hidden.

The state of the table is a pair (belief b, hidden state s).  The policy looks at b alone, the rewards and the next
hidden state come from s, so returns spread as they do in the environment.  (A table of beliefs alone pays mean
rewards: its returns have the same mean, and spread less.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from ...envs.mdp.outcomes import sorted_outcomes
from ...envs.pomdp import TabularPOMDP
from ...planning import Solution

#: How far a belief may be from one of the solution's and still be it, summed over the states.
SAME = 1e-6

Belief = dict[int, float]


class BeliefPlay(NamedTuple):
    """A table, and what the best play does there: [S], or [H, S] within a horizon."""

    mdp: TabularMDP
    policy: IntArray


def belief_play(pomdp: TabularPOMDP, best: Solution) -> BeliefPlay:
    """The pairs that the solution `best` of `pomdp` reaches.

    Raises:
        ValueError: the solution knows its beliefs at the start only.
    """
    if best.beliefs is None or best.alpha_vectors is not None:
        raise ValueError("the best play is known by its value only, not belief by belief")
    return _Pairs(pomdp, best).table()


class _Pairs:
    def __init__(self, pomdp: TabularPOMDP, best: Solution) -> None:
        self.pomdp = pomdp
        self.best = best
        beliefs = scipy.sparse.csr_array(best.beliefs)
        self.beliefs: list[Belief] = [
            dict(zip(row.indices.tolist(), row.data.tolist(), strict=True))
            for row in (beliefs[[b]] for b in range(beliefs.shape[0]))
        ]
        self.rules = np.atleast_2d(best.policy)  # [H, B]
        self.number: dict[tuple[int, int], int] = {}
        self.waiting: list[tuple[int, int]] = []
        self.rows: list[tuple[int, float, int, float, bool]] = []

    def table(self) -> BeliefPlay:
        pomdp, mdp = self.pomdp, self.pomdp.mdp
        starts: dict[int, float] = {}
        candidates = np.flatnonzero(self.best.mdp.initial)
        for o in range(pomdp.num_observations):
            weights = mdp.initial * pomdp.initial_observation[:, o]
            chances = {int(s): float(weights[s]) for s in np.flatnonzero(weights)}
            if chances:
                b = self.nearest(chances, candidates)
                for s, chance in chances.items():
                    pair_ = self.pair(b, s)  # two observations may leave the same belief
                    starts[pair_] = starts.get(pair_, 0.0) + chance
        while self.waiting:
            b, s = self.waiting.pop()
            for action in np.unique(self.rules[:, b]).tolist():
                self.follow(b, s, action)
        end = len(self.number)
        pair, probability, next_state, reward, terminated = zip(*self.rows, strict=True)
        initial = np.zeros(end + 1)
        initial[list(starts)] = list(starts.values())
        table = TabularMDP(
            **sorted_outcomes(
                (end + 1) * mdp.num_actions,
                pair=pair,
                probability=probability,
                next_state=np.where(terminated, end, next_state),
                reward=reward,
                terminated=terminated,
            ),
            initial=initial,
        )
        belief = [b for b, _ in self.number]
        policy = np.zeros((len(self.rules), end + 1), dtype=np.int64)
        policy[:, :end] = self.rules[:, belief]
        return BeliefPlay(table, policy if self.best.policy.ndim == 2 else policy[0])

    def pair(self, b: int, s: int) -> int:
        """Its number; a new pair waits to be followed."""
        if (b, s) not in self.number:
            self.number[b, s] = len(self.number)
            self.waiting.append((b, s))
        return self.number[b, s]

    def follow(self, b: int, s: int, action: int) -> None:
        """Every outcome of the action, with every observation that may be seen then."""
        here = self.number[b, s] * self.pomdp.num_actions + action
        mdp = self.pomdp.mdp
        seen, k_of = self.seen_after(s, action)
        for k in k_of:
            chance, reward = float(mdp.normalised_probability[k]), float(mdp.reward[k])
            target = int(mdp.next_state[k])
            if mdp.terminated[k]:
                self.rows.append((here, chance, 0, reward, True))
                continue
            for o in np.flatnonzero(seen[target]).tolist():
                to = self.pair(self.belief_after(b, action, o), target)
                self.rows.append((here, chance * float(seen[target, o]), to, reward, False))

    def seen_after(self, s: int, action: int) -> tuple[FloatArray, range]:
        """[S, O] what is seen after the action as it is played in `s`, and its outcomes."""
        mdp = self.pomdp.mdp
        played = action if mdp.action_mask[s, action] else int(mdp.lowest_action[s])
        begin, end = mdp.first_outcome[s * mdp.num_actions + played :][:2].tolist()
        return self.pomdp.by_action[played], range(begin, end)

    def belief_after(self, b: int, action: int, o: int) -> int:
        """The number of the belief that follows."""
        table = self.best.mdp
        begin, end = table.first_outcome[b * table.num_actions + action :][:2].tolist()
        candidates = table.next_state[begin:end][~table.terminated[begin:end]].astype(np.int64)
        if len(candidates) == 1:
            return int(candidates[0])
        mdp = self.pomdp.mdp
        joint: Belief = {}
        for s, weight in self.beliefs[b].items():
            seen, outcomes = self.seen_after(s, action)
            for k in outcomes:
                target = int(mdp.next_state[k])
                chance = weight * float(mdp.normalised_probability[k] * seen[target, o])
                if chance and not mdp.terminated[k]:
                    joint[target] = joint.get(target, 0.0) + chance
        return self.nearest(joint, candidates)

    def nearest(self, weights: Belief, candidates: IntArray) -> int:
        """The candidate that is this belief."""
        total = sum(weights.values())
        belief = {s: weight / total for s, weight in weights.items()}

        def distance(b: int) -> float:
            other = self.beliefs[b]
            return sum(abs(belief.get(s, 0.0) - other.get(s, 0.0)) for s in belief.keys() | other.keys())

        b = min(candidates.tolist(), key=distance)
        if distance(b) > SAME:
            raise ValueError("the solution does not hold a belief that its best play reaches")
        return int(b)
