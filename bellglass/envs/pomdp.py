"""Tables whose states are hidden: what is seen, how likely, and what it tells about the state.

    seen after action a led to s'   o ~ O(o | a, s')        observation_probability [S, O] or [A, S, O]
    seen at reset in s              o ~ O_0(o | s)          initial_observation     [S, O]
    belief                          b'(s') ~ O(o | a, s') * sum_s b(s) p(s' | s, a)

Kaelbling, Littman & Cassandra, Planning and acting in partially observable stochastic domains, AIJ 101
(1998). The belief is over the states of an episode that goes on: whoever acts is told when it ends, so
terminated outcomes drop out of the sum.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Unpack

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from .keywords import whole
from .mdp import FloatArray, IntArray, TabularMDP
from .mdp.arrays import SUM_TOLERANCE, cumulate, locked
from .tabular import EnvSettings, TableEnv


@dataclass(frozen=True, eq=False, init=False, repr=False)
class TabularPOMDP:
    """A table, and the chance of each observation; validated and read-only.

    Attributes:
        mdp: the table of the hidden states.
        observation_probability: [S, O] chance of each observation in the state just entered, or [A, S, O]
            where it depends on the action that led there; kept as given.
        initial_observation: [S, O] chance of each observation at reset.
        observation_labels: [O] names of the observations, or None.

    Raises:
        ValueError: an array of the wrong shape, or a row that is no distribution; the message names the row.
    """

    mdp: TabularMDP
    observation_probability: FloatArray
    initial_observation: FloatArray
    observation_labels: tuple[Hashable, ...] | None

    def __init__(
        self,
        mdp: TabularMDP,
        observation_probability: npt.ArrayLike,
        initial_observation: npt.ArrayLike,
        *,
        observation_labels: Sequence[Hashable] | None = None,
    ) -> None:
        if not isinstance(mdp, TabularMDP):
            raise TypeError(f"mdp must be a TabularMDP, got {type(mdp).__name__}")
        seen = np.array(observation_probability, dtype=np.float64)
        at_reset = np.array(initial_observation, dtype=np.float64)
        sizes = (mdp.num_states,) if seen.ndim == 2 else (mdp.num_actions, mdp.num_states)
        if seen.ndim not in (2, 3) or seen.shape[:-1] != sizes or seen.shape[-1] == 0:
            raise ValueError(
                f"observation_probability must have shape [{mdp.num_states}, O] or "
                f"[{mdp.num_actions}, {mdp.num_states}, O] with O >= 1, got {list(seen.shape)}"
            )
        if at_reset.shape != (mdp.num_states, seen.shape[-1]):
            raise ValueError(
                f"initial_observation must have shape [{mdp.num_states}, {seen.shape[-1]}], "
                f"got {list(at_reset.shape)}"
            )
        _check_rows("observation_probability", seen)
        _check_rows("initial_observation", at_reset)
        labels = None if observation_labels is None else tuple(observation_labels)
        if labels is not None and (len(labels) != seen.shape[-1] or len(set(labels)) != len(labels)):
            raise ValueError(f"observation_labels must be {seen.shape[-1]} different names, got {labels!r}")
        object.__setattr__(self, "mdp", mdp)
        object.__setattr__(self, "observation_probability", locked(seen))
        object.__setattr__(self, "initial_observation", locked(at_reset))
        object.__setattr__(self, "observation_labels", labels)

    @property
    def num_states(self) -> int:
        """S."""
        return self.mdp.num_states

    @property
    def num_actions(self) -> int:
        """A."""
        return self.mdp.num_actions

    @property
    def num_observations(self) -> int:
        """O."""
        return int(self.initial_observation.shape[1])

    @property
    def by_action(self) -> FloatArray:
        """[A, S, O] chance of each observation after each action, a read-only view."""
        shape = (self.num_actions, self.num_states, self.num_observations)
        return np.broadcast_to(self.observation_probability, shape)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256, as 64 hex digits, of the table and of what is seen."""
        digest = hashlib.sha256(f"bellglass pomdp 1: {self.mdp.fingerprint}\n".encode())
        for array in (self.observation_probability, self.initial_observation):
            digest.update(f"{array.shape}\n".encode())
            digest.update((array + 0.0).astype("<f8").tobytes())  # -0.0 + 0.0 is 0.0
        return digest.hexdigest()

    # -- beliefs -----------------------------------------------------------------------------------------

    def initial_belief(self, observation: int | None = None) -> FloatArray:
        """[S] chance of each state at the start, given what reset() showed (None: before looking).

        Raises:
            ValueError: no start shows the observation, or it is out of range.
            TypeError: it is no whole number.
        """
        belief = self.mdp.initial if observation is None else self.mdp.initial * self._column(observation)
        return self._normalised(belief, f"observation {observation} is not shown at reset")

    def starting_from(self, belief: npt.ArrayLike) -> TabularPOMDP:
        """The same, with the first state drawn from `belief` [S] and nothing told at reset: each observation alike.

        Its optimum is what the belief is worth.

        Raises:
            ValueError: no distribution over the live states.
        """
        there = replace(self.mdp, initial=self._belief(belief))
        nothing = np.full(self.initial_observation.shape, 1.0 / self.num_observations)
        return replace(self, mdp=there, initial_observation=nothing)

    def observation_chances(self, belief: npt.ArrayLike, action: int) -> FloatArray:
        """[O] chance that the episode goes on and shows each observation, after `action` from `belief`."""
        weights, played, entered = self._going_on(belief, action)
        if self.observation_probability.ndim == 2:
            return self._entered(weights, entered) @ self.observation_probability
        return weights @ self.observation_probability[played, entered]

    def update_belief(self, belief: npt.ArrayLike, action: int, observation: int) -> FloatArray:
        """[S] chance of each state after `action` from `belief` [S], if `observation` was seen.

        Raises:
            ValueError: no belief, or the action or the observation is out of range; the observation cannot follow.
            TypeError: the action or the observation is no whole number.
        """
        weights, played, entered = self._going_on(belief, action)
        self._check_observation(observation)
        if self.observation_probability.ndim == 2:
            chance = self.observation_probability[entered, observation]
        else:
            chance = self.observation_probability[played, entered, observation]
        return self._normalised(
            self._entered(weights * chance, entered),
            f"observation {observation} cannot follow action {action}",
        )

    def _going_on(self, belief: npt.ArrayLike, action: int) -> tuple[FloatArray, IntArray, IntArray]:
        """Of each outcome that does not terminate: its chance, the action as played, the state entered."""
        weights = self._belief(belief)
        mdp, action = self.mdp, whole("action", action, 0, self.num_actions - 1)
        s, a = np.divmod(mdp.row_of_outcome, self.num_actions)
        played = np.where(
            mdp.action_mask[:, action], action, mdp.lowest_action
        )  # as the environment plays it
        k = np.flatnonzero((a == played[s]) & ~mdp.terminated)
        return weights[s[k]] * mdp.normalised_probability[k], a[k], mdp.next_state[k].astype(np.int64)

    def _belief(self, belief: npt.ArrayLike) -> FloatArray:
        weights = np.asarray(belief, dtype=np.float64)
        if weights.shape != (self.num_states,):
            raise ValueError(f"belief must have shape [{self.num_states}], got {list(weights.shape)}")
        if not (np.isfinite(weights).all() and (weights >= 0).all() and abs(weights.sum() - 1.0) < 1e-6):
            raise ValueError(
                f"belief must be chances that sum to 1, got {np.array2string(weights, threshold=8)}"
            )
        return weights

    def _entered(self, weights: FloatArray, entered: IntArray) -> FloatArray:
        return np.bincount(entered, weights, minlength=self.num_states).astype(np.float64, copy=False)

    def _column(self, observation: int) -> FloatArray:
        self._check_observation(observation)
        column: FloatArray = self.initial_observation[:, observation]
        return column

    def _check_observation(self, observation: int) -> None:
        whole("observation", observation, 0, self.num_observations - 1)

    def _normalised(self, belief: FloatArray, problem: str) -> FloatArray:
        total = belief.sum()
        if not total > 0:
            raise ValueError(problem)
        normalised: FloatArray = belief / total
        return normalised

    def __repr__(self) -> str:
        return (
            f"TabularPOMDP({self.num_states} states, {self.num_actions} actions, "
            f"{self.num_observations} observations, fingerprint {self.fingerprint[:12]})"
        )

    def __copy__(self) -> TabularPOMDP:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> TabularPOMDP:
        return self  # nothing in it can change


