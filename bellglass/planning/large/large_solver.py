"""Discounted tables by compiled kernels: a search that ends, and its certificate."""

from __future__ import annotations

import numpy as np

from ...envs.mdp import FloatArray, TabularMDP
from ..bounds import Certified
from ..errors import ToleranceError
from ..progress_bar import Report
from . import in_place
from .compiled_bounds import certify_rows
from .inexact import solve_systems
from .orders import Components, seems_to_end
from .paths import from_the_ends
from .search import Search
from .sweeps import JUDGED, sweep_policies
from .table_rows import Rows


def solve_large(
    mdp: TabularMDP,
    discount: float,
    *,
    method: str,
    tolerance: float,
    relative: bool,
    start: FloatArray | None,
    report: Report | None,
) -> tuple[Certified, int, str]:
    """The certificate (`q_values` and `optimal` are [S, A]), the number of improvements, and what was done.

    Raises:
        ToleranceError: the bounds are farther apart than the tolerance.
    """
    rows = Rows.of(mdp)
    values = np.zeros(mdp.num_states)
    if start is not None:
        most = rows.largest / (1.0 - discount)  # than which no value is greater
        values = np.clip(start / rows.unit, -most, most)
    search = Search(rows, discount, tolerance, relative, values, report)
    while True:
        done = _by_name(search, method)
        search.rest()
        try:
            found = certify_rows(rows, search.values, discount, tolerance=tolerance, relative=relative)
        except ToleranceError:
            if not search.doubt():
                raise
        else:
            return found, search.improvements, done


def _by_name(search: Search, method: str) -> str:
    """Searches by a method, and says what was done."""
    if method == "gauss_seidel_value_iteration":
        in_place.gauss_seidel(search)
    elif method == "prioritised_value_iteration":
        in_place.prioritised(search)
    elif method in ("inexact_policy_iteration", "iterative_policy_iteration"):
        solve_systems(search, exact=method == "iterative_policy_iteration")
    else:
        return find(search)
    return method


def find(search: Search) -> str:
    """Searches by whatever is quickest, judged by the table and by its own progress; says what was done."""
    if in_one_pass(search):
        return "one pass in topological order"
    if from_the_ends(search):
        return "label correcting from the ends"
    if downstream_first(search):
        return "one pass in topological order"
    if sweep_policies(search, patience=JUDGED):
        return "modified_policy_iteration"
    solve_systems(search)
    if search.up - search.down <= search.allowed:
        return "modified_policy_iteration, then inexact_policy_iteration"
    search.mark, search.stalled = np.inf, 0  # the systems were too hard: sweeps are slow, but sure
    sweep_policies(search)
    return "modified_policy_iteration after systems that did not converge"


def in_one_pass(search: Search) -> bool:
    """Solves a table whose outcomes all lead to higher (or all to lower) states; False for others.

    Then a single pass in place from the far end is the whole answer.
    """
    if search.rows.up and search.rows.down:
        return False
    search.rows.gauss_seidel(search.values, search.discount, backward=search.rows.up > 0)
    search.improvements += 1
    return True


def downstream_first(search: Search) -> bool:
    """The same for a table without cycles whose states are numbered in any order; False for others."""
    if not seems_to_end(search.rows):
        return False
    search.components = found = Components.of(search.rows)
    if found.count < len(found.sequence):
        return False
    search.rows.gauss_seidel(search.values, search.discount, backward=False, sequence=found.sequence)
    search.improvements += 1
    return True
