"""Which states an episode can come to."""

from __future__ import annotations

import numpy as np

from .table import BoolArray, TabularMDP


def walked_through(mdp: TabularMDP) -> BoolArray:
    """[S] states that an episode can go on in: the starts, and what outcomes that do not terminate enter from there.

    One walk over the graph, breadth first, from a node in front of all starts.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order

    S = mdp.num_states
    going_on = np.flatnonzero((mdp.probability > 0) & ~mdp.terminated)
    starts = np.flatnonzero(mdp.initial)
    tails = np.concatenate([mdp.row_of_outcome[going_on] // mdp.num_actions, np.full(len(starts), S)])
    heads = np.concatenate([mdp.next_state[going_on], starts])
    graph = coo_array((np.ones(len(tails)), (tails, heads)), shape=(S + 1, S + 1)).tocsr()
    found = np.zeros(S + 1, dtype=np.bool_)
    found[breadth_first_order(graph, S, return_predecessors=False)] = True
    return found[:-1]


def reachable(mdp: TabularMDP) -> BoolArray:
    """[S] the same, and the states that an end leads to."""
    walked = walked_through(mdp)
    entered = (mdp.probability > 0) & walked[mdp.row_of_outcome // mdp.num_actions]
    found = walked.copy()
    found[mdp.next_state[entered]] = True
    return found
