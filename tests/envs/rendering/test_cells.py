"""The renderer: what must be seen is there, pixel by pixel where that is sharp."""

from __future__ import annotations

import numpy as np
import pytest

from bellglass.envs.mdp import Layout, TabularMDP
from bellglass.envs.rendering.cells import (
    AGENT,
    FLOOR,
    GOAL,
    INK,
    RENDER_MODES,
    VALUE_COLOURS,
    WALL,
    RGBArray,
    Window,
    draw,
    fitting_cell_size,
)
from bellglass.envs.rendering.glyphs import (
    DIRECTIONS,
    FONT,
    arrow,
    disc,
    paint,
    rounded_box,
    text_mask,
    write,
)
from bellglass.envs.rendering.layout_artist import SIDE, LayoutArtist, cell_size, part_around, text_of

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


def plain(rows: int, columns: int) -> Layout:
    """Floor, a state in each cell, row by row."""
    cells = np.stack(np.divmod(np.arange(rows * columns), columns), axis=1)
    return Layout(background=(" " * columns,) * rows, cell=cells, arrows=("0",))


def test_a_picture_has_the_layouts_shape_and_even_sides() -> None:
    assert draw(MAP, cell_size=20).shape == (40, 60, 3)
    assert draw(MAP, cell_size=5).shape == (10, 16, 3)  # 15 and one more
    for columns in (1, 7, 11, 33, 53):
        size = fitting_cell_size(plain(1, columns))
        assert size % 2 == 0
        assert 12 <= size <= 64
    for columns in (54, 200, 641, 10_000):
        assert 1 <= fitting_cell_size(plain(1, columns)) <= 11


def test_small_cells_are_squares_of_their_colour() -> None:
    for size in (1, 5, 6, 11):
        image = draw(MAP, values=[0.0, 1.0, 0.5, 0.5, 0.5, 0.5], cell_size=size)
        middle = image[size // 2 :: size, size // 2 :: size].tolist()
        assert middle[0][2] == list(WALL)
        assert middle[1][2] == list(GOAL)
        assert middle[0][:2] == [VALUE_COLOURS[0].tolist(), VALUE_COLOURS[-1].tolist()]


def standstill(layout: Layout) -> TabularMDP:
    """One action, which changes nothing."""
    n = len(layout.cell)
    return TabularMDP(
        first_outcome=np.arange(n + 1),
        probability=np.ones(n),
        next_state=np.arange(n),
        reward=np.zeros(n),
        terminated=np.zeros(n, dtype=np.bool_),
        initial=np.full(n, 1 / n),
        layout=layout,
    )


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 2_000), (3, 2_000), (2_000, 5), (54, 2_000), (60, 70), (300, 300), (1_000, 900)]
)
def test_a_picture_of_any_map_is_neither_huge_nor_a_thread_and_shows_where_the_agent_is(
    rows: int, columns: int
) -> None:
    artist = LayoutArtist(standstill(plain(rows, columns)))
    for state in (0, rows * columns // 2 + 7, rows * columns - 1):
        picture = artist.picture(state)
        assert 20 <= picture.shape[0] <= SIDE + 32
        assert 20 <= picture.shape[1] <= SIDE
        assert has(picture, AGENT)
        side = SIDE // cell_size(artist.layout)
        part = part_around(artist.layout, state, side)
        assert part.cell[state, 0] >= 0
        assert part is artist.layout or max(part.rows, part.columns) == side


def test_a_part_keeps_its_cells_letters_and_captions() -> None:
    layout = Layout(background=("S #", " HG"), cell=MAP.cell, arrows=(), row_labels=("one", "two"))
    part = layout.part(1, 1, 1, 2)
    assert part.background == ("HG",)
    assert part.row_labels == ("two",)
    assert part.cell.tolist() == [[-1, -1], [-1, -1], [-1, -1], [0, 0], [0, 1], [-1, -1]]


def test_a_cell_that_is_none_is_left_blank() -> None:
    layout = Layout(background=(" ∅",), cell=np.array([(0, 0)]), arrows=())
    for size in (6, 32):
        image = draw(layout, cell_size=size)
        assert (image[:, size:] == FLOOR).all()
        assert not (image[:, :size] == FLOOR).all()  # the floor's line
    assert text_of(layout) == " ."


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


def chain(num_states: int) -> TabularMDP:
    def model(s: int, a: str) -> list[tuple[float, int, float]]:
        return [] if s == num_states - 1 else [(1.0, s + 1, 0.0)]

    return TabularMDP.from_function(model, range(num_states), ["on"])


def test_a_table_without_a_layout_is_drawn_as_a_chain() -> None:
    artist = LayoutArtist(chain(45))
    assert (artist.layout.rows, artist.layout.columns) == (5, 10)
    assert artist.text(41).splitlines()[-1] == " . [.] .  .  G"
    assert artist.picture(3).shape == (320, 640, 3)


def test_states_whose_numbers_find_no_room_in_their_cells_are_named_below() -> None:
    few, many = LayoutArtist(chain(45)), LayoutArtist(chain(10_000))
    assert few.picture(3).shape[0] == 5 * 64
    one, other = many.picture(5_000), many.picture(5_001)
    assert one.shape == (600 + 32, 600, 3)
    assert not np.array_equal(one[-30:], other[-30:])
    assert many.text(5_000).splitlines()[-1] == "(5000)"
    assert len(many.text(5_000).splitlines()) == 25 + 1


def test_a_cell_needs_a_pixel() -> None:
    with pytest.raises(ValueError, match="cell_size must be at least 1 pixel, got 0"):
        draw(MAP, cell_size=0)


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
