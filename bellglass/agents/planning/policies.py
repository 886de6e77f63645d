"""Policies as weights over the available pairs: arrays of actions, arrays of chances, agents."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from ...envs.mdp import FloatArray, TabularMDP
from .pairs import Pairs


def weights_of_array(pairs: Pairs, mdp: TabularMDP, policy: npt.ArrayLike, horizon: int | None) -> FloatArray:
    """[M], or [H, M] for a policy that depends on the time: chance of each pair in its state.

    Integers are actions, [S] or [H, S]; floats are chances, [S, A] or [H, S, A].  Rows of terminal states
    do not count.

    Raises:
        ValueError: a wrong shape, an action out of range or not available in a live state, chances that are
            negative or do not sum to 1.
        TypeError: neither integers nor floats.
    """
    given = np.asarray(policy)
    num_states, num_actions = pairs.num_states, pairs.num_actions
    if given.dtype.kind in "iu":
        shapes: list[tuple[int, ...]] = [(num_states,)]
    elif given.dtype.kind == "f":
        shapes = [(num_states, num_actions)]
    else:
        raise TypeError(f"a policy holds integers (actions) or floats (chances), got dtype {given.dtype}")
    if horizon is not None:
        shapes.append((horizon, *shapes[0]))
    if given.shape not in shapes:
        wanted = " or ".join(str(list(shape)) for shape in shapes)
        raise ValueError(f"a policy of {given.dtype} must have shape {wanted}, got {list(given.shape)}")
    live = ~mdp.terminal
    if given.dtype.kind in "iu":
        wrong = live & ((given < 0) | (given >= num_actions))
        if wrong.any():
            where = tuple(np.argwhere(wrong)[0].tolist())
            raise ValueError(
                f"state {where[-1]}: the policy plays action {given[where]}, not in [0, {num_actions})"
            )
        chances = np.zeros((*given.shape, num_actions))
        np.put_along_axis(chances, np.where(live, given, 0)[..., None].astype(np.int64), 1.0, axis=-1)
    else:
        chances = given.astype(np.float64)
        bad = live[:, None] & ~((chances >= 0) & (chances <= 1.0 + 1e-6))
        if bad.any():
            where = tuple(np.argwhere(bad)[0].tolist())
            raise ValueError(
                f"state {where[-2]}, action {where[-1]}: {chances[where]} is not a probability in [0, 1]"
            )
        sums = chances.sum(axis=-1)
        off = live & (np.abs(sums - 1.0) > 1e-6)
        if off.any():
            where = tuple(np.argwhere(off)[0].tolist())
            raise ValueError(f"state {where[-1]}: the policy's chances sum to {sums[where]:.12g}, not 1")
        chances = chances / np.where(live, sums, 1.0)[..., None]
    forbidden = live[:, None] & ~mdp.action_mask & (chances > 0)
    if forbidden.any():
        where = tuple(np.argwhere(forbidden)[0].tolist())
        raise ValueError(f"state {where[-2]}: action {where[-1]} is not available, but the policy plays it")
    return np.asarray(chances[..., pairs.state, pairs.action])


def weights_of_chances(pairs: Pairs, mdp: TabularMDP, chances: FloatArray) -> FloatArray:
    """[M] as the environment plays chances [S, A]: an unavailable action is played as the lowest one."""
    available = np.where(mdp.action_mask, chances, 0.0)
    stray = np.where(mdp.action_mask, 0.0, chances).sum(axis=1)
    available[np.arange(mdp.num_states), mdp.lowest_action] += stray
    return np.asarray(available[pairs.state, pairs.action])


def uniform_weights(pairs: Pairs) -> FloatArray:
    """[M] of the policy that plays every available action alike."""
    return np.asarray(1.0 / np.bincount(pairs.state, minlength=pairs.num_states)[pairs.state])


def observations_of(mdp: TabularMDP, model: Any) -> npt.NDArray[Any]:
    """[S, ...] what an agent is shown in each state: an environment's `observe(s)`, else the state."""
    if not isinstance(model, TabularMDP) and model.has_wrapper_attr("observe"):
        observe = model.get_wrapper_attr("observe")
        return np.stack([np.asarray(observe(np.int64(s))) for s in range(mdp.num_states)])
    return np.arange(mdp.num_states)


def chances_of_agent(
    agent: Any, observations: npt.NDArray[Any], num_actions: int, *, exploring: bool
) -> FloatArray:
    """[n, A] chance of each action at each of n observations, asked in one batch.

    Raises:
        TypeError: neither `action_probabilities` nor `predict`.
        ValueError: an answer of the wrong shape or out of range; or `exploring` asked of `predict` alone.
    """
    count = len(observations)
    if hasattr(agent, "action_probabilities"):
        chances = np.asarray(agent.action_probabilities(observations, exploring=exploring), dtype=np.float64)
        if chances.shape != (count, num_actions):
            raise ValueError(
                f"action_probabilities answered shape {list(chances.shape)}, not [{count}, {num_actions}]"
            )
        sums = chances.sum(axis=1)
        if not ((chances >= 0).all() and (np.abs(sums - 1.0) <= 1e-4).all()):
            worst = int(np.abs(sums - 1.0).argmax())
            raise ValueError(
                f"action_probabilities of observation {worst} are no distribution: {chances[worst]}"
            )
        return np.asarray(chances / sums[:, None])
    if not hasattr(agent, "predict"):
        raise TypeError(f"expected a policy array or an agent with predict, got {type(agent).__name__}")
    if exploring:
        raise ValueError(f"{type(agent).__name__} has no action_probabilities: how it explores is not known")
    answer, _ = agent.predict(observations, deterministic=True)
    actions = np.asarray(answer)
    if actions.shape != (count,) or actions.min(initial=0) < 0 or actions.max(initial=0) >= num_actions:
        raise ValueError(f"predict answered {actions!r}, not {count} actions in [0, {num_actions})")
    return np.eye(num_actions)[actions.astype(np.int64)]


def policy_matrix(pairs: Pairs, weights: FloatArray) -> tuple[scipy.sparse.csr_array, FloatArray]:
    """[S, S] chance to go on in each state, and [S] mean reward, of the weights [M]; zeros are not stored."""
    played = np.flatnonzero(weights)
    mixer = scipy.sparse.csr_array(
        (weights[played], (pairs.state[played], played)), shape=(pairs.num_states, pairs.num_pairs)
    )
    return (mixer @ pairs.matrix).tocsr(), mixer @ pairs.reward
