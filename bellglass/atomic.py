"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: str | PathLike[str], *, lasting: bool = True) -> Iterator[BinaryIO]:
    """Lends a file beside `path` that moves into its place at the end; if anything fails, all is as it was.

    Args:
        path: in a folder that is there.
        lasting: wait until it is on disk; what can be made again need not.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")  # hosts may share process ids
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
