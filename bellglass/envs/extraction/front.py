"""`extract`: the table behind any deterministic environment with finitely many states, by trying everything once.

    1.  copy the environment, strip what does not change its world (TimeLimit, OrderEnforcing, ...)
    2.  find the clocks, which are held (`clocks.py`)
    3.  reset with each seed, and expand every state that can be reached, breadth first (`enumeration.py`)
    4.  walk by chance through fresh copies, clocks running, and compare each step with the table

What lays a table open already (ours, Gymnasium's `P`, Blackjack) is read and tried by sampling instead.  The
environment itself is never stepped, reset or drawn from.
"""

from __future__ import annotations

import enum
import math
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import Any

import gymnasium as gym
import numpy as np

from ..keywords import real, whole
from ..mdp.outcomes import sorted_outcomes
from ..mdp.table import TabularMDP
from ..tables import read
from .attributes import Reader, digest, layers
from .clocks import find_clocks
from .copies import Freezer, bare_copy, global_generators_kept, stripped
from .enumeration import Enumeration, Result
from .evidence import Evidence
from .report import Check, Extraction, Report
from .toy_blackjack import is_blackjack

#: Steps of the last walk, and the longest episode of it.
WALK, EPISODE = 1000, 100

#: Resets by which it is seen whether other seeds start elsewhere.
OTHER_SEEDS = 10


def extract(
    env: gym.Env[Any, Any],
    state_fn: Callable[[Any], Hashable] | None = None,
    *,
    max_states: int = 100_000,
    max_seconds: float = math.inf,
    layouts: int = 1,
    seed: int = 0,
    ignore: Iterable[str] = (),
) -> Extraction:
    """The exact table behind `env`, its states, and a report of what was checked.

    An environment with a table (ours, or with Gymnasium's `P`) and Gymnasium's Blackjack are read; any other is
    enumerated, which it must be deterministic for: resets may be random, steps may not.

    Args:
        env: any Gymnasium environment with Discrete actions; it is copied, and stays as it is.
        state_fn: tells a state's key (hashable) from the unwrapped environment.  By default everything that the
            environment remembers, less clocks and generators.
        max_states: give up beyond.
        max_seconds: give up beyond; no limit by default.
        layouts: how many seeds to reset with: `seed`, `seed` + 1, ...  The table is the union of what can be
            reached from all of them, and starts as often in each state as they do.  With a `state_fn`, a key is
            (layout, key): equal keys of different layouts are different states.
        seed: the first seed.
        ignore: names of attributes that are no state, such as a last action or a sum of rewards.

    Raises:
        TypeError: no environment, actions that are not Discrete, one that cannot be copied, or a key that is not
            hashable.
        ExtractionError: a limit was reached, a step is random, equal keys behave differently, or there is no memory
            for the table; the message says how far it got.  It is a ValueError.
        ValueError: a `P` that the environment does not follow.

    >>> import gymnasium as gym
    >>> blackjack = extract(gym.make("Blackjack-v1"))
    >>> blackjack.states[0], blackjack.mdp.num_states
    ((4, 1, False), 291)
    """
    if not isinstance(env, gym.Env):
        raise TypeError(f"extract needs a Gymnasium environment, got {type(env).__name__}")
    whole("max_states", max_states, 1)
    whole("layouts", layouts, 1)
    whole("seed", seed, 0)
    if max_seconds != math.inf:
        real("max_seconds", max_seconds, 0.0)
    if isinstance(ignore, str):
        ignore = (ignore,)
    if state_fn is None and _lays_a_table_open(env):
        return _read(env)
    if not isinstance(env.action_space, gym.spaces.Discrete):
        raise TypeError(f"extract tries every action, so they must be Discrete; {env} has {env.action_space}")
    with global_generators_kept():
        return _Enumerated(
            env, state_fn, max_states, max_seconds, range(seed, seed + layouts), tuple(ignore)
        ).result()


# -- tables that are read --------------------------------------------------------------------------------------


