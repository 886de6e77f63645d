"""Copies of an environment: one to play with, frozen ones to come back to, and the generators that they draw from."""

from __future__ import annotations

import contextlib
import copy
import io
import pickle
import random
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from .attributes import TRANSPARENT, Reader, digest, layers


def bare_copy(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    """A deep copy without windows, and without the wrappers that do not change the world.

    Raises:
        TypeError: the environment cannot be copied.
    """
    stack = list(layers(env))
    source = env.unwrapped if stack == [env.unwrapped] else env
    windows: dict[int, Any] = {
        id(value): None
        for layer in stack
        for value in vars(layer).values()
        if type(value).__module__.startswith("pygame")
    }
    try:
        twin = copy.deepcopy(source, windows)
    except Exception as error:
        raise TypeError(f"{env} cannot be deep-copied, so it cannot be extracted: {error}") from error
    while isinstance(twin, TRANSPARENT):
        twin = twin.env
    layer = twin
    while isinstance(layer, gym.Wrapper):
        while isinstance(layer.env, TRANSPARENT):
            layer.env = layer.env.env
        layer = layer.env
    twin.unwrapped.render_mode = None
    return twin


def stripped(env: gym.Env[Any, Any]) -> list[gym.Wrapper[Any, Any, Any, Any]]:
    """The wrappers that `bare_copy` leaves out, from the outside in."""
    found: list[gym.Wrapper[Any, Any, Any, Any]] = []
    while isinstance(env, gym.Wrapper):
        if isinstance(env, TRANSPARENT):
            found.append(env)
        env = env.env
    return found


class Freezer:
    """Freezes and thaws copies of one environment.

    By pickle, in memory, several times faster than a deep copy; by deep copies where pickle fails or loses
    something.  Spaces and specs are shared by all copies: nothing in them changes but their generators, which are
    watched.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        self._shared: list[object] = [
            value
            for layer in layers(env)
            for value in vars(layer).values()
            if isinstance(value, gym.Space) or type(value).__name__ == "EnvSpec"
        ]
        self._name = {id(value): i for i, value in enumerate(self._shared)}
        self._by_pickle = True
        try:
            reader = Reader()
            self._by_pickle = digest(reader.read(self.thaw(self.freeze(env)))) == digest(reader.read(env))
        except Exception:  # whatever a foreign class may raise when it is pickled
            self._by_pickle = False

    @property
    def method(self) -> str:
        """In words."""
        return "pickles in memory" if self._by_pickle else "deep copies"

    def freeze(self, env: gym.Env[Any, Any]) -> Any:
        """Something that `thaw` can be asked for again and again."""
        if not self._by_pickle:
            return copy.deepcopy(env)
        file = io.BytesIO()
        pickler = _Pickler(file, protocol=5)
        pickler.names = self._name
        pickler.dump(env)
        return file.getvalue()

    def thaw(self, frozen: Any) -> gym.Env[Any, Any]:
        """A copy of its own."""
        if not self._by_pickle:
            return copy.deepcopy(frozen)
        unpickler = _Unpickler(io.BytesIO(frozen))
        unpickler.shared = self._shared
        thawed: gym.Env[Any, Any] = unpickler.load()
        return thawed


class _Pickler(pickle.Pickler):
    names: dict[int, int]

    def persistent_id(self, obj: Any) -> int | None:
        return self.names.get(id(obj))


class _Unpickler(pickle.Unpickler):
    shared: list[object]

    def persistent_load(self, pid: Any) -> Any:
        return self.shared[pid]


def generators(env: gym.Env[Any, Any]) -> list[Any]:
    """Every generator that hangs at a layer or at one of its spaces."""
    found: list[Any] = []
    for layer in layers(env):
        for value in vars(layer).values():
            drawn_from = getattr(value, "_np_random", None) if isinstance(value, gym.Space) else value
            if isinstance(drawn_from, (np.random.Generator, np.random.RandomState, random.Random)):
                found.append(drawn_from)
    return found


def positions(env: gym.Env[Any, Any]) -> list[bytes]:
    """Where each of those, and Python's and NumPy's own, stands now: it is moved by every draw."""
    where = [random.getstate(), np.random.get_state(legacy=False)]  # noqa: NPY002  # others may draw from it
    for generator in generators(env):
        if isinstance(generator, np.random.Generator):
            where.append(generator.bit_generator.state)
        elif isinstance(generator, np.random.RandomState):
            where.append(generator.get_state(legacy=False))
        else:
            where.append(generator.getstate())
    return [pickle.dumps(each) for each in where]


def reseed(env: gym.Env[Any, Any], seed: int) -> None:
    """Sets all of them anew."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # others may draw from it
    for generator in generators(env):
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = type(generator.bit_generator)(seed).state
        else:
            generator.seed(seed)


@contextlib.contextmanager
def global_generators_kept() -> Iterator[None]:
    """Leaves Python's and NumPy's own generators as they were."""
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002  # it is put back
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002  # as it was
