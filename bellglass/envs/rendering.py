"""Pictures of tables in plain NumPy, and in text."""

from __future__ import annotations

import importlib.util
import os
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .mdp import Layout, TabularMDP

RGBArray = npt.NDArray[np.uint8]

#: "human" opens a window, so it is offered only where pygame is installed.
RENDER_MODES = ("ansi", "rgb_array", *(("human",) if importlib.util.find_spec("pygame") else ()))


class Artist(Protocol):
    """Draws states of one table."""

    def text(self, state: int) -> str:
        """Some lines of text."""
        ...

    def picture(self, state: int) -> RGBArray:
        """[height, width, 3] uint8."""
        ...


class LayoutArtist:
    """Draws states on the table's layout."""

    def __init__(self, mdp: TabularMDP) -> None:
        self.layout = chain_layout(mdp) if mdp.layout is None else mdp.layout

    def text(self, state: int) -> str:
        """The layout's background with the state in brackets."""
        return text_of(self.layout, state)

    def picture(self, state: int) -> RGBArray:
        """The layout with a marker on the state."""
        return draw(self.layout, state=state)


def chain_layout(mdp: TabularMDP, columns: int = 20) -> Layout:
    """States in the order of their indices, in rows of at most `columns`."""
    width = min(columns, mdp.num_states)
    s = np.arange(mdp.num_states)
    rows = -(-mdp.num_states // width)
    full = " " * mdp.num_states + "#" * (rows * width - mdp.num_states)
    return Layout(
        background=tuple(full[row * width : (row + 1) * width] for row in range(rows)),
        cell=np.stack([s // width, s % width], axis=1),
        arrows=tuple(str(a) for a in range(mdp.num_actions)),
    )


def text_of(layout: Layout, state: int | None = None) -> str:
    """The background, one line a row, the agent's cell in brackets; plain floor is a dot."""
    here = (-1, -1) if state is None else tuple(layout.cell[state].tolist())
    lines = []
    for row, letters in enumerate(layout.background):
        cells = [
            f"[{letter}]" if (row, column) == here else f" {letter} "
            for column, letter in enumerate(letters.replace(" ", "."))
        ]
        lines.append("".join(cells))
    return "\n".join(lines)


def draw(layout: Layout, *, state: int | None = None, cell_size: int = 48) -> RGBArray:
    """[rows * cell_size, columns * cell_size, 3]."""
    image = np.full((layout.rows, layout.columns, 3), 255, dtype=np.uint8)
    if state is not None and layout.cell[state, 0] >= 0:
        image[tuple(layout.cell[state])] = 0
    return image.repeat(cell_size, axis=0).repeat(cell_size, axis=1)


class Window:
    """A window that shows pictures, opened by the first one; needs pygame."""

    def __init__(self, title: str, fps: int) -> None:
        self._title = title
        self._fps = fps
        self._screen: Any = None
        self._clock: Any = None

    def show(self, picture: RGBArray) -> None:
        """Draws the picture and waits until the frame's time is over."""
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        import pygame

        if self._screen is None:
            pygame.display.init()
            pygame.display.set_caption(self._title)
            self._screen = pygame.display.set_mode(picture.shape[1::-1])
            self._clock = pygame.time.Clock()
        pygame.surfarray.blit_array(self._screen, picture.swapaxes(0, 1))
        pygame.event.pump()
        pygame.display.flip()
        self._clock.tick(self._fps)

    def close(self) -> None:
        """Closes the window."""
        if self._screen is not None:
            import pygame

            pygame.display.quit()
            self._screen = self._clock = None
