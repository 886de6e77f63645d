"""A table from logged experience: count what happened after each pair, divide by how often it was tried.

    probability(k | s, a)  =  (n(k) + prior) / (n(s, a) + prior * K(s, a))

where n(k) counts the outcome k = (s', r, terminated), n(s, a) all outcomes of the pair, and K(s, a) the *distinct*
ones.  With prior 0 this is the maximum-likelihood estimate (Anderson & Goodman 1957); a prior c > 0 is the mean of
the posterior under a symmetric Dirichlet(c) over the outcomes that were observed for the pair: it pulls towards
their uniform distribution and never invents an outcome.

Two outcomes that reach the same state with different rewards, or of which one terminates, stay apart.  `truncated`
ends an episode, so that the next transition is a start, and says nothing about the world.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..base import Transition

#: What becomes of a pair that was never tried.
Unseen = Literal["unavailable", "self_loop", "error"]


def estimate_mdp(
    transitions: Mapping[str, npt.ArrayLike] | Iterable[Transition],
    *,
    num_states: int | None = None,
    num_actions: int | None = None,
    prior: float = 0.0,
    unseen: Unseen = "unavailable",
) -> TabularMDP:
    """The table that makes the logged transitions most likely.

    Args:
        transitions: in the order in which they were played: `Transition`s, or equally long arrays by the names of
            its fields (`truncated` may be left away).
        num_states: S; by default one more than the highest observation.
        num_actions: A; by default one more than the highest action.
        prior: pseudo-count of each observed outcome of a pair, at least 0.
        unseen: a pair never tried is not available ("unavailable"; a state where nothing was tried is terminal),
            stays where it is for reward 0 ("self_loop"), or is an error that names it ("error").  A state where
            nothing was tried and that a terminated outcome enters is terminal in any case.

    Returns:
        The table; its outcomes are sorted by (s', r, terminated) within a pair, and `initial` holds the frequencies
        of the starts: the first observation, and each one that follows a terminated or truncated transition.

    Raises:
        ValueError: no transitions, arrays of unequal lengths, numbers out of range, or a pair never tried.

    >>> log = [Transition(0, 0, 1.0, 1, False, False), Transition(1, 0, 2.0, 0, True, False)]
    >>> estimate_mdp(log).P[1]
    {0: [(1.0, 0, 2.0, True)]}
    """
    if unseen not in get_args(Unseen):
        raise ValueError(f"unseen must be one of {', '.join(get_args(Unseen))}, got {unseen!r}")
    if not (np.isfinite(prior) and prior >= 0):
        raise ValueError(f"prior must be a finite number of at least 0, got {prior}")
    log = _arrays(transitions)
    highest = int(max(log.observation.max(), log.next_observation.max()))
    S = _size("num_states", num_states, highest)
    A = _size("num_actions", num_actions, int(log.action.max()))

    pair, next_state, reward, terminated, count = _count_outcomes(log, S, A)
    tried = np.bincount(pair, weights=count, minlength=S * A)
    distinct = np.bincount(pair, minlength=S * A)
    probability = (count + prior) / (tried + prior * distinct)[pair]

    acted = (tried > 0).reshape(S, A).any(axis=1)
    ends = ~acted & (np.bincount(next_state, weights=terminated, minlength=S) > 0)
    missing = np.flatnonzero((tried == 0) & ~np.repeat(ends, A))
    if missing.size and unseen == "error":
        s, a = divmod(int(missing[0]), A)
        raise ValueError(f"state {s}, action {a} was never tried ({missing.size} pairs were not)")
    if unseen == "self_loop":
        order = np.argsort(np.concatenate([pair, missing]), kind="stable")
        next_state = np.concatenate([next_state, missing // A])[order]
        reward = np.concatenate([reward, np.zeros(missing.size)])[order]
        terminated = np.concatenate([terminated, np.zeros(missing.size, dtype=np.bool_)])[order]
        probability = np.concatenate([probability, np.ones(missing.size)])[order]
        distinct[missing] = 1

    starts = np.concatenate([[True], (log.terminated | log.truncated)[:-1]])
    initial = np.bincount(log.observation[starts], minlength=S).astype(np.float64)
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(distinct)]),
        probability=probability,
        next_state=next_state,
        reward=reward,
        terminated=terminated,
        initial=initial / initial.sum(),
    )


class _Log:
    """Checked arrays [n], in the order in which they were played."""

    def __init__(self, columns: Mapping[str, npt.ArrayLike]) -> None:
        self.observation = _integers("observation", columns["observation"])
        self.action = _integers("action", columns["action"])
        self.reward = np.asarray(columns["reward"], dtype=np.float64)
        self.next_observation = _integers("next_observation", columns["next_observation"])
        self.terminated = _flags("terminated", columns["terminated"])
        truncated = columns.get("truncated")
        self.truncated = (
            np.zeros_like(self.terminated) if truncated is None else _flags("truncated", truncated)
        )
        lengths = {name: array.shape for name, array in vars(self).items()}
        if len(set(lengths.values())) != 1 or self.reward.ndim != 1:
            raise ValueError(f"transitions must be arrays of one dimension and one length, got {lengths}")
        if not len(self.reward):
            raise ValueError("there are no transitions to learn a table from")
        if not np.isfinite(self.reward).all():
            k = int(np.flatnonzero(~np.isfinite(self.reward))[0])
            raise ValueError(f"the reward of transition {k} is {self.reward[k]}, not a finite number")


def _arrays(transitions: Mapping[str, npt.ArrayLike] | Iterable[Transition]) -> _Log:
    if not isinstance(transitions, Mapping):
        rows = list(transitions)
        if not rows:
            raise ValueError("there are no transitions to learn a table from")
        if any(len(row) != len(Transition._fields) for row in rows):
            raise ValueError(f"a transition is ({', '.join(Transition._fields)})")
        return _Log(dict(zip(Transition._fields, zip(*rows, strict=True), strict=True)))
    unknown = [name for name in transitions if name not in Transition._fields]
    absent = [name for name in Transition._fields[:-1] if name not in transitions]
    if unknown or absent:
        raise ValueError(
            f"transitions must have the columns {', '.join(Transition._fields)} (the last may be left away); "
            f"unknown: {unknown}, missing: {absent}"
        )
    return _Log(transitions)


def _integers(name: str, given: npt.ArrayLike) -> IntArray:
    array = np.asarray(given)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, got {array.dtype}")
    if array.size and array.min() < 0:
        raise ValueError(f"{name} must be at least 0, got {array.min()}")
    return array.astype(np.int64, copy=False)


def _flags(name: str, given: npt.ArrayLike) -> BoolArray:
    array = np.asarray(given)
    if array.dtype != np.bool_ and array.size and not np.isin(array, (0, 1)).all():
        raise ValueError(f"{name} must hold booleans, got {array.dtype}")
    return array.astype(np.bool_, copy=False)


def _size(name: str, given: int | None, highest: int) -> int:
    if given is None:
        return highest + 1
    if given <= highest:
        raise ValueError(f"{name} is {given}, but the transitions name the index {highest}")
    return int(given)


def _count_outcomes(log: _Log, S: int, A: int) -> tuple[IntArray, IntArray, FloatArray, BoolArray, IntArray]:
    """Pair, next state, reward, terminated and count of each distinct outcome, sorted in that order.

    Each transition becomes one whole number that says everything, and equal numbers are counted: by a histogram
    where there are few possible ones, else by sorting (never rows with `np.unique(axis=0)`, 20 times slower).
    """
    rewards, code = _codes(log.reward)
    R = len(rewards)
    possible = S * A * S * R * 2  # a Python integer, which cannot overflow
    if possible >= 2**63:
        raise ValueError(f"{S} states, {A} actions and {R} distinct rewards are too many to count")
    key = log.observation * A
    key += log.action
    key *= S
    key += log.next_observation
    if R > 1:
        key *= R
        key += code
    key *= 2
    key += log.terminated
    if possible <= max(4 * len(key), 1 << 20):
        counts = np.bincount(key)
        distinct = np.flatnonzero(counts)
        count = counts[distinct]
    else:
        key.sort()
        first = np.concatenate([[0], np.flatnonzero(key[1:] != key[:-1]) + 1])
        distinct = key[first]
        count = np.diff(np.append(first, len(key)))
    rest, ended = np.divmod(distinct, 2)
    rest, code_of = np.divmod(rest, R)
    pair, next_state = np.divmod(rest, S)
    return pair, next_state, rewards[code_of], ended.astype(np.bool_), count.astype(np.int64)


def _codes(numbers: FloatArray) -> tuple[FloatArray, IntArray]:
    """The distinct numbers, ascending, and the place of each number among them.

    Logs rarely hold more than a few distinct rewards: those of a sample are tried first, then those that it missed.
    """
    distinct = np.unique(numbers[:1000])
    while len(distinct) <= 100:
        if len(distinct) == 1 and bool((numbers == distinct[0]).all()):
            return distinct, np.zeros(len(numbers), dtype=np.int64)
        place = np.minimum(np.searchsorted(distinct, numbers), len(distinct) - 1)
        missed = np.flatnonzero(distinct[place] != numbers)
        if not missed.size:
            return distinct, place
        distinct = np.unique(np.concatenate([distinct, numbers[missed[:1000]]]))
    distinct, place = np.unique(numbers, return_inverse=True)
    return distinct, place
