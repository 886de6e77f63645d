"""Policies as arrays that can be played: of actions, of chances, of what an agent answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from ...envs.mdp import FloatArray, IntArray, TabularMDP

#: How far a policy's chances may miss the sum of 1.
SUM_TOLERANCE = 1e-6


def checked_policy(
    mdp: TabularMDP, policy: npt.ArrayLike, horizon: int | None = None
) -> IntArray | FloatArray:
    """A copy of the policy that can be played: actions [S] or [H, S], or chances [S, A] or [H, S, A] that sum to 1.

    Integers are actions, floats are chances, which mean chances / (their sum).  Rows of terminal states do not count:
    they come back as 0.

    Raises:
        ValueError: a wrong shape, an action out of range or not available in a live state, chances that are
            negative, not a number, or do not sum to 1.
        TypeError: neither integers nor floats.
    """
    given = np.asarray(policy)
    num_states, num_actions = mdp.num_states, mdp.num_actions
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
    return _checked_actions(mdp, given) if given.dtype.kind in "iu" else _checked_chances(mdp, given)


def _checked_actions(mdp: TabularMDP, given: npt.NDArray[Any]) -> IntArray:
    live = ~mdp.terminal
    wrong = live & ((given < 0) | (given >= mdp.num_actions))
    if wrong.any():
        where = tuple(np.argwhere(wrong)[0].tolist())
        raise ValueError(
            f"{_named(where)}: the policy plays action {given[where]}, not in [0, {mdp.num_actions})"
        )
    actions = np.where(live, given, 0).astype(np.int64)
    rows = np.arange(mdp.num_states) * mdp.num_actions + actions
    forbidden = live & (mdp.first_outcome[rows + 1] == mdp.first_outcome[rows])
    if forbidden.any():
        where = tuple(np.argwhere(forbidden)[0].tolist())
        raise ValueError(
            f"{_named(where)}: action {actions[where]} is not available, but the policy plays it"
        )
    return actions


def _checked_chances(mdp: TabularMDP, given: npt.NDArray[Any]) -> FloatArray:
    live = ~mdp.terminal
    chances = np.where(live[:, None], given, 0.0).astype(np.float64)
    bad = ~((chances >= 0) & (chances <= 1.0 + SUM_TOLERANCE))
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise ValueError(
            f"{_named(where[:-1])}, action {where[-1]}: {chances[where]} is not a probability in [0, 1]"
        )
    sums = chances.sum(axis=-1)
    off = live & (np.abs(sums - 1.0) > SUM_TOLERANCE)
    if off.any():
        where = tuple(np.argwhere(off)[0].tolist())
        raise ValueError(f"{_named(where)}: the policy's chances sum to {sums[where]:.12g}, not 1")
    forbidden = ~mdp.action_mask & (chances > 0)
    if forbidden.any():
        where = tuple(np.argwhere(forbidden)[0].tolist())
        raise ValueError(
            f"{_named(where[:-1])}: action {where[-1]} is not available, but the policy plays it"
            f" with chance {chances[where]:.12g}"
        )
    return np.asarray(chances / np.where(live, sums, 1.0)[..., None])


def _named(where: tuple[int, ...]) -> str:
    """`state s`, or `step h, state s` in a policy that depends on the time."""
    return f"state {where[0]}" if len(where) == 1 else f"step {where[0]}, state {where[1]}"


def played_chances(mdp: TabularMDP, chances: FloatArray) -> FloatArray:
    """[S, A] as the environment plays `chances` [S, A]: an unavailable action is played as the lowest one."""
    available = np.where(mdp.action_mask, chances, 0.0)
    stray = np.where(mdp.action_mask, 0.0, chances).sum(axis=1)
    available[np.arange(mdp.num_states), mdp.lowest_action] += stray
    available[mdp.terminal] = 0.0
    return available


def uniform_chances(mdp: TabularMDP) -> FloatArray:
    """[S, A] of the policy that plays every available action alike; 0 in terminal states."""
    count = mdp.action_mask.sum(axis=1, keepdims=True)
    return np.asarray(mdp.action_mask / np.maximum(count, 1))


def observations_of(mdp: TabularMDP, model: Any) -> npt.NDArray[Any]:
    """[S, ...] what an agent is shown in each state: an environment's `observe(s)`, else the state."""
    if not isinstance(model, TabularMDP) and model.has_wrapper_attr("observe"):
        observe = model.get_wrapper_attr("observe")
        return np.stack([np.asarray(observe(np.int64(s))) for s in range(mdp.num_states)])
    return np.arange(mdp.num_states)


class ObservedAgent:
    """An agent that is shown an environment's observations as the wrappers on it show them.

    Args:
        agent: with `predict` or `action_probabilities`, of which this one has the same.
        show: from observations [n] to what the agent sees of them [n, ...].
    """

    def __init__(self, agent: Any, show: Callable[[npt.ArrayLike], npt.NDArray[Any]]) -> None:
        if hasattr(agent, "predict"):
            self.predict = lambda seen, *memory, **how: agent.predict(show(seen), *memory, **how)
        if hasattr(agent, "action_probabilities"):
            self.action_probabilities = lambda seen, **how: agent.action_probabilities(show(seen), **how)


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
