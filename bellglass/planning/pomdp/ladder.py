"""What information is worth: the best without memory, with memory, and with the state in sight.

A memoryless (reactive) policy maps the last observation to an action.  On the table of *nodes*, a hidden state
together with what decides how it is seen (reset, or the action that led there), such a policy is an ordinary
stochastic one,

    pi(a | node)  =  sum_o O(o | node) pi(a | o),

so its value is one linear solve.  The best deterministic one is found by branch and bound: with some observations
decided, a bound lets the others choose their action node by node, which is a table again.  (Littman, Memoryless
policies, SAB 1994, has the search; Singh, Jaakkola and Jordan, ICML 1994, show why chance can help.)  Where
actions do not change what comes next, the nodes are visited as often whatever the policy, and each observation has a
best action of its own: no search, and no use for chance.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from ...envs.pomdp import TabularPOMDP, pomdp_of
from ..algebra.linear import Solver, factorised
from ..errors import UnboundedError
from ..solutions.record import MAX_BELIEFS, Criterion
from ..table_solver import solve_table
from .pomdp_solver import solve_pomdp


class Ladder(NamedTuple):
    """Start values in reward units; each rung is at least the one before.

    Attributes:
        reactive: the best deterministic policy of the last observation.
        reactive_stochastic: (lower, upper) bounds of the best stochastic one: the value of one that was found, and
            what memory could reach.
        memory: the best policy of the whole history.
        observed: the best policy of the hidden state.
        reactive_policy: [O] actions of the best deterministic policy; 0 for what is never seen.
    """

    reactive: float
    reactive_stochastic: tuple[float, float]
    memory: float
    observed: float
    reactive_policy: IntArray


class ObservationNodes:
    """Hidden states together with how they are seen, as one table.

    Attributes:
        mdp: the table over N nodes.
        seen: [N, O] chance of each observation in each node.
    """

    def __init__(self, pomdp: TabularPOMDP) -> None:
        mdp, by_action = pomdp.mdp, pomdp.by_action
        num_states, num_actions = mdp.num_states, mdp.num_actions
        if pomdp.observation_probability.ndim == 2:
            ways = [pomdp.observation_probability]
            way_of_action = np.zeros(num_actions, dtype=np.int64)
        else:
            ways = list(by_action)
            way_of_action = np.arange(num_actions)
        at_reset = next(
            (k for k, way in enumerate(ways) if np.array_equal(way, pomdp.initial_observation)), None
        )
        if at_reset is None:
            at_reset = len(ways)
            ways.append(pomdp.initial_observation)
        num_ways = len(ways)
        self.seen: FloatArray = np.concatenate(ways)  # [N, O], node = way * S + s

        played = mdp.row_of_outcome % num_actions
        target = way_of_action[played] * num_states + mdp.next_state
        lengths = np.diff(mdp.first_outcome)
        initial = np.zeros(num_ways * num_states)
        initial[at_reset * num_states : (at_reset + 1) * num_states] = mdp.initial
        self.mdp = TabularMDP(
            first_outcome=np.concatenate([[0], np.cumsum(np.tile(lengths, num_ways))]),
            probability=np.tile(mdp.normalised_probability, num_ways),
            next_state=np.tile(target, num_ways),
            reward=np.tile(mdp.reward, num_ways),
            terminated=np.tile(mdp.terminated, num_ways),
            initial=initial,
            normalise=True,
        )

    def policy(self, by_observation: FloatArray) -> FloatArray:
        """[N, A] what a policy [O, A] of the last observation plays in each node, as the environment plays it."""
        mdp = self.mdp
        wanted = self.seen @ by_observation
        missing = np.where(mdp.action_mask, 0.0, wanted).sum(axis=1)
        played: FloatArray = np.where(mdp.action_mask, wanted, 0.0)
        played[np.arange(mdp.num_states), mdp.lowest_action] += missing
        return played


def information_ladder(
    pomdp: TabularPOMDP,
    discount: float = 0.99,
    *,
    max_policies: int = 100_000,
    max_beliefs: int = MAX_BELIEFS,
    tolerance: float = 1e-8,
) -> Ladder:
    """The four rungs, discounted; with a discount of 1 the total reward of a table that ends whatever one does.

    Args:
        pomdp: a partially observed table, or an environment that walks one.
        discount: in [0, 1].
        max_policies: partial policies that the search may look at.
        max_beliefs: beliefs that the rung `memory` may enumerate.
        tolerance: of the rungs that are solved, relative to max(1, |V*|).

    Raises:
        ValueError: the discount is not in [0, 1], or 1 where some policy goes on for ever; the search or the
            enumeration outgrew its limit.
    """
    if not isinstance(pomdp, TabularPOMDP):
        pomdp = pomdp_of(pomdp)
    if not 0.0 <= discount <= 1.0:
        raise ValueError(f"discount must be in [0, 1], got {discount}")
    steps = 1.0 / (1.0 - discount) if discount < 1.0 else _longest(pomdp.mdp)
    criterion: Criterion = "discounted" if discount < 1.0 else "total"
    observed = solve_table(pomdp.mdp, discount, criterion=criterion, tolerance=tolerance).start_value
    memory = solve_pomdp(
        pomdp, discount, criterion=criterion, tolerance=tolerance, max_beliefs=max_beliefs
    ).start_value
    search = _Search(ObservationNodes(pomdp), discount, steps)
    if search.is_uncontrolled():
        reactive, policy = search.best_of_each_observation()
        return Ladder(reactive, (reactive, reactive), memory, observed, policy)
    reactive, policy = search.best_deterministic(max_policies, enough=memory)
    lower = search.best_stochastic(policy, reactive)
    return Ladder(reactive, (lower, max(lower, memory)), memory, observed, policy)


def _longest(mdp: TabularMDP) -> float:
    """The greatest mean number of steps to an end.

    Raises:
        ValueError: some policy goes on for ever.
    """
    counting = replace(mdp, reward=np.ones(mdp.num_outcomes))
    try:
        return float(solve_table(counting, criterion="total").upper.max())
    except UnboundedError as error:
        raise ValueError(
            f"a discount of 1 is for tables that end whatever one does, but from state {error.state} "
            f"({mdp.decode(error.state)!r}) some policy goes on for ever; give a discount below 1"
        ) from error


class _Search:
    """Policies of the last observation on a table of nodes; `steps` is 1 discounted over a whole episode at most."""

    def __init__(self, nodes: ObservationNodes, discount: float, steps: float | None = None) -> None:
        self.nodes = nodes
        self.discount = discount
        self.steps = 1.0 / (1.0 - discount) if steps is None else steps
        mdp = nodes.mdp
        self.num_actions = mdp.num_actions
        self.matrix = mdp.transition_matrix
        self.reward = mdp.expected_reward
        self.live = ~mdp.terminal
        # What an unavailable action does: the lowest available one.
        states = np.arange(mdp.num_states)[:, None]
        self.as_played = np.where(mdp.action_mask, np.arange(self.num_actions), mdp.lowest_action[:, None])
        self._rows = states * self.num_actions + self.as_played
        self.observations = self._seen_somewhere()

    def _seen_somewhere(self) -> list[int]:
        """Observations that can be seen in a live node that can be reached, most often seen first."""
        mdp = self.nodes.mdp
        reached = mdp.initial > 0
        graph = (
            scipy.sparse.csr_array(
                (np.ones(len(mdp.next_state)), (mdp.row_of_outcome // self.num_actions, mdp.next_state)),
                shape=(mdp.num_states, mdp.num_states),
            )
        ).astype(np.bool_)
        while True:
            grown = reached | (reached @ graph).astype(np.bool_)
            if (grown == reached).all():
                break
            reached = grown
        weight = self.nodes.seen[reached & self.live].sum(axis=0)
        return [int(o) for o in np.argsort(-weight, kind="stable") if weight[o] > 0]

    def q_values(self, values: FloatArray) -> FloatArray:
        """[N, A] of each action as played."""
        q: FloatArray = self.reward.ravel() + self.discount * (self.matrix @ values)
        return q[self._rows]

    def chain(self, policy: FloatArray) -> tuple[Solver, FloatArray]:
        """How to solve (I - discount * P) x = b under a policy [N, A], and its mean rewards [N]."""
        num_nodes = len(policy)
        entries = (np.repeat(np.arange(num_nodes), self.num_actions), np.arange(policy.size))
        plays = scipy.sparse.csr_array((policy.ravel(), entries), shape=(num_nodes, policy.size))
        return factorised(
            scipy.sparse.csr_array(plays @ self.matrix), self.discount
        ), plays @ self.reward.ravel()

    def values(self, policy: FloatArray) -> FloatArray:
        """[N] values of a policy [N, A], by one linear solve."""
        solve, reward = self.chain(policy)
        return solve(reward, False)

    def start_value(self, by_observation: FloatArray) -> float:
        return float(self.nodes.mdp.initial @ self.values(self.nodes.policy(by_observation)))

    # -- where actions change nothing but rewards -------------------------------------------------------------------

    def is_uncontrolled(self) -> bool:
        """Whether every action leads to the same nodes with the same chances, wherever one is."""
        first = self.matrix[self._rows[:, 0]]
        return all(not (self.matrix[rows] - first).data.any() for rows in self._rows.T[1:])

    def best_of_each_observation(self) -> tuple[float, IntArray]:
        """The best policy [O] of an uncontrolled table, and its start value."""
        mdp = self.nodes.mdp
        solve, _ = self.chain(
            self.nodes.policy(np.eye(self.num_actions)[np.zeros_like(self.nodes.seen[0], int)])
        )
        visits = np.where(self.live, solve(mdp.initial, True), 0.0)
        earned = self.nodes.seen.T @ (visits[:, None] * self.reward.ravel()[self._rows])  # [O, A]
        return float(earned.max(axis=1).sum()), earned.argmax(axis=1).astype(np.int64)

    # -- deterministic ---------------------------------------------------------------------------------------------

    def best_deterministic(self, max_policies: int, *, enough: float) -> tuple[float, IntArray]:
        """The best start value and policy [O]; nothing above `enough` is possible."""
        num_observations = self.nodes.seen.shape[1]
        best, best_policy = -np.inf, np.zeros(num_observations, dtype=np.int64)
        looked_at = 0
        bound, hint = self._bound({})
        open_nodes: list[tuple[float, dict[int, int], IntArray]] = [(bound, {}, hint)]
        margin = 1e-12 * (1.0 + abs(bound))
        while open_nodes:
            bound, decided, hint = open_nodes.pop()
            if bound <= best + margin:
                continue
            looked_at += 1
            if looked_at > max_policies:
                raise ValueError(
                    f"more than {max_policies} partial policies to look at; the best of them so far has "
                    f"{best:.9g}, none has more than {min(enough, bound):.9g}; give a larger max_policies"
                )
            candidate = hint.copy()
            for o, a in decided.items():
                candidate[o] = a
            value = self.start_value(np.eye(self.num_actions)[candidate])
            if value > best:
                best, best_policy = value, candidate
                if best >= enough - margin:
                    break
            undecided = [o for o in self.observations if o not in decided]
            if undecided:
                branches = []
                for a in range(self.num_actions):
                    deeper = decided | {undecided[0]: a}
                    branches.append((*self._bound(deeper), deeper))
                # The most promising branch is looked at first.
                for next_bound, next_hint, deeper in sorted(branches, key=lambda branch: branch[0]):
                    if next_bound > best + margin:
                        open_nodes.append((next_bound, deeper, next_hint))
        return best, best_policy

    def _bound(self, decided: dict[int, int]) -> tuple[float, IntArray]:
        """(upper bound of the start value, a policy [O] that plays what most nodes like).

        The undecided observations choose their action node by node: policy iteration on that table.
        """
        seen = self.nodes.seen
        fixed = np.zeros((len(seen), self.num_actions))
        for o, a in decided.items():
            fixed[:, a] += seen[:, o]
        free = np.maximum(0.0, 1.0 - fixed.sum(axis=1))
        nodes = np.arange(len(seen))
        greedy = np.zeros(len(seen), dtype=np.int64)
        values = np.full(len(seen), -np.inf)
        while True:
            policy = fixed.copy()
            policy[nodes, greedy] += free
            played = np.zeros_like(policy)
            np.add.at(played, (nodes[:, None], self.as_played), policy)
            found = self.values(played)
            if not (found > values + 1e-13 * (1.0 + np.abs(found))).any():
                break
            values = found
            q = self.q_values(values)
            better = q.max(axis=1) > q[nodes, greedy] + 1e-13 * (1.0 + np.abs(values))
            greedy = np.where(better, q.argmax(axis=1), greedy)
        weight = np.zeros((seen.shape[1], self.num_actions))
        liked = self.q_values(values)
        for o in self.observations:
            weight[o] = (seen[:, o] * self.live) @ (liked - liked.max(axis=1, keepdims=True))
        slack = 1e-11 * (1.0 + float(np.abs(values).max())) * self.steps
        return float(self.nodes.mdp.initial @ values) + slack, weight.argmax(axis=1).astype(np.int64)

    # -- stochastic ------------------------------------------------------------------------------------------------

    def best_stochastic(self, deterministic: IntArray, value: float) -> float:
        """The value of the best stochastic policy found by ascent from a few starts; at least `value`."""
        from scipy.optimize import minimize

        rng = np.random.default_rng(0)
        shape = (self.nodes.seen.shape[1], self.num_actions)
        starts = [np.zeros(shape), 2.0 * np.eye(self.num_actions)[deterministic]]
        starts += [rng.normal(size=shape) for _ in range(4)]
        best = value
        for start in starts:
            found = minimize(
                self._loss,
                start.ravel(),
                args=(shape,),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": 200},
            )
            best = max(best, self.start_value(_softmax(found.x.reshape(shape))))
        return best

    def _loss(self, logits: FloatArray, shape: tuple[int, int]) -> tuple[float, FloatArray]:
        """Minus the start value of the softmax policy, and its gradient (the policy gradient theorem)."""
        by_observation = _softmax(logits.reshape(shape))
        solve, reward = self.chain(self.nodes.policy(by_observation))
        values, visits = solve(reward, False), solve(self.nodes.mdp.initial, True)
        q = np.where(self.live[:, None], self.q_values(values), 0.0)
        by_action = self.nodes.seen.T @ (visits[:, None] * q)  # [O, A]: d start value / d pi(a | o)
        centred = by_action - (by_observation * by_action).sum(axis=1, keepdims=True)
        return -float(self.nodes.mdp.initial @ values), -(by_observation * centred).ravel()


def _softmax(logits: FloatArray) -> FloatArray:
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return softmax
