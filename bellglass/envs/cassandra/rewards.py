"""The statements R in their order, applied to the outcomes that there are.

A table of R has A * S * S * O places, of which the transitions reach few, so every statement is kept as it is and
written over the outcomes (a, s, s') that it is about.  Only outcomes of which some statement tells observations
apart have a place for each observation; in the end those are averaged:

    r(s, a, s')  =  sum_o O(o | a, s') R(a, s, s', o)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..mdp import FloatArray, IntArray
from ..mdp.memory_limit import require_memory


class Rule(NamedTuple):
    """One statement: what it selects (None: all), and its numbers, which run over `axes`."""

    action: int | None
    state: int | None
    next_state: int | None
    observation: int | None
    numbers: FloatArray
    axes: tuple[str, ...]

    @property
    def tells_observations_apart(self) -> bool:
        """Whether outcomes may differ by what is seen."""
        return self.observation is not None or "observation" in self.axes


class RewardRules:
    """Collects the statements, then answers for all outcomes at once."""

    def __init__(self, num_actions: int, num_states: int, num_observations: int) -> None:
        self.num_actions, self.num_states = num_actions, num_states
        self.num_observations = num_observations
        self._rules: list[Rule] = []

    def add(
        self,
        action: int | None,
        state: int | None,
        next_state: int | None,
        observation: int | None,
        numbers: FloatArray,
        *,
        axes: tuple[str, ...],
    ) -> None:
        """One more statement, which overrides the earlier ones."""
        self._rules.append(Rule(action, state, next_state, observation, numbers, axes))

    def of_outcomes(
        self, action: IntArray, state: IntArray, next_state: IntArray, seen: FloatArray
    ) -> FloatArray:
        """[N] the reward of each outcome, whose (state, action) do not decrease; `seen` is [A, S, O]."""
        finder = _Finder(action, state, next_state, self.num_actions, self.num_states)
        apart = np.zeros(len(action), dtype=np.bool_)
        for rule in self._rules:
            if rule.tells_observations_apart:
                apart[finder.matching(rule)] = True
        place = np.cumsum(apart) - 1  # row of `each` for those told apart
        require_memory(8 * int(apart.sum()) * self.num_observations, "rewards that depend on observations")
        each = np.zeros((int(apart.sum()), self.num_observations))
        plain = np.zeros(len(action))
        for rule in self._rules:
            k = finder.matching(rule)
            numbers = rule.numbers
            if "state" in rule.axes:
                numbers = numbers[state[k], next_state[k]]
            elif "next" in rule.axes:
                numbers = numbers[next_state[k]]
            if not rule.tells_observations_apart:
                plain[k] = numbers
                if each.size:
                    there = apart[k]
                    each[place[k[there]]] = numbers[there, None] if numbers.ndim else numbers
            elif rule.observation is not None:
                each[place[k], rule.observation] = numbers
            else:
                each[place[k]] = numbers
        if apart.any():
            plain[apart] = (seen[action[apart], next_state[apart]] * each).sum(axis=1)
        return plain


class _Finder:
    """Finds the outcomes of a statement without looking at all of them."""

    def __init__(
        self, action: IntArray, state: IntArray, next_state: IntArray, num_actions: int, num_states: int
    ) -> None:
        self.action, self.next_state = action, next_state
        self.num_actions = num_actions
        self.by_action = np.argsort(action, kind="stable")
        self.by_next = np.argsort(next_state, kind="stable")
        counts = np.bincount(state * num_actions + action, minlength=num_actions * num_states)
        self.first = np.concatenate([[0], np.cumsum(counts)])
        self.first_of_action = self._bounds(action, num_actions)
        self.first_of_next = self._bounds(next_state, num_states)

    def matching(self, rule: Rule) -> IntArray:
        """Indices of the outcomes that the statement is about."""
        a, s, target = rule.action, rule.state, rule.next_state
        if s is not None:
            low = s * self.num_actions + (0 if a is None else a)
            high = low + (self.num_actions if a is None else 1)
            k = np.arange(self.first[low], self.first[high])
            return k if target is None else k[self.next_state[k] == target]
        if target is not None:
            k = self.by_next[self.first_of_next[target] : self.first_of_next[target + 1]]
            return k if a is None else k[self.action[k] == a]
        if a is not None:
            return self.by_action[self.first_of_action[a] : self.first_of_action[a + 1]]
        return np.arange(len(self.action))

    @staticmethod
    def _bounds(key: IntArray, size: int) -> IntArray:
        return np.concatenate([[0], np.cumsum(np.bincount(key, minlength=size))])