class TabularPOMDPEnv(TableEnv[np.int64]):
    """Walks through the hidden table and shows observations only; `info["state"]` is for scoring alone.

    Each reset and each step draws a second number, and shows the first observation whose running sum exceeds
    it.
    """

    def __init__(self, pomdp: TabularPOMDP, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(pomdp.mdp, **settings)
        self.pomdp = pomdp
        self.observation_space = gym.spaces.Discrete(pomdp.num_observations)
        self._at_reset = cumulated(pomdp.initial_observation)
        self._after = cumulated(pomdp.observation_probability)

    def _observation_at_reset(self) -> np.int64:
        return np.int64(bisect_right(self._at_reset[self.state], self.np_random.random()))

    def _observation_after(self, action: int) -> np.int64:
        row = self._after[self.state] if self._after.ndim == 2 else self._after[action, self.state]
        return np.int64(bisect_right(row, self.np_random.random()))


def pomdp_of(env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any]) -> TabularPOMDP:
    """The partially observed table behind `env`, through whatever wrappers lie on it.

    Raises:
        TypeError: the environment shows its states, or lays no table open.
    """
    if not hasattr(env, "unwrapped"):
        raise TypeError(f"pomdp_of needs a Gymnasium environment, got {type(env).__name__} {env!r}")
    layer: Any = env
    while layer is not None:
        pomdp = vars(layer).get("pomdp")
        if isinstance(pomdp, TabularPOMDP):
            return pomdp
        layer = vars(layer).get("env")
    raise TypeError(f"{env} is not partially observed, or lays no table open")


def cumulated(rows: FloatArray) -> FloatArray:
    """Running sums along the last axis; exactly 1 from the last positive entry of each row on."""
    flat = np.ascontiguousarray(rows).reshape(-1, rows.shape[-1])
    flat = flat / flat.sum(axis=1, keepdims=True)
    ends = np.arange(0, flat.size + 1, flat.shape[1], dtype=np.int64)
    return locked(cumulate(ends, flat.ravel()).reshape(rows.shape))


def _check_rows(name: str, rows: FloatArray) -> None:
    bad = ~np.isfinite(rows) | (rows < 0)
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise ValueError(f"{name}{list(where)} is {rows[where]}, not a probability")
    sums = rows.sum(axis=-1)
    wrong = np.abs(sums - 1.0) > SUM_TOLERANCE
    if wrong.any():
        where = tuple(np.argwhere(wrong)[0].tolist())
        raise ValueError(
            f"{name}{list(where)} sums to {sums[where]:.12g}, not 1 (tolerance {SUM_TOLERANCE:g})"
        )
