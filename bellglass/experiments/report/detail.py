"""How much the page says, so that it stays under 500 kB however many runs there are.

Numbers never change with it: what is drawn coarser or left out is said beside the picture, and `runs.csv` and
`summary.json` hold everything.
"""

from __future__ import annotations

from typing import NamedTuple

#: Bytes that a page may have.
LIMIT = 490_000


class Detail(NamedTuple):
    """One level of detail.

    Attributes:
        points: of a line, at most (the eye sees no more in 300 pixels).
        all_points: of all lines of a kind together.
        dots: of an agent in an environment.
        cells: of all maps together.
        map_data: characters of the policies behind the maps.
        failures: shown with their traceback.
    """

    points: int = 50
    all_points: int = 1_000
    dots: int = 200
    cells: int = 900
    map_data: int = 120_000
    failures: int = 40


#: From the finest to the coarsest; the first that fits is taken.
LEVELS = (
    Detail(),
    Detail(points=30, all_points=700, dots=100, cells=700, map_data=100_000, failures=20),
    Detail(points=24, all_points=500, dots=40, cells=500, map_data=70_000, failures=12),
    Detail(points=16, all_points=300, dots=20, cells=250, map_data=30_000, failures=8),
    Detail(points=12, all_points=200, dots=7, cells=120, map_data=12_000, failures=5),
    Detail(points=8, all_points=100, dots=3, cells=0, map_data=0, failures=3),
)
