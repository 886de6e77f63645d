"""Tables on disk: one npz of plain arrays and one JSON text, written whole or not at all."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Hashable, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from ...atomic import written_whole
from .arrays import locked
from .layout import Layout
from .memory_limit import TableTooLarge, require_memory

FORMAT = "bellglass table 1"

#: What reading a file that is no npz, or a damaged one, has been seen to raise.
DAMAGE = (
    *(OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, MemoryError, OverflowError),
    *(NotImplementedError, RuntimeError, SyntaxError, struct.error, zlib.error, zipfile.BadZipFile),
)

ARRAYS = ("first_outcome", "probability", "next_state", "reward", "terminated", "initial")


def write_table(
    path: str | PathLike[str],
    arrays: Mapping[str, Any],
    fingerprint: str,
    state_labels: Sequence[Hashable] | None,
    action_labels: Sequence[Hashable] | None,
    layout: Layout | None,
) -> None:
    """Writes beside `path` first and then moves into place, so that a crash never leaves half a file."""
    names: dict[str, Any] = {
        "format": FORMAT,
        "fingerprint": fingerprint,
        "state_labels": None if state_labels is None else list(state_labels),
        "action_labels": None if action_labels is None else list(action_labels),
        "layout": None
        if layout is None
        else {
            "background": layout.background,
            "cell": layout.cell.tolist(),
            "arrows": layout.arrows,
            "row_labels": layout.row_labels,
        },
    }
    with written_whole(path) as file:
        np.savez_compressed(
            file,
            names=np.array(json.dumps(names, default=_plain)),
            **arrays,
        )


def read_table(path: str | PathLike[str]) -> tuple[dict[str, Any], str]:
    """The keyword arguments of the table that `write_table` wrote, unchecked, and the fingerprint it should have.

    Raises:
        ValueError: the file is no table of ours, or damaged.
    """
    try:
        with open(path, "rb") as opened:
            if not zipfile.is_zipfile(
                opened
            ):  # NumPy would take it for pickled data, and say how to load that
                raise ValueError("it is no npz file")
            with zipfile.ZipFile(opened) as listing:
                size = sum(member.file_size for member in listing.infolist())
            require_memory(size, f"the table in {path}")
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as file:
                names = json.loads(str(file["names"]))
                arrays = {name: locked(file[name]) for name in ARRAYS}
    except (FileNotFoundError, IsADirectoryError, PermissionError, TableTooLarge):
        raise
    except DAMAGE as error:
        raise ValueError(f"{path} is not a table saved by bellglass, or is damaged: {error}") from error
    if not isinstance(names, dict) or names.get("format") != FORMAT:
        found = names.get("format") if isinstance(names, dict) else names
        raise ValueError(f"{path} has the format {found!r}, expected {FORMAT!r}")
    try:
        return {**arrays, **_names_from(names)}, str(names["fingerprint"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from error


def _names_from(names: dict[str, Any]) -> dict[str, Any]:
    layout = names["layout"]
    return {
        "state_labels": _tuples(names["state_labels"]),
        "action_labels": _tuples(names["action_labels"]),
        "layout": None
        if layout is None
        else Layout(
            background=tuple(layout["background"]),
            cell=np.array(layout["cell"], dtype=np.int64),
            arrows=tuple(layout["arrows"]),
            row_labels=tuple(layout["row_labels"]),
        ),
    }


def _plain(label: object) -> object:
    if isinstance(label, np.generic):
        return label.item()
    raise TypeError(
        f"a label of type {type(label).__name__} cannot be saved; use numbers, strings or tuples of them"
    )


def _tuples(names: Any) -> Any:
    """JSON knows lists only; labels are hashable, so every list was a tuple."""
    return tuple(_tuples(name) for name in names) if isinstance(names, list) else names
