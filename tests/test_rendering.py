"""The renderer: what must be seen is there, pixel by pixel where that is sharp."""

from __future__ import annotations

import numpy as np
import pytest

from bellglass.envs.glyphs import DIRECTIONS, FONT, arrow, disc, paint, rounded_box, text_mask, write
from bellglass.envs.mdp import Layout, TabularMDP
from bellglass.envs.rendering import (
    AGENT,
    GOAL,
    INK,
    RENDER_MODES,
    VALUE_COLOURS,
    WALL,
    LayoutArtist,
    RGBArray,
    Window,
    chain_layout,
    draw,
    fitting_cell_size,
    text_of,
)

MAP = Layout(
    background=("S #", " HG"),
    cell=np.array([(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (-1, -1)]),
    arrows=("↑", "→", "↓", "←"),
)


def cell(image: RGBArray, row: int, column: int) -> RGBArray:
    size = image.shape[0] // 2
    return image[row * size : (row + 1) * size, column * size : (column + 1) * size]


def has(image: RGBArray, colour: tuple[int, int, int]) -> bool:
    return bool((image == colour).all(axis=-1).any())


def test_a_picture_has_the_layouts_shape_and_even_sides() -> None:
    assert draw(MAP, cell_size=20).shape == (40, 60, 3)
    for columns in (1, 7, 11, 33, 200):
        layout = Layout(background=(" " * columns,), cell=np.zeros((1, 2), dtype=int), arrows=())
        assert fitting_cell_size(layout) % 2 == 0
        assert 12 <= fitting_cell_size(layout) <= 64


def test_walls_are_dark_goals_green_and_the_agent_orange() -> None:
    image = draw(MAP, state=1, cell_size=32)
    assert (cell(image, 0, 2) == WALL).all()
    assert has(cell(image, 1, 2), GOAL)
    assert tuple(cell(image, 0, 1)[16, 16].tolist()) == AGENT
    assert not has(cell(image, 0, 0), AGENT)


def test_an_agent_off_the_map_is_not_drawn() -> None:
    assert np.array_equal(draw(MAP, state=5), draw(MAP))


def test_values_colour_from_low_to_high_and_what_is_infinite_stays_pale() -> None:
    image = draw(MAP, values=[0.0, 1.0, -np.inf, 0.5, 0.5, 0.5], cell_size=32)
    assert cell(image, 0, 0)[0, 0].tolist() == VALUE_COLOURS[0].tolist()
    assert cell(image, 0, 1)[0, 0].tolist() == VALUE_COLOURS[-1].tolist()
    assert cell(image, 1, 0)[0, 0].tolist() == VALUE_COLOURS[0].tolist()
    assert has(cell(image, 1, 2), GOAL)  # an end keeps its own colour


def test_equal_values_are_all_pale() -> None:
    image = draw(MAP, values=np.full(6, 3.0), cell_size=32)
    assert cell(image, 0, 1)[0, 0].tolist() == VALUE_COLOURS[0].tolist()


def test_arrows_are_turned_copies_of_each_other() -> None:
    up, right, down, left = (arrow(40, DIRECTIONS[glyph], 24.0) for glyph in "↑→↓←")
    assert np.allclose(np.rot90(up, -1), right)
    assert np.allclose(np.rot90(up, 2), down)
    assert np.allclose(np.rot90(up, 1), left)
    inside = np.argwhere(up < 0)
    assert inside[:, 0].min() < 20 < inside[:, 0].max()
    widths = [(up[row] < 0).sum() for row in range(40)]
    assert np.argmax(widths) < 22  # the head is in the upper half


def test_a_policy_shows_its_arrows_and_skips_ends() -> None:
    image = draw(MAP, policy=[1, 2, -1, 0, 0, 0], cell_size=32)
    assert has(cell(image, 0, 0), INK)
    assert has(cell(image, 0, 1), INK)
    assert np.array_equal(cell(image, 1, 0), cell(draw(MAP, cell_size=32), 1, 0))
    assert np.array_equal(cell(image, 1, 2), cell(draw(MAP, cell_size=32), 1, 2))


def test_actions_without_a_direction_are_written_out() -> None:
    layout = Layout(background=("  ",), cell=np.array([(0, 0), (0, 1)]), arrows=("17", "3"))
    image = draw(layout, policy=[0, 1], cell_size=40)
    ink = (image == INK).all(axis=-1)
    assert ink[:, :40].sum() > ink[:, 40:].sum() > 0


def test_a_shape_covers_its_area() -> None:
    for shape, area in ((disc(80, 20.0), np.pi * 400), (rounded_box(80, (10.0, 20.0), 0.01), 800.0)):
        image = np.zeros((80, 80, 3), dtype=np.uint8)
        paint(image, shape, (200, 0, 0))
        assert image[..., 0].sum() / 200 == pytest.approx(area, rel=0.01)


def test_letters_differ_and_what_does_not_fit_is_cut_off() -> None:
    masks = {text_mask(letter).tobytes() for letter in FONT}
    assert len(masks) == len(FONT)
    assert not text_mask("~").any()
    image = np.zeros((6, 6, 3), dtype=np.uint8)
    write(image, "888", (9, 9, 9), dot=1, top=-2, left=-1)
    assert image[:3].any()
    assert not image[3:].any()


def test_text_brackets_the_state() -> None:
    assert text_of(MAP, 1) == " S [.] #\n .  H  G"
    assert text_of(MAP) == " S  .  #\n .  H  G"


def test_a_table_without_a_layout_is_drawn_as_a_chain() -> None:
    mdp = TabularMDP.from_function(lambda s, a: [] if s == 24 else [(1.0, s + 1, 0.0)], range(25), ["on"])
    artist = LayoutArtist(mdp)
    assert (artist.layout.rows, artist.layout.columns) == (2, 20)
    assert artist.text(21).splitlines()[1] == " . [.] .  .  G  " + "#  " * 14 + "#"
    assert artist.picture(3).shape == (64, 640, 3)
    assert chain_layout(mdp, columns=5).rows == 5


def test_a_cell_needs_some_pixels() -> None:
    with pytest.raises(ValueError, match="cell_size must be at least 4 pixels, got 3"):
        draw(MAP, cell_size=3)


def test_a_window_opens_shows_and_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    pygame = pytest.importorskip("pygame")
    assert "human" in RENDER_MODES
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = Window("a table", fps=1000)
    window.show(draw(MAP, state=0))
    window.show(draw(MAP, state=1))
    assert pygame.display.get_surface().get_size() == (192, 128)
    window.close()
    window.close()
    assert pygame.display.get_surface() is None
