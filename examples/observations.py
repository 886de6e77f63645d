"""One state, seen in seven ways: docs/images/observations.png, and the optimum of what each of them shows.

python examples/observations.py [--output picture.png]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import bellglass
from bellglass.envs import (
    AliasedObservation,
    CoordinatesObservation,
    ImageObservation,
    LocalViewObservation,
    OneHotObservation,
    TimeObserved,
)
from bellglass.envs.mdp import Layout
from bellglass.envs.rendering.cells import AGENT, FAINT, GOAL, INK, LINE, WHITE, RGBArray, draw
from bellglass.envs.rendering.letters import caption
from bellglass.envs.rendering.png import write_png
from bellglass.envs.rendering.shapes import canvas, panel, shrunk

HERE = Path(__file__).resolve().parent.parent

#: The cell in which the agent stands, and the step that is shown with the clock.
CELL, STEP = (4, 4), 23

#: Pixels of a picture's side, of a card, and between cards.
SIDE, CARD, GAP = 208, (296, 272), 14

COLUMNS = 4

GROUND = (238, 241, 245)


def lake() -> gym.Env[Any, Any]:
    """The lake of 8 x 8 cells."""
    return gym.make("bellglass/FrozenLake-v0", map_name="8x8")


def card(title: str, below: str, picture: RGBArray) -> RGBArray:
    """A picture with its name and what it is."""
    image = canvas(*CARD, GROUND)
    panel(image, LINE, (CARD[0] / 2, CARD[1] / 2), CARD, corner=10)
    panel(image, WHITE, (CARD[0] / 2, CARD[1] / 2), (CARD[0] - 2, CARD[1] - 2), corner=9)
    top, left = 18 + (SIDE - picture.shape[0]) // 2, (CARD[1] - picture.shape[1]) // 2
    image[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    caption(image, title, INK, (248, CARD[1] / 2), dot=2)
    caption(image, below, FAINT, (276, CARD[1] / 2), dot=1)
    return image


def bars(numbers: np.ndarray[Any, Any], *, words: bool) -> RGBArray:
    """Numbers in [0, 1] as bars side by side."""
    image = canvas(SIDE, SIDE)
    step = SIDE / len(numbers)
    for k, number in enumerate(numbers.tolist()):
        middle = step * (k + 0.5)
        panel(image, LINE, (SIDE - 14, middle), (2, step * 0.8))
        if number > 0:
            high = (SIDE - 60) * number
            panel(image, AGENT, (SIDE - 14 - high / 2, middle), (high, max(step * 0.6, 2.0)))
        if words:
            caption(image, f"{number:.2f}", INK, (24, middle), dot=2)
    return image


def enlarged(image: RGBArray, times: int) -> RGBArray:
    """Each pixel `times` x `times`."""
    return image.repeat(times, axis=0).repeat(times, axis=1)


def cards() -> list[RGBArray]:
    """What is seen in CELL, one way after the other."""
    env: Any = lake()
    state, layout = env.unwrapped.encode(CELL), bellglass.table_of(env).layout
    size = SIDE // layout.columns
    one_hot: Any = OneHotObservation(lake())
    coordinates: Any = CoordinatesObservation(lake())
    image: Any = ImageObservation(lake(), size=(40, 40))
    view: Any = LocalViewObservation(lake(), radius=1)
    aliased: Any = AliasedObservation(lake(), [s % 8 for s in range(64)])
    clock: Any = TimeObserved(lake())
    letters = view.names[view.observe(state)]
    around = Layout(background=letters, cell=np.array([(1, 1)]), arrows=())
    same = draw(layout, state=state, cell_size=size)
    for s in np.flatnonzero(aliased.observe(np.arange(64)) == aliased.observe(state)).tolist():
        row, column = layout.cell[s].tolist()
        middle = (size * (row + 0.5), size * (column + 0.5))
        panel(same, GOAL, middle, (size - 1, size - 1), corner=4, opacity=0.35)
    timed = shrunk(clock.artist.picture(64 * STEP + state), SIDE, SIDE)
    views = view.observation_space.n
    return [
        card("the state", f"{state} of 64: a Discrete index", draw(layout, state=state, cell_size=size)),
        card("OneHotObservation", "[64] float32", bars(one_hot.observe(state), words=False)),
        card("CoordinatesObservation", "[2] float32", bars(coordinates.observe(state), words=True)),
        card("ImageObservation", "[40, 40, 3] uint8", enlarged(image.observe(state), 5)),
        card("LocalViewObservation", f"one of {views} views", draw(around, state=0, cell_size=SIDE // 3)),
        card("AliasedObservation", "here: the column alone", same),
        card("TimeObserved", f"step {STEP} of 200: 64 x 201 states", timed),
    ]


def sheet() -> RGBArray:
    """All cards."""
    shown = cards()
    rows = -(-len(shown) // COLUMNS)
    image = canvas(GAP + rows * (CARD[0] + GAP), GAP + COLUMNS * (CARD[1] + GAP), GROUND)
    for k, one in enumerate(shown):
        top, left = (
            GAP + number * (side + GAP) for number, side in zip(divmod(k, COLUMNS), CARD, strict=True)
        )
        image[top : top + CARD[0], left : left + CARD[1]] = one
    return image


def optima() -> dict[str, float]:
    """What agents without memory earn within the small lake's 100 steps, by what they see: exact, no episode played.

    The clock: the optimum.  The state: the best policy without a limit.  The column: the best of all 256 policies.
    """
    small = gym.make("bellglass/FrozenLake-v0")
    with_clock = bellglass.solve(TimeObserved(small), criterion="total").start_value
    best = bellglass.solve(small, criterion="total").policy
    without = bellglass.evaluate(small, best, criterion="finite_horizon", horizon=100).start_value
    column = np.arange(16) % 4
    worths = (
        bellglass.evaluate(
            small, np.array(actions)[column], criterion="finite_horizon", horizon=100
        ).start_value
        for actions in product(range(4), repeat=4)  # an action a column
    )
    return {"state and clock": with_clock, "state": without, "column": max(worths)}


def main(arguments: Sequence[str] | None = None) -> Path:
    """Writes the picture and returns where."""
    parser = argparse.ArgumentParser(description="One state, seen in seven ways.")
    parser.add_argument("--output", type=Path, default=HERE / "docs" / "images" / "observations.png")
    path: Path = parser.parse_args(arguments).output
    write_png(path, sheet())
    for seen, value in optima().items():
        print(f"{seen}: {value:.5f}")
    return path


if __name__ == "__main__":
    main()
