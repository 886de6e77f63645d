"""Tables on disk: one npz of plain arrays and one JSON text, written whole or not at all."""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .layout import Layout
from .table import TabularMDP

FORMAT = "bellglass table 1"
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
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(
                file,
                names=np.array(json.dumps(names, default=_plain)),
                **{name: getattr(mdp, name) for name in ARRAYS},
            )
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | PathLike[str]) -> TabularMDP:
    """Reads and checks what `save` wrote."""
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            names = json.loads(str(file["names"]))
            arrays = {name: file[name] for name in ARRAYS}
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a table saved by bellglass, or is damaged: {error}") from error
    if names.get("format") != FORMAT:
        raise ValueError(f"{path} has the format {names.get('format')!r}, expected {FORMAT!r}")
    layout = names["layout"]
    mdp = TabularMDP(
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
    if mdp.fingerprint != names["fingerprint"]:
        raise ValueError(f"{path} is damaged: its arrays do not have the fingerprint it states")
    return mdp


def _plain(label: object) -> object:
    if isinstance(label, np.generic):
        return label.item()
    raise TypeError(
        f"a label of type {type(label).__name__} cannot be saved; use numbers, strings or tuples of them"
    )


def _tuples(names: Any) -> Any:
    """JSON knows lists only; labels are hashable, so every list was a tuple."""
    return tuple(_tuples(name) for name in names) if isinstance(names, list) else names
