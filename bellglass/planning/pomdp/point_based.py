"""The value of every belief to a certified tolerance, where few vectors carry it.

    V(b)  =  max_k alpha_k . b  <=  optimum            H V (b)  =  max_a r(b, a) + discount * sum_o V(b after a, o)
    optimum  <=  V + (excess + lost) / (1 - discount),        excess  >=  max_b ( H V (b) - V(b) )

H V is a maximum of finitely many vectors, made by one step of incremental pruning, which may lose `lost`; how far each
of them rises above V is a linear programme over beliefs, whose dual proves the number.  Between two such certificates V
is raised at a list of beliefs by cheap point-based sweeps until they stand still, and where H V still rises above V the
list grows.  (Pineau, Gordon and Thrun, IJCAI 2003, has the sweeps; the certificate is the Bellman residual's,
Puterman 1994, theorem 6.3.1, in linear programmes as in Littman's witness algorithm.)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...envs.mdp import FloatArray, IntArray
from .dense_pomdp import DenseHidden
from .incremental_pruning import Pruner, TooManyPlans, plans_after, rise

#: States, and vectors, beyond which no certificate is tried: it would take minutes.
MOST_STATES, MOST_VECTORS = 12, 40

#: Certificates tried before giving up.
ROUNDS = 25

#: Linear programmes solved before giving up: about ten seconds.
MOST_PROGRAMMES = 8_000

#: Sweeps between two certificates at most.
SWEEPS = 2_000


class PointBasedBound(NamedTuple):
    """A lower bound for every belief and how far the optimum may lie above it.

    Attributes:
        vectors: [K, S].
        actions: [K] the first action of each.
        excess: the optimum is at most that much more, at any belief.
    """

    vectors: FloatArray
    actions: IntArray
    excess: float


def point_based_bound(
    model: DenseHidden,
    discount: float,
    vectors: FloatArray,
    actions: IntArray,
    beliefs: FloatArray,
    *,
    allowed: float,
    slack: float,
) -> PointBasedBound | None:
    """Vectors whose certified excess is at most `allowed`, or None where that takes too many.

    Args:
        model: the partially observed table.
        discount: in [0, 1).
        vectors: [K, S] lower bounds to begin with.
        actions: [K] their first actions.
        beliefs: [n, S] where to raise them first.
        allowed: the excess that is small enough.
        slack: what all rounding may amount to.
    """
    if vectors.shape[1] > MOST_STATES:
        return None
    target = allowed * (1.0 - discount)
    pruner = Pruner(target / (8.0 * len(model.first_part) * model.seen.shape[1]), most=MOST_PROGRAMMES)
    for _ in range(ROUNDS):
        vectors, actions = _swept(model, discount, vectors, actions, beliefs, enough=target / 8.0)
        if len(vectors) > MOST_VECTORS:
            return None
        pruner.lost = 0.0
        try:
            higher = np.concatenate(
                [plans_after(model, a, vectors, discount, pruner) for a in range(len(model.first_part))]
            )
            higher = higher[pruner.prune(higher)]
        except TooManyPlans:
            return None
        lost = 2.0 * model.seen.shape[1] * pruner.lost
        rises = [rise(vector, vectors) for vector in higher]
        excess = (max(0.0, *(height for height, _ in rises)) + lost) / (1.0 - discount) + slack
        if excess <= allowed:
            return PointBasedBound(vectors, actions, excess)
        where = [belief for height, belief in rises if height > target / 4.0]
        if not where:
            return None  # what is missing was lost by pruning: more sweeps would not find it
        beliefs = np.concatenate([beliefs, where])
    return None


def _swept(
    model: DenseHidden,
    discount: float,
    vectors: FloatArray,
    actions: IntArray,
    beliefs: FloatArray,
    *,
    enough: float,
) -> tuple[FloatArray, IntArray]:
    """Vectors raised at the beliefs [n, S] until a sweep raises none of them by more than `enough`."""
    joint = model.joint(beliefs)  # [n, A, O, S]
    for _ in range(SWEEPS):
        best = (joint @ vectors.T).argmax(axis=3)  # [n, A, O]
        raised = np.stack([model.reward + discount * model.backed_up(vectors, row) for row in best])
        worth = (raised @ beliefs[:, :, None])[:, :, 0]  # [n, A]
        action = worth.argmax(axis=1)
        each = np.arange(len(beliefs))
        new, old = worth[each, action], (beliefs @ vectors.T).max(axis=1)
        better = each[new > old]
        vectors = np.concatenate([vectors, raised[better, action[better]]])
        actions = np.concatenate([actions, action[better]])
        used = np.unique((beliefs @ vectors.T).argmax(axis=1))
        vectors, actions = vectors[used], actions[used]
        if float((new - old).max()) <= enough:
            break
    return vectors, actions
