"""Certainty equivalence: count, believe the counts, plan.

    n(k)        <-  n(k) + 1                        for the outcome k = (s', r, terminated) of (s, a)
    believed:       q(s, a)  =   sum_k n(k) (r_k + discount * V(s'_k))                  /  n(s, a)
    exploring:      q+(s, a) = ( sum_k n(k) (r_k + discount * V+(s'_k))  +  m * V_opt ) / (n(s, a) + m)

    V(s) = max_a q(s, a), and nothing is added behind a terminated outcome.  m is `optimistic_visits`; V_opt,
    `optimistic_value`, is a value that is hard to beat: by default twice the highest believed one; while nothing
    better than 0 is known, the smallest size of a reward (other than 0) seen, paid for ever, above the highest
    believed one.

Maximum-likelihood counts with planning are model-based reinforcement learning in its plainest form (Kumar & Varaiya,
"Stochastic Systems" (1986), give the name).  Greedy on the counts alone stops exploring at the first pair that
disappointed once; so, as in the optimistic initial model of Szita & Lorincz, "The many faces of optimism" (ICML
2008), it *acts* as if every pair had also led to V_opt m times.  What it *believes best* (`q_values`,
`predict(deterministic=True)`) uses the counts alone; a pair that was never tried is no choice there.

The easy mistake is an optimistic value of (highest reward) / (1 - discount): where episodes end, that is a hundred
times any true value, every end looks like a loss, and the agent learns least about the steps that lead to the goal.

Outcomes that reach one state with different rewards, or of which one terminates, are counted apart.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ...envs.mdp import TabularMDP
from ..base import Transition
from ..learner import FloatArray
from ..settings import AnySchedule, number, number_or_none, renamed
from ..spaces import AnyEnv, Sizes
from .counts import Counts
from .tabular_learner import TabularLearner


class CertaintyEquivalence(TabularLearner):
    """Plans on maximum-likelihood counts; explores by optimism about what it has rarely tried.

    The exploring plan is made anew once the visits of some pair have doubled (not more often than every
    (pairs tried) / 32 steps); in between, the pair just tried is backed up alone.

    Args:
        env: an Env or VectorEnv with Discrete observations and actions.
        discount: weight of the value one step later, in [0, 1).
        epsilon: chance of a uniformly random action while learning, in [0, 1]; a number, or a schedule of the
            progress of `learn`.
        optimistic_visits: imagined visits of each pair, at least 0; 0 leaves exploring to `epsilon`.
        optimistic_value: what each of them was worth; None: found from what is believed, as told above (size 1 while
            only 0 was paid).
        max_episode_steps: reset an episode after so many steps, as a truncation.
        seed: seeds the agent's own generators, and through them the environment; None for fresh entropy.

    Attributes:
        counts: everything seen.
    """

    discount = number(0.0, 1.0, below=True)
    optimistic_visits = number(0.0)
    optimistic_value = number_or_none(-math.inf)

    @renamed(optimism="optimistic_visits", heaven="optimistic_value")
    def __init__(
        self,
        env: AnyEnv | Sizes,
        *,
        discount: float = 0.99,
        epsilon: AnySchedule = 0.0,
        optimistic_visits: float = 1.0,
        optimistic_value: float | None = None,
        max_episode_steps: int | None = None,
        seed: int | None = 0,
    ) -> None:
        super().__init__(
            env, discount=discount, epsilon=epsilon, max_episode_steps=max_episode_steps, seed=seed
        )
        self.optimistic_visits = optimistic_visits
        self.optimistic_value = optimistic_value
        S, A = self.sizes.num_observations, self.sizes.num_actions
        self.counts = Counts(S, A)
        self._hoped = (
            1.0 if self.optimistic_value is None else self.optimistic_value
        )  # V_opt at the last plan
        self._hoped_q = np.zeros((S, A))  # of the counts alone, at the last plan: where V_opt comes from
        self._exploring = np.full((S, A), self._hoped)  # q+
        self._exploring_best = np.full(S, self._hoped)  # V+
        self._planned_visits = np.zeros_like(self.counts.visits)
        self._since_plan, self._due = 0, False  # steps since the last plan, and whether one is wanted
        self._believed: FloatArray | None = None

    def _setting_changed(self, name: str) -> None:
        if name in ("discount", "optimistic_visits", "optimistic_value"):
            self._believed, self._due = None, True

    # -- learning ----------------------------------------------------------------------------------------------

    def update(self, transition: Transition) -> None:
        """Counts the transition, and sees what follows from it."""
        s, a = transition.observation, transition.action
        self.counts.add(transition)
        self._believed = None
        self._since_plan += 1
        self._due = self._due or bool(self.counts.visits[s, a] >= 2 * self._planned_visits[s, a])
        if self._due and self._since_plan * 32 >= self.counts.pairs_tried:
            self._plan_exploring()
        else:
            self._exploring[s, a] = self.counts.backup(
                s, a, self._exploring_best, self.discount, self.optimistic_visits, self._hoped
            )
            row = self._exploring[s].tolist()
            self._exploring_best[s] = max((row[b] for b in self.masks.actions(s)), default=0.0)

    def _plan_exploring(self) -> None:
        if self.optimistic_value is not None:
            self._hoped = self.optimistic_value
        else:
            self._hoped_q, hoped = self.counts.plan(self.discount, self.masks.available, start=self._hoped_q)
            highest = float(hoped[self.counts.acted].max())
            small = self.counts.smallest_reward
            for_ever = (small if small > 0 else 1.0) / (1.0 - self.discount)
            self._hoped = 2.0 * highest if highest > 0 else highest + for_ever
        self._exploring, self._exploring_best = self.counts.plan(
            self.discount, self.masks.available, self.optimistic_visits, self._hoped, self._exploring
        )
        self._planned_visits = self.counts.visits.copy()
        self._since_plan, self._due = 0, False

    # -- what it believes ----------------------------------------------------------------------------------------

    @property
    def q_values(self) -> FloatArray:
        """[S, A] optimal values of the counted table; -inf where nothing was tried."""
        if self._believed is None:
            self._believed, _ = self.counts.plan(self.discount, self.masks.available)
        return self._believed

    @property
    def values(self) -> FloatArray:
        """[S] optimal values of the counted table; 0 where nothing was tried."""
        best: FloatArray = self.q_values.max(axis=1)
        return np.where(np.isfinite(best), best, 0.0)

    @property
    def model(self) -> TabularMDP:
        """The counted table: `estimate_mdp` of everything seen, every state acted in an equally likely start."""
        return self.counts.table()

    def _acting_values(self, observation: int) -> list[float]:
        row: list[float] = self._exploring[observation].tolist()
        return row

    def _acting_table(self) -> FloatArray:
        return self._exploring

    # -- files -------------------------------------------------------------------------------------------------

    def _finite(self) -> bool:
        return bool((self._exploring < np.inf).all())  # -inf where an action does not exist; no nan

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {
            **self.counts.arrays(),
            "exploring": self._exploring,
            "exploring_best": self._exploring_best,
            "planned_visits": self._planned_visits,
            "hoped_q": self._hoped_q,
            "since_plan": np.array([self._since_plan, self._due], dtype=np.int64),
            "hoped": np.array(self._hoped),
        }

    def _take_arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.counts = Counts.from_arrays(arrays, self.sizes.num_observations, self.sizes.num_actions)
        self._exploring = arrays["exploring"]
        self._exploring_best = arrays["exploring_best"]
        self._planned_visits = arrays["planned_visits"]
        self._hoped_q = arrays["hoped_q"]
        self._since_plan, self._due = int(arrays["since_plan"][0]), bool(arrays["since_plan"][1])
        self._hoped = float(arrays["hoped"])
        self._believed = None
