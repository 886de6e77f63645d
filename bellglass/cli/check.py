"""`bellglass check`: an answer from a file held against the exact optimum, for people and for graders.

An answer file holds values, q_values, a policy, or several of them:

    .npz    arrays of these names
    .json   an object with these keys, or one array
    .npy    one array
    .csv    one array: a row a state (or one row of all states); a header line is skipped

One array alone is a policy if it holds whole numbers only and no `--kind` says otherwise.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ..planning import Verdict, check
from ..planning.solutions.record import Criterion
from .solve import model_of

Kind = Literal["values", "q_values", "policy"]

KINDS: tuple[Kind, ...] = ("values", "q_values", "policy")


def grade(
    what: str,
    answer: Path,
    *,
    kind: Kind | None = None,
    discount: float | None = None,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    tolerance: float = 1e-6,
    keywords: Mapping[str, object] | None = None,
) -> Verdict:
    """The verdict on an answer file about an environment id or a saved table.

    Raises:
        ValueError: a file that is no answer, or a setting out of range.
        OSError: a file that cannot be read.
    """
    if Path(what).is_dir():
        raise ValueError(f"{what} is a folder: check takes an environment id or a table saved as .npz")
    model, own_discount = model_of(what, keywords or {})
    if discount is None and criterion == "discounted":
        discount = own_discount
    found = read_answer(answer, kind)
    if found.get("policy") is not None and found["policy"].dtype.kind == "f" and horizon is not None:
        whole = found["policy"] == np.round(found["policy"])
        if found["policy"].ndim == 2 and whole.all() and found["policy"].shape[0] == horizon:
            found["policy"] = found["policy"].astype(np.int64)  # text knows no integers
    try:
        return check(
            model,
            values=found.get("values"),
            q_values=found.get("q_values"),
            policy=found.get("policy"),
            discount=discount,
            criterion=criterion,
            horizon=horizon,
            tolerance=tolerance,
        )
    except TypeError as error:  # hidden states, or arrays of something else than numbers
        raise ValueError(str(error)) from None


def read_answer(path: Path, kind: Kind | None = None) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an answer file by name.

    Raises:
        ValueError: the file holds no answer; the message says where.
        OSError: it cannot be read.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no answer file {path}")
    if path.suffix == ".npz":
        with _numpy_file(path) as arrays:
            own = "about" in arrays.files  # what `bellglass solve --output` writes says more than an answer
            named: Any = {name: arrays[name] for name in (KINDS if own else arrays.files)}
    elif path.suffix == ".npy":
        named = _numpy_file(path)
    elif path.suffix == ".json":
        try:
            named = json.loads(path.read_text(encoding="utf-8"))
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise ValueError(f"{path} is no JSON: {error}") from None
    elif path.suffix in (".csv", ".txt"):
        named = _text(path)
    else:
        raise ValueError(
            f"{path}: an answer file is .npz, .npy, .json or .csv, got {path.suffix or 'no suffix'!r}"
        )
    if not isinstance(named, dict):
        array = _array(path, kind or "the array", named)
        if kind is None:
            whole = array.ndim == 1 and array.dtype.kind in "iuf" and bool((array == np.round(array)).all())
            if array.ndim != 1 and array.dtype.kind == "f":
                raise ValueError(
                    f"{path} holds one array {list(array.shape)}: say --kind {', '.join(KINDS[:2])} or policy"
                )
            kind = "policy" if whole or array.dtype.kind in "iu" else "values"
        return {kind: array}
    unknown = set(named) - set(KINDS)
    if unknown or not named:
        raise ValueError(
            f"{path} must hold some of {', '.join(KINDS)}, got {', '.join(sorted(named)) or 'nothing'}"
        )
    if kind is not None:
        if kind not in named:
            raise ValueError(f"{path} holds no {kind}, only {', '.join(sorted(named))}")
        named = {kind: named[kind]}
    return {name: _array(path, name, given) for name, given in named.items()}


def _numpy_file(path: Path) -> Any:
    if path.suffix == ".npz" and not zipfile.is_zipfile(path):
        raise ValueError(f"{path} is no npz file")
    try:
        return np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)  # a torn .npz would stay open
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(f"{path} is no NumPy file: {error}") from None
    except Exception as error:  # zipfile.BadZipFile and its kin, which have no common parent
        raise ValueError(f"{path} is damaged: {error}") from None


def _array(path: Path, name: str, given: Any) -> npt.NDArray[Any]:
    """JSON writes no -inf: null stands for an entry that says nothing."""
    try:
        array = np.array(given)
        if array.dtype == np.object_:
            array = np.array(given, dtype=np.float64)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {name} is no rectangular array of numbers ({error})") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{path}: {name} must hold numbers, got dtype {array.dtype}")
    return array


def _text(path: Path) -> npt.NDArray[Any]:
    """Numbers separated by commas, semicolons or blanks, one line a row; lines and columns are named."""
    rows: list[list[float]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        cells = line.replace(";", ",").replace(",", " , ").split(",")
        cells = line.split() if len(cells) == 1 else [cell.strip() for cell in cells]
        if not line.strip() or line.startswith("#"):
            continue
        row = []
        for column, cell in enumerate(cells, start=1):
            try:
                row.append(float(cell) if cell else np.nan)
            except ValueError:
                if not rows and number == 1:
                    break  # a header
                raise ValueError(f"{path}, line {number}, column {column}: {cell!r} is no number") from None
        else:
            rows.append(row)
            if len(row) != len(rows[0]):
                raise ValueError(f"{path}, line {number}: {len(row)} columns, {len(rows[0])} above")
    if not rows:
        raise ValueError(f"{path} holds no numbers")
    array = np.array(rows)
    return array.ravel() if 1 in array.shape else array
