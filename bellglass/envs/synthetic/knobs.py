"""Knobs: one small world, and one knob for each thing that makes a world hard.

    ring 0      ring 1      ring 2              A = num_actions places in each of `diameter` rings; from any place of
    o  o  o --> o  o  o --> o  o  o --> ring 0  a ring the A actions lead to the A places of the next, each to another

Which action leads where, and which pairs of a place and an action earn a reward of 1, is drawn by `model_seed`.

    diameter         rings.  From one place to another takes at most so many steps, and no fewer for some, while
                     stochasticity is 0 (more with it).
    sparsity         share of the A * A * diameter pairs that earn nothing, rounded to whole pairs; one earns at least.
    stochasticity    chance that the action is ignored, and the place in the next ring is uniform (the meant one
                     included).
    delay            what is earned in a step is paid `delay` steps later.
    noise            what is paid is paid with + noise or - noise, 1/2 each: its mean stays, its deviation is noise.

The table tells all of it exactly: the noise is two outcomes, and what is still to be paid belongs to the state:

    state = place * 2**delay + pending,    place = A * ring + number,
    pending = the earnings of the last `delay` steps in base 2, the oldest the highest digit

It starts in every place equally often with nothing pending, and goes on for ever.  With v the values without
delay (the noise changes none),

    v*(place, pending)  =  discount**delay * v(place)  +  sum over the pending of  discount**(steps to go)

(derived here: nobody can change what is pending, and all that is earned is paid later by the same factor).

The knobs are those of MDP Playground (Rajan et al., JAIR 77 (2023)), in a world of our own.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import BoolArray, IntArray, TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..mdp.outcomes import sorted_outcomes
from ..rendering.cells import Artist
from ..tabular import EnvSettings, TabularEnv
from .knobs_pictures import knobs_artist


def drawn_world(
    rng: np.random.Generator, *, num_actions: int, diameter: int, sparsity: float
) -> tuple[IntArray, BoolArray]:
    """[places, A] where each action leads if nothing goes astray, and whether it earns."""
    places = num_actions * diameter
    ring = np.arange(places) // num_actions
    numbers = rng.permuted(np.tile(np.arange(num_actions), (places, 1)), axis=1)
    leads: IntArray = (ring[:, None] + 1) % diameter * num_actions + numbers
    earning = max(round((1.0 - sparsity) * leads.size), 1)
    earns: BoolArray = np.zeros(leads.size, dtype=np.bool_)
    earns[rng.permutation(leads.size)[:earning]] = True
    return leads, earns.reshape(leads.shape)


def knobs(leads: IntArray, earns: BoolArray, *, stochasticity: float, delay: int, noise: float) -> TabularMDP:
    """The table: (place, pending), place by place.

    Args:
        leads: [places, A] where each action leads if nothing goes astray.
        earns: [places, A] whether it earns 1.
        stochasticity: chance of a uniform place of the next ring instead.
        delay: steps between earning and payment.
        noise: what is added to a payment, or taken off.
    """
    places, num_actions = leads.shape
    pendings = 2**delay
    place, pending, action = np.meshgrid(
        np.arange(places), np.arange(pendings), np.arange(num_actions), indexing="ij"
    )
    queue = 2 * pending + earns[place, action]  # the new earning is last in it, the one that is due first
    due = queue // pendings
    ring, meant = np.divmod(leads[place, action], num_actions)
    signs = (-1.0, 1.0) if noise > 0 else (0.0,)
    rows = [(number, sign) for number in range(num_actions) for sign in signs]
    reached = [(ring * num_actions + number) * pendings + queue % pendings for number, _ in rows]
    chance = [
        ((1.0 - stochasticity) * (meant == number) + stochasticity / num_actions) / len(signs)
        for number, _ in rows
    ]
    return TabularMDP(
        **sorted_outcomes(
            places * pendings * num_actions,
            pair=(place * pendings + pending) * num_actions + action,
            probability=np.stack(chance),
            next_state=np.stack(reached),
            reward=np.stack([due + sign * noise for _, sign in rows]),
            terminated=False,
        ),
        initial=np.where(np.arange(places * pendings) % pendings == 0, 1.0 / places, 0.0),
        state_labels=labels(places, num_actions, delay),
        action_labels=[str(a) for a in range(num_actions)],
    )


def labels(places: int, num_actions: int, delay: int) -> list[tuple[int, ...]]:
    """(ring, number), and then the pending earnings, the oldest first."""
    pendings = [tuple(pending >> k & 1 for k in reversed(range(delay))) for pending in range(2**delay)]
    return [(*divmod(place, num_actions), *pending) for place in range(places) for pending in pendings]


class Knobs(TabularEnv):
    """Turn one difficulty at a time.

    Args:
        num_actions: number of actions, and of places in a ring, at least 2.
        diameter: number of rings, at least 1.
        delay: steps between earning and payment, at least 0.
        sparsity: share in [0, 1] of the pairs that earn nothing.
        stochasticity: chance in [0, 1] that the action is ignored.
        noise: deviation of a payment, at least 0.
        model_seed: seed of the world, at least 0.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        num_actions: int = 4,
        diameter: int = 3,
        delay: int = 0,
        sparsity: float = 0.75,
        stochasticity: float = 0.0,
        noise: float = 0.0,
        model_seed: int = 0,
        **settings: Unpack[EnvSettings],
    ) -> None:
        actions, rings = whole("num_actions", num_actions, 2), whole("diameter", diameter, 1)
        waits, share = whole("delay", delay, 0), real("sparsity", sparsity, 0.0, 1.0)
        chance = real("stochasticity", stochasticity, 0.0, 1.0)
        deviation = real("noise", noise, 0.0)
        rng = np.random.default_rng(whole("model_seed", model_seed, 0))
        num_states = actions * rings * 2 ** min(waits, 200)
        require_memory(  # the outcomes of all next places are laid out before those without a chance are dropped
            num_states * actions * actions * (2 if deviation > 0 else 1) * 120 + 200 * num_states,
            f"a table of {brief(num_states)} states and {brief(actions)} actions",
            {"num_actions": actions, "diameter": rings, "delay": waits},
        )
        leads, earns = drawn_world(rng, num_actions=actions, diameter=rings, sparsity=share)
        self._leads, self._delay = leads, waits
        super().__init__(knobs(leads, earns, stochasticity=chance, delay=waits, noise=deviation), **settings)

    @property
    def artist(self) -> Artist:
        """Draws the rings."""
        if self._artist is None:
            self._artist = knobs_artist(self.mdp, self._leads, self._delay)
        return self._artist
