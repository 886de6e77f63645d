"""Whether a table fits into memory, asked before its arrays are made: the one place that says no.

Linux hands out memory that it does not have and later kills whoever uses it, so NumPy's own MemoryError comes
too late or never.  A refusal here costs nothing and says what would be needed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

#: Below this many bytes nobody asks.
SMALL = 64 * 2**20

GIB = 2.0**30


class TableTooLarge(ValueError):
    """What was asked for does not fit into the memory that is free."""


def require_memory(num_bytes: int, what: str, asked: Mapping[str, float] | None = None) -> None:
    """Refuses what cannot fit.

    Args:
        num_bytes: how much is about to be allocated.
        what: how the error's sentence begins, such as "a table of 3 states".
        asked: the arguments that asked for it, to be named in the error.

    Raises:
        TableTooLarge: more than is free; the message tells both in GiB.
    """
    if num_bytes <= SMALL:
        return
    free = free_memory()
    if free is not None and num_bytes > free:
        named = ", ".join(f"{name} = {brief(value)}" for name, value in (asked or {}).items())
        needed = brief(num_bytes // 2**30) if num_bytes > 10**15 else f"{num_bytes / GIB:.1f}"
        raise TableTooLarge(
            f"{named}{': ' if named else ''}{what} would take {needed} GiB of memory, "
            f"but only {free / GIB:.1f} GiB are free"
        )


def brief(number: float) -> str:
    """The number, or about how large it is where nobody would count its digits.

    >>> brief(1_000_000), brief(3 * 10**30), brief(2**5000)
    ('1000000', '3.0e+30', 'more than 1e+300')
    """
    if abs(number) < 10**16:
        return str(number)
    return "more than 1e+300" if number > 10**300 else f"{float(number):.1e}"


def table_bytes(num_states: int, num_actions: int, num_outcomes: int) -> int:
    """What the arrays of a table take: 21 bytes an outcome, 8 a pair, 9 a state."""
    per_outcome = 21 if num_states < 2**31 else 25
    return per_outcome * num_outcomes + 8 * (num_states * num_actions + 1) + 9 * num_states


def require_memory_for_table(
    num_states: int, num_actions: int, num_outcomes: int, asked: Mapping[str, float] | None = None
) -> None:
    """Refuses a table whose arrays cannot fit; `asked` as in `require_memory`.

    Raises:
        TableTooLarge: more than is free; the message tells both in GiB.
    """
    num_bytes = table_bytes(num_states, num_actions, num_outcomes)
    require_memory(num_bytes, _table(num_states, num_actions, num_outcomes), asked)


#: What making a table takes at its height besides its arrays (measured): an outcome in the columns, masks and orders
#: of a sorter, and a state with its name and its place in a picture.
BYTES_PER_OUTCOME, BYTES_PER_STATE = 100, 150


def require_memory_to_make(
    num_states: int, num_actions: int, num_outcomes: int, asked: Mapping[str, float]
) -> None:
    """Refuses a table that cannot be made of columns of outcomes; `asked` as in `require_memory`.

    Raises:
        TableTooLarge: more than is free; the message tells both in GiB.
    """
    num_bytes = table_bytes(num_states, num_actions, num_outcomes)
    num_bytes += BYTES_PER_OUTCOME * num_outcomes + BYTES_PER_STATE * num_states
    require_memory(num_bytes, _table(num_states, num_actions, num_outcomes), asked)


def _table(num_states: int, num_actions: int, num_outcomes: int) -> str:
    return f"a table of {brief(num_states)} states, {brief(num_actions)} actions and {brief(num_outcomes)} outcomes"


def free_memory() -> int | None:
    """Bytes that can still be had, within the limits of the container too; None where nobody tells."""
    known = [number for number in (_free_in_machine(), *_free_in_groups()) if number is not None]
    return min(known, default=None)


def _free_in_machine() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:  # no Linux: what is built in, of which less is free
        return int(os.sysconf("SC_PHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return None


def _free_in_groups() -> list[int]:
    """What each control group (version 2) around this process leaves; files that it has cached count as free."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = [line.partition("::")[2] for line in lines if line.startswith("0::")]
    root = Path("/sys/fs/cgroup")
    free = []
    for folder in {root, *(root / name.lstrip("/") for name in own)}:
        for group in (folder, *folder.parents):
            if not group.is_relative_to(root):
                break
            try:
                limit = int((group / "memory.max").read_text(encoding="ascii"))
                used = int((group / "memory.current").read_text(encoding="ascii"))
                rows = (group / "memory.stat").read_text(encoding="ascii").split()
            except (OSError, ValueError):  # no such file, or the word "max"
                continue
            cached = dict(zip(rows[::2], map(int, rows[1::2]), strict=True)).get("inactive_file", 0)
            free.append(max(0, limit - used + cached))
    return free
