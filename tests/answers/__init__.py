"""How each fact of the book is found again: one file a family, its `ANSWERS` keyed by the fact's id."""

from . import courses, exploration, games, grids, memory, operations
from .common import BOOK as BOOK
from .common import Answer

ANSWERS: dict[str, Answer] = {
    **grids.ANSWERS,
    **exploration.ANSWERS,
    **operations.ANSWERS,
    **games.ANSWERS,
    **courses.ANSWERS,
    **memory.ANSWERS,
}
