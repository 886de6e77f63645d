"""A ring of transitions, integers as integers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..experience import Steps
from ..spaces import Sizes


class Minibatch(NamedTuple):
    """Transitions drawn from a replay memory.

    Attributes:
        observation: [B, ...].
        action: [B] int64.
        reward: [B] float32.
        next_observation: [B, ...].
        terminated: [B] bool.  Truncation is not kept: it stops an episode, never a value.
    """

    observation: npt.NDArray[Any]
    action: npt.NDArray[np.int64]
    reward: npt.NDArray[np.float32]
    next_observation: npt.NDArray[Any]
    terminated: npt.NDArray[np.bool_]


class Replay:
    """The last `capacity` transitions (Lin 1992), drawn uniformly with replacement.

    Attributes:
        size: how many there are.
    """

    def __init__(self, capacity: int, sizes: Sizes) -> None:
        kind = np.dtype(np.int64 if sizes.integers else np.float32)
        self.capacity = capacity
        self.size = 0
        self._next = 0
        self._observation = np.zeros((capacity, *sizes.shape), dtype=kind)
        self._next_observation = np.zeros((capacity, *sizes.shape), dtype=kind)
        self._action = np.zeros(capacity, dtype=np.int64)
        self._reward = np.zeros(capacity, dtype=np.float32)
        self._terminated = np.zeros(capacity, dtype=np.bool_)

    def add(self, steps: Steps) -> None:
        """Keeps the rows that were played; the oldest make room."""
        rows: slice | npt.NDArray[np.int64] = slice(None)
        count = len(steps.played)
        if not steps.played.all():
            rows = np.flatnonzero(steps.played)
            count = len(rows)
        if self._next + count <= self.capacity:
            places: slice | npt.NDArray[np.int64] = slice(self._next, self._next + count)
        else:
            places = (self._next + np.arange(count)) % self.capacity
        self._observation[places] = steps.observation[rows]
        self._action[places] = steps.action[rows]
        self._reward[places] = steps.reward[rows]
        self._next_observation[places] = steps.next_observation[rows]
        self._terminated[places] = steps.terminated[rows]
        self._next = (self._next + count) % self.capacity
        self.size = min(self.size + count, self.capacity)

    def draw(self, batch_size: int, rng: np.random.Generator) -> Minibatch:
        """`batch_size` transitions."""
        k = rng.integers(0, self.size, batch_size)
        return Minibatch(
            self._observation[k],
            self._action[k],
            self._reward[k],
            self._next_observation[k],
            self._terminated[k],
        )

    # -- files -----------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The transitions that there are, and where the next one goes, by name."""
        there = slice(0, self.size)  # the ring is full, or begins at 0
        return {
            "replay_next": np.array(self._next),
            "replay_observation": self._observation[there],
            "replay_action": self._action[there],
            "replay_reward": self._reward[there],
            "replay_next_observation": self._next_observation[there],
            "replay_terminated": self._terminated[there],
        }

    def take(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Puts back what `arrays` gave."""
        self.size, self._next = len(arrays["replay_action"]), int(arrays["replay_next"])
        there = slice(0, self.size)
        self._observation[there] = arrays["replay_observation"]
        self._action[there] = arrays["replay_action"]
        self._reward[there] = arrays["replay_reward"]
        self._next_observation[there] = arrays["replay_next_observation"]
        self._terminated[there] = arrays["replay_terminated"]
