"""Which states an episode can come to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .arrays import BoolArray, FloatArray, IntArray


def walked_through(
    initial: FloatArray,
    state_of_outcome: IntArray,
    probability: FloatArray,
    next_state: npt.NDArray[np.int32] | IntArray,
    terminated: BoolArray,
) -> BoolArray:
    """[S] states that an episode can go on in: the starts, and what outcomes that do not terminate enter from there.

    One walk over the graph, breadth first, from a node in front of all starts.

    Args:
        initial: [S] chance of starting in each state.
        state_of_outcome: [N] the state that each outcome belongs to.
        probability: [N].
        next_state: [N].
        terminated: [N].
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    S = len(initial)
    going_on = np.flatnonzero((probability > 0) & ~terminated)
    starts = np.flatnonzero(initial)
    tails = np.concatenate([state_of_outcome[going_on], np.full(len(starts), S)])
    heads = np.concatenate([next_state[going_on], starts])
    graph = coo_array((np.ones(len(tails)), (tails, heads)), shape=(S + 1, S + 1)).tocsr()
    found = np.zeros(S + 1, dtype=np.bool_)
    found[breadth_first_order(graph, S, return_predecessors=False)] = True
    return found[:-1]
