"""A solution on disk: npz for programs, CSV for spreadsheets; names as text, never pickle."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ...atomic import written_whole
from .record import SolutionRecord

FORMAT = "bellglass solution 1"

ENDINGS = (".npz", ".csv")

#: The record's arrays, each written where it is not None.
ARRAYS = (
    "values",
    "q_values",
    "policy",
    "optimal_actions",
    "lower",
    "upper",
    "gain",
    "bias",
    "occupancy",
    "beliefs",
    "alpha_vectors",
    "alpha_actions",
)

#: The rest of the record.
FACTS = ("criterion", "discount", "horizon", "start_value", "method", "iterations", "seconds")


def check_ending(path: str | PathLike[str]) -> str:
    """The ending, in small letters.

    Raises:
        ValueError: it is neither of those that can be written.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ValueError(f"a solution is written to a path that ends in .npz or .csv, got {str(path)!r}")
    return ending


def save(solution: SolutionRecord, path: str | PathLike[str]) -> None:
    """Writes the solution in the form that the path's ending names."""
    ending = check_ending(path)
    with written_whole(path) as file:
        if ending == ".npz":
            np.savez_compressed(file, allow_pickle=False, **_arrays(solution))
        else:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            csv.writer(text, lineterminator="\n").writerows(_rows(solution))
            text.detach()


def _arrays(solution: SolutionRecord) -> dict[str, Any]:
    mdp = solution.mdp
    about = {name: getattr(solution, name) for name in FACTS}
    about |= {"format": FORMAT, "bound": solution.bound, "fingerprint": mdp.fingerprint}
    arrays = {name: getattr(solution, name) for name in ARRAYS}
    beliefs: Any = solution.beliefs
    if hasattr(beliefs, "indptr"):  # sparse: its three arrays
        arrays |= {
            "beliefs": beliefs.data,
            "beliefs_states": beliefs.indices,
            "beliefs_first": beliefs.indptr,
        }
    return {
        "about": np.array(json.dumps(about)),
        "state_labels": np.array([str(mdp.decode(s)) for s in range(mdp.num_states)]),
        "action_labels": np.array([mdp.action_name(a) for a in range(mdp.num_actions)]),
        **{name: array for name, array in arrays.items() if array is not None},
    }


def _rows(solution: SolutionRecord) -> Iterator[list[object]]:
    """The header, then a row a state; the bounds are of the first step alone, so later steps leave them empty."""
    mdp = solution.mdp
    states = [str(mdp.decode(s)) for s in range(mdp.num_states)]
    actions = [mdp.action_name(a) for a in range(mdp.num_actions)]
    number = ["gain", "bias"] if solution.gain is not None else ["value"]
    step = ["step"] if solution.policy.ndim == 2 else []
    yield [
        *step,
        *("state", "label", *number, "lower", "upper", "policy", "best_actions"),
        *(f"q: {action}" for action in actions),
    ]
    steps = len(solution.policy) if step else 1
    for h in range(steps):
        policy, best, q = (
            array[h] if step else array
            for array in (solution.policy, solution.optimal_actions, solution.q_values)
        )
        if solution.gain is not None and solution.bias is not None:
            numbers = [solution.gain.tolist(), solution.bias.tolist()]
        else:
            assert solution.values is not None
            numbers = [(solution.values[h] if step else solution.values).tolist()]
        bounds: list[list[object]] = [solution.lower.tolist(), solution.upper.tolist()]
        if h:
            bounds = [[""] * len(states), [""] * len(states)]
        chosen, rows = policy.tolist(), q.tolist()
        for s, label in enumerate(states):
            ends = bool(mdp.terminal[s])
            yield [
                *([h] if step else []),
                *(s, label, *(column[s] for column in numbers), *(column[s] for column in bounds)),
                "" if ends else actions[chosen[s]],
                "" if ends else " | ".join(actions[a] for a in np.flatnonzero(best[s])),
                *rows[s],
            ]
