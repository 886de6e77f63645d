"""JacksCarRental: rows against sums over all requests and returns, masks, costs of both variants."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import scipy.stats

from bellglass.envs.mdp import TabularMDP
from bellglass.envs.operations.jacks_car_rental import day, expected_rentals, jacks_car_rental
from bellglass.envs.operations.lots_and_servers import CARS
from bellglass.envs.tables import table_of

ENV_ID = "bellglass/JacksCarRental-v0"
FAR = range(60)


@pytest.fixture(scope="module")
def plain() -> TabularMDP:
    return jacks_car_rental(modified=False)


@pytest.fixture(scope="module")
def modified() -> TabularMDP:
    return jacks_car_rental(modified=True)


@pytest.mark.parametrize(("requests", "returns"), [(3.0, 3.0), (4.0, 2.0)])
def test_a_day_is_the_sum_over_requests_and_returns(requests: float, returns: float) -> None:
    asked, brought = (scipy.stats.poisson(mean).pmf(FAR) for mean in (requests, returns))
    evening, rentals = day(requests, returns), expected_rentals(requests)
    for cars in (0, 1, 7, 20):
        row, rented = np.zeros(21), 0.0
        for r in FAR:
            rented += asked[r] * min(r, cars)
            for b in FAR:
                row[min(cars - min(r, cars) + b, 20)] += asked[r] * brought[b]
        assert evening[cars] == pytest.approx(row, abs=1e-14)
        assert rentals[cars] == pytest.approx(rented)


def test_moves_that_the_giving_location_cannot_make_are_masked(plain: TabularMDP) -> None:
    assert plain.action_mask[plain.encode((0, 0))].tolist() == [a == 5 for a in range(11)]
    assert plain.action_mask[plain.encode((2, 4))].tolist() == [-4 <= a - 5 <= 2 for a in range(11)]
    assert plain.action_mask[plain.encode((20, 20))].all()
    assert plain.decode(3 * 21 + 8) == (3, 8)
    assert plain.decode(int(plain.initial.argmax())) == (10, 10)


def test_a_row_is_the_product_of_two_days(plain: TabularMDP) -> None:
    """From (19, 2) two cars are moved from 2 to 1, where 21 are cut to 20."""
    s, a = plain.encode((19, 2)), 5 - 2
    row = plain.transition_matrix[[s * 11 + a]].toarray().reshape(21, 21)
    assert row == pytest.approx(np.outer(day(3.0, 3.0)[20], day(4.0, 2.0)[0]), abs=1e-15)
    rentals = expected_rentals(3.0)[20] + expected_rentals(4.0)[0]
    assert plain.expected_reward[s, a] == pytest.approx(10.0 * rentals - 2.0 * 2)
    assert not plain.action_mask[s, 5 - 3]


def test_the_modified_costs_are_those_of_exercise_4_7(plain: TabularMDP, modified: TabularMDP) -> None:
    """By how much the modified rewards exceed the plain ones."""
    more = modified.expected_reward - plain.expected_reward
    for (n1, n2), move, expected in [
        ((10, 10), 0, 0.0),
        ((11, 10), 0, -4.0),
        ((15, 15), 0, -8.0),
        ((10, 5), 3, 2.0),  # the first car moved from 1 to 2 is free
        ((5, 10), -3, 0.0),
        ((11, 10), 1, 2.0 - 4.0),  # then 11 at location 2
        ((13, 5), 3, 2.0),
    ]:
        assert more[plain.encode((n1, n2)), move + 5] == pytest.approx(expected, abs=1e-9)
    assert modified.first_outcome.tolist() == plain.first_outcome.tolist()


def test_the_keyword_chooses_the_variant(modified: TabularMDP) -> None:
    assert table_of(gym.make(ENV_ID, modified=True)).fingerprint == modified.fingerprint
    with pytest.raises(TypeError, match="modified must be True or False, got 'yes'"):
        gym.make(ENV_ID, modified="yes")


def test_an_unavailable_move_is_played_as_the_lowest_available() -> None:
    env: Any = gym.make(ENV_ID)
    env.reset(seed=0, options={"state": env.get_wrapper_attr("encode")((0, 3))})
    _, reward, _, _, info = env.step(10)
    rentals = expected_rentals(3.0)[3] + expected_rentals(4.0)[0]
    assert info["invalid_action"]
    assert reward == pytest.approx(10.0 * rentals - 2.0 * 3)


def test_the_picture_shows_a_car_for_each(plain: TabularMDP) -> None:
    artist: Any = gym.make(ENV_ID).get_wrapper_attr("artist")
    assert artist.text(plain.encode((13, 4))).splitlines() == [
        "location 1  [ooooooooooooo.......] 13",
        "location 2  [oooo................] 4",
    ]
    blue, red = CARS
    empty, some, more = (artist.picture(plain.encode(cars)) for cars in ((0, 0), (3, 0), (6, 2)))
    painted = [
        [int((image == colour).all(axis=-1).sum()) for colour in (blue, red)] for image in (empty, some, more)
    ]
    assert painted[0] == [0, 0]
    assert painted[1][1] == 0
    assert painted[2][0] == 2 * painted[1][0] > 0
    assert painted[2][1] * 3 == painted[2][0]
