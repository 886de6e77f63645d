"""Finds the attributes that only count steps, such as MiniGrid's `step_count`, so that they are no part of a state.

A counter goes up (or down) by one at each step whatever is done, from the same number after each reset.  That
alone does not make it a clock: the row of a ball that falls one cell a step does so too.  It is a clock if the
world does not care:  set to its first number and to numbers up to a million steps away, the same action must lead
to the same attributes, the same observation and the same `terminated`.  Only `truncated` and the reward may differ;
from the first comes the step at which the environment truncates, and of the second the report speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from .attributes import GYMNASIUM, Reader, digest, layers, prefix
from .copies import Freezer

#: Walks on which counters are looked for, their length, and steps of each that are taken again at other hours.
WALKS, LENGTH, TRIED = 5, 40, 12

#: Steps by which a counter is moved.
JUMPS = (1, 10, 1_000, 1_000_000)


@dataclass(frozen=True)
class Clock:
    """An attribute that counts steps.

    Attributes:
        path: such as "step_count", or "SomeWrapper.timesteps".
        first: its number after a reset.
        pace: +1 or -1.
        limit: the step that the environment truncates by it; None if it does not within a million steps.
    """

    path: str
    first: int
    pace: int
    limit: int | None = None

    def set(self, env: gym.Env[Any, Any], steps: int) -> None:
        """Sets it as it is when `steps` steps have been made."""
        for layer in layers(env):
            start = prefix(layer)
            name = self.path.removeprefix(start)
            if self.path.startswith(start) and "." not in name and name in vars(layer):
                setattr(layer, name, self.first + self.pace * steps)
                return


class Trace:
    """Walks by chance, and the counters of each layer on the way."""

    def __init__(
        self,
        fresh: Callable[[int], gym.Env[Any, Any]],
        freezer: Freezer,
        actions: Sequence[int],
        seeds: Sequence[int],
    ) -> None:
        rng = np.random.default_rng(0)
        self.starts: list[dict[str, int]] = []
        self.paces: list[dict[str, int]] = []
        self.moments: list[tuple[Any, int]] = []  # a frozen environment, and an action
        for seed in seeds:
            env = fresh(seed)
            before = _counters(env)
            self.starts.append(before)
            for step in range(LENGTH):
                action = actions[int(rng.integers(len(actions)))]
                if step < TRIED:
                    self.moments.append((freezer.freeze(env), action))
                try:
                    _, _, terminated, truncated, _ = env.step(action)
                except Exception:  # the enumeration will meet it again, and tell where
                    del self.moments[-1:]
                    break
                after = _counters(env)
                self.paces.append({path: after[path] - before[path] for path in before.keys() & after.keys()})
                before = after
                if terminated or truncated:
                    break

    def counters(self) -> list[Clock]:
        """Every attribute that went by one at each step of each walk."""
        return [
            Clock(path, first, self.paces[0][path])
            for path, first in sorted(self.starts[0].items())
            if all(start.get(path) == first for start in self.starts)
            and self.paces[0].get(path) in (1, -1)
            and all(pace.get(path) == self.paces[0][path] for pace in self.paces)
        ]


def find_clocks(
    fresh: Callable[[int], gym.Env[Any, Any]],
    freezer: Freezer,
    actions: Sequence[int],
    ignore: Sequence[str],
    seeds: Sequence[int],
) -> tuple[list[Clock], list[Clock]]:
    """The clocks, and the counters that the world does care about.

    Args:
        fresh: makes a copy that is reset with a seed.
        freezer: of such copies.
        actions: what can be done.
        ignore: attributes that are no state.
        seeds: of the walks.
    """
    trace = Trace(fresh, freezer, actions, seeds)
    clocks, states = [], []
    for counter in trace.counters():
        if all(_indifferent(counter, freezer, frozen, action, ignore) for frozen, action in trace.moments):
            limit = _limit(counter, freezer, *trace.moments[0])
            clocks.append(Clock(counter.path, counter.first, counter.pace, limit))
        else:
            states.append(counter)
    return clocks, states


def _counters(env: gym.Env[Any, Any]) -> dict[str, int]:
    return {
        prefix(layer) + name: int(value)
        for layer in layers(env)
        for name, value in vars(layer).items()
        if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and name not in GYMNASIUM
    }


def _indifferent(counter: Clock, freezer: Freezer, frozen: Any, action: int, ignore: Sequence[str]) -> bool:
    """Whether a step leads to the same at every hour."""
    reader = Reader(ignore, [counter.path])

    def consequence(steps: int | None) -> tuple[bytes, bytes, bool]:
        env = freezer.thaw(frozen)
        if steps is not None:
            counter.set(env, steps)
        observation, _, terminated, _, _ = env.step(action)
        return digest(reader.read(env)), digest(reader.read_value(observation)), bool(terminated)

    expected = consequence(None)
    try:
        return all(consequence(steps) == expected for steps in (0, *JUMPS))
    except Exception:  # a plan that is looked up by the hour, say, and ends
        return False


def _limit(clock: Clock, freezer: Freezer, frozen: Any, action: int) -> int | None:
    """The first step that is truncated, found by halving."""

    def truncated(steps: int) -> bool:
        env = freezer.thaw(frozen)
        clock.set(env, steps)
        return bool(env.step(action)[3])

    low, high = 0, JUMPS[-1]
    if not truncated(high):
        return None
    while low < high:
        middle = (low + high) // 2
        if truncated(middle):
            high = middle
        else:
            low = middle + 1
    return low + 1
