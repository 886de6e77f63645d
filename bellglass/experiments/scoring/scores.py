"""What a policy is worth, exactly: the played policy at every state, against the optimum of its criterion.

    value            start value of the policy that the agent believes best
    exploring value  start value of the policy that it plays while it learns: ties, epsilon and softmax included
    criterion floor  start value lost by a perfect planner that discounts as the agent does; the rest is learning

Where states are shown, the policy is asked for at every state and evaluated by a linear solve or by backward
induction.  Where they are hidden, an agent without memory is a policy over observations, evaluated as exactly; one
with memory is followed through every history that still has weight, which certifies an interval; where that is wide,
episodes are sampled too, and the score is marked as not exact.

An agent is whoever has `action_probabilities`, or only `predict`, as Stable-Baselines3's models do.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ...envs.pomdp import TabularPOMDP, pomdp_of
from ...envs.tables import table_of
from ...planning import Solution, solve
from ...planning.policies.policies import chances_of_agent, uniform_chances
from ...planning.pomdp.history_evaluation import HistoryEvaluator, NotFollowed
from ...planning.pomdp.ladder import ObservationNodes
from ..records import ScoringSpec
from .episodes import EpisodeSampler
from .evaluator import Evaluator
from .meter import Gaps
from .optima import UNANSWERED, solved

#: Width of an interval as a share of what the best and the worst policy differ by: curves need no more.
INTERVAL = 1e-4
#: A certified interval of a larger share is wide: episodes are sampled as well.
WIDE = 1e-2


class PolicyScore(NamedTuple):
    """What an agent's policies are worth (see `CurvePoint`).

    Attributes:
        value: of the policy that the agent believes best.
        exploring_value: of the one it plays while it learns; None for memories, and where it does not tell.
        low: lower end of `value`: certified, or at 95 % where it is sampled.
        high: upper end likewise.
    """

    value: float
    exploring_value: float | None
    low: float
    high: float


class Reference:
    """The exact answers of one environment under one criterion.

    Attributes:
        mdp: the table.
        pomdp: with its observations, where states are hidden; else None.
        evaluator: of policies on it.
        best: the planners' answer (of the hidden states, where they are hidden).
        optimum: the best start value (states hidden: with memory).
        bound: width of the certified interval around the answers.
        random: the start value of the uniform random policy.
    """

    def __init__(self, env: gym.Env[Any, Any], scoring: ScoringSpec) -> None:
        self.env = env
        self.scoring = scoring
        self.mdp: TabularMDP = table_of(env)
        self.pomdp: TabularPOMDP | None = pomdp_of(env) if hides_states(env) else None
        self.evaluator = Evaluator(self.mdp, scoring)
        self.best = self._solved(self.mdp)
        answer = self.best if self.pomdp is None else self._solved(self.pomdp)
        self.optimum = float(answer.start_value)
        self.bound = max(float(self.best.bound), float(answer.bound))
        self.random = self.evaluator.start_value(uniform_chances(self.mdp))

    @property
    def observed(self) -> bool:
        """Whether agents are shown the state."""
        return self.pomdp is None

    def _solved(self, model: TabularMDP | TabularPOMDP) -> Any:
        return solved(model, self.scoring)

    @property
    def values(self) -> FloatArray:
        """[S] optimal values, with the whole horizon left; average reward: the bias."""
        found = self.best.bias if self.best.values is None else self.best.values
        return np.asarray(found[0] if self.scoring.criterion == "finite_horizon" else found)

    @property
    def q_values(self) -> FloatArray:
        """[S, A] optimal action values, with the whole horizon left; -inf where not available."""
        return self._all_q_values[0] if self.scoring.criterion == "finite_horizon" else self._all_q_values

    @property
    def policy(self) -> IntArray:
        """[S] an optimal action, with the whole horizon left; -1 in terminal states."""
        found = np.asarray(self.best.policy)
        first = found[0] if self.scoring.criterion == "finite_horizon" else found
        return np.where(self.mdp.terminal, -1, first)

    @property
    def optimal_actions(self) -> BoolArray:
        """[S, A] whether an action is optimal, with the whole horizon left."""
        found = np.asarray(self.best.optimal_actions, dtype=np.bool_)
        first: BoolArray = found[0] if self.scoring.criterion == "finite_horizon" else found
        return first

    @property
    def _all_q_values(self) -> FloatArray:
        """[S, A], or [H, S, A]."""
        return np.asarray(self.best.q_values)

    @property
    def gaps(self) -> Gaps:
        """What each action costs, for the meter (states hidden: against who sees them)."""
        discount = 1.0 if self.scoring.discount is None else self.scoring.discount
        if self.best.values is None:
            values = np.asarray(self.best.bias)
        else:
            values = np.asarray(self.best.values)
            values = values[:-1] if self.scoring.criterion == "finite_horizon" else values
        return Gaps.of(values, self._all_q_values, self.mdp.lowest_action, self.mdp.action_mask, discount)


class Scorer(Reference):
    """Scores one agent again and again.

    Args:
        env: the environment, as agents see it.
        scoring: the criterion.
        seed: of the episodes that are sampled where nothing better is feasible.

    Attributes:
        exact: whether every score so far is exact, or at least a certified interval.
    """

    def __init__(self, env: gym.Env[Any, Any], scoring: ScoringSpec, *, seed: int = 0) -> None:
        super().__init__(env, scoring)
        self.exact = True
        self._seed = seed
        self._shown = (
            observations_of(env, self.mdp) if self.pomdp is None else np.arange(self.pomdp.num_observations)
        )
        self._follower: HistoryEvaluator | None = None
        self._sampler: EpisodeSampler | None = None
        self._nodes: tuple[ObservationNodes, Evaluator] | None = None
        self._known: dict[bytes, float] = {}

    def score(self, agent: Any) -> PolicyScore:
        """What the agent's policies are worth now."""
        if self.pomdp is not None and has_memory(agent, self._shown):
            return self._score_of_memory(self.pomdp, agent)
        value = self._start_value(self._asked(agent, exploring=False))
        tells = hasattr(agent, "action_probabilities")
        exploring = self._start_value(self._asked(agent, exploring=True)) if tells else None
        return PolicyScore(value, exploring, value, value)

    def final_policy(self, agent: Any) -> tuple[int, ...] | None:
        """[S] the action it believes best, -1 in terminal states; None for agents with memory."""
        played = self._final(agent)
        if played is None:
            return None
        return tuple(np.where(self.mdp.terminal, -1, played.argmax(axis=1)).tolist())

    def final_values(self, agent: Any) -> tuple[float, ...] | None:
        """[S] exact values of that policy; None for agents with memory, and under average reward."""
        played = self._final(agent)
        if played is None or self.scoring.criterion == "average":
            return None
        return tuple(self.evaluator.values(played).tolist())

    def floor(self, agent_discount: float) -> float:
        """Start value lost by a perfect planner that discounts with `agent_discount`, at least 0.

        Such a planner knows no clock: its policy is the stationary one that is best without a time limit, by its
        total reward where it discounts by 1.  Where states are hidden it remembers.  If it has no answer (a total
        without bound, too many beliefs), no floor is known: 0, all regret counts as learning's.

        Raises:
            ValueError: the discount is not in [0, 1].
        """
        if not 0.0 <= agent_discount <= 1.0:
            raise ValueError(f"an agent's discount must be in [0, 1], got {agent_discount}")
        undiscounted = self.scoring.criterion in ("total", "average")
        if agent_discount == (1.0 if undiscounted else self.scoring.discount) and (
            self.scoring.criterion != "finite_horizon"
        ):
            return 0.0
        try:
            planned = self._planned(agent_discount)
        except UNANSWERED:
            return 0.0
        if planned.alpha_vectors is not None:  # not all beliefs are at hand that it may come to
            return 0.0
        evaluator = self.evaluator if planned.beliefs is None else Evaluator(planned.mdp, self.scoring)
        played = np.eye(planned.mdp.num_actions)[np.asarray(planned.policy)]
        return max(0.0, self.optimum - evaluator.start_value(evaluator.played(played)))

    def _planned(self, discount: float) -> Solution:
        model = self.mdp if self.pomdp is None else self.pomdp
        return solve(model, discount) if discount < 1.0 else solve(model, criterion="total")

    def episodic_regret(
        self, before: float | None, playing: tuple[float | None, float | None], episodes: int
    ) -> float | None:
        """Adds what `episodes` episodes between two scores have lost; None if that is not known.

        Args:
            before: lost up to the first of the two scores.
            playing: start values of the exploring policies of the two; episodes are charged with their mean.
            episodes: that ended between them.
        """
        first, second = playing
        if before is None or first is None or second is None or self.scoring.criterion == "average":
            return None
        return before + episodes * (self.optimum - (first + second) / 2.0) if episodes else before

    # -- asking the agent ----------------------------------------------------------------------------------

    def _asked(self, agent: Any, *, exploring: bool) -> FloatArray:
        """[S, A], or [O, A] where states are hidden.

        An agent that explores goes by the actions that each state shows it to be available, at its first visit too.
        """
        masks = getattr(agent, "masks", None) if exploring and self.pomdp is None else None
        known = getattr(masks, "temporarily_known", None)
        with nullcontext() if known is None else known(self._shown, self.mdp.action_mask):
            return chances_of_agent(agent, self._shown, self.mdp.num_actions, exploring=exploring)

    def _start_value(self, chances: FloatArray) -> float:
        """Learners change little between late scores, so the last answers are kept."""
        key = chances.tobytes()
        if key not in self._known:
            if len(self._known) >= 8:
                self._known.pop(next(iter(self._known)))
            if self.pomdp is None:
                self._known[key] = self.evaluator.start_value(self.evaluator.played(chances))
            else:
                self._known[key] = self._start_value_unseen(self.pomdp, chances)
        return self._known[key]

    def _start_value_unseen(self, pomdp: TabularPOMDP, chances: FloatArray) -> float:
        """Of a policy over observations [O, A]: on the table of states and how they are seen."""
        if self._nodes is None:
            nodes = ObservationNodes(pomdp)
            self._nodes = nodes, Evaluator(nodes.mdp, self.scoring)
        nodes, evaluator = self._nodes
        return evaluator.start_value(evaluator.played(nodes.seen @ chances))

    def _final(self, agent: Any) -> FloatArray | None:
        if self.pomdp is None:
            return self.evaluator.played(self._asked(agent, exploring=False))
        if self.pomdp.observation_probability.ndim == 3 or has_memory(agent, self._shown):
            return None
        chances = self._asked(agent, exploring=False)
        return self.evaluator.played(self.pomdp.observation_probability @ chances)

    # -- agents with memory --------------------------------------------------------------------------------

    def _score_of_memory(self, pomdp: TabularPOMDP, agent: Any) -> PolicyScore:
        """An interval; what it explores with is drawn at random, and no function of what it has seen."""
        low, high, wide = self._followed(pomdp, agent)
        if not high - low <= wide:
            self.exact = False
            if self._sampler is None:
                self._sampler = EpisodeSampler(pomdp, self.scoring, self._follower, seed=self._seed)
            sampled = self._sampler.interval(agent)
            # The certified ends hold for sure: the sampled ones may only narrow them, and are wrong where they cannot.
            if max(low, sampled.low) < min(high, sampled.high):
                low, high = max(low, sampled.low), min(high, sampled.high)
            middle = min(max(sampled.mean, low), high)
        else:
            middle = (low + high) / 2.0
        return PolicyScore(middle, None, low, high)

    def _followed(self, pomdp: TabularPOMDP, agent: Any) -> tuple[float, float, float]:
        """Certified ends, as far apart as may be, and the width up to which they are narrow."""
        try:
            if self._follower is None:
                self._follower = HistoryEvaluator(
                    pomdp,
                    1.0 if self.scoring.discount is None else self.scoring.discount,
                    criterion=self.scoring.criterion,
                    horizon=self.scoring.horizon,
                    width=INTERVAL,
                )
            low, high = self._follower.interval(agent)
        except NotFollowed:
            return -np.inf, np.inf, 0.0
        spread, size = self._follower.spread, max(1.0, abs(low + high) / 2.0)
        return low, high, max(WIDE * spread, 1e-9 * size) if np.isfinite(spread) else WIDE * size


def hides_states(env: gym.Env[Any, Any]) -> bool:
    """Whether agents are shown something else than the state; Gymnasium's own tables show it."""
    return env.has_wrapper_attr("pomdp") and not env.has_wrapper_attr("observe")


def observations_of(env: gym.Env[Any, Any], mdp: TabularMDP) -> npt.NDArray[Any]:
    """What is seen in each of the S states, as one batch."""
    observe = env.get_wrapper_attr("observe")
    return np.stack([observe(np.int64(s)) for s in range(mdp.num_states)])


def has_memory(agent: Any, observations: npt.NDArray[Any]) -> bool:
    """Whether what the agent does depends on more than the last observation.

    Raises:
        TypeError: neither `predict` nor `action_probabilities`: it is no agent.
    """
    if not hasattr(agent, "predict"):
        if hasattr(agent, "action_probabilities"):
            return False
        raise TypeError(f"an agent has action_probabilities or predict, {type(agent).__name__} has neither")
    _, memory = agent.predict(observations[:1], deterministic=True)
    return memory is not None
