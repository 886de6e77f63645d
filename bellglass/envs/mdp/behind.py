"""The table behind an environment."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

from .table import TabularMDP


def table_of(env: gym.Env[Any, Any]) -> TabularMDP:
    """The table behind `env`, through whatever wrappers lie on it.

    Raises:
        TypeError: the environment lays no table open.
    """
    mdp = env.get_wrapper_attr("mdp") if env.has_wrapper_attr("mdp") else None
    if not isinstance(mdp, TabularMDP):
        raise TypeError(f"{env} lays no table open")
    return mdp
