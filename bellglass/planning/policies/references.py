"""What a table's policies are measured by: its optimum, the random policy's value, the smallest loss; made once."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from ...envs.mdp import TabularMDP
from ..algebra.pairs import Pairs
from ..errors import UnboundedError
from ..solutions.record import Criterion
from ..table_solver import solve_table
from .gaps import smallest_loss
from .policy_bounds import random_value

#: Marks of tables scored before: (optimum, random, gap) by criterion, discount and horizon.
_MARKS: WeakKeyDictionary[TabularMDP, dict[tuple[str, float, int | None], tuple[float, float, float]]] = (
    WeakKeyDictionary()
)

#: Pairs of tables scored before.
_PAIRS: WeakKeyDictionary[TabularMDP, Pairs] = WeakKeyDictionary()


def pairs_of(mdp: TabularMDP) -> Pairs:
    """`Pairs.of(mdp)`, made once a table."""
    found = _PAIRS.get(mdp)
    if found is None:
        found = _PAIRS[mdp] = Pairs.of(mdp)
    return found


def reference_values(
    mdp: TabularMDP, discount: float, *, criterion: Criterion, horizon: int | None
) -> tuple[float, float, float]:
    """(optimum, random, gap) of the table, remembered as long as the table lives."""
    known = _MARKS.setdefault(mdp, {})
    key = (criterion, discount, horizon)
    if key not in known:
        random = random_value(mdp, discount, criterion=criterion, horizon=horizon)
        try:
            best = solve_table(mdp, discount, criterion=criterion, horizon=horizon)
        except UnboundedError as error:  # a policy's own total may well be finite
            known[key] = (error.value, random, np.nan)
        else:
            known[key] = (best.start_value, random, smallest_loss(pairs_of(mdp), best))
    return known[key]
