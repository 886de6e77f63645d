"""Pictures as PNG files: one filter, one deflated block, nothing but the standard library (RFC 2083)."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np

from .cells import RGBArray

#: Each byte is stored less the one above it, which deflates well where rows repeat.
UP = 2


def png(image: RGBArray) -> bytes:
    """`image` [height, width, 3] uint8 as the bytes of a PNG file.

    Raises:
        ValueError: another shape or type, or no pixels.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise ValueError(
            f"image must be uint8 [height, width, 3] with pixels, got {image.dtype} {list(image.shape)}"
        )
    height, width = image.shape[:2]
    rows = image.reshape(height, 3 * width)
    above = np.vstack([np.zeros_like(rows[:1]), rows[:-1]])
    filtered = np.hstack([np.full((height, 1), UP, dtype=np.uint8), rows - above])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits, colour, not interlaced
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(filtered.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )


def write_png(path: str | Path, image: RGBArray) -> None:
    """Writes `image` [height, width, 3] uint8."""
    Path(path).write_bytes(png(image))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
