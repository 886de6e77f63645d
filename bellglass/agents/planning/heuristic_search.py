"""Infinite horizon over beliefs without end: certified bounds that a heuristic search draws together.

    lower(b)  =  max_k alpha_k . b                      each alpha_k at most the value of some policy
    upper(b)  =  corners . b - max_i e_i * min_{s: b_i(s) > 0} b(s) / b_i(s)          ("sawtooth")
                 e_i = corners . b_i - v_i,  v_i an upper bound at the belief b_i

A trial walks from the start along the action of the greatest upper bound and the observation where the bounds are
farthest apart, until they are as near as the tolerance asks there, and improves both on the way back:

    alpha  <-  r_a + discount * sum_o T_a O_o alpha_(best for o)        v  <-  max_a r(b, a) + discount * sum upper(b')

Smith and Simmons, Point-based POMDP algorithms: improved analysis and implementation (HSVI2), UAI 2005; initial
bounds: blind policies, and the fast informed bound of Hauskrecht (2000), which stays above the optimum at every sweep
because it starts above.

Between trials `closed` looks whether few beliefs are left in play: an action whose upper bound lies below the lower
bound of the belief is not the best there, and what only such actions reach does not matter.  If the beliefs that the
others reach are few, they make a table, and its solution is exact.  (Derived here; it is how problems whose best
policy comes back to few beliefs are solved to the last digit, long before the bounds meet.)  `with_all_actions` then
prices the ruled-out actions of those beliefs too: it follows each for a step, and best play from there.

A finite horizon is the same problem with the clock as a part of the state (`clocked`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ...envs.mdp.outcomes import sorted_outcomes
from ...envs.pomdp import TabularPOMDP
from .beliefs import BeliefTable, TooManyBeliefs, belief_labels, belief_table
from .bounds import allowed_width
from .dense_hidden import DenseHidden
from .dense_hidden import is_small as is_small
from .errors import ToleranceError
from .pairs import UNIT
from .progress import Progress
from .solution import Solution
from .solver import solve

if TYPE_CHECKING:
    from .solution import Beliefs

#: After how many trials in all the beliefs in play are counted, and how many there may be then.
ROUNDS = ((20, 1_000), (60, 2_000), (150, 4_000), (400, 8_000), (1_000, 20_000), (2_500, 50_000))

#: Beside each belief in play so many more may be looked at to price the actions that are ruled out there.
SIDE_BELIEFS = 20

#: How often, and with how many walks each time, the bounds beside the beliefs in play are improved.
SIDE_ROUNDS, SIDE_WALKS = 3, 60

#: Steps of a walk at most.
MOST_STEPS = 400

#: Sweeps of the fast informed bound.
SWEEPS = 300

#: Numbers in the largest array that comparing beliefs with the sawtooth's points may make.
BLOCK = 2_000_000


class LowerBound:
    """alpha vectors, each with its first action."""

    def __init__(self, model: DenseHidden, discount: float, steps: float, slack: float) -> None:
        num_actions, num_states = model.reward.shape
        blind = []
        for action in range(num_actions):
            rest = np.eye(num_states) - discount * model.transition[action]
            values = np.linalg.solve(rest, model.reward[action])
            missing = np.abs(model.reward[action] - rest @ values).max() * steps
            blind.append(values - missing - slack)
        self.vectors: FloatArray = np.array(blind)
        self.actions: IntArray = np.arange(num_actions)

    def at(self, weights: FloatArray) -> FloatArray:
        """[...] of beliefs, or of unnormalised ones, [..., S]."""
        return np.asarray((weights @ self.vectors.T).max(axis=-1))

    def best(self, weights: FloatArray) -> IntArray:
        """[...] the vector that is best at each."""
        return np.asarray((weights @ self.vectors.T).argmax(axis=-1))

    def add(self, vector: FloatArray, action: int) -> None:
        """One more vector; those that it covers go."""
        if (self.vectors >= vector).all(axis=1).any():
            return
        kept = ~(self.vectors <= vector).all(axis=1)
        self.vectors = np.concatenate([self.vectors[kept], vector[None]])
        self.actions = np.append(self.actions[kept], action)


class UpperBound:
    """The sawtooth, and the fast informed bound beside it."""

    def __init__(self, model: DenseHidden, discount: float, observed: FloatArray) -> None:
        num_states = len(observed)
        vectors = model.reward + discount * model.by_action(model.transition @ observed)  # [A, S]
        for _ in range(SWEEPS):
            # every next action's vector, weighed by what is entered and seen: max over it, sum over what is seen
            ahead = model.seen[:, :, :, None] * vectors.T  # [G, O, S, A]
            weighed = model.by_action(model.transition[:, None] @ ahead)
            better = model.reward + discount * weighed.max(axis=3).sum(axis=1)
            change = float((vectors - better).max())
            vectors = np.minimum(vectors, better)
            if change <= 1e-12 * (1.0 + float(np.abs(vectors).max())):
                break
        self.informed: FloatArray = vectors
        self.corners: FloatArray = vectors.max(axis=0)
        self.points: FloatArray = np.zeros((0, num_states))
        self._inverse: FloatArray = np.zeros((0, num_states))
        self._values: FloatArray = np.zeros(0)
        self._number: dict[bytes, int] = {}

    def at(self, weights: FloatArray) -> FloatArray:
        """[...] of beliefs, or of unnormalised ones, [..., S]."""
        flat = weights.reshape(-1, weights.shape[-1])
        bound = (flat @ self.informed.T).max(axis=1)
        saved = self.points @ self.corners - self._values
        useful = saved > 0.0
        inverse, saved = self._inverse[useful], saved[useful]
        lowered = np.zeros(len(flat))
        if len(saved):
            step = max(1, BLOCK // inverse.size)
            for begin in range(0, len(flat), step):
                ratio = np.full((len(flat[begin : begin + step]), len(inverse)), np.inf)
                for s in range(flat.shape[1]):
                    there = np.isfinite(inverse[:, s])
                    shares = flat[begin : begin + step, s, None] * inverse[there, s]
                    ratio[:, there] = np.minimum(ratio[:, there], shares)
                lowered[begin : begin + step] = (ratio * saved).max(axis=1)
        bound = np.minimum(bound, flat @ self.corners - lowered)
        return np.asarray(bound.reshape(weights.shape[:-1]))

    def set(self, belief: FloatArray, value: float) -> None:
        """One more point, or a better value of one."""
        corner = int(belief.argmax())
        if belief[corner] == 1.0:
            self.corners[corner] = min(self.corners[corner], value)
            return
        key = belief.tobytes()
        number = self._number.get(key)
        if number is not None:
            self._values[number] = min(self._values[number], value)
            return
        self._number[key] = len(self.points)
        with np.errstate(divide="ignore"):
            inverse = 1.0 / belief
        self.points = np.concatenate([self.points, belief[None]])
        self._inverse = np.concatenate([self._inverse, inverse[None]])
        self._values = np.append(self._values, value)


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
            observed = solve(pomdp.mdp, discount, tolerance=1e-9)
        else:
            observed = solve(pomdp.mdp, discount, criterion="finite_horizon", horizon=horizon, tolerance=1e-9)
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


def search(
    pomdp: TabularPOMDP,
    discount: float,
    solved: Callable[[BeliefTable], Solution],
    tolerance: float,
    relative: bool,
    progress_bar: bool,
    *,
    max_beliefs: int,
) -> Solution:
    """The optimum at the start: over the table of beliefs in play, or between bounds that have met.

    Raises:
        ToleranceError: neither came about; carries the best bounds of the beliefs at the start.
    """
    began = perf_counter()
    finding = HeuristicSearch(pomdp, discount)
    chances = finding.model.chances

    def distance() -> tuple[float, float]:
        low, high = finding.start_bounds()
        return float((high - low).max()), allowed_width(tolerance, relative, (low + high) / 2.0)

    with Progress(progress_bar) as report:
        for trials, most in (*ROUNDS, (ROUNDS[-1][0], max_beliefs)):
            apart, allowed = distance()
            while finding.trials < trials and apart > allowed:
                finding.trial(allowed / 2.0)
                apart, allowed = distance()
                if report is not None:
                    report(finding.trials, apart, allowed)
            table = finding.closed(min(most, max_beliefs))
            if table is not None:
                return solved_in_play(finding, table, solved, began)
            if apart <= allowed:
                return first_decisions(finding, began)
    low, high = finding.start_bounds()
    apart, allowed = distance()
    middle = float(chances @ (low + high)) / 2.0
    raise ToleranceError(
        f"a tolerance of {tolerance:g} ({'relative' if relative else 'absolute'}) allows bounds {allowed:.3g} apart, "
        f"but {finding.trials} trials of heuristic search left {apart:.3g} around {middle:.9g} at the start; "
        "the error's lower and upper carry them; a greater tolerance may be reached",
        low,
        high,
    )


def search_within_horizon(
    pomdp: TabularPOMDP, discount: float, horizon: int, solved: Callable[[BeliefTable], Solution]
) -> Solution | None:
    """The same within a horizon, over the table of beliefs in play; None if that stays too large."""
    began = perf_counter()
    timed = clocked(pomdp, horizon)
    if not is_small(timed):
        return None
    finding = HeuristicSearch(timed, discount, horizon)
    width = 1e-8 * max(1.0, float(np.abs(finding.start_bounds()[1]).max()))
    for trials, most in ROUNDS[:-1]:
        while finding.trials < trials:
            finding.trial(width)
        table = finding.closed(most)
        if table is not None:
            best = solved_in_play(finding, table, solved, began)
            assert best.beliefs is not None
            by_time = as_array(best.beliefs)[:, :-1].reshape(-1, horizon, pomdp.num_states)
            return replace(best, beliefs=by_time.sum(axis=1))
    return None


def clocked(pomdp: TabularPOMDP, horizon: int) -> TabularPOMDP:
    """The table whose states are (steps made, state), and one end after `horizon` steps."""
    mdp = pomdp.mdp
    num_states, num_actions = mdp.num_states, mdp.num_actions
    end = horizon * num_states
    step = np.arange(horizon)[:, None]
    over = mdp.terminated | (step == horizon - 1)
    names = [mdp.decode(s) for s in range(num_states)]
    timed = TabularMDP(
        **sorted_outcomes(
            (end + 1) * num_actions,
            pair=step * num_states * num_actions + mdp.row_of_outcome,
            probability=mdp.normalised_probability,
            next_state=np.where(over, end, (step + 1) * num_states + mdp.next_state),
            reward=mdp.reward,
            terminated=over,
        ),
        initial=np.append(np.append(mdp.initial, np.zeros(end - num_states)), 0.0),
        state_labels=[*((h, name) for h in range(horizon) for name in names), "(end)"],
        action_labels=mdp.action_labels,
        normalise=True,
    )

    def at_all_times(seen: FloatArray) -> FloatArray:
        return np.concatenate([*[seen] * horizon, seen[..., :1, :]], axis=-2)

    return TabularPOMDP(
        timed, at_all_times(pomdp.observation_probability), at_all_times(pomdp.initial_observation)
    )


def solved_in_play(
    finding: HeuristicSearch, table: BeliefTable, solved: Callable[[BeliefTable], Solution], began: float
) -> Solution:
    """The solution of the table of beliefs in play, with a price for every action there."""
    in_play = table.mdp.num_states - 1
    best = solved(finding.with_all_actions(table, rounds=SIDE_ROUNDS if finding.horizon is None else 0))
    method = f"{best.method} over {in_play} beliefs in play"
    return replace(best, method=method, seconds=perf_counter() - began)


def as_array(beliefs: Beliefs) -> FloatArray:
    """[B, S] as a plain array."""
    return beliefs if isinstance(beliefs, np.ndarray) else np.asarray(beliefs.toarray())


def first_decisions(finding: HeuristicSearch, began: float) -> Solution:
    """What the bounds say of the beliefs at the start."""
    model = finding.model
    low, high = finding.start_bounds()
    q_low, q_high = finding.q_bounds(model.starts)
    possible = model.available(model.starts)
    q = np.where(possible, (q_low + q_high) / 2.0, -np.inf)
    values = np.clip(q.max(axis=1), low, high)
    optimal = possible & (q_high >= low[:, None])
    return Solution(
        criterion="discounted",
        discount=finding.discount,
        horizon=None,
        start_value=float(model.chances @ values),
        values=np.append(values, 0.0),
        q_values=np.concatenate([q, np.full((1, q.shape[1]), -np.inf)]),
        policy=np.append(optimal.argmax(axis=1), 0),
        optimal_actions=np.concatenate([optimal, np.zeros((1, q.shape[1]), dtype=np.bool_)]),
        lower=np.append(low, 0.0),
        upper=np.append(high, 0.0),
        method="heuristic search (HSVI2)",
        iterations=finding.trials,
        seconds=perf_counter() - began,
        mdp=table_of_first_decisions(finding.pomdp, model, q),
        beliefs=model.starts,
        alpha_vectors=finding.lower.vectors,
        alpha_actions=finding.lower.actions,
    )


def table_of_first_decisions(pomdp: TabularPOMDP, model: DenseHidden, q_values: FloatArray) -> TabularMDP:
    """A table over the beliefs at the start in which an action pays all that it is worth [B, A], and ends."""
    import scipy.sparse

    num_beliefs, num_actions = q_values.shape
    possible = np.append(np.isfinite(q_values).ravel(), np.zeros(num_actions, dtype=np.bool_))
    count = int(possible.sum())
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(possible)]),
        probability=np.ones(count),
        next_state=np.full(count, num_beliefs),
        reward=q_values[np.isfinite(q_values)],
        terminated=np.ones(count, dtype=np.bool_),
        initial=np.append(model.chances, 0.0),
        state_labels=[*belief_labels(pomdp, scipy.sparse.csr_array(model.starts)), "(end)"],
        action_labels=pomdp.mdp.action_labels,
        normalise=True,
    )
