"""DeepSea: a treasure at the end of N right choices, each of which costs a little.

    S                  every step goes one row down, left or right by one column (walls at both sides)
    .  .               right costs move_cost / N; right in the last column pays 1 as well
    .  .  .            after N steps the episode is over
    .  .  .  T         action 0 left, 1 right; `randomize_actions` swaps the two in some states

Stochastic: right stays in its column with probability 1/N instead, and pays as if it had not.

Only right, N times, finds the treasure, and one failure before the last row loses it.  With x = discount, or
discount * (1 - 1/N) where right may fail, diving until the first failure is worth

    v*(start)  =  x**(N - 1)  -  (move_cost / N) * (1 + x + ... + x**(N - 1)),    or 0 where that is negative

(derived here: what is left to gain grows with every success, so who starts to dive goes on).

States are the N*N cells row by row (those right of the diagonal are never reached) and, last, the end.

Osband et al., Behaviour Suite for Reinforcement Learning, ICLR 2020; without bsuite's reward noise of mean 0.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Unpack

import numpy as np

from ..keywords import flag, real, whole
from ..mdp import Layout, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..tabular import EnvSettings, TabularEnv

LEFT, RIGHT = 0, 1


def deep_sea(N: int, *, stochastic: bool, move_cost: float, swapped: np.ndarray) -> TabularMDP:
    """The table: N*N cells row by row, then the end.

    Args:
        N: rows and columns.
        stochastic: whether right may fail.
        move_cost: cost of N times right.
        swapped: [N, N] bool, the cells in which action 0 goes right and action 1 left.
    """
    end = N * N
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        end: {a: [(1.0, end, 0.0, True)] for a in (0, 1)}
    }
    for row in range(N):
        ends = row == N - 1
        for column in range(N):
            below = [
                end if ends else (row + 1) * N + c
                for c in (max(column - 1, 0), column, min(column + 1, N - 1))
            ]
            paid = -move_cost / N + float(column == N - 1)
            right = [(1.0 - 1.0 / N, below[2], paid, ends), (1.0 / N, below[1], paid, ends)]
            directions = [
                [(1.0, below[0], 0.0, ends)],
                right if stochastic else [(1.0, below[2], paid, ends)],
            ]
            swap = int(swapped[row, column])
            P[row * N + column] = {LEFT: directions[LEFT ^ swap], RIGHT: directions[RIGHT ^ swap]}
    labels: list[Hashable] = [(row, column) for row in range(N) for column in range(N)]
    cells = [(row, column) for row in range(N) for column in range(N)]
    return TabularMDP.from_P(
        P,
        initial=np.eye(1, end + 1)[0],
        state_labels=[*labels, "end"],
        action_labels=("left", "right") if not swapped.any() else ("action 0", "action 1"),
        layout=Layout(
            background=tuple(
                "".join(
                    "S" if (r, c) == (0, 0) else "T" if (r, c) == (N - 1, N - 1) else " " for c in range(N)
                )
                for r in range(N)
            ),
            cell=np.array([*cells, (-1, -1)]),
            arrows=("↙", "↘") if not swapped.any() else ("0", "1"),
        ),
    )


def closed_form_start_value(
    N: int, *, stochastic: bool = False, move_cost: float = 0.01, discount: float = 1.0
) -> float:
    """v*(start), the closed form above."""
    x = discount * (1.0 - 1.0 / N) if stochastic else discount
    return max(x ** (N - 1) - move_cost / N * sum(x**t for t in range(N)), 0.0)


class DeepSea(TabularEnv):
    """Dive for the treasure.

    Args:
        N: depth and width, at least 2.
        stochastic: whether right fails with probability 1/N.
        move_cost: what N times right cost, at least 0.
        randomize_actions: whether a coin swaps the two actions in each state.
        model_seed: seed of these coins, at least 0.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        N: int = 10,
        stochastic: bool = False,
        move_cost: float = 0.01,
        randomize_actions: bool = False,
        model_seed: int = 0,
        **settings: Unpack[EnvSettings],
    ) -> None:
        N, cost = whole("N", N, 2), real("move_cost", move_cost, 0.0)
        require_memory(1500 * N * N, f"a table of {brief(N * N + 1)} states", {"N": N})
        rng = np.random.default_rng(whole("model_seed", model_seed, 0))
        swapped = np.zeros((N, N), dtype=np.bool_)
        if flag("randomize_actions", randomize_actions):
            swapped = rng.integers(2, size=(N, N)) == 1
        super().__init__(
            deep_sea(N, stochastic=flag("stochastic", stochastic), move_cost=cost, swapped=swapped),
            **settings,
        )
