"""The exact table of Gymnasium's Blackjack-v1, which offers no `P`.

    ace to nine 1/13 each, ten 4/13, from an endless deck; the dealer draws below 17 and sticks from 17 on

A search over the simulator's own states would let the player see the dealer's hidden card (best value +.0373).
What a player can know is the observation (sum, dealer's open card, usable ace), and whether a soft 21 is a
natural, two cards of which one is an ace: with `sab` or `natural` that changes what sticking pays.  So the states
are the 280 observations, ten naturals, and the end; the hidden card is drawn when the player sticks.

The deal is drawn afresh each time, so the chances are rational:  they are summed as fractions and rounded once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable
from fractions import Fraction
from functools import cache
from typing import Any

import gymnasium as gym
import numpy as np

from ..mdp.behind import STEPS, claim_of, twin_of
from ..mdp.evidence import Evidence, Trial
from ..mdp.table import TabularMDP

STICK, HIT = 0, 1

#: Chance of each card, 1 being an ace.
CARDS = {card: Fraction(4 if card == 10 else 1, 13) for card in range(1, 11)}

END = "end"

#: (sum, whether an ace counts 11)
Hand = tuple[int, bool]


def plus(hand: Hand, card: int) -> Hand:
    """The hand with one card more; an ace counts 11 unless that busts."""
    total, ace = hand[0] + card, hand[1]
    if ace and total > 21:
        return total - 10, False
    if card == 1 and not ace and total + 10 <= 21:
        return total + 10, True
    return total, ace


@cache
def dealer_sums(hand: Hand) -> dict[int, Fraction]:
    """Chance of each final sum of a dealer who now has `hand`; 0 stands for a bust."""
    if hand[0] >= 17:
        return {hand[0] if hand[0] <= 21 else 0: Fraction(1)}
    chances: dict[int, Fraction] = defaultdict(Fraction)
    for card, p in CARDS.items():
        for final, chance in dealer_sums(plus(hand, card)).items():
            chances[final] += p * chance
    return dict(chances)


def stick(total: int, dealer: int, *, is_natural: bool, natural: bool, sab: bool) -> dict[float, Fraction]:
    """Chance of each reward."""
    pays: dict[float, Fraction] = defaultdict(Fraction)
    if is_natural and sab:  # wins unless the hidden card makes a natural too
        pays[0.0] = {1: CARDS[10], 10: CARDS[1]}.get(dealer, Fraction(0))
        pays[1.0] = 1 - pays[0.0]
        return pays
    for final, p in dealer_sums(plus((0, False), dealer)).items():
        won = 1.5 if is_natural and natural else 1.0
        pays[won if total > final else 0.0 if total == final else -1.0] += p
    return pays


def blackjack_table(*, natural: bool, sab: bool) -> TabularMDP:
    """The table, under Gymnasium's two keywords."""
    hands: list[Hand] = [
        *((total, False) for total in range(4, 22)),
        *((total, True) for total in range(12, 22)),
    ]
    labels: list[Hashable] = [
        *((total, dealer, int(ace)) for total, ace in hands for dealer in CARDS),
        *((21, dealer, 1, "natural") for dealer in CARDS),
        END,
    ]

    def model(state: Any, action: str) -> list[tuple[float, Hashable, float, bool]]:
        if state == END:
            return []
        total, dealer, ace = state[:3]
        if action == "stick":
            pays = stick(total, dealer, is_natural=len(state) == 4, natural=natural, sab=sab)
            return [(float(p), END, reward, True) for reward, p in sorted(pays.items()) if p]
        chances: dict[Hashable, Fraction] = defaultdict(Fraction)
        for card, p in CARDS.items():
            after = plus((total, bool(ace)), card)
            chances[END if after[0] > 21 else (after[0], dealer, int(after[1]))] += p
        return [
            (float(p), to, -1.0, True) if to == END else (float(p), to, 0.0, False)
            for to, p in chances.items()
        ]

    starts: dict[Hashable, Fraction] = defaultdict(Fraction)
    for dealer, p_dealer in CARDS.items():
        for first, p in CARDS.items():
            for second, q in CARDS.items():
                total, ace = plus(plus((0, False), first), second)
                label = (21, dealer, 1, "natural") if total == 21 else (total, dealer, int(ace))
                starts[label] += p_dealer * p * q
    return TabularMDP.from_function(
        model, labels, ("stick", "hit"), initial={label: float(p) for label, p in starts.items()}
    )


def is_blackjack(base: object) -> bool:
    """Whether it is Gymnasium's."""
    from gymnasium.envs.toy_text.blackjack import BlackjackEnv

    return isinstance(base, BlackjackEnv)


def state_of(base: Any, observation: tuple[int, int, int]) -> Hashable:
    """The state's label, by what the player holds."""
    label = tuple(map(int, observation))
    return (*label, "natural") if sorted(base.player) == [1, 10] else label


def blackjack_of(base: gym.Env[Any, Any]) -> tuple[TabularMDP, Evidence]:
    """The exact table of `base`, and how a deep copy that was played by chance agreed with it.

    Raises:
        ValueError: it did not: some class of its own that plays by other rules.
    """
    twin: Any = twin_of(base, seed=0)
    mdp = blackjack_table(natural=bool(twin.natural), sab=bool(twin.sab))
    trial = Trial(f"{base} does not follow the rules of Gymnasium's Blackjack")
    trial.claim("reset", {s: float(mdp.initial[s]) for s in np.flatnonzero(mdp.initial).tolist()}, "a deal")
    rng = np.random.default_rng(1)
    s = -1
    for _ in range(2 * STEPS):
        if s < 0:
            s = mdp.encode(state_of(twin, twin.reset()[0]))
            trial.see("reset", s)
        a = int(rng.random() < 0.75)
        if not trial.knows((s, a)):
            trial.claim((s, a), claim_of(mdp, s, a), f"{mdp.action_labels[a]} in {mdp.decode(s)}")  # type: ignore[index]  # it has labels
        observation, reward, terminated, _, _ = twin.step(a)
        next_s = mdp.encode(END if terminated else state_of(twin, observation))
        trial.see((s, a), (next_s, float(reward), bool(terminated)))
        s = -1 if terminated else next_s
    return mdp, trial.verdict()
