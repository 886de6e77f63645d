"""A table with end components collapsed: each becomes one state in which stopping is one more choice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from ...envs.mdp import BoolArray, FloatArray, IntArray
from ..algebra.pairs import UNIT, Pairs


@dataclass(frozen=True, eq=False)
class Quotient:
    """The collapsed table.

    Attributes:
        pairs: of the quotient; the actions of a state are only numbered.
        class_of: [S] quotient state of each state.
        origin: [quotient M] the original pair, or -1 for stopping.
    """

    pairs: Pairs
    class_of: IntArray
    origin: IntArray


def collapse(
    pairs: Pairs,
    component: IntArray,
    kept: BoolArray,
    reward: FloatArray,
    stopping: FloatArray,
    *,
    sizes: FloatArray | None = None,
) -> Quotient:
    """Merges the states of each component, keeps the `kept` pairs, and lets every component stop.

    Args:
        pairs: the table.
        component: [S] number of the component, -1 for states that stay single.
        kept: [M] pairs that the quotient keeps (those inside a component are dropped by the caller).
        reward: [M] their rewards.
        stopping: [number of components] what stopping there pays.
        sizes: [M] means of their absolute rewards; the table's own by default.
    """
    num_components = len(stopping)
    single = component < 0
    class_of = np.where(single, num_components + np.cumsum(single) - 1, component)
    num_classes = num_components + int(single.sum())

    origin = np.concatenate([np.full(num_components, -1), np.flatnonzero(kept)])
    state = np.concatenate([np.arange(num_components), class_of[pairs.state[kept]]])
    merge = scipy.sparse.csr_array(
        (np.ones(pairs.num_states), (np.arange(pairs.num_states), class_of)),
        shape=(pairs.num_states, num_classes),
    )
    matrix = scipy.sparse.vstack(
        [scipy.sparse.csr_array((num_components, num_classes)), pairs.matrix[kept] @ merge], format="csr"
    )
    order = np.argsort(state, kind="stable")
    state, origin = state[order], origin[order]
    first = np.flatnonzero(np.diff(state, prepend=-1))
    action = np.arange(len(state)) - first[np.cumsum(np.diff(state, prepend=-1) > 0) - 1]
    stop = origin < 0
    rewards = np.concatenate([stopping, reward[kept]])[order]
    size = np.concatenate([np.abs(stopping), (pairs.size if sizes is None else sizes)[kept]])[order]
    return Quotient(
        pairs=Pairs(
            num_states=num_classes,
            num_actions=int(action.max(initial=0)) + 1,
            state=state,
            action=action,
            reward=rewards,
            size=size,
            matrix=scipy.sparse.csr_array(matrix[order]),
            going_on=np.concatenate([np.zeros(num_components), pairs.going_on[kept]])[order],
            # Merging sums at most as many entries again.
            rounding=np.concatenate([np.full(num_components, 8.0 * UNIT), 2.0 * pairs.rounding[kept]])[order],
            initial=np.asarray(pairs.initial @ merge),
        ),
        class_of=class_of,
        origin=np.where(stop, -1, origin),
    )
