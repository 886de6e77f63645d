"""A replay memory of stretches of experience, none of which crosses the end of an episode.

Each stretch of up to `length` steps lies in one piece in a ring, with one more place for the observation
after its last step.  A stretch that begins in mid-episode keeps the memory (h, c) that the network had there
(stored states: Kapturowski et al., Recurrent experience replay in distributed reinforcement learning, ICLR
2019).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..experience import Steps
from ..spaces import Sizes

FloatArray32 = npt.NDArray[np.float32]


class Stretches(NamedTuple):
    """A minibatch, time first; T is the length of the longest stretch in it.

    Attributes:
        observation: [T + 1, B, ...], with the one after the last step.
        previous_action: [T + 1, B]; num_actions stands for none.
        action: [T, B].
        reward: [T, B].
        terminated: [T, B] bool.
        filled: [T, B] bool, places that are steps; the first `lengths` of each column.
        lengths: [B] steps.
        memory: [2, B, H] what the network remembered before the first step: h, c.
    """

    observation: npt.NDArray[Any]
    previous_action: npt.NDArray[np.int64]
    action: npt.NDArray[np.int64]
    reward: FloatArray32
    terminated: npt.NDArray[np.bool_]
    filled: npt.NDArray[np.bool_]
    lengths: npt.NDArray[np.int64]
    memory: FloatArray32


class Windows:
    """Gathers the steps of n copies into stretches, and draws minibatches of them with replacement.

    Args:
        capacity: steps remembered, at least `length` + 1.
        length: longest stretch.
        num_envs: n.
        sizes: of the environment.
        memory_size: H.
    """

    def __init__(self, capacity: int, length: int, num_envs: int, sizes: Sizes, memory_size: int) -> None:
        if capacity <= length:
            raise ValueError(f"buffer_size must exceed window ({length}), got {capacity}")
        self.length = length
        self.num_actions = sizes.num_actions
        kind = np.dtype(np.int64 if sizes.integers else np.float32)
        self._capacity = capacity
        self._observation = np.zeros((capacity, *sizes.shape), dtype=kind)
        self._previous = np.zeros(capacity, dtype=np.int64)
        self._action = np.zeros(capacity, dtype=np.int64)
        self._reward = np.zeros(capacity, dtype=np.float32)
        self._terminated = np.zeros(capacity, dtype=np.bool_)
        self._kept: deque[tuple[int, int, FloatArray32]] = deque()  # start, steps, memory: oldest first
        self._next = 0
        self._memory_size = memory_size
        self.open_for(num_envs)

    def open_for(self, num_envs: int) -> None:
        """The environment, of so many copies, was reset: what they are in the middle of begins anew."""
        shape, seen = (num_envs, self.length), self._observation
        self._open_observation = np.zeros((num_envs, self.length + 1, *seen.shape[1:]), dtype=seen.dtype)
        self._open_previous = np.zeros((num_envs, self.length + 1), dtype=np.int64)
        self._open_action = np.zeros(shape, dtype=np.int64)
        self._open_reward = np.zeros(shape, dtype=np.float32)
        self._open_terminated = np.zeros(shape, dtype=np.bool_)
        self._open_memory = np.zeros((num_envs, 2, self._memory_size), dtype=np.float32)
        self._open_steps = np.zeros(num_envs, dtype=np.int64)

    @property
    def size(self) -> int:
        """How many stretches there are."""
        return len(self._kept)

    def add(self, steps: Steps, previous_action: npt.NDArray[np.int64], memory: FloatArray32) -> None:
        """Adds one vector step.

        Args:
            steps: what was played.
            previous_action: [n] the action before it; num_actions for none.
            memory: [2, n, H] what the network remembered before it.
        """
        rows = np.flatnonzero(steps.played)
        fresh = rows[self._open_steps[rows] == 0]
        self._open_memory[fresh] = memory[:, fresh].transpose(1, 0, 2)
        at = self._open_steps[rows]
        self._open_observation[rows, at] = steps.observation[rows]
        self._open_observation[rows, at + 1] = steps.next_observation[rows]
        self._open_previous[rows, at] = previous_action[rows]
        self._open_previous[rows, at + 1] = steps.action[rows]
        self._open_action[rows, at] = steps.action[rows]
        self._open_reward[rows, at] = steps.reward[rows]
        self._open_terminated[rows, at] = steps.terminated[rows]
        self._open_steps[rows] += 1
        closed = steps.played & (steps.terminated | steps.truncated | (self._open_steps == self.length))
        for i in np.flatnonzero(closed).tolist():
            self._keep(i)

    def _keep(self, i: int) -> None:
        """Moves the open stretch of copy i into the ring; the oldest stretches make room."""
        steps = int(self._open_steps[i])
        start, end = self._next, self._next + steps + 1
        if end > self._capacity:
            while self._kept and self._kept[0][0] >= start:
                self._kept.popleft()
            start, end = 0, steps + 1
        while self._kept and start <= self._kept[0][0] < end:
            self._kept.popleft()
        self._observation[start:end] = self._open_observation[i, : steps + 1]
        self._previous[start:end] = self._open_previous[i, : steps + 1]
        self._action[start : end - 1] = self._open_action[i, :steps]
        self._reward[start : end - 1] = self._open_reward[i, :steps]
        self._terminated[start : end - 1] = self._open_terminated[i, :steps]
        self._kept.append((start, steps, self._open_memory[i].copy()))
        self._next = end
        self._open_steps[i] = 0

    def draw(self, batch_size: int, rng: np.random.Generator) -> Stretches:
        """`batch_size` stretches."""
        drawn = [self._kept[k] for k in rng.integers(0, len(self._kept), batch_size).tolist()]
        starts = np.array([start for start, _, _ in drawn])
        lengths = np.array([steps for _, steps, _ in drawn])
        longest = int(lengths.max())
        time = np.arange(longest + 1)[:, None]
        places = starts + np.minimum(time, lengths)  # [T + 1, B]; beyond the end the last observation again
        return Stretches(
            observation=self._observation[places],
            previous_action=self._previous[places],
            action=self._action[places[:-1]],
            reward=self._reward[places[:-1]],
            terminated=self._terminated[places[:-1]],
            filled=time[:-1] < lengths,
            lengths=lengths,
            memory=np.stack([memory for _, _, memory in drawn], axis=1),
        )

    # -- files -----------------------------------------------------------------------------------------------

    #: The arrays of steps in the ring, and of those that the copies are in the middle of.
    _RING = ("_observation", "_previous", "_action", "_reward", "_terminated")
    _OPEN = (*(f"_open{name}" for name in _RING), "_open_memory", "_open_steps")

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything remembered, by name."""
        used = max((start + steps + 1 for start, steps, _ in self._kept), default=0)
        starts = np.array([start for start, _, _ in self._kept], dtype=np.int64)
        lengths = np.array([steps for _, steps, _ in self._kept], dtype=np.int64)
        memory = np.array([memory for _, _, memory in self._kept], dtype=np.float32)
        return {
            "replay_next": np.array(self._next),
            "replay_starts": starts,
            "replay_lengths": lengths,
            "replay_memory": memory.reshape(len(starts), 2, self._memory_size),
            **{f"replay{name}": getattr(self, name)[:used] for name in self._RING},
            **{f"replay{name}": getattr(self, name) for name in self._OPEN},
        }

    def take(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Puts back what `arrays` gave."""
        self._next = int(arrays["replay_next"])
        starts, lengths = arrays["replay_starts"].tolist(), arrays["replay_lengths"].tolist()
        self._kept = deque(zip(starts, lengths, arrays["replay_memory"], strict=True))
        for name in self._RING:
            getattr(self, name)[: len(arrays[f"replay{name}"])] = arrays[f"replay{name}"]
        for name in self._OPEN:
            getattr(self, name)[:] = arrays[f"replay{name}"]