def _lays_a_table_open(env: gym.Env[Any, Any]) -> bool:
    layer: Any = env
    while layer is not None:
        if isinstance(vars(layer).get("mdp"), TabularMDP):
            return True
        layer = vars(layer).get("env")
    base: Any = env.unwrapped
    if list(layers(env)) != [base]:  # a wrapper that may change what the table says
        return False
    open_P = isinstance(getattr(base, "P", None), dict) and isinstance(
        base.observation_space, gym.spaces.Discrete
    )
    return open_P or is_blackjack(base)


def _read(env: gym.Env[Any, Any]) -> Extraction:
    mdp, evidence = read(env)
    checks = [
        Check(
            "table",
            "computed exactly from the rules"
            if is_blackjack(env.unwrapped)
            else "the environment's own P"
            if evidence
            else "the environment samples from it: nothing to check",
        ),
        *_wrappers(env),
    ]
    if evidence is not None:
        checks += _sampled(evidence, mdp)
    checks += _contents(mdp)
    return Extraction(mdp, mdp.state_labels or tuple(range(mdp.num_states)), Report(checks))


def _sampled(evidence: Evidence, mdp: TabularMDP) -> list[Check]:
    pairs = int(mdp.action_mask.sum())
    return [
        Check(
            "sampling",
            f"{evidence.counts} resets and steps of a deep copy, in {evidence.rows - 1} of {pairs} pairs of state and "
            "action: each was one that the table lists",
        ),
        Check(
            "frequencies",
            f"Pearson's sum lies {evidence.deviations:+.1f} standard deviations from its mean (at most 8 are allowed); "
            f"the most surprising count has p = {evidence.least_chance:.2g} after Bonferroni (at least 1e-06)",
        ),
    ]


# -- tables that are enumerated ----------------------------------------------------------------------------------


