"""The exact table of Gymnasium's Blackjack-v1, which offers no `P`: that of `envs/games/blackjack.py`, tried on a copy.

A search over the simulator's own states would let the player see the dealer's hidden card (best value +.0373).
What a player can know is the observation (sum, dealer's open card, usable ace), and whether a soft 21 is a
natural, two cards of which one is an ace: with `sab` or `natural` that changes what sticking pays.  So the states
are the 280 observations, ten naturals, and the end; the hidden card is drawn when the player sticks.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import gymnasium as gym
import numpy as np

from ..games.blackjack_table import blackjack
from ..mdp.table import TabularMDP
from .evidence import Evidence, FrequencyTest
from .trial import STEPS, claim_of, twin_of

END = "end"


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
    mdp = blackjack(sab=bool(twin.sab), natural=bool(twin.natural))
    trial = FrequencyTest(f"{base} does not follow the rules of Gymnasium's Blackjack")
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
    return mdp, trial.result()
