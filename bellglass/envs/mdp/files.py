"""Tables on disk: one npz of plain arrays and one JSON text, written whole or not at all."""

from __future__ import annotations

import json
import os
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from .layout import Layout
from .room import RoomError, require_room
from .table import TabularMDP, locked

FORMAT = "bellglass table 1"

#: What reading a file that is no npz, or a damaged one, has been seen to raise.
DAMAGE = (
    *(OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, MemoryError, OverflowError),
    *(NotImplementedError, RuntimeError, SyntaxError, struct.error, zlib.error, zipfile.BadZipFile),
)

ARRAYS = ("first_outcome", "probability", "next_state", "reward", "terminated", "initial")


def save(mdp: TabularMDP, path: str | PathLike[str]) -> None:
    """Writes beside `path` first and then moves into place, so that a crash never leaves half a file."""
    names: dict[str, Any] = {
        "format": FORMAT,
        "fingerprint": mdp.fingerprint,
        "state_labels": None if mdp.state_labels is None else list(mdp.state_labels),
        "action_labels": None if mdp.action_labels is None else list(mdp.action_labels),
        "layout": None
        if mdp.layout is None
        else {
            "background": mdp.layout.background,
            "cell": mdp.layout.cell.tolist(),
            "arrows": mdp.layout.arrows,
            "row_labels": mdp.layout.row_labels,
        },
    }
    with written_whole(path) as file:
        np.savez_compressed(
            file,
            names=np.array(json.dumps(names, default=_plain)),
            **{name: getattr(mdp, name) for name in ARRAYS},
        )


@contextmanager
def written_whole(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """Lends a file beside `path` that moves into its place at the end; if anything fails, all is as it was."""
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def load(path: str | PathLike[str]) -> TabularMDP:
    """Reads and checks what `save` wrote."""
    try:
        with open(path, "rb") as opened:
            if not zipfile.is_zipfile(
                opened
            ):  # NumPy would take it for pickled data, and say how to load that
                raise ValueError("it is no npz file")
            with zipfile.ZipFile(opened) as listing:
                size = sum(member.file_size for member in listing.infolist())
            require_room(size, f"the table in {path}")
            opened.seek(0)
            with np.load(opened, allow_pickle=False) as file:
                names = json.loads(str(file["names"]))
                arrays = {name: locked(file[name]) for name in ARRAYS}
    except (FileNotFoundError, IsADirectoryError, PermissionError, RoomError):
        raise
    except DAMAGE as error:
        raise ValueError(f"{path} is not a table saved by bellglass, or is damaged: {error}") from error
    if not isinstance(names, dict) or names.get("format") != FORMAT:
        found = names.get("format") if isinstance(names, dict) else names
        raise ValueError(f"{path} has the format {found!r}, expected {FORMAT!r}")
    try:
        mdp = _built(names, arrays)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error!r}") from error
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if mdp.fingerprint != names["fingerprint"]:
        raise ValueError(f"{path} is damaged: its arrays do not have the fingerprint it states")
    return mdp


def _built(names: dict[str, Any], arrays: dict[str, Any]) -> TabularMDP:
    layout = names["layout"]
    return TabularMDP(
        **arrays,
        state_labels=_tuples(names["state_labels"]),
        action_labels=_tuples(names["action_labels"]),
        layout=None
        if layout is None
        else Layout(
            background=tuple(layout["background"]),
            cell=np.array(layout["cell"], dtype=np.int64),
            arrows=tuple(layout["arrows"]),
            row_labels=tuple(layout["row_labels"]),
        ),
    )


def _plain(label: object) -> object:
    if isinstance(label, np.generic):
        return label.item()
    raise TypeError(
        f"a label of type {type(label).__name__} cannot be saved; use numbers, strings or tuples of them"
    )


def _tuples(names: Any) -> Any:
    """JSON knows lists only; labels are hashable, so every list was a tuple."""
    return tuple(_tuples(name) for name in names) if isinstance(names, list) else names
