"""What an extraction hands back: the table, the states by their keys, and what was checked."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import gymnasium as gym

from ..mdp.table import TabularMDP


class ExtractionError(ValueError):
    """No table could be made, and the message says why and how far it got.

    Attributes:
        num_states: states found by then.
        num_expanded: states whose every action had been tried.
        seconds: time spent.
    """

    def __init__(self, message: str, *, num_states: int, num_expanded: int, seconds: float) -> None:
        super().__init__(message)
        self.num_states = num_states
        self.num_expanded = num_expanded
        self.seconds = seconds


class Check(NamedTuple):
    """One thing that was looked at.

    Attributes:
        what: such as "determinism".
        found: a sentence.
        clean: False where the reader should know of it before trusting the table for more than it says.
    """

    what: str
    found: str
    clean: bool = True


class Report:
    """The checks, in the order in which they were made; `print` tells them, a `!` before what to mind."""

    def __init__(self, checks: list[Check]) -> None:
        self._checks = tuple(checks)

    def __iter__(self) -> Iterator[Check]:
        return iter(self._checks)

    def __len__(self) -> int:
        return len(self._checks)

    def __getitem__(self, what: str) -> str:
        for check in self._checks:
            if check.what == what:
                return check.found
        raise KeyError(what)

    def __contains__(self, what: object) -> bool:
        return any(check.what == what for check in self._checks)

    @property
    def notes(self) -> tuple[Check, ...]:
        """Those to mind."""
        return tuple(check for check in self._checks if not check.clean)

    def __str__(self) -> str:
        width = max((len(check.what) for check in self._checks), default=0)
        return "\n".join(
            f"{' ' if check.clean else '!'} {check.what:<{width}}  {check.found}" for check in self._checks
        )

    def __repr__(self) -> str:
        return f"Report({len(self)} checks, {len(self.notes)} to mind)"


@dataclass(frozen=True)
class Extraction:
    """A table that was read out of an environment.

    Attributes:
        mdp: the table.
        states: [S] the key of each state, in the table's order.
        checks: what was looked at on the way; print it.
    """

    mdp: TabularMDP
    states: tuple[Hashable, ...]
    checks: Report
    _key_of: Callable[[gym.Env[Any, Any]], Hashable] | None = field(default=None, repr=False)
    _index: Mapping[Hashable, int] = field(default_factory=dict, repr=False)

    def locate(self, env: gym.Env[Any, Any]) -> int:
        """The state that `env` is in now; only looks.

        Raises:
            TypeError: the table was not enumerated, or from several layouts with a `state_fn`.
            ValueError: the environment is in none of the states.
        """
        if self._key_of is None:
            raise TypeError("locate needs a table that was enumerated, from one layout or without a state_fn")
        key = self._key_of(env)
        if key not in self._index:
            raise ValueError(f"{env} is in none of the {len(self.states)} states")
        return self._index[key]
