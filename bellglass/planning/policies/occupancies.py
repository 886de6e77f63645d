"""How often a policy does what: the occupancy of every state and action, by linear solves, not by counting.

    discounted      x(s, a)  =  sum_t discount^t P(s_t = s, a_t = a | s_0 ~ initial)
    total           the same with discount 1: expected visits; inf in closed classes that are reached
    finite horizon  x_h(s, a)  =  discount^h P(s_h = s, a_h = a | s_0 ~ initial)
    average         the long-run share of steps in which the policy plays a in s

What flows out of a state is what flows in (Puterman 1994, section 6.9.1):

    sum_a x(s, a)  =  initial(s) + discount * sum_{s', a'} P(s | s', a') x(s', a')

and  sum x * expected_reward  is the start value of the criterion.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray, TabularMDP
from ..algebra.chains import closed_classes, reached_from
from ..algebra.linear import solved
from ..questions import checked_discount
from ..solutions.record import Criterion
from .policies import checked_policy
from .policy_chain import Chain, policy_chains
from .recurrent_classes import visited


def occupancy(
    mdp: TabularMDP,
    policy: npt.ArrayLike,
    discount: float | None = None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
) -> FloatArray:
    """[S, A], with a finite horizon [H, S, A]: how often the policy plays each action in each state, from the start.

    Args:
        mdp: the table.
        policy: integers are actions, [S] or [H, S]; floats are chances, [S, A] or [H, S, A].
        discount: as in `solve`.
        criterion: as in `solve`; "total" counts visits and is inf where play goes round for ever.
        horizon: as in `solve`.

    Raises:
        ValueError: a setting out of range, a policy of the wrong shape, or one that names an unavailable
            action in a live state; "average" of a table that ends.
    """
    weight = checked_discount(discount, criterion, horizon)
    played, checked = policy_chains(mdp), checked_policy(mdp, policy, horizon)
    initial = np.asarray(mdp.initial / mdp.initial.sum(), dtype=np.float64)
    if criterion == "finite_horizon":
        assert horizon is not None
        return _within(mdp, checked, weight, horizon, initial)
    chain = played.chain(checked)
    if criterion == "discounted":
        visits = _visits(chain, weight, initial)
    elif criterion == "total":
        visits = _until_the_end(chain, initial)
    else:
        played.refuse_ends()
        met = reached_from(chain.sparse, initial > 0)
        visits = np.where(met, visited(chain.sparse, closed_classes(chain.sparse, chain.leaks), initial), 0.0)
    return spread_over_actions(mdp, checked, visits)


def spread_over_actions(mdp: TabularMDP, policy: IntArray | FloatArray, visits: FloatArray) -> FloatArray:
    """[S, A] of `visits` [S], by what the policy plays, actions [S] or chances [S, A]; 0 in terminal states."""
    shares = np.zeros((mdp.num_states, mdp.num_actions))
    if policy.ndim == 1:
        live = np.flatnonzero(~mdp.terminal)
        shares[live, policy[live]] = visits[live]
    else:
        s, a = np.nonzero(policy)
        shares[s, a] = visits[s] * policy[s, a]
    return shares


def _visits(chain: Chain, discount: float, initial: FloatArray) -> FloatArray:
    """[S] discounted visits: exactly 0 where the start does not lead."""
    met = np.flatnonzero(reached_from(chain.sparse, initial > 0))
    visits = np.zeros(len(initial))
    inner = chain.matrix if met.size == len(initial) else scipy.sparse.csr_array(chain.sparse[met][:, met])
    visits[met] = solved(inner, discount, initial[met], tolerance=0.0, transposed=True).x
    return np.maximum(visits, 0.0)


def _until_the_end(chain: Chain, initial: FloatArray) -> FloatArray:
    classes = closed_classes(chain.sparse, chain.leaks)
    met = reached_from(chain.sparse, initial > 0)
    visits = np.where(met & (classes.of >= 0), np.inf, 0.0)
    passing = np.flatnonzero(met & (classes.of < 0))
    inner = scipy.sparse.csr_array(chain.sparse[passing][:, passing])
    found = solved(inner, 1.0, initial[passing], tolerance=0.0, transposed=True).x
    visits[passing] = np.maximum(found, 0.0)
    return visits


def _within(
    mdp: TabularMDP, policy: IntArray | FloatArray, discount: float, horizon: int, initial: FloatArray
) -> FloatArray:
    chain_of = policy_chains(mdp).chain_of_step(policy)
    timed = policy.ndim == (2 if policy.dtype.kind in "iu" else 3)
    shares = np.zeros((horizon, mdp.num_states, mdp.num_actions))
    here = initial
    for h in range(horizon):
        shares[h] = spread_over_actions(mdp, policy[h] if timed else policy, here)
        here = discount * (chain_of(h).matrix.T @ here)
    return shares
