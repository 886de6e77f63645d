"""Blackjack: rows by hand, the deal, naturals, and the dealer."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import bellglass
from bellglass.envs.games.blackjack_table import dealer_sums, plus
from bellglass.envs.mdp import TabularMDP

NATURAL = (21, 7, True, "natural")


def game(**keywords: Any) -> TabularMDP:
    return bellglass.table_of(gym.make("bellglass/Blackjack-v0", **keywords))


def stuck(mdp: TabularMDP, label: Any) -> dict[float, float]:
    """Chance of each reward of sticking."""
    return {reward: p for p, _, reward, _ in mdp.P[mdp.encode(label)][0]}


def test_an_ace_counts_eleven_while_it_can() -> None:
    assert plus(0, False, 1) == (11, True)
    assert plus(11, True, 1) == (12, True)
    assert plus(15, True, 10) == (15, False)
    assert plus(16, False, 1) == (17, False)
    assert plus(15, False, 10) == (25, False)


def test_there_are_280_decisions_ten_naturals_and_an_end() -> None:
    mdp = game()
    assert mdp.num_states == 291
    assert mdp.terminal.tolist() == [False] * 290 + [True]
    assert mdp.encode((4, 1, False)) == 0
    assert (mdp.decode(179), mdp.decode(180)) == ((21, 10, False), (12, 1, True))


def test_a_natural_shows_as_21_and_only_it_decodes_to_another_state() -> None:
    env: Any = gym.make("bellglass/Blackjack-v0").unwrapped
    s = env.mdp.encode(NATURAL)
    assert env.decode(s) == (21, 7, True)
    assert env.encode((21, 7, True)) != s
    assert env.encode((16, 10, False)) == env.encode((16, 10, 0))


def test_hitting_draws_from_an_endless_deck() -> None:
    mdp = game()
    rows = {next_s: p for p, next_s, _, _ in mdp.P[mdp.encode((12, 10, False))][1]}
    assert rows[mdp.encode((13, 10, False))] == pytest.approx(1 / 13)
    bust = [row for row in mdp.P[mdp.encode((12, 10, False))][1] if row[3]]
    assert bust == [(4 / 13, mdp.encode("end"), -1.0, True)]
    soft = {next_s for _, next_s, _, _ in mdp.P[mdp.encode((16, 2, True))][1]}
    assert mdp.encode((16, 2, False)) in soft  # a ten makes the ace count 1
    lost = mdp.P[mdp.encode(NATURAL)][1]
    assert {mdp.decode(next_s) for _, next_s, _, _ in lost} >= {(21, 7, False), (12, 7, False)}


def test_a_dealer_sticks_on_every_seventeen() -> None:
    assert dealer_sums(17, True) == {17: 1.0}
    assert dealer_sums(16, False) == pytest.approx({**{n: 1 / 13 for n in range(17, 22)}, 0: 8 / 13})


def test_the_deal_is_two_cards_each() -> None:
    mdp = game()
    naturals = mdp.initial[[mdp.encode((21, d, True, "natural")) for d in range(1, 11)]]
    assert naturals.sum() == pytest.approx(2 * (1 / 13) * (4 / 13))
    assert mdp.initial[mdp.encode((21, 7, True))] == 0.0
    assert mdp.initial[mdp.encode((12, 10, True))] == pytest.approx((1 / 13) ** 2 * (4 / 13))


def test_what_a_natural_is_worth_depends_on_the_rules() -> None:
    assert stuck(game(), NATURAL) == {1.0: 1.0}
    assert stuck(game(), (21, 10, True, "natural")) == pytest.approx({1.0: 12 / 13, 0.0: 1 / 13})
    by_sums = stuck(game(sab=False), (21, 7, True))
    assert stuck(game(sab=False), NATURAL) == by_sums
    paid = stuck(game(sab=False, natural=True), NATURAL)
    assert (paid[1.5], paid[0.0]) == (by_sums[1.0], by_sums[0.0])
    assert game(natural=True).fingerprint == game().fingerprint  # only without sab


def test_the_books_policy_hits_sixteen_and_sticks_on_seventeen_against_a_ten() -> None:
    best = bellglass.solve(game(), criterion="total")
    assert [best.policy[game().encode((total, 10, False))] for total in (16, 17)] == [1, 0]
    assert best.policy[game().encode((18, 9, True))] == 1


def test_a_word_is_no_flag() -> None:
    with pytest.raises(TypeError, match="sab must be True or False, got 'yes'"):
        game(sab="yes")
    assert np.isclose(game().initial.sum(), 1.0)
