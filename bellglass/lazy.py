"""Names that a package lends late: each is imported when it is first asked for, so that importing stays light."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

from .extras import missing_extra


def lend(
    package: str, homes: Mapping[str, Sequence[str]], *also: str
) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """The `__all__`, `__getattr__` and `__dir__` of a package that lends names of its modules.

    Type checkers read the same names from the package's `if TYPE_CHECKING:` block; `tests/test_lazy.py` keeps the two
    alike.

    Args:
        package: its `__name__`.
        homes: the names that each module, relative to the package, lends.
        also: names that the package has of its own.
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def attribute(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            value: object = getattr(import_module(f".{home_of[name]}", package), name)
        except ModuleNotFoundError as error:
            raise missing_extra(name, error) from error
        setattr(sys.modules[package], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of})

    return sorted({*home_of, *also}), attribute, names
