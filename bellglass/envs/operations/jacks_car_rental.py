"""JacksCarRental: two locations, up to 20 cars each; how many to move overnight?

    evening (n1, n2)  --move a - 5 cars from 1 to 2-->  morning  --requests, then returns-->  evening

    requests     Poisson(3) and Poisson(4), served as far as cars last, 10 for each rental
    returns      Poisson(3) and Poisson(2), not rentable the same day
    moving       2 a car, at most 5 cars; masked if the giving location has fewer
    more than 20 cars at a location are sent away, after the move and at the end of the day

The reward is the expected one given the morning's cars, so a row is a distribution over evenings only.  The two
locations are independent of each other: a row is the outer product of two rows of 21 x 21 matrices, each the
convolution of what requests leave with what returns bring, tails lumped exactly into the last outcome.

Modified (Exercise 4.7): the first car moved from 1 to 2 is free, and each location that holds more than 10 cars
in the morning costs 4.

No closed form: the solver's certificate stands behind it.  For a discount of .9 the book's Figure 4.2 moves 5
cars at (20, 0) and -4 at (0, 20).

Sutton & Barto, 2nd ed. (2018), Example 4.2, Exercise 4.7.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag
from ..mdp import FloatArray, Layout, TabularMDP
from ..rendering.cells import Artist
from ..tabular import EnvSettings, TabularEnv
from .lots_and_servers import CarLotsArtist
from .poisson import poisson

MOST_CARS, MOST_MOVED = 20, 5
REQUESTS, RETURNS = (3.0, 4.0), (3.0, 2.0)
RENTAL, MOVING = 10.0, 2.0
FREE_PARKING, SECOND_PARKING = 10, 4.0

COUNTS = MOST_CARS + 1
START = (10, 10)


def jacks_car_rental(*, modified: bool) -> TabularMDP:
    """The table: state n1 * 21 + n2; action a moves a - 5 cars from location 1 to 2."""
    moves = np.arange(2 * MOST_MOVED + 1) - MOST_MOVED
    n1, n2, move = np.ix_(np.arange(COUNTS), np.arange(COUNTS), moves)
    available = (move <= n1) & (-move <= n2)
    n1, n2, a = np.nonzero(available)  # every pair that is available, in the table's order
    moved = moves[a]
    morning1, morning2 = np.minimum(n1 - moved, MOST_CARS), np.minimum(n2 + moved, MOST_CARS)

    evening1, evening2 = (day(requests, returns) for requests, returns in zip(REQUESTS, RETURNS, strict=True))
    rented1, rented2 = (expected_rentals(requests) for requests in REQUESTS)
    reward = RENTAL * (rented1[morning1] + rented2[morning2])
    if modified:
        parked = (morning1 > FREE_PARKING).astype(int) + (morning2 > FREE_PARKING)
        reward -= MOVING * (np.abs(moved) - (moved > 0)) + SECOND_PARKING * parked
    else:
        reward -= MOVING * np.abs(moved)

    num_states = COUNTS * COUNTS
    probability = (evening1[morning1][:, :, None] * evening2[morning2][:, None, :]).ravel()
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(np.where(available.ravel(), num_states, 0))]),
        probability=probability,
        next_state=np.tile(np.arange(num_states), len(reward)),
        reward=np.repeat(reward, num_states),
        terminated=np.zeros(len(probability), dtype=np.bool_),
        initial=np.eye(1, num_states, START[0] * COUNTS + START[1])[0],
        state_labels=[(cars1, cars2) for cars1 in range(COUNTS) for cars2 in range(COUNTS)],
        action_labels=moves.tolist(),
        layout=_layout(moves.tolist()),
    )


def day(requests: float, returns: float) -> FloatArray:
    """[21, 21] chance of so many cars in the evening after so many in the morning, at one location."""
    brought = np.array(
        [np.append(np.zeros(left), poisson(returns, MOST_CARS - left)) for left in range(COUNTS)]
    )
    remaining = np.zeros((COUNTS, COUNTS))
    for cars in range(COUNTS):
        remaining[cars, : cars + 1] = poisson(requests, cars)[::-1]  # r rentals leave cars - r
    evening: FloatArray = remaining @ brought
    return evening


def expected_rentals(requests: float) -> FloatArray:
    """[21] mean number of requests that can be served with so many cars in the morning."""
    return np.array([np.arange(cars + 1) @ poisson(requests, cars) for cars in range(COUNTS)])


def _layout(moves: list[int]) -> Layout:
    """Cars at location 1 downwards from 20 to 0, as in the book, at location 2 to the right."""
    n1, n2 = np.divmod(np.arange(COUNTS * COUNTS), COUNTS)
    blank = " " * COUNTS
    background = [blank] * COUNTS
    background[MOST_CARS - START[0]] = " " * START[1] + "S" + " " * (MOST_CARS - START[1])
    return Layout(
        background=tuple(background),
        cell=np.stack([MOST_CARS - n1, n2], axis=1),
        arrows=tuple(str(cars) for cars in moves),
        row_labels=tuple(str(cars) for cars in range(MOST_CARS, -1, -1)),
    )


class JacksCarRental(TabularEnv):
    """Move cars overnight.

    Args:
        modified: the free car and the second parking lot of Exercise 4.7.
        render_mode: as in `TabularEnv`.
        invalid_actions: "lowest": an unavailable move is played as the lowest available one, which moves as many
            cars from 2 to 1 as can be; "raise": ValueError.
    """

    def __init__(self, modified: bool = False, **settings: Unpack[EnvSettings]) -> None:
        super().__init__(jacks_car_rental(modified=flag("modified", modified)), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the cars at both locations."""
        return CarLotsArtist(self.mdp, MOST_CARS)
