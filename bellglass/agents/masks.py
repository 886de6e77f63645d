"""Which actions an environment has shown to be available, observation by observation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from ..envs.mdp import BoolArray
from .spaces import Sizes

#: Restricted vectors remembered at most; beyond it new ones count as unrestricted.
MOST_VECTORS = 1_000_000


class Masks:
    """Action masks by observation; everything is available where none was seen.

    Where one observation stands for several states, what any of them allows counts as available.

    Attributes:
        available: [O, A] bool for integer observations ([0, A] for vectors).
        seen: [O] bool, observations that came with a mask.
        vectors: masks of restricted vectors by their bytes.
        restricted: whether any action was ever not available.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.available = np.ones((sizes.num_observations, sizes.num_actions), dtype=np.bool_)
        self.seen = np.zeros(sizes.num_observations, dtype=np.bool_)
        self.vectors: dict[bytes, BoolArray] = {}
        self.restricted = False
        self._all = tuple(range(sizes.num_actions))
        self._actions: dict[int, tuple[int, ...]] = {}
        self._last: dict[int, bytes] = {}  # what each observation came with most recently

    # -- learning of them ----------------------------------------------------------------------------------------

    def note(self, observation: Any, mask: npt.ArrayLike) -> None:
        """The environment showed `mask` [A] together with an observation, or masks [n, A] with each of n."""
        shown = np.asarray(mask, dtype=np.bool_)
        if shown.ndim == 2:
            self._note_all(np.asarray(observation), shown)
        elif self.sizes.integers:
            self._note_number(observation, shown)
        else:
            self._note_vector(observation, shown)

    def _note_all(self, observations: npt.NDArray[Any], masks: BoolArray) -> None:
        if not self.sizes.integers:
            for observation, mask in zip(observations, masks, strict=True):
                self._note_vector(observation, mask)
        elif np.count_nonzero(self.seen[observations]) < len(masks) or np.count_nonzero(
            self.available[observations] != masks
        ):
            for number, mask in zip(observations.tolist(), masks, strict=True):
                self._note_number(number, mask)

    def _note_number(self, observation: int, shown: BoolArray) -> None:
        bits = shown.tobytes()
        if self._last.get(observation) == bits:
            return
        self._last[observation] = bits
        if self.seen[observation]:
            shown = self.available[observation] | shown
        self.available[observation] = shown
        self.seen[observation] = True
        self.restricted = self.restricted or not shown.all()
        self._actions.pop(observation, None)

    def _note_vector(self, observation: npt.NDArray[Any], shown: BoolArray) -> None:
        key = observation.astype(np.float32).tobytes()
        known = self.vectors.get(key)
        if known is not None:
            self.vectors[key] = known | shown
        elif not shown.all() and len(self.vectors) < MOST_VECTORS:
            self.vectors[key] = shown.copy()
            self.restricted = True

    def forget_cached(self) -> None:
        """To be called after the arrays have been written to directly."""
        self._actions.clear()
        self._last.clear()
        self.restricted = bool(self.vectors) or not bool(self.available.all())

    @contextmanager
    def temporarily_known(self, observations: npt.NDArray[Any], masks: BoolArray) -> Iterator[None]:
        """Meanwhile the masks [n, A] of observations [n] or [n, ...] that were not seen are known, as when it comes.

        So `action_probabilities` says what the agent would play there; nothing of it is kept.
        """
        restricted, vectors = self.restricted, dict(self.vectors)
        rows = np.zeros(0, dtype=np.int64)
        if self.sizes.integers:
            unseen = ~self.seen[observations]
            rows = observations[unseen]
            self.available[rows] = masks[unseen]
        else:
            for observation, mask in zip(observations, masks, strict=True):
                self.vectors.setdefault(observation.astype(np.float32).tobytes(), mask)
        self.restricted = True
        try:
            yield
        finally:
            self.available[rows] = True
            self.restricted, self.vectors = restricted, vectors

    # -- asking for them -----------------------------------------------------------------------------------------

    def actions(self, observation: int) -> tuple[int, ...]:
        """The actions available at a number, lowest first; none in a terminal state that has been seen."""
        found = self._actions.get(observation)
        if found is None:
            if not self.seen[observation]:
                return self._all
            found = tuple(np.flatnonzero(self.available[observation]).tolist())
            self._actions[observation] = found
        return found

    def of(self, observations: npt.NDArray[Any]) -> BoolArray | None:
        """[n, A] for a batch, or None where nothing was ever restricted."""
        if not self.restricted:
            return None
        if self.sizes.integers:
            rows: BoolArray = self.available[observations]
            return rows
        everything = np.ones(self.sizes.num_actions, dtype=np.bool_)
        found = [self.vectors.get(row.astype(np.float32).tobytes(), everything) for row in observations]
        return np.array(found).reshape(len(observations), self.sizes.num_actions)

    # -- files -----------------------------------------------------------------------------------------------

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Everything known, by name."""
        keys = [np.frombuffer(key, dtype=np.uint8) for key in self.vectors]
        return {
            "masks_available": self.available,
            "masks_seen": self.seen,
            "masks_keys": np.array(keys, dtype=np.uint8).reshape(len(keys), -1)
            if keys
            else np.zeros((0, 0), np.uint8),
            "masks_vectors": np.array(list(self.vectors.values()), dtype=np.bool_),
        }

    def take(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Puts back what `arrays` gave."""
        self.available[:] = arrays["masks_available"]
        self.seen[:] = arrays["masks_seen"]
        rows = zip(arrays["masks_keys"], arrays["masks_vectors"], strict=True)
        self.vectors = {key.tobytes(): mask for key, mask in rows}
        self.forget_cached()


def greedy(q_values: npt.NDArray[np.float32], masks: BoolArray | None) -> npt.NDArray[np.int64]:
    """[n] the best available action, ties by the lowest; action 0 where none is available."""
    if masks is not None:
        q_values = np.where(masks, q_values, np.float32(-np.inf))
    best: npt.NDArray[np.int64] = q_values.argmax(axis=1)
    return best


def greedy_values(
    choosing: npt.NDArray[np.float32], valuing: npt.NDArray[np.float32], masks: BoolArray | None
) -> npt.NDArray[np.float32]:
    """[n] `valuing` at the action that `choosing` likes best among the available; 0 where none is available.

    Double Q-learning (van Hasselt, Guez & Silver 2016) chooses by the online network and values by the target
    network; with the target network for both this is the plain maximum.
    """
    values: npt.NDArray[np.float32] = valuing[np.arange(len(valuing)), greedy(choosing, masks)]
    if masks is not None:
        values = np.where(masks.any(axis=1), values, np.float32(0.0))
    return values
