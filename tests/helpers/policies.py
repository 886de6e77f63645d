"""Policies drawn at random, and how they are put together."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from bellglass.envs.mdp import TabularMDP
from helpers.rational import Row, exact_rows

Policy = npt.NDArray[np.int64] | npt.NDArray[np.float64]


def random_actions(mdp: TabularMDP, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    return np.array([rng.choice(np.flatnonzero(m)) if m.any() else 0 for m in mdp.action_mask])


def random_chances(mdp: TabularMDP, rng: np.random.Generator) -> npt.NDArray[np.float64]:
    """Some actions never, rows that miss 1 by rounding or by nearly what is allowed."""
    chances = np.where(mdp.action_mask, rng.random(mdp.action_mask.shape) + 1e-3, 0.0)
    chances *= rng.random(chances.shape) < 0.7
    empty = chances.sum(axis=1) == 0
    chances[empty] = np.eye(mdp.num_actions)[mdp.lowest_action[empty]]
    chances /= chances.sum(axis=1, keepdims=True)
    return np.asarray(chances * (1.0 + 9e-7 * rng.choice([-1, 0, 1])))


def stacked(rules: list[Policy]) -> Policy:
    """A policy that depends on the time."""
    whole = np.array(rules)
    if whole.dtype.kind == "i":
        return np.asarray(whole, dtype=np.int64)
    return np.asarray(whole, dtype=np.float64)


def mixed(mdp: TabularMDP, policy: Policy) -> dict[tuple[int, int], Row]:
    """The rows of a table whose only action 0 is the policy, actions [S] or chances [S, A], in fractions."""
    rows = exact_rows(mdp)
    found: dict[tuple[int, int], Row] = {}
    for s in np.flatnonzero(~mdp.terminal).tolist():
        if policy.ndim == 1:
            found[s, 0] = rows[s, int(policy[s])]
            continue
        weights = [Fraction(float(w)) for w in policy[s]]
        found[s, 0] = [
            (w / sum(weights) * p, t, r, ends)
            for a, w in enumerate(weights)
            if w > 0
            for p, t, r, ends in rows[s, a]
        ]
    return found


def flow_gap(mdp: TabularMDP, x: np.ndarray, weights: np.ndarray, discount: float) -> float:
    """Greatest difference of what flows out of a state and what flows in."""
    entered = np.zeros(mdp.num_states)
    going_on = ~mdp.terminated & ~mdp.terminal[mdp.next_state]
    flow = x.ravel()[mdp.row_of_outcome] * mdp.normalised_probability
    np.add.at(entered, mdp.next_state[going_on], flow[going_on])
    return float(np.abs(x.sum(axis=1) - weights - discount * entered)[~mdp.terminal].max())
