"""Blackjack: hit or stick against a dealer who must, with cards from an endless deck.

    ace to nine 1/13 each, ten 4/13; an ace counts 11 where that does not bust ("usable"), else 1

    action 0 stick   the dealer draws below 17 and sticks from 17 on; the higher sum wins: +1, 0 or -1
    action 1 hit     one more card; above 21 is a bust: -1

    states           hard 4 .. 21, then soft 12 .. 21, each against the dealer's card 1 .. 10; then the same soft 21
                     as a natural, two cards of which one is an ace; then the end

Gymnasium's Blackjack-v1.  With `sab` a natural that sticks wins unless the dealer has one too; without it sums
alone decide, and `natural` lets a win by a natural pay 1.5.

No closed form, but the dealer's play does not depend on ours: `dealer_sums` is an exact recursion over sums, and
since every hit raises the sum or spends the ace, so is the optimum.

Sutton & Barto, 2nd ed. (2018), Examples 5.1 and 5.3, Figure 5.2.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cache

import numpy as np

from ..mdp import Layout, TabularMDP

STICK, HIT = 0, 1


#: Chance of each card, 1 being an ace.
CARDS = {card: (4 if card == 10 else 1) / 13.0 for card in range(1, 11)}


NUM_HARD, NUM_SOFT = 18, 10


END = 10 * (NUM_HARD + NUM_SOFT + 1)


def plus(total: int, ace: bool, card: int) -> tuple[int, bool]:
    """The sum and whether an ace counts 11, with one card more; above 21 is a bust."""
    total += card
    if card == 1 and not ace and total + 10 <= 21:
        return total + 10, True
    return (total - 10, False) if ace and total > 21 else (total, ace)


def index(total: int, dealer: int, ace: bool) -> int:
    """The state that is no natural."""
    return 10 * (NUM_HARD + total - 12 if ace else total - 4) + dealer - 1


def natural_index(dealer: int) -> int:
    """The state of a natural."""
    return 10 * (NUM_HARD + NUM_SOFT) + dealer - 1


@cache
def dealer_sums(total: int, ace: bool) -> dict[int, float]:
    """Chance of each final sum of a dealer who now has `total`; 0 stands for a bust."""
    if total >= 17:
        return {total if total <= 21 else 0: 1.0}
    chances: dict[int, float] = {}
    for card, p in CARDS.items():
        for final, chance in dealer_sums(*plus(total, ace, card)).items():
            chances[final] = chances.get(final, 0.0) + p * chance
    return chances


def chance_of_natural(dealer: int) -> float:
    """Chance that the dealer's hidden card makes 21 of the open one."""
    return {1: CARDS[10], 10: CARDS[1]}.get(dealer, 0.0)


def results(total: int, dealer: int) -> tuple[float, float, float]:
    """Chances to (win, draw, lose) by sums alone."""
    finals = dealer_sums(*plus(0, False, dealer))
    win = sum(p for final, p in finals.items() if final < total)
    return win, finals.get(total, 0.0), sum(p for final, p in finals.items() if final > total)


def blackjack(*, sab: bool, natural: bool) -> TabularMDP:
    """The table: 290 states and the end."""
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {
        END: {a: [(1.0, END, 0.0, True)] for a in (STICK, HIT)}
    }
    labels: dict[int, Hashable] = {END: "end"}
    for ace, sums in ((False, range(4, 22)), (True, range(12, 22))):
        for total in sums:
            for dealer in CARDS:
                s = index(total, dealer, ace)
                labels[s] = (total, dealer, ace)
                P[s] = {STICK: _stuck(*results(total, dealer), 1.0), HIT: _hit(total, dealer, ace)}
    for dealer in CARDS:
        s = natural_index(dealer)
        labels[s] = (21, dealer, True, "natural")
        win, draw, lose = results(21, dealer)
        if sab:
            draw = chance_of_natural(dealer)
            win, lose = 1.0 - draw, 0.0
        P[s] = {
            STICK: _stuck(win, draw, lose, 1.5 if natural and not sab else 1.0),
            HIT: _hit(21, dealer, True),
        }
    return TabularMDP.from_P(
        P,
        initial=_deal(),
        state_labels=[labels[s] for s in range(END + 1)],
        action_labels=("stick", "hit"),
        layout=_chart(),
    )


def _chart() -> Layout:
    """As the book draws it: sums downwards, the dealer's card to the right; without a usable ace, then with one."""
    hard, soft = range(4, 22), range(12, 22)
    dealer, none = "A23456789T", "∅" * 10
    rows = [f"{dealer}∅{dealer}", f"{none}∅{' ' * 10}"]
    rows += [f"{' ' * 10}∅{' ' * 10 if total in soft else none}" for total in reversed(hard)]
    row_of = {total: 2 + 21 - total for total in hard}
    cells = [(row_of[total], column) for total in hard for column in range(10)]
    cells += [(row_of[total], 11 + column) for total in soft for column in range(10)]
    cells += [(1, 11 + column) for column in range(10)]
    return Layout(
        background=tuple(rows),
        cell=np.array([*cells, (-1, -1)]),
        arrows=("S", "H"),
        row_labels=("dealer", "natural", *map(str, reversed(hard))),
    )


def _stuck(win: float, draw: float, lose: float, prize: float) -> list[tuple[float, int, float, bool]]:
    rows = [(win, prize), (draw, 0.0), (lose, -1.0)]
    return [(p, END, reward, True) for p, reward in rows if p > 0]


def _hit(total: int, dealer: int, ace: bool) -> list[tuple[float, int, float, bool]]:
    rows, bust = [], 0.0
    for card, p in CARDS.items():
        now, usable = plus(total, ace, card)
        if now > 21:
            bust += p
        else:
            rows.append((p, index(now, dealer, usable), 0.0, False))
    return [*rows, (bust, END, -1.0, True)] if bust else rows


def _deal() -> list[float]:
    """[S] two cards for the player, an open one for the dealer."""
    starts = np.zeros(END + 1)
    for one, p in CARDS.items():
        for two, q in CARDS.items():
            total, ace = plus(*plus(0, False, one), two)
            for dealer, chance in CARDS.items():
                s = natural_index(dealer) if total == 21 else index(total, dealer, ace)
                starts[s] += p * q * chance
    return [float(p) for p in starts]
