"""Planners behind the agents' protocol: they read the table, plan once, and act on what they found.

    value iteration      V(s)  <-  max_a sum_k p_k (r_k + discount * V(s'_k))             until certified
    policy iteration     evaluate the policy by a linear solve, improve it greedily,      until nothing improves

Bellman (1957) and Howard (1960); Puterman (1994), sections 6.3 and 6.4.  They plan for the table without a time
limit, so within one even they lose a little.  They see where they are; partially observed environments are refused.
"""

from __future__ import annotations

from os import PathLike
from typing import Any, ClassVar, Literal, Self

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from .. import planning
from ..envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..envs.pomdp import TabularPOMDPEnv
from ..envs.tables import table_of
from .base import Callback, Memory
from .files import read_agent, write_agent
from .settings import number, whole


class Planner:
    """Plans on an environment's table and plays the optimal policy, ties by the lowest action.

    `learn` plans (so does the first question that needs an answer) and leaves `num_timesteps` 0.

    Args:
        env: an environment that lays its table open, under wrappers or not; observations are states, or whatever
            its wrappers' `observe` shows of them, if that tells all states apart.
        discount: weight of the value one step later, in [0, 1).
        tolerance: how far the values may be from the optimum, relative to max(1, max|V*|).
        seed: for the protocol's sake; planning takes no chances.

    Raises:
        TypeError: the environment lays no table open, or hides its state.

    Attributes:
        env: the environment, or None after `load` without one.
        num_timesteps: 0.
        solution: all that `solve` found; None after `load` and before the first plan.
    """

    discount = number(0.0, 1.0, below=True, fixed="the plan was made with it")
    tolerance = number(0.0, above=True, fixed="the plan was made with it")

    method: ClassVar[Literal["value_iteration", "policy_iteration"]]

    def __init__(
        self, env: Any, *, discount: float = 0.99, tolerance: float = 1e-8, seed: int | None = 0
    ) -> None:
        self.env = env
        self.discount = discount
        self.tolerance = tolerance
        self.seed = seed
        self.num_timesteps = 0
        self.solution: Any = None
        self._found: dict[str, npt.NDArray[Any]] | None = None
        self._state_of: dict[bytes, int] | None = None
        if env is not None:
            if isinstance(env.unwrapped, TabularPOMDPEnv):
                raise TypeError(f"{env} hides its state: planning over states cannot act there")
            self._mdp: TabularMDP = table_of(env)

    # -- planning ----------------------------------------------------------------------------------------------

    def learn(
        self,
        total_timesteps: float = 0,
        callback: Callback | None = None,
        *,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
        planned_timesteps: float | None = None,
        raise_interrupt: bool = False,
    ) -> Self:
        """Plans; takes no environment steps.  A callback without `next_timestep` is asked once, afterwards.

        The keywords are there for the protocol's sake; Ctrl-C always raises KeyboardInterrupt: half a plan is none.
        """
        whole("total_timesteps", total_timesteps, 0)
        self._plan(progress_bar)
        if callback is not None and getattr(callback, "next_timestep", 0) <= 0:
            callback(self)
        return self

    def _plan(self, progress_bar: bool = False) -> dict[str, npt.NDArray[Any]]:
        if self._found is None:
            self.solution = planning.solve(
                self._mdp,
                self.discount,
                method=self.method,
                tolerance=self.tolerance,
                progress_bar=progress_bar,
            )
            self._found = {
                "values": self.solution.values,
                "q_values": self.solution.q_values,
                "policy": self.solution.policy,
                "action_mask": self._mdp.action_mask,
            }
        return self._found

    @property
    def values(self) -> FloatArray:
        """[S] optimal values."""
        return self._plan()["values"]

    @property
    def q_values(self) -> FloatArray:
        """[S, A] optimal action values, -inf where an action is not available."""
        return self._plan()["q_values"]

    @property
    def policy(self) -> IntArray:
        """[S] the lowest optimal action; 0 in terminal states."""
        return self._plan()["policy"]

    @property
    def action_mask(self) -> BoolArray:
        """[S, A] which actions are available."""
        return self._plan()["action_mask"]

    # -- acting ------------------------------------------------------------------------------------------------

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The optimal action for one observation (np.int64) or for a batch (int64 array), and None."""
        rows, single = self._states(observation)
        actions = self.policy[rows]
        return (np.int64(actions[0]) if single else actions), None

    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> FloatArray:
        """[A], or [n, A] for a batch: 1 for the optimal action; planners never explore."""
        rows, single = self._states(observation)
        probabilities = np.zeros((len(rows), self.q_values.shape[1]))
        probabilities[np.arange(len(rows)), self.policy[rows]] = 1.0
        return probabilities[0] if single else probabilities

    def _states(self, observation: npt.ArrayLike) -> tuple[IntArray, bool]:
        """The states that show the observation or the batch of them, and whether it was a single one."""
        given = np.asarray(observation)
        if self._shape() == ():
            size = len(self.values)
            rows = np.atleast_1d(given)
            if given.ndim > 1 or given.dtype.kind not in "iu":
                raise TypeError(f"observations must be states, one or a batch of them, got {observation!r}")
            if rows.size and not (rows.min() >= 0 and rows.max() < size):
                raise ValueError(f"observations must be in [0, {size}), got {observation!r}")
            return rows.astype(np.int64), given.ndim == 0
        single = given.shape == self._shape()
        keys = given[None] if single else given
        known = self._shown()
        try:
            return np.array([known[_key(row)] for row in keys], dtype=np.int64), single
        except KeyError:
            raise ValueError(f"no state of the table is shown as {observation!r}") from None

    def _shape(self) -> tuple[int, ...]:
        """Of one observation: () where states are shown as they are."""
        if self.env is None:
            return ()
        space = getattr(self.env, "single_observation_space", self.env.observation_space)
        return () if isinstance(space, gym.spaces.Discrete) else tuple(space.shape)

    def _shown(self) -> dict[bytes, int]:
        """The state behind each observation."""
        if self._state_of is None:
            observe = self.env.get_wrapper_attr("observe")
            found = {_key(observe(np.int64(s))): s for s in range(self._mdp.num_states)}
            if len(found) < self._mdp.num_states:
                raise TypeError(
                    f"{self.env} shows several states alike: planning over states cannot act there"
                )
            self._state_of = found
        return self._state_of

    # -- files -------------------------------------------------------------------------------------------------

    def save(self, path: str | PathLike[str], *, replay: bool = False) -> None:
        """Writes the plan as arrays and JSON, never pickle, whole or not at all; there is nothing to replay from."""
        settings = {"discount": self.discount, "tolerance": self.tolerance, "seed": self.seed}
        write_agent(path, type(self).__name__, settings, self._plan())

    @classmethod
    def load(cls, path: str | PathLike[str], env: Any = None) -> Self:
        """Reads what `save` wrote; acts without planning again.

        Raises:
            ValueError: the file is damaged, no agent of ours, another agent's, or made for a table of another size.
        """
        settings, arrays = read_agent(path, cls.__name__)
        try:
            agent = cls(env, **settings)
            agent._found = {name: arrays[name] for name in ("values", "q_values", "policy", "action_mask")}
        except (KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: {error!r}") from error
        if env is not None and agent._mdp.action_mask.shape != agent._found["q_values"].shape:
            raise ValueError(
                f"{path} was made for {agent._found['q_values'].shape} states and actions, "
                f"the environment has {agent._mdp.action_mask.shape}"
            )
        return agent


class ValueIteration(Planner):
    """Backs every state up until the bounds certify the values."""

    method = "value_iteration"


class PolicyIteration(Planner):
    """Evaluates a policy exactly, improves it, and stops where nothing improves."""

    method = "policy_iteration"


def _key(observation: npt.ArrayLike) -> bytes:
    return np.ascontiguousarray(observation).tobytes()
