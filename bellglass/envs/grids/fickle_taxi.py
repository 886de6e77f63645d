"""FickleTaxi: the taxi of Taxi, and a passenger who may change his mind once he rides.

    +---------+
    |R: | : :G|      cells, moves, rain and rewards are Taxi's.  The first time that the taxi changes its cell with the
    | : | : : |      passenger inside, he decides: with probability `fickle_probability` he wants to one of the three
    | : : : : |      other depots instead, each equally likely (the one where he got in is one of them); else he keeps
    | | : | : |      his destination.  After that he never changes it, also if he is put down elsewhere and picked up
    |Y| : |B: |      again.
    +---------+

Whether he has decided belongs to the state:

    state  =  500 * decided + ((row*5 + column)*5 + passenger)*4 + destination

so the table is the whole truth.  Gymnasium's Taxi-v4 has the same passenger (`fickle_passenger=True`), but keeps a
hidden flag, thrown at reset, beside its P, which knows nothing of changed minds: the best of that P is 7.93 from
the starts, the best of the game 8.38 (a changed mind may mean the depot where one has just got in).  Apart from
`decided`, both show the same with the same probability: when a flag that nobody saw was thrown changes nothing.

Without `fickle_passenger` nobody decides anything, and the table is Taxi's own, of 500 states.  Terminal: taxi and
passenger at the destination, 4 states in each half.  No closed form: the solver's certificate stands behind the
values.

Dietterich, JAIR 13 (2000), section 7.1; Gymnasium Taxi-v4.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import flag, real
from ..mdp import TabularMDP
from ..rendering.cells import WHITE, Artist, RGBArray
from ..rendering.shapes import panel, words
from ..tabular import EnvSettings, TabularEnv
from .taxi import MOVES, taxi
from .taxi_map import DEPOTS, IN_TAXI
from .taxi_pictures import SIZE, TARGET, TaxiArtist, decode

#: States of Taxi: the first half, in which the passenger is still to decide.
UNDECIDED = 500


def fickle_taxi(*, is_rainy: bool, rainy_probability: float, fickle_probability: float) -> TabularMDP:
    """The table: Taxi's states before the decision, and the same after it."""
    decided = taxi(is_rainy=is_rainy, rainy_probability=rainy_probability)
    P = {
        half + s: {
            a: [(p, half + next_s, r, ended) for p, next_s, r, ended in rows] for a, rows in actions.items()
        }
        for half in (0, UNDECIDED)
        for s, actions in decided.P.items()
    }
    for s in range(UNDECIDED):
        for a in MOVES:
            if decode(s)[2] == IN_TAXI:
                P[s][a] = [
                    (p * chance, changed, r, ended)
                    for p, next_s, r, ended in decided.P[s][a]
                    for chance, changed in minds(s, next_s, fickle_probability)
                ]
    return TabularMDP.from_P(
        P,
        initial=np.concatenate([decided.initial, np.zeros(UNDECIDED)]),
        state_labels=[(*decode(s), half) for half in (0, 1) for s in range(UNDECIDED)],
        action_labels=decided.action_labels,
    )


def minds(s: int, next_s: int, fickle_probability: float) -> list[tuple[float, int]]:
    """(chance, state) of what the passenger decides when the taxi drives him from `s` to `next_s`."""
    if next_s == s:
        return [(1.0, s)]
    here = decode(next_s)[3]
    others = [depot for depot in range(len(DEPOTS)) if depot != here]
    rows = [(1.0 - fickle_probability, next_s)]
    rows += [(fickle_probability / len(others), next_s + depot - here) for depot in others]
    return [(p, UNDECIDED + state) for p, state in rows if p > 0]


class FickleTaxiArtist:
    """Draws Taxi's town; while the passenger may still change his mind, his destination bears a question mark."""

    def __init__(self) -> None:
        self._town = TaxiArtist()

    def text(self, state: int) -> str:
        """The town, and who is where.

        >>> print(FickleTaxiArtist().text(328).splitlines()[-1])
        taxi at (3, 1), passenger waits at Y, destination R?
        """
        return self._town.text(state % UNDECIDED) + ("?" if state < UNDECIDED else "")

    def picture(self, state: int) -> RGBArray:
        """[320, 320, 3]."""
        image = self._town.picture(state % UNDECIDED)
        if state < UNDECIDED:
            row, column = DEPOTS[decode(state)[3]]
            place = ((row + 0.8) * SIZE, (column + 0.2) * SIZE)
            panel(image, TARGET, place, (22.0, 20.0), corner=6.0)
            words(image, "?", WHITE, place, dot=3)
        return image


class FickleTaxi(TabularEnv):
    """Bring the passenger wherever he finally wants to.

    Args:
        is_rainy: whether moves may go astray.
        fickle_passenger: whether the passenger may change his mind.
        rainy_probability: chance in [0, 1] that a move in the rain goes as meant.
        fickle_probability: chance in [0, 1] that he does, on the first move after he got in.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        is_rainy: bool = False,
        fickle_passenger: bool = True,
        rainy_probability: float = 0.8,
        fickle_probability: float = 0.3,
        **settings: Unpack[EnvSettings],
    ) -> None:
        rain = flag("is_rainy", is_rainy)
        straight = real("rainy_probability", rainy_probability, 0.0, 1.0)
        change = real("fickle_probability", fickle_probability, 0.0, 1.0)
        self._fickle = flag("fickle_passenger", fickle_passenger)
        super().__init__(
            fickle_taxi(is_rainy=rain, rainy_probability=straight, fickle_probability=change)
            if self._fickle
            else taxi(is_rainy=rain, rainy_probability=straight),
            **settings,
        )

    @property
    def artist(self) -> Artist:
        """Draws the town, the taxi, the passenger and the destination."""
        return FickleTaxiArtist() if self._fickle else TaxiArtist()
