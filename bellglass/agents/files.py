"""Agents on disk: one npz of plain arrays and one JSON text, written whole or not at all, never pickle."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from ..atomic import written_whole

FORMAT = "bellglass agent 2"

#: The array that holds the JSON text; arrays of an agent may not bear this name.
TEXT = "agent"


def write_agent(
    path: str | PathLike[str],
    class_name: str,
    settings: Mapping[str, object],
    arrays: Mapping[str, npt.NDArray[Any]],
) -> None:
    """Writes beside `path` first and then moves into place, so that a crash never leaves half a file.

    Args:
        path: the file, taken as it is (no ending is added).
        class_name: who may read it again.
        settings: whatever JSON can hold (numbers, strings, booleans, None, lists, dictionaries).
        arrays: by name; no object arrays.

    Raises:
        TypeError: a setting that JSON cannot hold, or an array of Python objects.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject or name == TEXT:
            raise TypeError(f"the array {name!r} of type {array.dtype} cannot be saved without pickle")
    text = json.dumps({"format": FORMAT, "class": class_name, "settings": dict(settings)})
    with written_whole(path) as file:
        np.savez_compressed(file, allow_pickle=False, **{TEXT: np.array(text)}, **dict(arrays))


def read_agent(
    path: str | PathLike[str], class_name: str
) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The settings and the arrays that `write_agent` wrote for `class_name`; runs no code from the file.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged, no agent of ours, or another agent's.
    """
    try:
        with open(path, "rb") as opened, np.load(opened, allow_pickle=False) as file:
            about = json.loads(str(file[TEXT]))
            arrays = {name: file[name] for name in file.files if name != TEXT}
    except (FileNotFoundError, IsADirectoryError, PermissionError):
        raise
    except (OSError, ValueError, KeyError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not an agent saved by bellglass, or is damaged: {error}") from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError(f"{path} is not an agent saved by bellglass (expected the format {FORMAT!r})")
    if about["class"] != class_name:
        raise ValueError(f"{path} holds a {about['class']}, not a {class_name}")
    return dict(about["settings"]), arrays


def generator_to_json(generator: np.random.Generator) -> dict[str, Any]:
    """The state of a generator as JSON, to be given to `generator_from_json`."""
    state = generator.bit_generator.state
    if state.get("bit_generator") != "PCG64":
        raise TypeError(f"only PCG64 generators are saved, got {state.get('bit_generator')}")
    return dict(state)


def generator_from_json(state: Mapping[str, Any]) -> np.random.Generator:
    """A generator that goes on where the saved one stood.

    >>> generator = np.random.default_rng(3)
    >>> twin = generator_from_json(json.loads(json.dumps(generator_to_json(generator))))
    >>> twin.random() == generator.random()
    True
    """
    generator = np.random.Generator(np.random.PCG64())
    generator.bit_generator.state = dict(state)
    return generator
