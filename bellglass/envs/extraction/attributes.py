"""Reads what an environment remembers: every attribute, down to numbers and words, by path, as in `grid.cells[3]`.

Two environments whose readings are equal behave alike, unless one of them draws or hides what cannot be read.
Left out is what no step should depend on: generators, spaces, functions, windows, and what the caller names.
Arrays, lists and tuples of equal content read alike, and so do NumPy's numbers and Python's; an object that is met
twice reads as the path where it was first met.
"""

from __future__ import annotations

import enum
import hashlib
import marshal
import random
import types
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

#: A number, a word, nothing, or a tuple of such.
Leaf: TypeAlias = Any

#: Attributes that Gymnasium gives every environment and wrapper, and that are no state.
GYMNASIUM = frozenset(
    [
        *("env", "spec", "metadata", "action_space", "observation_space", "reward_range", "render_mode"),
        *(
            "np_random",
            "_np_random",
            "_np_random_seed",
            "_action_space",
            "_observation_space",
            "_reward_range",
        ),
        *("_metadata", "_cached_spec", "_saved_kwargs"),
    ]
)

#: Wrappers without which an environment's world goes on the same.
TRANSPARENT = (
    gym.ObservationWrapper,
    gym.wrappers.TimeLimit,
    gym.wrappers.OrderEnforcing,
    gym.wrappers.PassiveEnvChecker,
    gym.wrappers.RecordEpisodeStatistics,
    gym.wrappers.RecordVideo,
    gym.wrappers.RenderCollection,
    gym.wrappers.HumanRendering,
)

SCALARS = (type(None), bool, int, float, complex, str, bytes)
STATELESS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    type,
    property,
    gym.Space,
    EnvSpec,
    np.random.Generator,
    np.random.RandomState,
    np.random.BitGenerator,
    random.Random,
)

KINDS: dict[str, tuple[type, ...]] = {
    "number": (np.generic,),
    "array": (np.ndarray,),
    "sequence": (list, tuple, deque),
    "mapping": (Mapping,),
    "set": (set, frozenset),
}

#: Larger arrays are read as bytes.
SMALL_ARRAY = 64


def layers(env: gym.Env[Any, Any]) -> Iterator[gym.Env[Any, Any]]:
    """The environment and the wrappers on it that may change its world, from the inside out."""
    stack = [env]
    while isinstance(stack[-1], gym.Wrapper):
        stack.append(stack[-1].env)
    for layer in reversed(stack):
        if not isinstance(layer, TRANSPARENT):
            yield layer


def prefix(layer: gym.Env[Any, Any]) -> str:
    """How the paths of a layer's attributes begin."""
    return f"{type(layer).__name__}." if isinstance(layer, gym.Wrapper) else ""


