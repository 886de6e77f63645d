"""What learners are told of the actions that are available where they have not been yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy.typing as npt

from ..envs.mdp import BoolArray


@contextmanager
def told_of_unseen(
    available: BoolArray, seen: BoolArray, observations: npt.NDArray[Any], masks: BoolArray
) -> Iterator[None]:
    """Meanwhile an agent knows what is available at observations that it has not seen, as it will when it comes.

    So `action_probabilities` says what it would play there; nothing of it is kept.

    Args:
        available: [O, A] what the agent takes to be available: everything where it has not been; in place.
        seen: [O] where it has been.
        observations: [n] what is told of.
        masks: [n, A] what is available at each.
    """
    unseen = ~seen[observations]
    rows = observations[unseen]
    available[rows] = masks[unseen]
    try:
        yield
    finally:
        available[rows] = True
