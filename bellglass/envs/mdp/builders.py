"""Flat arrays from the forms in which people write tables: nested dictionaries, dense arrays, a function."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .arrays import Outcomes
from .memory_limit import require_memory

#: The outcomes of one pair: (probability, next_state, reward, terminated).
Rows = Sequence[tuple[float, int, float, bool]]


def fields_from_P(P: Outcomes, initial: npt.ArrayLike) -> dict[str, Any]:
    """The flat arrays of Gymnasium's P; `TabularMDP.from_P` tells which states become terminal."""
    num_states = len(P)
    if set(P) != set(range(num_states)):
        raise ValueError(f"P must have the keys 0 .. {num_states - 1}, got {sorted(P)[:5]} ...")
    rows_of: dict[int, Mapping[int, Rows]] = {s: P[s] for s in range(num_states)}
    num_actions = 1 + max((a for actions in rows_of.values() for a in actions), default=-1)
    if num_actions == 0:
        raise ValueError("P has no actions")
    starts = np.asarray(initial, dtype=np.float64)
    for s, actions in rows_of.items():
        for a, rows in actions.items():
            if not a >= 0:
                raise ValueError(f"state {s} has the action {a!r}; actions are numbered from 0")
            for row in rows:
                if len(row) != 4:
                    raise ValueError(
                        f"state {s}, action {a}: an outcome is (probability, next_state, reward, terminated), "
                        f"got {row!r}"
                    )
                if not 0 <= int(row[1]) < num_states:
                    raise ValueError(
                        f"state {s}, action {a}: the next state {row[1]} is not in [0, {num_states})"
                    )

    terminal = _terminal_states(rows_of, starts)
    return _flat(
        (
            rows_of[s].get(a, ()) if s not in terminal else ()
            for s in range(num_states)
            for a in range(num_actions)
        ),
        starts,
    )


def _terminal_states(rows_of: Mapping[int, Mapping[int, Rows]], starts: npt.NDArray[np.float64]) -> set[int]:
    """Entered by a terminated outcome, no start, and never entered unterminated on the way from the starts."""
    entered: set[int] = set()
    going_on: dict[int, set[int]] = {}
    for s, actions in rows_of.items():
        going_on[s] = set()
        for rows in actions.values():
            for p, next_s, _, terminated in rows:
                if p > 0:
                    (entered if terminated else going_on[s]).add(int(next_s))
    start_states = {int(s) for s in np.flatnonzero(starts > 0)}
    reached = set(start_states)
    frontier = list(start_states)
    while frontier:
        for next_s in going_on.get(frontier.pop(), ()):
            if next_s not in reached:
                reached.add(next_s)
                frontier.append(next_s)
    return entered - reached


def fields_from_arrays(
    transition: npt.ArrayLike,
    reward: npt.ArrayLike,
    initial: npt.ArrayLike,
    terminal: npt.ArrayLike | None,
    action_mask: npt.ArrayLike | None,
) -> dict[str, Any]:
    """The flat arrays of dense ones; `TabularMDP.from_arrays` tells their shapes."""
    given = np.asarray(transition)
    copied = 0 if given.dtype == np.float64 else 8  # bytes an entry; two masks of as many entries follow
    require_memory((2 + copied) * given.size, f"reading a dense transition of shape {list(given.shape)}")
    transition = np.asarray(given, dtype=np.float64)
    if transition.ndim != 3 or transition.shape[0] != transition.shape[2]:
        raise ValueError(f"transition must have shape [S, A, S], got {list(transition.shape)}")
    num_states, num_actions, _ = transition.shape
    ends = as_mask(terminal, num_states)
    mask = as_pairs_mask(action_mask, num_states, num_actions) & ~ends[:, None]

    rewards = np.asarray(reward, dtype=np.float64)
    forms: dict[tuple[int, ...], tuple[int, ...]] = {
        (num_states,): (num_states, 1, 1),
        (num_states, num_actions): (num_states, num_actions, 1),
        (num_states, num_actions, num_states): (num_states, num_actions, num_states),
    }
    if rewards.shape not in forms:
        raise ValueError(
            f"reward must have shape [{num_states}], [{num_states}, {num_actions}] or "
            f"[{num_states}, {num_actions}, {num_states}], got {list(rewards.shape)}"
        )
    paid = np.broadcast_to(rewards.reshape(forms[rewards.shape]), transition.shape)

    empty = mask & (transition == 0).all(axis=2)
    if empty.any():
        s, a = np.argwhere(empty)[0]
        raise ValueError(
            f"outcomes of state {s}, action {a} sum to 0, not 1 (name the state in terminal, or the action in "
            "action_mask, if it is not available)"
        )
    kept = mask[:, :, None] & (transition != 0)  # NaN and negative entries stay, to be refused by name
    s, a, next_state = np.nonzero(kept)
    counts = np.bincount(s * num_actions + a, minlength=num_states * num_actions)
    return {
        "first_outcome": np.concatenate([[0], np.cumsum(counts)]),
        "probability": transition[kept],
        "next_state": next_state,
        "reward": paid[kept],
        "terminated": ends[next_state],
        "initial": np.asarray(initial, dtype=np.float64),
    }