class Reader:
    """Reads environments.

    Args:
        ignore: names of attributes at any depth, or whole paths, to leave out.
        clocks: whole paths to leave out too.

    Attributes:
        unread: paths of objects that could not be looked into, and their types.
    """

    def __init__(self, ignore: Iterable[str] = (), clocks: Iterable[str] = ()) -> None:
        self.ignore = frozenset(ignore)
        self.clocks = frozenset(clocks)
        self.unread: dict[str, str] = {}

    def read(self, env: gym.Env[Any, Any]) -> dict[str, Leaf]:
        """{path: content}, in an order that depends on the content only."""
        leaves: dict[str, Leaf] = {}
        met: dict[int, str] = {id(layer): "env" for layer in layers(env)}
        for layer in layers(env):
            for name in sorted(vars(layer)):
                path = prefix(layer) + name
                if name not in GYMNASIUM and path not in self.clocks and not {name, path} & self.ignore:
                    self._read(path, vars(layer)[name], leaves, met)
        return leaves

    def read_value(self, value: object) -> dict[str, Leaf]:
        """The same of anything else, such as an observation."""
        leaves: dict[str, Leaf] = {}
        self._read("", value, leaves, {})
        return leaves

    def _read(self, path: str, value: Any, leaves: dict[str, Leaf], met: dict[int, str]) -> None:
        kind = _kind_of[type(value)]
        if kind == "scalar":
            leaves[path] = value
        elif kind == "object":
            self._read_object(path, value, leaves, met)
        elif kind == "enum":
            leaves[path] = f"{type(value).__name__}.{value.name}"
        elif kind == "number":
            leaves[path] = _plain(value)
        elif kind == "array" and value.dtype != object:
            leaves[path] = _array(value)
        elif kind in ("array", "sequence"):
            self._read_sequence(path, list(value), leaves, met)
        elif kind == "mapping":
            leaves[path] = len(value)
            for key, item in sorted(value.items(), key=lambda pair: repr(pair[0])):
                inner = f"{path}[{key!r}]"
                if not {key, inner} & self.ignore:
                    self._read(inner, item, leaves, met)
        elif kind == "set":
            leaves[path] = tuple(sorted(map(repr, value)))

    def _read_sequence(
        self, path: str, items: list[Any], leaves: dict[str, Leaf], met: dict[int, str]
    ) -> None:
        if all(_kind_of[type(item)] in ("scalar", "number") for item in items):
            leaves[path] = tuple(map(_plain, items))
            return
        leaves[path] = len(items)
        for i, item in enumerate(items):
            self._read(f"{path}[{i}]", item, leaves, met)

    def _read_object(self, path: str, value: object, leaves: dict[str, Leaf], met: dict[int, str]) -> None:
        if id(value) in met:
            leaves[path] = f"is {met[id(value)]}"
            return
        met[id(value)] = path
        attributes = getattr(value, "__dict__", {})
        if slots := _slots_of[type(value)]:
            attributes = attributes | {name: getattr(value, name) for name in slots if hasattr(value, name)}
        if not attributes and not hasattr(value, "__dict__"):
            self.unread[path] = type(value).__name__
            return
        leaves[path] = type(value).__name__
        for name in sorted(attributes):
            inner = f"{path}.{name}"
            if not (self.ignore and {name, inner} & self.ignore):
                self._read(inner, attributes[name], leaves, met)


class _Kinds(dict[type, str]):
    """How objects of a class are read, found out once a class."""

    def __missing__(self, cls: type) -> str:
        self[cls] = self._find(cls)
        return self[cls]

    @staticmethod
    def _find(cls: type) -> str:
        if issubclass(cls, enum.Enum):
            return "enum"
        if cls in SCALARS:
            return "scalar"
        if issubclass(cls, STATELESS) or cls.__module__.startswith("pygame"):
            return "stateless"
        return next((kind for kind, classes in KINDS.items() if issubclass(cls, classes)), "object")


class _Slots(dict[type, tuple[str, ...]]):
    """Names of the attributes that a class keeps in slots, found out once a class."""

    def __missing__(self, cls: type) -> tuple[str, ...]:
        names: list[str] = []
        for base in cls.__mro__:
            slots = base.__dict__.get("__slots__", ())
            names += [slots] if isinstance(slots, str) else list(slots)
        self[cls] = tuple(sorted({*names} - {"__dict__", "__weakref__"}))
        return self[cls]


_kind_of = _Kinds()
_slots_of = _Slots()


def _plain(value: Any) -> Leaf:
    """A NumPy number as one of Python's."""
    if not isinstance(value, np.generic):
        return value
    plain = value.item()
    return plain if type(plain) in SCALARS else str(value)


def _array(value: np.ndarray[Any, Any]) -> Leaf:
    if value.size > SMALL_ARRAY:
        return (value.dtype.str, value.shape, value.tobytes())
    if value.dtype.kind not in "biufcSU":
        return str(value.tolist())
    return _as_tuple(value.tolist())


def _as_tuple(nested: Any) -> Leaf:
    return tuple(map(_as_tuple, nested)) if isinstance(nested, list) else nested


def digest(leaves: Mapping[str, Leaf]) -> bytes:
    """Sixteen bytes that tell readings apart: two of a million differ in them but for a chance of 1e-27."""
    return hashlib.blake2b(marshal.dumps(tuple(leaves.items()), 2), digest_size=16).digest()
