"""What a suite may name: environments with their keywords, agents with their settings."""

from __future__ import annotations

import importlib
import inspect
import json
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import gymnasium as gym
from pydantic import PydanticUserError, TypeAdapter, ValidationError

from ... import agents
from ...envs.registration import NAMESPACE
from ..records import AgentSpec, EnvironmentSpec
from ..suite_errors import closest, error_message, error_text, unknown

#: Set by the runner for every run, so no setting of a suite.
OWN_ARGUMENTS = ("self", "env", "seed")

#: The discount where an environment's card says none.
USUAL_DISCOUNT = 0.99

#: What pictures need; a run draws none.
OWN_KEYWORDS = ("self", "render_mode")


def environment_ids() -> list[str]:
    """Every registered id of ours."""
    return sorted(name for name in gym.registry if name.startswith(f"{NAMESPACE}/"))


def full_id(name: str) -> str:
    """The registered id that `name` is short for, without our namespace and version; `name` if it is for none.

    >>> full_id("FrozenLake"), full_id("FrozenLake-v0"), full_id("CartPole-v1")
    ('bellglass/FrozenLake-v0', 'bellglass/FrozenLake-v0', 'CartPole-v1')
    """
    ours = f"{NAMESPACE}/{bare(name)}-v0"
    return ours if name not in gym.registry and ours in gym.registry else name


def bare(env_id: str) -> str:
    """The id without our namespace and version."""
    return env_id.removeprefix(f"{NAMESPACE}/").removesuffix("-v0")


def unknown_id(kind: str, name: str) -> str:
    """Says that no environment is registered under `name`, and which one may have been meant."""
    ids = {bare(env_id): env_id for env_id in environment_ids()}
    close = closest(bare(name), ids)
    hint = "" if close is None else f"did you mean {ids[close]!r}? "
    return f"unknown {kind}; {hint}`bellglass envs` lists them"


def agent_names() -> list[str]:
    """Every agent that `bellglass.agents` lends, without importing any."""
    return sorted(agents.AGENTS)


def agent_class(name: str) -> Callable[..., Any]:
    """The class of that name from `bellglass.agents`, or ``package.module:Class`` of the user's own.

    Raises:
        LookupError: nothing bears the name.
        ImportError: its module cannot be imported, or it needs an extra that is not installed.
    """
    module, _, attribute = name.rpartition(":")
    try:
        found = getattr(imported(module) if module else agents, attribute)
    except AttributeError:
        raise LookupError(name) from None
    if not callable(found) or not hasattr(found, "learn") or not (module or name in agents.AGENTS):
        raise LookupError(name)
    return found  # type: ignore[no-any-return]  # looked up by name


def imported(module: str) -> ModuleType:
    """A module of the user's own.

    Raises:
        ImportError: there is none, or its code raises or exits.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        raise
    except (Exception, SystemExit) as error:  # whatever the user's code raises
        raise ImportError(f"module {module!r} cannot be imported: {error_text(error)}") from error


def arguments(function: Callable[..., Any], hidden: tuple[str, ...]) -> set[str] | None:
    """Names that may be given by keyword; None where any may (``**kwargs``)."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {parameter.name for parameter in parameters if parameter.kind in named} - set(hidden)


def misfits(function: Callable[..., Any], given: Mapping[str, object]) -> list[tuple[str, str]]:
    """Arguments that are not of the kind that their annotation asks for, and what it asks for.

    Why somebody's constructor raised is often said in Python's words and not in the user's; its annotations say it
    better.  What they do not say, or not so that it can be read here, counts as fitting.
    """
    try:
        parameters = inspect.signature(function, eval_str=True).parameters.values()
    except Exception:  # whatever somebody's annotation raises, such as a name that only type checkers know
        return []
    hints = {one.name: one.annotation for one in parameters if one.annotation is not one.empty}
    found = []
    for name, value in given.items():
        if name in hints:
            try:
                TypeAdapter(hints[name]).validate_json(json.dumps(value), strict=True)
            except ValidationError:
                wanted = inspect.formatannotation(hints[name]).replace("collections.abc.", "")
                found.append((name, f"must be {wanted}, got {value!r}"))
            except PydanticUserError:  # a class of which pydantic knows nothing
                continue
    return found


def environment_keywords(env_id: str) -> set[str] | None:
    """Keyword arguments that the environment takes; None where it takes any."""
    entry_point = gym.spec(env_id).entry_point
    if entry_point is None:
        return None
    creator = (
        gym.envs.registration.load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    )
    return arguments(creator, OWN_KEYWORDS)


def card_discount(env: gym.Env[Any, Any]) -> float:
    """The discount of the environment's card."""
    return float(env.get_wrapper_attr("discount")) if env.has_wrapper_attr("discount") else USUAL_DISCOUNT


def make_environment(spec: EnvironmentSpec) -> gym.Env[Any, Any]:
    """One environment, as `gymnasium.make` wraps it.

    Raises:
        ValueError: the id is unknown, or a keyword is unknown or out of its range; one line tells what is allowed.
        ImportError: the module before the id's colon cannot be imported.
    """
    module, _, registered = spec.id.rpartition(":")
    if module:
        imported(module)
    if registered not in gym.registry:
        raise ValueError(f"{spec.id}: {unknown_id('environment', spec.id)}")
    keywords: dict[str, Any] = dict(spec.keywords)
    allowed = environment_keywords(registered)
    for name in keywords:
        if allowed is not None and name not in allowed:
            raise ValueError(f"{spec.id}: {name}: {unknown('keyword', name, allowed)}")
    try:
        return gym.make(spec.id, max_episode_steps=spec.max_episode_steps, **keywords)
    except (ValueError, ImportError, MemoryError, gym.error.Error):
        raise
    except Exception as error:  # whatever an environment raises
        values = ", ".join(f"{name}={value!r}" for name, value in keywords.items())
        said = error_message(error) if isinstance(error, TypeError) else error_text(error)
        raise ValueError(f"{spec.id} cannot be made with {values or 'its defaults'}: {said}") from error


def make_environments(spec: EnvironmentSpec, num_envs: int) -> gym.vector.VectorEnv[Any, Any, Any]:
    """Copies that step together, by the id's own vector entry point."""
    keywords: dict[str, Any] = dict(spec.keywords)
    if spec.max_episode_steps is not None:
        keywords["max_episode_steps"] = spec.max_episode_steps
    return gym.make_vec(spec.id, num_envs=num_envs, **keywords)


def make_agent(
    spec: AgentSpec,
    env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any],
    *,
    discount: float,
    seed: int,
) -> Any:
    """The agent of `spec`; `discount` holds unless its settings name one, or its class takes none."""
    cls = agent_class(spec.class_name)
    settings = dict(spec.settings)
    takes = arguments(cls, ())
    if takes is None or "discount" in takes:
        settings.setdefault("discount", discount)
    return cls(env, seed=seed, **settings)
