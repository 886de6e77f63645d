"""Where an environment stands, as JSON: whatever `clone_state` gives, and the clocks of Gymnasium's time limits.

A file never says which class to make.  The state is written as plain numbers, and filled back into a fresh
`clone_state()` of the environment that is to go on from there, which must be of the same kind.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, RecordEpisodeStatistics, TimeLimit

from .spaces import AnyEnv

#: Wrappers that remember nothing on which the steps to come depend; so do all of this package, and those that do no
#: more than change what is seen, paid or done.
WITHOUT_MEMORY = (
    PassiveEnvChecker,
    OrderEnforcing,
    TimeLimit,  # its clock is kept here
    RecordEpisodeStatistics,
    gym.ObservationWrapper,
    gym.RewardWrapper,
    gym.ActionWrapper,
)


def environment_state(env: AnyEnv | None) -> dict[str, Any] | None:
    """Everything that the environment's future depends on, or None where it does not tell."""
    layers = _layers(env)
    if layers is None or not layers:
        return None
    clone = _method(layers, "clone_state")
    if clone is None:
        return None
    try:
        return {"state": _to_json(clone()), "clocks": [layer._elapsed_steps for layer in _clocks(layers)]}
    except TypeError:  # somebody's clone_state, with something that is no plain number
        return None


def put_environment(env: AnyEnv, saved: dict[str, Any]) -> bool:
    """Sets the environment to where `environment_state` was asked; False where it is not of the same kind."""
    layers = _layers(env)
    if not layers or _method(layers, "clone_state") is None or len(_clocks(layers)) != len(saved["clocks"]):
        return False
    clone, restore = _method(layers, "clone_state"), _method(layers, "restore_state")
    env.reset(seed=0)  # wrappers refuse to step before the first reset
    try:
        restore(_filled(clone(), saved["state"]))
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    for layer, elapsed in zip(_clocks(layers), saved["clocks"], strict=True):
        layer._elapsed_steps = elapsed
    return True


def _layers(env: AnyEnv | None) -> list[Any] | None:
    """The wrappers from the outermost inwards, and the environment; None if one of them may remember something."""
    layers: list[Any] = []
    layer: Any = env
    while isinstance(layer, gym.Wrapper | VectorWrapper):
        ours = type(layer).__module__.split(".")[0] == "bellglass"
        if (
            not ours
            and not isinstance(layer, WITHOUT_MEMORY)
            and type(layer) not in (gym.Wrapper, VectorWrapper)
        ):
            return None
        layers.append(layer)
        layer = layer.env
    return [*layers, layer] if isinstance(layer, gym.Env | VectorEnv) else layers


def _method(layers: list[Any], name: str) -> Any:
    """The outermost of that name: a wrapper with a clock of its own keeps what lies below it, too."""
    return next((getattr(layer, name) for layer in layers if name in dir(type(layer))), None)


def _clocks(layers: list[Any]) -> list[Any]:
    return [layer for layer in layers if isinstance(layer, TimeLimit)]


def _to_json(state: Any) -> Any:
    if is_dataclass(state):
        return {field.name: _to_json(getattr(state, field.name)) for field in fields(state)}
    if isinstance(state, np.ndarray):
        return state.tolist()
    if isinstance(state, np.generic):
        return state.item()
    if isinstance(state, dict):
        return {str(key): _to_json(value) for key, value in state.items()}
    if isinstance(state, tuple | list):
        return [_to_json(value) for value in state]
    if state is None or isinstance(state, bool | int | float | str):
        return state
    raise TypeError(f"{type(state).__name__} is no plain number")


def _filled(model: Any, saved: Any) -> Any:
    """`saved` in the form of `model`."""
    if is_dataclass(model) and not isinstance(model, type):
        return type(model)(**{f.name: _filled(getattr(model, f.name), saved[f.name]) for f in fields(model)})
    if isinstance(model, np.ndarray):
        return np.array(saved, dtype=model.dtype)
    return tuple(saved) if isinstance(model, tuple) else saved
