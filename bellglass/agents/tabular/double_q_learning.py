"""Double Q-learning: two tables, each valued by the other, so that noise is not taken for value.

    with probability 1/2 each, one table is Q and the other Q'; on each transition (s, a, r, s'):
        a*       =  argmax_a' Q(s', a')
        target   =  r + discount * Q'(s', a*)            (r alone if terminated)
        Q(s, a)  <-  Q(s, a) + step_size * (target - Q(s, a))

van Hasselt, "Double Q-learning", NeurIPS 2010.  The maximum of noisy estimates is too high on average; choosing with
one table and valuing with the other removes that, at the price of a bias downwards.  It acts on the mean of both.
The step size counts the updates of the pair in the table that is updated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base import Transition
from .action_values import ActionValueLearner


class DoubleQLearning(ActionValueLearner):
    """Q-learning that chooses with one table and values with another.

    Settings are those of `ActionValueLearner`; `q_values` is the mean of the two tables.

    Attributes:
        tables: [2, S, A] the two estimates.
        table_visits: [2, S, A] number of updates of each.
    """

    def _make_tables(self) -> None:
        super()._make_tables()
        self.tables = np.stack([self._q_values, self._q_values])
        self.table_visits = np.stack([self.visits, self.visits])

    def td_error(self, transition: Transition, table: int) -> float:
        """Target minus estimate of one table (0 or 1), leaving both as they are."""
        s, a, r, next_s, terminated, _ = transition
        next_value = 0.0
        actions = () if terminated else self.masks.actions(next_s)
        if actions:
            own, other = self.tables[table, next_s], self.tables[1 - table, next_s]
            next_value = other[max(actions, key=own.__getitem__)]
        return float(r + self.discount * next_value - self.tables[table, s, a])

    def update(self, transition: Transition) -> float:
        """Moves one of the tables, drawn by a coin; returns its TD error before the move."""
        s, a = transition.observation, transition.action
        table = int(self._rng.random() < 0.5)
        td_error = self.td_error(transition, table)
        self.visits[s, a] += 1
        self.table_visits[table, s, a] += 1
        self.tables[table, s, a] += self.step_size(int(self.table_visits[table, s, a])) * td_error
        self._q_values[s, a] = 0.5 * (self.tables[0, s, a] + self.tables[1, s, a])
        return td_error

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {**super()._arrays(), "tables": self.tables, "table_visits": self.table_visits}

    def _take_arrays(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        super()._take_arrays(arrays)
        self.tables[:] = arrays["tables"]
        self.table_visits[:] = arrays["table_visits"]
