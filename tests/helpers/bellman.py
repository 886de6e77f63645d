"""Bellman's backups, summed over the table's own rows: optima that ask no solver."""

from __future__ import annotations

import numpy as np

from bellglass.envs.mdp import FloatArray, TabularMDP


def backed_up_q(mdp: TabularMDP, values: FloatArray, discount: float) -> FloatArray:
    """[S, A] r + discount * E[values of the next state], -inf where the action is not available."""
    going_on = (mdp.transition_matrix @ values).reshape(mdp.action_mask.shape)
    q_values: FloatArray = np.where(mdp.action_mask, mdp.expected_reward + discount * going_on, -np.inf)
    return q_values


def backed_up(mdp: TabularMDP, values: FloatArray, discount: float) -> FloatArray:
    """[S] one backup of the best action; terminal states are worth 0."""
    best: FloatArray = np.where(mdp.terminal, 0.0, backed_up_q(mdp, values, discount).max(axis=1))
    return best


def after_backups(mdp: TabularMDP, discount: float, backups: int) -> FloatArray:
    """[S] that many backups from 0."""
    values = np.zeros(mdp.num_states)
    for _ in range(backups):
        values = backed_up(mdp, values, discount)
    return values


def optimal_q_values(mdp: TabularMDP, discount: float) -> FloatArray:
    """[S, A] by backups until nothing moves, -inf where the action is not available."""
    values = np.zeros(mdp.num_states)
    while np.abs((new := backed_up(mdp, values, discount)) - values).max() >= 1e-13:
        values = new
    return backed_up_q(mdp, values, discount)