class _Enumerated:
    """One extraction by enumeration."""

    def __init__(
        self,
        env: gym.Env[Any, Any],
        state_fn: Callable[[Any], Hashable] | None,
        max_states: int,
        max_seconds: float,
        seeds: range,
        ignore: tuple[str, ...],
    ) -> None:
        self.env, self.state_fn, self.seeds, self.ignore = env, state_fn, seeds, ignore
        space: Any = env.action_space
        self.actions = [int(space.start) + a for a in range(int(space.n))]
        pristine = bare_copy(env)
        pristine.reset(seed=seeds[0])
        self.freezer = Freezer(pristine)
        self.pristine = self.freezer.freeze(pristine)
        self.clocks, self.counters = find_clocks(
            lambda seed: self.fresh(seed)[0], self.freezer, self.actions, ignore, range(5)
        )
        self.reader = Reader(ignore, [clock.path for clock in self.clocks])
        self.search = Enumeration(
            self.freezer, self.actions, self.reader, state_fn, self.clocks, max_states, max_seconds
        )
        self.starts: Counter[int] = Counter()
        self.layout_of: dict[bytes, int] = {}

    def fresh(self, seed: int) -> tuple[gym.Env[Any, Any], Any]:
        """A copy that was reset, and what it shows."""
        copy = self.freezer.thaw(self.pristine)
        return copy, copy.reset(seed=seed)[0]

    def layout(self, env: gym.Env[Any, Any]) -> int | None:
        """The number of the layout, told by everything the environment remembers; None where keys need none."""
        if self.state_fn is None or len(self.seeds) == 1:
            return None
        return self.layout_of.setdefault(digest(self.reader.read(env)), len(self.layout_of))

    def result(self) -> Extraction:
        for seed in self.seeds:
            env, observation = self.fresh(seed)
            layout = self.layout(env)
            arrival = self.search.arrive(env, observation, layout)
            self.starts[self.search.enter(env, arrival, depth=0, ended=False)] += 1
            self.search.explore(layout)
        walked = self._walk()
        states = tuple(self.search.readings.names() if self.state_fn is None else self.search.index)
        mdp = self._table(states)
        checks = [*self._about_keys(), *walked, *_contents(mdp)]
        key_of = self._key_of if self.state_fn is None or len(self.seeds) == 1 else None
        return Extraction(mdp, states, Report(checks), key_of, self.search.index)

    def _key_of(self, env: gym.Env[Any, Any]) -> Hashable:
        return digest(self.reader.read(env)) if self.state_fn is None else self.state_fn(env.unwrapped)

    def _table(self, states: tuple[Hashable, ...]) -> TabularMDP:
        num_states, num_actions = len(states), len(self.actions)
        rows = self.search.rows
        pair = np.array([s * num_actions + a for s, a in rows])
        index = self.search.index
        starts = np.zeros(num_states)
        for s, count in self.starts.items():
            starts[s] = count / len(self.seeds)
        return TabularMDP(
            **sorted_outcomes(
                num_states * num_actions,
                pair=pair,
                probability=1.0,
                next_state=[index[result.key] for result in rows.values()],
                reward=[result.reward for result in rows.values()],
                terminated=[result.terminated for result in rows.values()],
            ),
            initial=starts,
            state_labels=states,
            action_labels=self._action_labels(),
        )

    def _action_labels(self) -> list[Hashable]:
        names = getattr(self.env.unwrapped, "actions", None)
        if isinstance(names, enum.EnumMeta):
            members: dict[str, Any] = dict(names.__members__)
            by_value = {int(member.value): name for name, member in members.items()}
            if all(a in by_value for a in self.actions):
                return [by_value[a] for a in self.actions]
        return list(self.actions)

    # -- the last walk -----------------------------------------------------------------------------------------

    def _walk(self) -> list[Check]:
        """Fresh copies, clocks running, seeds in turn: each step must be the table's."""
        search, rng = self.search, np.random.default_rng(0)
        steps = episodes = 0
        other = 0
        while steps < WALK and episodes < WALK:
            env, observation = self.fresh(self.seeds[episodes % len(self.seeds)])
            layout = self.layout(env)
            s = search.index.get(search.arrive(env, observation, layout).key)
            if s is None or s not in self.starts:
                search.stop(
                    f"reset(seed={self.seeds[episodes % len(self.seeds)]}) did not lead to the same state twice"
                )
            episodes += 1
            for _ in range(EPISODE):
                a = int(rng.integers(len(self.actions)))
                observation, reward, terminated, truncated, _ = env.step(self.actions[a])
                steps += 1
                expected = search.rows[s, a]
                arrival = search.arrive(env, observation, layout)
                found = Result(arrival.key, float(reward), bool(terminated))
                if not found.agrees(expected):
                    other += 1
                    if not self.clocks or not found._replace(reward=expected.reward).agrees(expected):
                        search.compare(s, a, found)
                s = search.index[arrival.key]
                if terminated or truncated:
                    break
        found_text = (
            f"{steps} steps by chance in {episodes} episodes of fresh copies: each led where the table says"
        )
        if other:
            found_text += f"; {other} of them paid otherwise than in the first step (see reward)"
        return [Check("walk", found_text)]

    # -- words ---------------------------------------------------------------------------------------------------

    def _about_keys(self) -> list[Check]:
        search = self.search
        checks = [Check("table", self._how()), *_wrappers(self.env), *self._about_clocks()]
        if self.ignore:
            checks.append(
                Check("ignored", f"{', '.join(self.ignore)}: left out of the key at the caller's word")
            )
        if self.reader.unread:
            unread = ", ".join(f"{path} ({kind})" for path, kind in sorted(self.reader.unread.items()))
            checks.append(Check("not read", f"{unread}: could not be looked into", clean=False))
        drew = (
            f"{search.num_drew} steps drew from a generator, and led to the same with 20 other seeds"
            if search.num_drew
            else "no step drew from a generator"
        )
        checks.append(
            Check(
                "determinism",
                f"{search.num_steps} steps, {search.num_repeated} of them repeats with other seeds or from another "
                f"road to the same key: all agreed; {drew}",
                clean=not search.num_drew,
            )
        )
        if search.num_truncated:
            checks.append(
                Check(
                    "truncated",
                    f"{search.num_truncated} steps said so though the clocks were held: not listened to",
                    clean=False,
                )
            )
        return [*checks, *self._about_observations(), *self._about_starts()]

    def _how(self) -> str:
        key = "all that it remembers" if self.state_fn is None else "state_fn"
        seconds = time.perf_counter() - self.search.began
        return f"enumerated by {self.freezer.method}, a state's key being {key}, in {seconds:.1f} s"

    def _about_clocks(self) -> list[Check]:
        checks = []
        for clock in self.clocks:
            until = (
                f"the environment truncates by it in step {clock.limit}: pass horizon={clock.limit} for scores under it"
                if clock.limit
                else "nothing is truncated by it within a million steps"
            )
            checks.append(
                Check("clock", f"{clock.path} only counts steps: left out of the key and held; {until}")
            )
        checks += [
            Check("counter", f"{counter.path} counts steps, but the world depends on it: part of the key")
            for counter in self.counters
        ]
        later = {
            first: rewards for first, rewards in self.search.hours.items() if any(r != first for r in rewards)
        }
        if later:
            paid = "; ".join(
                f"{first:.6g} in the first step, {min(rewards, key=lambda r: -abs(r - first)):.6g} in the last"
                for first, rewards in sorted(later.items())
            )
            names = ", ".join(clock.path for clock in self.clocks)
            checks.append(
                Check(
                    "reward", f"depends on {names} ({paid}): the table pays as in the first step", clean=False
                )
            )
        return checks

    def _about_observations(self) -> list[Check]:
        search = self.search
        if search.ambiguous:
            text = f"{len(search.ambiguous)} of {len(search.index)} states showed more than one"
        elif (different := len(set(search.observations))) < len(search.index):
            text = f"{different} different ones in {len(search.index)} states: an agent cannot always tell them apart"
        else:
            return [Check("observations", "each state shows its own")]
        return [Check("observations", text, clean=False)]

    def _about_starts(self) -> list[Check]:
        search, n = self.search, len(self.seeds)
        if n > 1:
            once = sum(count == 1 for count in self.starts.values())
            return [
                Check(
                    "starts",
                    f"{n} resets (seeds {self.seeds[0]} to {self.seeds[-1]}) led to {len(self.starts)} states, which "
                    f"is the table's initial distribution; about {once / n:.0%} of further resets would lead to new "
                    "ones (Good and Turing)",
                    clean=once == 0,
                )
            ]
        first = self.seeds[0]
        keys = set()
        for seed in range(first, first + OTHER_SEEDS):
            env, observation = self.fresh(seed)
            keys.add(search.arrive(env, observation, None).key)
        if len(keys) == 1:
            return [Check("starts", f"resets with {OTHER_SEEDS} seeds all led to state 0")]
        return [
            Check(
                "starts",
                f"{OTHER_SEEDS} seeds led to {len(keys)} different states: this is the table of seed {first} alone "
                "(layouts=N takes N seeds together)",
                clean=False,
            )
        ]


