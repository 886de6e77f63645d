"""CliffWalking: rows by hand, -13, and rewards kept apart; test_tables compares it with Gymnasium's."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.bellman import after_backups

from bellglass.envs.grids.cliff_walking import cliff_walking


def test_the_table_is_the_one_drawn_by_hand() -> None:
    mdp = cliff_walking(is_slippery=False)
    assert mdp.P[36] == {
        0: [(1.0, 24, -1.0, False)],
        1: [(1.0, 36, -100.0, False)],
        2: [(1.0, 36, -1.0, False)],
        3: [(1.0, 36, -1.0, False)],
    }
    assert mdp.P[35][2] == [(1.0, 47, -1.0, True)]
    assert np.flatnonzero(mdp.terminal).tolist() == [47]
    assert mdp.initial.argmax() == 36


def test_falling_and_bumping_stay_two_outcomes() -> None:
    mdp = cliff_walking(is_slippery=True)
    third = 1 / 3
    assert mdp.P[36][1] == [(third, 24, -1.0, False), (third, 36, -100.0, False), (third, 36, -1.0, False)]
    twice = [
        (s, a)
        for s in range(47)
        for a in range(4)
        if len({row[1] for row in mdp.P[s][a]}) < len({row[1:] for row in mdp.P[s][a]})
    ]
    assert len(twice) == 6


@pytest.mark.parametrize(("is_slippery", "value"), [(False, -13.0), (True, -64.7091759099)])
def test_the_optimum_is_known(is_slippery: bool, value: float) -> None:
    assert after_backups(cliff_walking(is_slippery=is_slippery), 1.0, 3000)[36] == pytest.approx(
        value, abs=1e-8
    )
