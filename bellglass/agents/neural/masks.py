"""Which actions an environment has shown to be available, observation by observation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray
from ..masks import told_of_unseen
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
    """

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.available = np.ones((sizes.num_observations, sizes.num_actions), dtype=np.bool_)
        self.seen = np.zeros(sizes.num_observations, dtype=np.bool_)
        self.vectors: dict[bytes, BoolArray] = {}
        self.restricted = False

    def note(self, observations: npt.NDArray[Any], masks: npt.NDArray[np.bool_]) -> bool:
        """The environment showed `masks` [n, A] together with `observations`; True if that was news."""
        if self.sizes.integers:
            if self.seen[observations].all() and (self.available[observations] == masks).all():
                return False
            for observation, mask in zip(observations.tolist(), masks, strict=True):
                known = self.available[observation]
                self.available[observation] = (known | mask) if self.seen[observation] else mask
                self.seen[observation] = True
            self.restricted = not bool(self.available.all())
            return True
        news = False
        for observation, mask in zip(observations, masks, strict=True):
            key = observation.astype(np.float32).tobytes()
            known_mask = self.vectors.get(key)
            if known_mask is not None:
                self.vectors[key] = known_mask | mask
            elif not mask.all() and len(self.vectors) < MOST_VECTORS:
                self.vectors[key] = mask.copy()
                self.restricted = news = True
        return news

    @contextmanager
    def told(self, observations: npt.NDArray[Any], masks: BoolArray) -> Iterator[None]:
        """Meanwhile the masks [n, A] of observations [n] or [n, ...] that were not seen are known: `told_of_unseen`."""
        restricted, vectors = self.restricted, dict(self.vectors)
        known: AbstractContextManager[None] = nullcontext()
        if self.sizes.integers:
            known = told_of_unseen(self.available, self.seen, observations, masks)
        else:
            for observation, mask in zip(observations, masks, strict=True):
                self.vectors.setdefault(observation.astype(np.float32).tobytes(), mask)
        self.restricted = True
        try:
            with known:
                yield
        finally:
            self.restricted, self.vectors = restricted, vectors

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

    def take(self, arrays: dict[str, npt.NDArray[Any]]) -> None:
        """Puts back what `arrays` gave."""
        self.available[:] = arrays["masks_available"]
        self.seen[:] = arrays["masks_seen"]
        rows = zip(arrays["masks_keys"], arrays["masks_vectors"], strict=True)
        self.vectors = {key.tobytes(): mask for key, mask in rows}
        self.restricted = bool(self.vectors) or not bool(self.available.all())


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
