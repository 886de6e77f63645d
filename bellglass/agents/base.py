"""What everyone may expect of an agent: Stable-Baselines3's words, and one step of experience."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, NamedTuple, Protocol, Self

import numpy as np
import numpy.typing as npt

#: What an agent remembers between steps: None, or arrays [n, ...] for n environments.
Memory = tuple[npt.NDArray[Any], ...] | None

#: Called while an agent learns; False stops it, anything else lets it go on.  A callback that bears an integer
#: attribute `next_timestep` is only called once `num_timesteps` has reached it (the callback then moves it on), so
#: that a compiled loop need not return to Python after every step.
Callback = Callable[[Any], bool | None]


class Transition(NamedTuple):
    """One step of experience.  Only `terminated` means that there is no next value."""

    observation: int
    action: int
    reward: float
    next_observation: int
    terminated: bool
    truncated: bool


class Agent(Protocol):
    """Learns from an environment, acts, says how likely each action is, and goes to disk and back.

    Attributes:
        env: the environment it was made with, or None after `load` without one.
        num_timesteps: environment steps it has learned from; 0 for planners.
    """

    env: Any
    num_timesteps: int

    def learn(
        self,
        total_timesteps: int,
        callback: Callback | None = None,
        *,
        reset_num_timesteps: bool = True,
        progress_bar: bool = False,
    ) -> Self:
        """Learns from `total_timesteps` environment steps (planners plan, and take none).

        `callback(agent)` is asked after every environment step (after every vector step with several
        environments); with `reset_num_timesteps=False` the count goes on from the last call.
        """
        ...

    def predict(
        self,
        observation: npt.ArrayLike,
        state: Memory = None,
        episode_start: npt.ArrayLike | None = None,
        deterministic: bool = False,
    ) -> tuple[Any, Memory]:
        """The action for one observation (np.int64), or for a batch with a leading axis (int64 array), and the memory.

        `state` is what the last call returned, None at first; rows where `episode_start` is True start afresh.
        """
        ...

    def action_probabilities(
        self, observation: npt.ArrayLike, state: Memory = None, *, exploring: bool = False
    ) -> npt.NDArray[np.float64]:
        """[A], or [n, A] for a batch: chance of each action in the policy it believes best, or while `exploring`."""
        ...

    def save(self, path: str | PathLike[str]) -> None:
        """Writes tensors and JSON, never pickle, whole or not at all."""
        ...

    @classmethod
    def load(cls, path: str | PathLike[str], env: Any = None) -> Self:
        """Reads what `save` wrote; runs no code from the file."""
        ...
