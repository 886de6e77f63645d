"""The letters of captions, and pictures as PNG files."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from bellglass.envs.rendering.cells import RGBArray
from bellglass.envs.rendering.letters import LETTERS, ROWS, caption, mask, width
from bellglass.envs.rendering.png import png, write_png
from bellglass.envs.rendering.shapes import canvas

INK = (10, 20, 30)


def unpacked(data: bytes) -> RGBArray:
    """[height, width, 3] what a PNG of our kind holds, read by the book: chunks, checksums, filter `Up`."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, chunks = 8, {}
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        kind, body = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        chunks[kind] = body
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    wide, high, *kind_of_picture = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert kind_of_picture == [8, 2, 0, 0, 0]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(high, 1 + 3 * wide)
    assert (rows[:, 0] == 2).all()
    return np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(high, wide, 3)


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (40, 61)])
def test_a_picture_comes_back_from_its_file(shape: tuple[int, int], tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(256, size=(*shape, 3), dtype=np.uint8)
    write_png(tmp_path / "picture.png", image)
    assert np.array_equal(unpacked((tmp_path / "picture.png").read_bytes()), image)


@pytest.mark.parametrize(
    "image", [np.zeros((2, 2, 3)), np.zeros((2, 2), dtype=np.uint8), np.zeros((0, 2, 3), dtype=np.uint8)]
)
def test_what_is_no_picture_is_refused(image: RGBArray) -> None:
    with pytest.raises(ValueError, match=r"image must be uint8 \[height, width, 3\] with pixels, got"):
        png(image)


def test_letters_differ_and_have_no_blank_columns_at_their_sides() -> None:
    assert set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") <= set(LETTERS)
    shapes = {letter: mask(letter) for letter in LETTERS}
    assert len({shape.tobytes() + bytes([shape.shape[1]]) for shape in shapes.values()}) == len(LETTERS)
    for letter, shape in shapes.items():
        assert shape.shape[0] == ROWS
        assert shape[:, [0, -1]].any(axis=0).all() or letter == "'"


def test_an_l_is_a_stroke_and_a_foot() -> None:
    drawn = ["".join(".#"[dot] for dot in row) for row in mask("L").tolist()]
    assert drawn == ["#....", "#....", "#....", "#....", "#....", "#....", "#####", "....."]


def test_a_caption_lies_around_its_centre_and_is_cut_at_the_border() -> None:
    image = canvas(40, 200)
    caption(image, "Hi", INK, (20, 100), dot=2)
    down, across = np.nonzero((image == INK).all(axis=2))
    assert (down.min(), down.max()) == (13, 26)
    assert across.max() - across.min() + 1 == width("Hi", 2) == 18
    assert abs((across.min() + across.max() + 1) / 2 - 100) <= 1
    for centre in ((0, 0), (40, 200), (-50, 20), (20, 500)):
        caption(image, "far out", INK, centre)
