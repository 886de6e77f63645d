"""What a policy is worth, exactly: the played policy at every state, against the optimum of its criterion.

    value            start value of the policy that the agent believes best
    exploring value  start value of the policy that it plays while it learns: ties, epsilon and softmax
    included criterion floor  start value lost by a perfect planner that discounts as the agent does; the rest
    is learning

Where states are shown, the policy is asked for at every state and evaluated by a linear solve or by backward
induction.  Where they are hidden, an agent without memory is a policy over observations, evaluated as
exactly; one with memory is followed through every history that still has weight, which certifies an interval.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from ..agents.planning import solve
from ..agents.planning.histories import Follower
from ..envs.mdp import TabularMDP, table_of
from ..envs.pomdp import TabularPOMDP, pomdp_of
from .evaluator import Evaluator
from .meter import Gaps
from .planners import solved
from .records import ScoringSpec

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


#: Width of an interval as a share of what the best and the worst policy differ by: curves need no more.
INTERVAL = 1e-4


class PolicyScore(NamedTuple):
    """What an agent's policies are worth (see `CurvePoint`)."""

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
        self.random = self.evaluator.start_value(self.evaluator.played(uniform(self.mdp)))

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

    Attributes:
        exact: whether every score so far is exact, or at least a certified interval.
    """

    def __init__(self, env: gym.Env[Any, Any], scoring: ScoringSpec) -> None:
        super().__init__(env, scoring)
        self.exact = True
        self._shown = (
            observations_of(env, self.mdp) if self.pomdp is None else np.arange(self.pomdp.num_observations)
        )
        self._follower: Follower | None = None
        self._unrolled: Evaluator | None = None
        self._known: dict[bytes, float] = {}

    def score(self, agent: Any) -> PolicyScore:
        """What the agent's policies are worth now."""
        if self.pomdp is not None and has_memory(agent, self._shown):
            return self._score_of_memory(agent)
        value, exploring = (self._start_value(self._asked(agent, exploring)) for exploring in (False, True))
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

        Such a planner knows no clock: its policy is the stationary one that is best without a time limit.
        With hidden states it is the planner that sees them, whose loss is no more than the other's.
        """
        if self.scoring.criterion == "discounted" and agent_discount == self.scoring.discount:
            return 0.0
        if not 0.0 <= agent_discount < 1.0:
            return 0.0
        planned = solve(self.mdp, agent_discount)
        played = np.eye(self.mdp.num_actions)[np.asarray(planned.policy)]
        value = self.evaluator.start_value(self.evaluator.played(played))
        return max(0.0, float(self.best.start_value) - value)

    def episodic_regret(self, before: float | None, playing: float | None, episodes: int) -> float | None:
        """Adds what episodes under a policy of start value `playing` have lost; None if not exact."""
        if before is None or playing is None or self.scoring.criterion == "average":
            return None
        return before + episodes * (self.optimum - playing) if episodes else before

    # -- asking the agent ----------------------------------------------------------------------------------

    def _asked(self, agent: Any, exploring: bool) -> FloatArray:
        """[S, A], or [O, A] where states are hidden."""
        return np.asarray(agent.action_probabilities(self._shown, exploring=exploring), dtype=np.float64)

    def _start_value(self, probabilities: FloatArray) -> float:
        """Learners change little between late scores, so the last answers are kept."""
        key = probabilities.tobytes()
        if key not in self._known:
            if len(self._known) >= 8:
                self._known.pop(next(iter(self._known)))
            if self.pomdp is None:
                self._known[key] = self.evaluator.start_value(self.evaluator.played(probabilities))
            elif self.pomdp.observation_probability.ndim == 3:
                self._known[key] = self._start_value_unrolled(probabilities)
            else:
                first, then = self._over_states(probabilities)
                self._known[key] = self.evaluator.start_value_after(first, then)
        return self._known[key]

    def _over_states(self, probabilities: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[S, A] what a policy over observations [O, A] plays in each state, in the first step and later."""
        assert self.pomdp is not None
        first = self.evaluator.played(self.pomdp.initial_observation @ probabilities)
        return first, self.evaluator.played(self.pomdp.observation_probability @ probabilities)

    def _start_value_unrolled(self, probabilities: FloatArray) -> float:
        """Where observations depend on the action before: on the table of (action before, state)."""
        assert self.pomdp is not None
        if self._unrolled is None:
            self._unrolled = Evaluator(unrolled(self.mdp), self.scoring)
        seen = np.concatenate([self.pomdp.observation_probability, self.pomdp.initial_observation[None]])
        return self._unrolled.start_value(
            self._unrolled.played((seen @ probabilities).reshape(-1, self.mdp.num_actions))
        )

    def _final(self, agent: Any) -> FloatArray | None:
        if self.pomdp is None:
            return self.evaluator.played(self._asked(agent, exploring=False))
        if self.pomdp.observation_probability.ndim == 3 or has_memory(agent, self._shown):
            return None
        return self._over_states(self._asked(agent, exploring=False))[1]

    def _score_of_memory(self, agent: Any) -> PolicyScore:
        """An interval; what it explores with is drawn at random, and no function of what it has seen."""
        assert self.pomdp is not None
        if self._follower is None:
            self._follower = Follower(
                self.pomdp,
                1.0 if self.scoring.discount is None else self.scoring.discount,
                criterion=self.scoring.criterion,
                horizon=self.scoring.horizon,
                width=INTERVAL,
            )
        low, high = self._follower.interval(agent)
        return PolicyScore((low + high) / 2.0, None, low, high)


def hides_states(env: gym.Env[Any, Any]) -> bool:
    """Whether agents are shown something else than the state; Gymnasium's own tables show it."""
    return env.has_wrapper_attr("pomdp") and not env.has_wrapper_attr("observe")


def uniform(mdp: TabularMDP) -> FloatArray:
    """[S, A] the uniform random policy over the available actions; any row in terminal states."""
    counts = mdp.action_mask.sum(axis=1, keepdims=True)
    policy: FloatArray = np.divide(
        mdp.action_mask, counts, out=np.zeros(mdp.action_mask.shape), where=counts > 0
    )
    return policy


def unrolled(mdp: TabularMDP) -> TabularMDP:
    """The same process with the last action in its state: a*S + s after action a, A*S + s at reset."""
    states, actions = mdp.num_states, mdp.num_actions
    copies = actions + 1
    outcomes = np.diff(mdp.first_outcome)
    entered = (mdp.row_of_outcome % actions) * states + mdp.next_state
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(np.tile(outcomes, copies))]),
        probability=np.tile(mdp.probability, copies),
        next_state=np.tile(entered, copies),
        reward=np.tile(mdp.reward, copies),
        terminated=np.tile(mdp.terminated, copies),
        initial=np.concatenate([np.zeros(actions * states), mdp.initial]),
    )


def observations_of(env: gym.Env[Any, Any], mdp: TabularMDP) -> npt.NDArray[Any]:
    """What is seen in each of the S states, as one batch."""
    observe = env.get_wrapper_attr("observe")
    return np.stack([observe(np.int64(s)) for s in range(mdp.num_states)])


def has_memory(agent: Any, observations: npt.NDArray[Any]) -> bool:
    """Whether what the agent does depends on more than the last observation."""
    _, memory = agent.predict(observations[:1], deterministic=True)
    return memory is not None
