"""Ids of one's own: a table, registered in one line, steps alone or by the thousand and survives JSON.

    bellglass.envs.register("mine/Corridor-v0", corridor)       # a function that returns a table, or an environment
    bellglass.envs.register("mine/Shop-v0", "shop.npz")         # a saved table
    env = gymnasium.make("mine/Corridor-v0", length=8)          # keywords go to the function
    envs = gymnasium.make_vec("mine/Corridor-v0", num_envs=1024, length=8)

The specification remembers the function's name and not the function, so that it can be written as JSON and read
where the function's module can be imported.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from functools import partial
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import gymnasium as gym

from .mdp import TabularMDP
from .pomdp import TabularPOMDP, TabularPOMDPEnv
from .tabular import InvalidActions, TableEnv, TabularEnv
from .vector import TabularVectorEnv, vector_maker
from .vector.arguments import check_limit

#: What makes a table, or an environment that walks through one.
Maker = Callable[..., TabularMDP | TabularPOMDP | TableEnv[Any]]


def register(
    env_id: str,
    table: Maker | str | PathLike[str],
    *,
    max_episode_steps: int | None = None,
    keywords: Mapping[str, object] | None = None,
) -> None:
    """Registers a table under an id of your own, with its vector entry point; an earlier one of that id gives way.

    Args:
        env_id: such as "mine/Corridor-v0".
        table: a function that returns a TabularMDP or TabularPOMDP, a subclass of TabularEnv or TabularPOMDPEnv, or
            the name of an npz file that `TabularMDP.save` wrote.  Functions and classes must have a name in their
            module: their specification is written as JSON.
        max_episode_steps: steps after which an episode is truncated; None: never.
        keywords: arguments for the function, which `gymnasium.make` may override; none of them may be called "maker",
            or "path" where the table is a file: these words are ours.

    Raises:
        TypeError: `table` is none of these, or it has no name in its module (a lambda, a function in a function); the
            time limit is no whole number.
        FileNotFoundError: there is no such file.
        ValueError: the namespace is ours, the id is malformed, or the keywords cannot be written as JSON, or say what
            is ours to say.
    """
    if env_id.startswith("bellglass/"):
        raise ValueError(f"the namespace bellglass is taken; choose another one than {env_id!r}")
    check_limit(max_episode_steps)
    try:
        given = dict(keywords or {})
        json.dumps(given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"keywords must be what JSON can hold, by name, got {keywords!r}") from error
    if isinstance(table, str | PathLike):
        path = Path(fspath(table)).absolute()
        TabularMDP.load(path)  # a file that is no table is refused now, not at the first make
        entry, vector = "synthetic.from_table:FromTable", "vector.entry_points:FromTable"
        ours = {"path": str(path)}
    else:
        entry, vector, ours = "own:made", "own:made_vector", {"maker": name_of(table)}
    for name in ours:
        if name in given:
            raise ValueError(f"keywords must not say {name!r}, which says where the table comes from")
    earlier = gym.registry.pop(env_id, None)
    try:
        gym.register(
            env_id,
            entry_point=f"{__package__}.{entry}",
            vector_entry_point=f"{__package__}.{vector}",
            max_episode_steps=max_episode_steps,
            kwargs=ours | given,
        )
    except gym.error.Error as error:
        if earlier is not None:
            gym.registry[env_id] = earlier
        raise ValueError(f"env_id: {error}") from error


def name_of(maker: object) -> str:
    """The "module:name" by which `maker` can be found again.

    Raises:
        TypeError: it cannot be called, or not be found by its name.
    """
    if isinstance(maker, TabularMDP | TabularPOMDP):
        raise TypeError(
            f"{maker!r} lives in this process only: give the function that makes it, or save it and name the file"
        )
    if not callable(maker):
        raise TypeError(f"table must be a function, a class or the name of an npz file, got {maker!r}")
    module, name = getattr(maker, "__module__", ""), getattr(maker, "__qualname__", "")
    if not module or not name.isidentifier():
        raise TypeError(
            f"table must be defined at the top of a module to be found by its name, got {maker!r}"
        )
    return f"{module}:{name}"


def found(name: str) -> Maker:
    """The function or class of that name.

    Raises:
        ValueError: there is none.
    """
    module, _, attribute = name.partition(":")
    try:
        maker: Maker = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"maker must be 'module:name' of what can be imported, got {name!r}: {error}"
        ) from error
    return maker


def made(
    maker: str,
    *,
    render_mode: str | None = None,
    invalid_actions: InvalidActions = "lowest",
    **keywords: Any,
) -> TableEnv[Any]:
    """The entry point of every id that `register` makes of a function or a class.

    Args:
        maker: "module:name" of the function or the class.
        render_mode: "ansi", "rgb_array", "human" or None.
        invalid_actions: "lowest" or "raise".
        keywords: its arguments.

    Raises:
        TypeError: it returns no table, or does not take the keywords.
    """
    make = found(maker)
    if isinstance(make, type):
        keywords |= {"render_mode": render_mode, "invalid_actions": invalid_actions}
    table = make(**keywords)
    if isinstance(table, TableEnv):
        return table
    if isinstance(table, TabularPOMDP):
        return TabularPOMDPEnv(table, render_mode=render_mode, invalid_actions=invalid_actions)
    if isinstance(table, TabularMDP):
        return TabularEnv(table, render_mode=render_mode, invalid_actions=invalid_actions)
    raise TypeError(f"{maker} must return a TabularMDP or a TabularPOMDP, got {table!r}")


def made_vector(maker: str, num_envs: int = 1, **keywords: Any) -> TabularVectorEnv:
    """The vector entry point of the same ids; keywords as in `TabularVectorEnv`, and those of the maker."""
    return vector_maker(partial(made, maker))(num_envs, **keywords)