def as_mask(terminal: npt.ArrayLike | None, num_states: int) -> npt.NDArray[np.bool_]:
    """[S] bool, from the same or from indices; False everywhere by default."""
    mask = np.zeros(num_states, dtype=np.bool_)
    if terminal is None:
        return mask
    given = np.asarray(terminal)
    if given.dtype == np.bool_:
        if given.shape != (num_states,):
            raise ValueError(f"terminal must have shape [{num_states}], got {list(given.shape)}")
        return given.copy()
    if given.size == 0:
        return mask
    if given.ndim != 1 or given.dtype.kind not in "iu" or given.min() < 0 or given.max() >= num_states:
        raise ValueError(
            f"terminal must be bool [{num_states}] or indices in [0, {num_states}), got {terminal!r}"
        )
    mask[given] = True
    return mask


def as_pairs_mask(
    action_mask: npt.ArrayLike | None, num_states: int, num_actions: int
) -> npt.NDArray[np.bool_]:
    """[S, A] bool, checked; True everywhere by default."""
    if action_mask is None:
        return np.ones((num_states, num_actions), dtype=np.bool_)
    mask = np.asarray(action_mask)
    if mask.dtype != np.bool_ or mask.shape != (num_states, num_actions):
        raise ValueError(
            f"action_mask must be bool [{num_states}, {num_actions}], got {mask.dtype} {list(mask.shape)}"
        )
    return mask


def fields_from_function(
    model: Callable[[Any, Any], Iterable[Sequence[Any]] | None],
    states: Iterable[Hashable],
    actions: Iterable[Hashable],
    initial: Mapping[Any, float] | npt.ArrayLike | None,
) -> dict[str, Any]:
    """The flat arrays, and the labels, of a model that speaks in names."""
    state_labels, action_labels = tuple(states), tuple(actions)
    if not state_labels or not action_labels:
        raise ValueError(
            f"need at least one state and one action, got {len(state_labels)} and {len(action_labels)}"
        )
    index = {label: s for s, label in enumerate(state_labels)}

    answers = [[list(model(s, a) or ()) for a in action_labels] for s in state_labels]
    ends = [not any(rows) for rows in answers]
    pairs: list[list[tuple[float, int, float, bool]]] = []
    for state, rows_of_action in zip(state_labels, answers, strict=True):
        for action, rows in zip(action_labels, rows_of_action, strict=True):
            pairs.append([])
            for row in rows:
                if len(row) not in (3, 4):
                    raise ValueError(
                        f"model({state!r}, {action!r}): an outcome is (probability, next state, reward) or "
                        f"(probability, next state, reward, terminated), got {row!r}"
                    )
                if row[1] not in index:
                    raise ValueError(
                        f"model({state!r}, {action!r}) leads to {row[1]!r}, which is not in states"
                    )
                next_s = index[row[1]]
                pairs[-1].append((row[0], next_s, row[2], bool(row[3]) if len(row) == 4 else ends[next_s]))

    if initial is None:
        starts = np.eye(1, len(state_labels))[0]
    elif isinstance(initial, Mapping):
        starts = np.zeros(len(state_labels))
        for label, p in initial.items():
            if label not in index:
                raise ValueError(f"initial names {label!r}, which is not in states")
            starts[index[label]] = p
    else:
        starts = np.asarray(initial, dtype=np.float64)
    return _flat(pairs, starts) | {"state_labels": state_labels, "action_labels": action_labels}


def _flat(pairs: Iterable[Rows], initial: npt.NDArray[np.float64]) -> dict[str, Any]:
    counts = [0]
    rows: list[tuple[float, int, float, bool]] = []
    for outcomes in pairs:
        counts.append(len(outcomes))
        rows.extend(outcomes)
    return {
        "first_outcome": np.cumsum(np.array(counts, dtype=np.int64)),
        "probability": np.array([row[0] for row in rows], dtype=np.float64),
        "next_state": np.array([int(row[1]) for row in rows], dtype=np.int64),
        "reward": np.array([row[2] for row in rows], dtype=np.float64),
        "terminated": np.array([bool(row[3]) for row in rows], dtype=np.bool_),
        "initial": initial,
    }
