"""Short names for states that were read attribute by attribute: only what tells them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

#: Stands for a path that a state does not have, such as the colour of a key that nobody carries.
ABSENT = "—"


class Differences:
    """Readings, each kept as what differs from the first."""

    def __init__(self) -> None:
        self._first: dict[str, Any] = {}
        self._changes: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._changes)

    def append(self, leaves: dict[str, Any]) -> None:
        """Adds a state's reading."""
        if not self._changes:
            self._first = leaves
        changes = {
            path: value
            for path, value in leaves.items()
            if path not in self._first or not _same(self._first[path], value)
        }
        changes.update(dict.fromkeys(self._first.keys() - leaves.keys(), ABSENT))
        self._changes.append(changes)

    def columns(self) -> dict[str, list[Any]]:
        """{path: [S] content} of each path that varies, the shortest paths first."""
        paths = {path for changes in self._changes for path in changes}
        order = sorted(paths, key=lambda path: (path.count(".") + path.count("["), path))
        return {
            path: [changes.get(path, self._first.get(path, ABSENT)) for changes in self._changes]
            for path in order
        }

    def busiest(self, limit: int = 3) -> list[tuple[str, int]]:
        """The paths with the most different contents, and how many."""
        values: dict[str, set[Any]] = {}
        for changes in self._changes:
            for path, value in changes.items():
                values.setdefault(path, set()).add(value)
        counted = [(path, len(contents) + 1) for path, contents in values.items()]
        return sorted(counted, key=lambda pair: -pair[1])[:limit]

    def names(self) -> list[str]:
        """[S] different names: of the varying paths, taken in order, those that split states not yet told apart."""
        num_states = len(self)
        groups, num_groups = np.zeros(num_states, dtype=np.int64), 1
        chosen: dict[str, list[Any]] = {}
        for path, column in self.columns().items():
            codes: dict[tuple[type, Any], int] = {}
            code = np.array([codes.setdefault((type(value), value), len(codes)) for value in column])
            _, finer = np.unique(groups * len(codes) + code, return_inverse=True)
            if int(finer.max()) + 1 > num_groups:
                groups, num_groups = finer, int(finer.max()) + 1
                chosen[path] = column
            if num_groups == num_states:
                break
        if num_groups < num_states or not chosen:  # NaN, which differs from itself
            return [f"state {s}" for s in range(num_states)]
        usual = {
            path: Counter(column).most_common(1)[0][0] if _deep(path) else None
            for path, column in chosen.items()
        }
        names = [
            ", ".join(
                f"{path}={_short(column[s])}"
                for path, column in chosen.items()
                if not (_deep(path) and _same(column[s], usual[path]))
            )
            or "as usual"
            for s in range(num_states)
        ]
        return _numbered(names)


def _deep(path: str) -> bool:
    """Inside a list or an object: such a path is named only where it is not as in most states."""
    return "[" in path or "." in path


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 200 else f"{text[:180]}… ({hash(value) & 0xFFFFFFFF:08x})"


def _numbered(names: Sequence[str]) -> list[str]:
    """The same, those that occur twice numbered."""
    seen: dict[str, int] = {}
    different = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        different.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return different
