"""Every state that can be reached, breadth first: each action is tried once in a copy of each state.

    a step is believed to be a function of (key, action) because
      1.  no generator moved while it was made; or if one did, twenty other seeds led to the same;
      2.  one action of each state is taken again with other seeds;
      3.  each time a known state is reached on another road, one more of its actions is tried from there:
          equal keys must behave alike, or the key leaves something out;
      4.  with a `state_fn`, up to four environments of each key that differ in anything else are expanded too.

Clocks are held: before each step they are set to what they show after a reset.  `truncated` is not listened to, as
a table knows no time limit.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple, NoReturn

import gymnasium as gym

from ..mdp.memory_limit import TableTooLarge, require_memory, require_memory_for_table
from .attributes import Leaf, Reader, digest
from .clocks import Clock
from .copies import Freezer, positions, reseed
from .naming import Differences
from .report import ExtractionError

#: Other seeds with which a step that drew from a generator is taken again.
RETRIES = 20

#: How many environments of one key that differ otherwise are expanded.
VARIANTS = 4

#: For each reward, how many steps that paid it are taken again at the clocks' last hour.
HOURS = 20

#: From this many states on, memory is asked for whenever their number has doubled.
MANY = 1 << 14


class Result(NamedTuple):
    """What a step led to: (key of the next state, reward, terminated)."""

    key: Hashable
    reward: float
    terminated: bool

    def agrees(self, other: Result) -> bool:
        """The same, rewards up to rounding."""
        return (
            self.key == other.key
            and self.terminated == other.terminated
            and math.isclose(self.reward, other.reward, rel_tol=1e-9, abs_tol=1e-12)
        )


class Arrival(NamedTuple):
    """A state that was entered: its key, its reading (None with a `state_fn`), and what is seen there."""

    key: Hashable
    leaves: dict[str, Leaf] | None
    observation: bytes


class Enumeration:
    """The states found so far, and what each action does in those that were expanded.

    Args:
        freezer: of copies of the environment.
        actions: what can be done.
        reader: reads an environment, clocks and ignored attributes left out.
        state_fn: the caller's key, or None for the whole reading.
        clocks: held at their first number.
        max_states, max_seconds: where to give up.
    """

    def __init__(
        self,
        freezer: Freezer,
        actions: Sequence[int],
        reader: Reader,
        state_fn: Callable[[Any], Hashable] | None,
        clocks: Sequence[Clock],
        max_states: int,
        max_seconds: float,
    ) -> None:
        self.freezer = freezer
        self.actions = actions
        self.reader = reader
        self.state_fn = state_fn
        self.clocks = clocks
        self.max_states = max_states
        self.max_seconds = max_seconds
        self.began = time.perf_counter()

        self.index: dict[Hashable, int] = {}
        self.readings = Differences()
        self.observations: list[bytes] = []  # [S] of the first visit
        self.ambiguous: set[int] = set()  # states that showed more than one observation
        self.live: list[bool] = []  # [S] entered otherwise than by the end of an episode
        self.depth: list[int] = []  # [S] steps from the start
        self.rows: dict[tuple[int, int], Result] = {}
        self.waiting: deque[tuple[int, Any]] = deque()
        self.variants: list[
            set[bytes]
        ] = []  # [S] readings of the environments that a state_fn calls the same
        self.doubtful: deque[tuple[int, Any]] = deque()  # those that wait to be compared with the first
        self.tried_again: list[int] = []  # [S] actions that were tried from another road
        self.promised: dict[tuple[int, int], Result] = {}  # tried from there before the state was expanded

        self.num_steps = 0
        self.num_repeated = 0
        self.num_drew = 0
        self.num_truncated = 0
        self.hours: dict[float, list[float]] = {}  # reward at the first hour -> rewards at the last

    # -- states ----------------------------------------------------------------------------------------------

    def arrive(self, env: gym.Env[Any, Any], observation: object, layout: int | None) -> Arrival:
        """What state the copy is in."""
        seen = digest(self.reader.read_value(observation))
        if self.state_fn is None:
            leaves = self.reader.read(env)
            return Arrival(digest(leaves), leaves, seen)
        key = self.state_fn(env.unwrapped)
        try:
            hash(key)
        except TypeError:
            raise TypeError(
                f"state_fn must return something hashable, such as a tuple of numbers; got {key!r}"
            ) from None
        return Arrival(key if layout is None else (layout, key), None, seen)

    def enter(self, env: gym.Env[Any, Any], arrival: Arrival, *, depth: int, ended: bool) -> int:
        """The number of the state, new or known; a live one that is new will be expanded."""
        s = self.index.get(arrival.key)
        if s is None:
            if len(self.index) >= self.max_states:
                self.stop(f"more than max_states={self.max_states} states")
            s = self.index[arrival.key] = len(self.index)
            if arrival.leaves is not None:
                self.readings.append(arrival.leaves)
            self.observations.append(arrival.observation)
            self.live.append(False)
            self.depth.append(depth)
            self.variants.append(set())
            self.tried_again.append(0)
            self._ask_for_room()
        elif self.observations[s] != arrival.observation:
            self.ambiguous.add(s)
        if not ended and not self.live[s]:
            self.live[s] = True
            self.waiting.append((s, self.freezer.freeze(env)))
            self._is_new_variant(s, env)
        elif not ended and self._is_new_variant(s, env):
            self.doubtful.append((s, self.freezer.freeze(env)))
        return s

    def _is_new_variant(self, s: int, env: gym.Env[Any, Any]) -> bool:
        known = self.variants[s]
        if self.state_fn is None or len(known) == VARIANTS:
            return False
        before = len(known)
        known.add(digest(self.reader.read(env)))
        return len(known) > before

    def _ask_for_room(self) -> None:
        n = len(self.index)
        if n >= MANY and n & (n - 1) == 0:
            pairs = 2 * n * len(self.actions)
            try:
                require_memory_for_table(2 * n, len(self.actions), pairs)
                if self.waiting and isinstance(self.waiting[-1][1], bytes):
                    size = 2 * len(self.waiting) * len(self.waiting[-1][1])
                    require_memory(size, f"{2 * len(self.waiting)} states that wait to be expanded")
            except TableTooLarge as error:
                self.stop(str(error))

    # -- steps -----------------------------------------------------------------------------------------------

    def explore(self, layout: int | None) -> None:
        """Expands everything that waits.

        Raises:
            ExtractionError: a limit, chance, or a key that leaves something out.
        """
        while self.waiting:
            if time.perf_counter() - self.began > self.max_seconds:
                self.stop(f"more than max_seconds={self.max_seconds:g} seconds")
            s, frozen = self.waiting.popleft()
            for a in range(len(self.actions)):
                self._expand(s, a, frozen, layout)
            a = s % len(self.actions)
            self._repeat(s, a, frozen, layout, seed=1)
            while self.doubtful and not self.waiting:
                self._expand_variant(*self.doubtful.popleft(), layout)

    def _expand_variant(self, s: int, frozen: Any, layout: int | None) -> None:
        for a in range(len(self.actions)):
            env = self.freezer.thaw(frozen)
            arrival, result = self._step(env, s, a, layout)
            self.num_repeated += 1
            self.compare(s, a, result)
            self.enter(env, arrival, depth=self.depth[s] + 1, ended=result.terminated)

    def _expand(self, s: int, a: int, frozen: Any, layout: int | None) -> None:
        env = self.freezer.thaw(frozen)
        before = positions(env)
        arrival, result = self._step(env, s, a, layout)
        drew = positions(env) != before
        self.rows[s, a] = result
        if (s, a) in self.promised:
            self.compare(s, a, self.promised.pop((s, a)))
        if drew:
            self.num_drew += 1
            for seed in range(2, 2 + RETRIES):
                self._repeat(s, a, frozen, layout, seed=seed)
        if self.clocks and len(self.hours.get(result.reward, ())) < HOURS:
            self._at_the_last_hour(s, a, frozen, layout)
        known = arrival.key in self.index
        next_s = self.enter(env, arrival, depth=self.depth[s] + 1, ended=result.terminated)
        if known and not result.terminated and self.live[next_s]:
            self._try_from_another_road(env, next_s, layout)

    def _step(
        self, env: gym.Env[Any, Any], s: int, a: int, layout: int | None, *, hour: int = 0
    ) -> tuple[Arrival, Result]:
        for clock in self.clocks:
            clock.set(env, hour)
        try:
            observation, reward, terminated, truncated, _ = env.step(self.actions[a])
        except Exception as error:
            error.add_note(f"bellglass.extract was trying {self.name(s, a)}; {self.progress()}")
            raise
        self.num_steps += 1
        self.num_truncated += bool(truncated) and hour == 0
        for clock in self.clocks:
            clock.set(env, 0)
        paid = float(reward)
        if not math.isfinite(paid):
            self.stop(f"{self.name(s, a)} pays {paid}")
        arrival = self.arrive(env, observation, layout)
        return arrival, Result(arrival.key, paid, bool(terminated))

    def _repeat(self, s: int, a: int, frozen: Any, layout: int | None, *, seed: int) -> None:
        env = self.freezer.thaw(frozen)
        reseed(env, seed)
        self.num_repeated += 1
        result = self._step(env, s, a, layout)[1]
        if not result.agrees(self.rows[s, a]):
            self.stop(
                f"the environment is random: {self.name(s, a)} led to {self.tell(self.rows[s, a])}, and with another "
                f"seed to {self.tell(result)}; extract enumerates deterministic steps only"
            )

    def _at_the_last_hour(self, s: int, a: int, frozen: Any, layout: int | None) -> None:
        env = self.freezer.thaw(frozen)
        expected = self.rows[s, a]
        result = self._step(env, s, a, layout, hour=min((c.limit or 1000) for c in self.clocks) - 1)[1]
        if not result._replace(reward=expected.reward).agrees(expected):
            self.stop(
                f"what {self.name(s, a)} does depends on {', '.join(c.path for c in self.clocks)}: "
                f"{self.tell(expected)} at first, {self.tell(result)} later"
            )
        self.hours.setdefault(expected.reward, []).append(result.reward)

    def _try_from_another_road(self, env: gym.Env[Any, Any], s: int, layout: int | None) -> None:
        a = self.tried_again[s]
        if a == len(self.actions):
            return
        self.tried_again[s] += 1
        self.num_repeated += 1
        reseed(env, 1)
        result = self._step(env, s, a, layout)[1]
        if (s, a) in self.rows:
            self.compare(s, a, result)
        else:
            self.promised[s, a] = result

    def compare(self, s: int, a: int, result: Result) -> None:
        """Gives up if a step that was made elsewhere does not agree with the table."""
        expected = self.rows[s, a]
        if result.agrees(expected):
            return
        left_out = [*self.reader.ignore, *self.reader.clocks, *self.reader.unread]
        why = (
            "state_fn leaves out something that matters"
            if self.state_fn is not None
            else f"what was left out matters ({', '.join(left_out)})"
            if left_out
            else "something that matters is no attribute of the environment"
        )
        self.stop(
            f"two states with the same key behave differently: {self.name(s, a)} led to {self.tell(expected)} on one "
            f"road and to {self.tell(result)} on another; {why}"
        )

    # -- words -----------------------------------------------------------------------------------------------

    def name(self, s: int, a: int) -> str:
        """An action in a state."""
        return f"action {self.actions[a]} in state {self.label(s)}"

    def label(self, s: int) -> str:
        """A state, in short."""
        if self.state_fn is None:
            return f"{s} ({self.readings.names()[s]})" if len(self.readings) > 1 else str(s)
        key = next(key for key, number in self.index.items() if number == s)
        return f"{s} (key {key!r})"

    def tell(self, result: Result) -> str:
        """What a step led to."""
        s = self.index.get(result.key)
        where = "a state not met before" if s is None else f"state {self.label(s)}"
        if s is None and self.state_fn is not None:
            where = f"a state of key {result.key!r}"
        return f"{where} with reward {result.reward:g}{' and the end' if result.terminated else ''}"

    def progress(self) -> str:
        """How far it got."""
        n, waiting = len(self.index), len(self.waiting)
        expanded = sum(self.live) - waiting
        text = (
            f"got as far as {n} states, {expanded} of them expanded and {waiting} waiting, "
            f"{max(self.depth, default=0)} steps from the start, in {time.perf_counter() - self.began:.1f} s"
        )
        busiest = [f"{path} ({count} values)" for path, count in self.readings.busiest() if count > 1]
        return f"{text}; most varied: {', '.join(busiest)}" if busiest else text

    def stop(self, why: str) -> NoReturn:
        """Gives up, and says how far it got."""
        hint = (
            "; a counter or a sum among these? leave it out by ignore=(name, ...), or tell the state by state_fn"
            if "max_" in why and self.state_fn is None
            else ""
        )
        raise ExtractionError(
            f"no table: {why}; {self.progress()}{hint}",
            num_states=len(self.index),
            num_expanded=sum(self.live) - len(self.waiting),
            seconds=time.perf_counter() - self.began,
        )
