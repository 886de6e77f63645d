"""What an agent with memory earns in sampled episodes, where its histories are too many to follow.

    below  =  sum over t < T of discount^t * r_t  +  discount^T * (the worst that the state left behind may be worth)
    above  =  likewise with the best

The value of its policy lies between the means of the two, so with a betting interval for each (97.5 % to one side) it
lies in [lower end of below, upper end of above] with a confidence of 95 %.  The range that the bets need is exact: the
least and the most that any path through the table pays within T steps.

By average reward it is the mean reward of T steps from the start; no finite episode tells more.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ...envs.pomdp import TabularPOMDP
from ...envs.vector import TabularVectorEnv
from ...planning.pomdp.history_evaluation import HistoryEvaluator
from ..records import ScoringSpec
from ..statistics.intervals import betting_interval

#: Episodes of one score.
EPISODES = 1_000
#: Steps after which discounting has left this share of what policies can differ by; nobody plays on.
LEFT = 1e-3
#: Steps of an episode that nothing else ends.
STEPS = 2_000


class Sampled(NamedTuple):
    """A 95 % interval, and the mean of what was earned."""

    low: float
    mean: float
    high: float


class EpisodeSampler:
    """Plays episodes on a table, all side by side, with the same chances every time.

    Args:
        pomdp: the table and what is seen of it.
        scoring: the criterion.
        follower: knows what states are worth at worst and at best; None by average reward.
        seed: of the episodes, at least 0.
    """

    def __init__(
        self, pomdp: TabularPOMDP, scoring: ScoringSpec, follower: HistoryEvaluator | None, *, seed: int
    ) -> None:
        self.pomdp, self.seed = pomdp, seed
        self.discount = 1.0 if scoring.discount is None else scoring.discount
        self.steps = STEPS if scoring.horizon is None else scoring.horizon
        if 0.0 < self.discount < 1.0 and scoring.horizon is None:
            self.steps = min(STEPS, math.ceil(math.log(LEFT) / math.log(self.discount)))
        self.unit = 1.0 / self.steps if scoring.criterion == "average" else 1.0
        self.worst = self.best = np.zeros(pomdp.num_states)  # after the last step nothing counts ...
        if follower is not None and scoring.horizon is None:  # ... unless the clock is ours alone
            self.worst, self.best = follower.worst, follower.best
        self.least = -richest_path(pomdp.mdp, -pomdp.mdp.reward, -self.worst, self.discount, self.steps)
        self.most = richest_path(pomdp.mdp, pomdp.mdp.reward, self.best, self.discount, self.steps)

    def interval(self, agent: Any) -> Sampled:
        """Of the policy that the agent believes best; `predict` is asked for all episodes at once."""
        earned, going, state, weight = self._play(agent)
        below = earned + np.where(going, weight * self.worst[state], 0.0)
        above = earned + np.where(going, weight * self.best[state], 0.0)
        low, high = -upper_end(-below, -self.most, -self.least), upper_end(above, self.least, self.most)
        known = np.isfinite(below) & np.isfinite(above)
        mean = float(np.where(known, (below + above) / 2.0, earned).mean())
        return Sampled(self.unit * low, self.unit * mean, self.unit * high)

    def _play(self, agent: Any) -> tuple[FloatArray, BoolArray, IntArray, float]:
        """[n] what was earned, [n] who goes on after the last step, [n] where, and the weight of a step there."""
        envs = TabularVectorEnv(self.pomdp, EPISODES, infos=False)
        seen, _ = envs.reset(seed=self.seed)
        earned, going = np.zeros(EPISODES), np.ones(EPISODES, dtype=np.bool_)
        memory, weight = None, 1.0
        for t in range(self.steps):
            begins = np.full(EPISODES, t == 0)
            answer, memory = agent.predict(seen, memory, begins, deterministic=True)
            seen, reward, ended, _, _ = envs.step(np.asarray(answer, dtype=np.int64))
            earned[going] += weight * reward[going]
            weight *= self.discount
            going &= ~ended  # what a copy plays after its end does not count
            if not going.any():
                break
        return earned, going, envs.state, weight


def upper_end(numbers: FloatArray, least: float, most: float) -> float:
    """Of the mean of independent numbers in [least, most], one-sided at 97.5 %."""
    if not math.isfinite(most) or not np.isfinite(numbers).all():
        return math.inf
    slack = 1e-9 * max(1.0, abs(most), abs(least) if math.isfinite(least) else 0.0)
    found = betting_interval(numbers, least - slack, most + slack)
    return math.inf if found is None else found.high


def richest_path(mdp: TabularMDP, reward: FloatArray, tail: FloatArray, discount: float, steps: int) -> float:
    """The most that any path of `steps` steps from a start can pay, `tail` [S] for the state that it ends in included.

    Args:
        mdp: the table.
        reward: [N] of each outcome.
        tail: [S]
        discount: weight of one step later.
        steps: length of the path.
    """
    happens = np.flatnonzero(mdp.probability > 0)
    state = mdp.row_of_outcome[happens] // mdp.num_actions
    first = np.flatnonzero(np.diff(state, prepend=-1))
    target, paid = mdp.next_state[happens], reward[happens]
    ends = mdp.terminated[happens] | mdp.terminal[target]
    values = np.where(mdp.terminal, 0.0, tail)
    for _ in range(steps):
        after = np.where(ends, 0.0, values[target])
        best = np.maximum.reduceat(paid + (discount * after if discount else 0.0), first)
        before, values = values, np.zeros(mdp.num_states)
        values[state[first]] = best
        if np.array_equal(before, values):
            break
    return float(values[mdp.initial > 0].max())
