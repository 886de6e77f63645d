"""Every environment on one picture: docs/images/environments.png, or another file, or some ids only.

    python examples/contact_sheet.py [--output sheet.png] [bellglass/Taxi-v0 ...]

Each tile shows what `render_mode="rgb_array"` gives after a few random steps, made smaller where it is large.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym

import bellglass
from bellglass.envs.registration import ENVIRONMENTS, NAMESPACE
from bellglass.envs.rendering.cells import INK, LINE, WHITE, RGBArray
from bellglass.envs.rendering.letters import caption
from bellglass.envs.rendering.png import write_png
from bellglass.envs.rendering.shapes import canvas, panel, shrunk

#: Pixels: the most of a picture, around it, between tiles, and the line with the name.
HIGH, WIDE, PADDING, GAP, CAPTION = 268, 300, 12, 16, 34

#: Height and width of a card.
CARD = (HIGH + 2 * PADDING + CAPTION, WIDE + 2 * PADDING)

COLUMNS = 6

GROUND = (238, 241, 245)

HERE = Path(__file__).resolve().parent.parent


def picture(env_id: str, steps: int = 6) -> RGBArray:
    """[height, width, 3] the last state of a short random walk from which the episode goes on."""
    env: Any = gym.make(env_id, render_mode="rgb_array").unwrapped
    seed = zlib.crc32(env_id.encode())  # another walk for each id, the same one every time
    env.action_space.seed(seed)
    env.reset(seed=seed)
    shown: RGBArray = env.render()
    for _ in range(steps):
        _, _, terminated, _, _ = env.step(env.action_space.sample())
        if terminated:
            break
        shown = env.render()
    env.close()
    return shown


def tile(env_id: str) -> RGBArray:
    """The picture on a card, its name below."""
    shown = shrunk(picture(env_id), HIGH, WIDE)
    card = canvas(*CARD, GROUND)
    middle = (CARD[0] / 2, CARD[1] / 2)
    panel(card, LINE, middle, CARD, corner=10)
    panel(card, WHITE, middle, (CARD[0] - 2, CARD[1] - 2), corner=9)
    top = PADDING + (HIGH - shown.shape[0]) // 2
    left = (CARD[1] - shown.shape[1]) // 2
    card[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    name = env_id.removeprefix(f"{NAMESPACE}/").removesuffix("-v0")
    caption(card, name, INK, (CARD[0] - (PADDING + CAPTION) / 2, CARD[1] / 2))
    return card


def size_of_sheet(tiles: int, columns: int = COLUMNS) -> tuple[int, int]:
    """Height and width."""
    columns = min(columns, tiles)
    rows = -(-tiles // columns)
    return GAP + rows * (CARD[0] + GAP), GAP + columns * (CARD[1] + GAP)


def sheet(ids: Sequence[str], columns: int = COLUMNS) -> RGBArray:
    """[height, width, 3] a tile each, row by row."""
    image = canvas(*size_of_sheet(len(ids), columns), GROUND)
    for k, env_id in enumerate(ids):
        row, column = divmod(k, min(columns, len(ids)))
        top, left = GAP + row * (CARD[0] + GAP), GAP + column * (CARD[1] + GAP)
        image[top : top + CARD[0], left : left + CARD[1]] = tile(env_id)
    return image


def main(arguments: Sequence[str] | None = None) -> Path:
    """Writes the sheet and returns where."""
    bellglass.envs.register_envs()
    every = [f"{NAMESPACE}/{row.name}-v0" for row in ENVIRONMENTS]
    parser = argparse.ArgumentParser(description="A picture of every environment, on one sheet.")
    parser.add_argument("ids", nargs="*", default=every, help="environments; all by default")
    parser.add_argument("--output", type=Path, default=HERE / "docs" / "images" / "environments.png")
    asked = parser.parse_args(arguments)
    write_png(asked.output, sheet(asked.ids or every))
    print(f"{asked.output}: {asked.output.stat().st_size / 1e6:.2f} MB")
    return Path(asked.output)


if __name__ == "__main__":
    main()
