"""Compiles a plain function with numba when it is first worth it, and keeps the machine code on disk.

numba is imported late.  Its own choice of a cache folder fails *at decoration* where no home is writable, so the
folder is chosen here, and without one the function is compiled for this process only.  The folder's name holds a
digest of the module's source: an edited kernel can never meet the machine code of the old one.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

Kernel = TypeVar("Kernel", bound=Callable[..., Any])

#: Compiled functions of this process, by the plain ones.
_done: dict[Callable[..., Any], Callable[..., Any]] = {}


def compiled(function: Kernel) -> Kernel:
    """The machine code of `function`, compiled (or read from disk) at its first call.

    `function` must be a module's own function that calls no other compiled one: those never hit the disk cache.
    """
    if function not in _done:
        import numba
        from numba.core import config

        settings: Any = config  # a module that fills itself in when imported

        folder = cache_folder(function)
        if folder is None:
            _done[function] = numba.njit(nogil=True, error_model="numpy")(function)
        else:
            usual = settings.CACHE_DIR
            settings.CACHE_DIR = str(folder)
            try:
                _done[function] = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
            except (
                RuntimeError,
                OSError,
            ):  # numba finds no place for its files: compile for this process only
                _done[function] = numba.njit(nogil=True, error_model="numpy")(function)
            finally:
                settings.CACHE_DIR = usual
    return _done[function]  # type: ignore[return-value]  # the same signature, by numba's promise


def worth_compiling(function: Callable[..., Any], steps: int) -> bool:
    """Whether `steps` calls of the loop's body repay the wait for machine code.

    Compiling takes one to three seconds, importing numba and reading its cache about half of one, a step in Python
    some ten microseconds.
    """
    return is_loaded(function) or steps >= (50_000 if is_kept(function) else 200_000)


def is_loaded(function: Callable[..., Any]) -> bool:
    """Whether this process has the function's machine code."""
    return function in _done


def is_kept(function: Callable[..., Any]) -> bool:
    """Whether the function's machine code lies on disk."""
    folder = cache_folder(function)
    return folder is not None and any(folder.rglob(f"*.{function.__name__}-*.nbi"))


@cache
def cache_folder(function: Callable[..., Any]) -> Path | None:
    """A writable folder for the machine code of the function's module, or None."""
    source = Path(inspect.getfile(function)).read_bytes()
    name = f"bellglass-{hashlib.sha256(source).hexdigest()[:16]}"
    for home in _homes():
        folder = home / name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    return None


def _homes() -> list[Path]:
    if chosen := os.environ.get("NUMBA_CACHE_DIR"):
        return [Path(chosen)]
    try:
        home = Path.home()
    except RuntimeError:  # no home at all
        return []
    if sys.platform == "win32":
        usual = Path(os.environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    elif sys.platform == "darwin":
        usual = home / "Library" / "Caches"
    else:
        usual = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return [usual]
