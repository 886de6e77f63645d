"""ForestManagement: let the trees grow for a rare good harvest, or cut before the fire comes.

    age   0      1      2     ...   S-1
          wait:  the fire comes with p -> age 0, else one year older (the oldest stays so)
                 pays r1 in the oldest age, 0 in others
          cut:   -> age 0; pays 0 in age 0, 1 between, r2 in the oldest

Whoever first cuts in age k, or never, walks a renewal chain.  With q = 1 - p the stationary chances of ages
0 .. k are proportional to q**j, which gives every gain in closed form (`closed_form_gain`, derived here):

    never cut              r1 * q**(S-1)
    cut in age k           q**k / (1 + q + ... + q**k) * (1, or r2 in the oldest age, or 0 in age 0)

For the defaults waiting is best, and its gain is  4 * .9**2 = 3.24.

MDPtoolbox (Chades et al., Ecography 37 (2014)), `mdp_example_forest`; pymdptoolbox, `example.forest`.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..tabular import EnvSettings, TabularEnv

WAIT, CUT = 0, 1


def forest_management(S: int, *, r1: float, r2: float, p: float) -> TabularMDP:
    """The table: ages 0 .. S - 1."""
    require_memory_to_make(S, 2, 3 * S, {"S": S})
    age = np.arange(S)
    oldest = age == S - 1
    waiting = np.where(oldest, r1, 0.0)
    cutting = np.where(oldest, r2, np.where(age == 0, 0.0, 1.0))
    burnt = np.zeros(S, dtype=np.int64)
    fields = sorted_outcomes(
        2 * S,
        pair=np.stack([2 * age + WAIT, 2 * age + WAIT, 2 * age + CUT]),
        probability=np.array([[p], [1.0 - p], [1.0]]),
        next_state=np.stack([burnt, np.minimum(age + 1, S - 1), burnt]),
        reward=np.stack([waiting, waiting, cutting]),
        terminated=False,
    )
    return TabularMDP(
        **fields,
        initial=(age == 0).astype(np.float64),
        state_labels=range(S),
        action_labels=("wait", "cut"),
    )


def closed_form_gain(S: int, *, r1: float, r2: float, p: float) -> float:
    """The greatest reward per step in the long run: the best of the closed forms above."""
    q = 1.0 - p
    age_chances = q ** np.arange(S)
    harvest = np.append(np.ones(S - 1), r2)
    harvest[0] = 0.0
    of_cutting = age_chances / np.cumsum(age_chances) * harvest
    return float(max(r1 * age_chances[-1], of_cutting.max()))


class ForestManagement(TabularEnv):
    """Wait or cut.

    Args:
        S: number of ages, at least 2.
        r1: reward of waiting in the oldest age.
        r2: reward of cutting in the oldest age.
        p: chance of a fire in [0, 1].
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self, S: int = 3, r1: float = 4, r2: float = 2, p: float = 0.1, **settings: Unpack[EnvSettings]
    ) -> None:
        super().__init__(
            forest_management(
                whole("S", S, 2), r1=real("r1", r1), r2=real("r2", r2), p=real("p", p, 0.0, 1.0)
            ),
            **settings,
        )
