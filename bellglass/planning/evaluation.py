"""`evaluate`: the exact score of a policy or an agent.

A linear solve on the policy's own chain, or backward induction; no episode is ever played.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from ..envs.mdp import FloatArray, IntArray, TabularMDP
from . import pomdp as hidden
from .policies.policies import (
    ObservedAgent,
    chances_of_agent,
    checked_policy,
    observations_of,
    played_chances,
)
from .policies.policy_bounds import bounds_of, start_bounds
from .policies.references import reference_values
from .policies.score import Score
from .questions import Model, checked_discount, hidden_table, observed_table
from .solutions.record import Criterion
from .start import start_value


def evaluate(
    model: Model,
    policy_or_agent: Any,
    discount: float | None = None,
    *,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    exploring: bool = False,
) -> Score:
    """The exact score of a policy or an agent, between the optimum and the uniform random policy.

    Args:
        model: a table or an environment; an environment shows the agent `observe(s)` of every state, a
            table shows the states' indices; where states are hidden, observations are shown.
        policy_or_agent: integers are actions, [S] or [H, S]; floats are chances, [S, A] or [H, S, A]
            (observations instead of states where those are hidden).  An agent is asked once, in one batch,
            for `action_probabilities`, or for `predict(deterministic=True)` where it has nothing else; its
            chances of unavailable actions fall on the lowest available one, as in the environment.
        discount: as in `solve`.
        criterion: as in `solve`.
        horizon: as in `solve`.
        exploring: score the policy that the agent plays while it learns, not the one it believes best.

    Raises:
        ValueError: a setting out of range, a policy of the wrong shape, or one that names an unavailable
            action in a live state.
        UnboundedError: the policy's total reward is not defined from a reachable state.
    """
    weight = checked_discount(discount, criterion, horizon)
    pomdp = None if isinstance(model, TabularMDP) else hidden_table(model)
    if pomdp is not None:
        agent = policy_or_agent
        if not _is_array(agent) and isinstance(model, gym.Env) and model.has_wrapper_attr("show"):
            agent = ObservedAgent(agent, model.get_wrapper_attr("show"))
        return hidden.evaluate_hidden(
            pomdp, agent, weight, criterion=criterion, horizon=horizon, exploring=exploring
        )
    mdp = observed_table(model)
    policy: IntArray | FloatArray
    if _is_array(policy_or_agent):
        policy = checked_policy(mdp, policy_or_agent, horizon)
    else:
        shown = observations_of(mdp, model)
        chances = chances_of_agent(policy_or_agent, shown, mdp.num_actions, exploring=exploring)
        policy = played_chances(mdp, chances)
    found = bounds_of(mdp, policy, weight, criterion=criterion, horizon=horizon)
    start = start_value(mdp, found.values[0] if found.values.ndim == 2 else found.values)
    low, high = start_bounds(mdp, found)
    optimum, random, gap = reference_values(mdp, weight, criterion=criterion, horizon=horizon)
    return Score(
        values=found.values,
        start_value=start,
        optimum=optimum,
        random=random,
        gap=gap,
        lower=low,
        upper=high,
    )


def _is_array(policy: Any) -> bool:
    return isinstance(policy, (np.ndarray, list, tuple))