# -- words that both need ----------------------------------------------------------------------------------------


def _wrappers(env: gym.Env[Any, Any]) -> list[Check]:
    checks = []
    for wrapper in stripped(env):
        if isinstance(wrapper, gym.wrappers.TimeLimit):
            limit = wrapper._max_episode_steps
            checks.append(
                Check("time limit", f"TimeLimit found and left out: pass horizon={limit} for scores under it")
            )
    others = [type(w).__name__ for w in stripped(env) if not isinstance(w, gym.wrappers.TimeLimit)]
    if others:
        checks.append(Check("wrappers", f"{', '.join(others)}: left out, the world goes on the same without"))
    kept = [type(layer).__name__ for layer in layers(env) if isinstance(layer, gym.Wrapper)]
    if kept:
        checks.append(Check("wrappers kept", f"{', '.join(kept)}: part of the world"))
    return checks


def _contents(mdp: TabularMDP) -> list[Check]:
    entered = mdp.reward
    return [
        Check(
            "states",
            f"{mdp.num_states}, of which {int(mdp.terminal.sum())} terminal and {int((mdp.initial > 0).sum())} starts; "
            f"{mdp.num_actions} actions, {mdp.num_outcomes} outcomes, {int(mdp.terminated.sum())} of them ends",
        ),
        Check("rewards", f"in [{entered.min():g}, {entered.max():g}]"),
    ]
