"""What going round for ever is worth in each end component: more than all bounds, less, or nothing that has a limit.

Signs are read off the rewards where they agree.  In a component (whose idle parts are collapsed, see `total`)

    no pair loses, one gains             the gain is positive: some policy plays that pair for ever
    no pair gains, all others pay 0      the gain is negative: no play avoids the losing pairs for ever
    both signs                           the greatest gain is computed, with bounds (`staying`): its sign, if they
                                         exclude 0; else it counts as 0
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import BoolArray, IntArray
from ..algebra.pairs import Pairs
from ..errors import UnboundedError
from .component_gains import best_stays
from .end_components import end_components

#: Bounds of a gain of undecided sign are brought this close, relative to the rewards.
FINE = 1e-13


def gaining(quotient: Pairs, class_of: IntArray, reached: BoolArray) -> BoolArray:
    """[quotient S] the states of end components that gain for ever.

    Args:
        quotient: the table with its idle components collapsed.
        class_of: [S] quotient state of each of the table's states.
        reached: [quotient S] states that a start reaches.

    Raises:
        UnboundedError: one that a start reaches gains for ever, or goes round for nothing with rewards of both signs.
    """
    component, inside = end_components(quotient)
    count = int(component.max(initial=-1)) + 1
    if not count:
        return np.zeros(quotient.num_states, dtype=np.bool_)
    of_pair = np.where(inside, component[quotient.state], -1)
    doubt = quotient.rounding * quotient.size
    loses = np.bincount(of_pair[inside & (quotient.reward < -doubt)], minlength=count) > 0
    gains = np.bincount(of_pair[inside & (quotient.reward > doubt)], minlength=count) > 0
    # Rewards of mean 0 that are not all 0: neither a gain nor a loss, so the sign is not read off.
    mixed = (
        np.bincount(
            of_pair[inside & (np.abs(quotient.reward) <= doubt) & (quotient.size > 0)], minlength=count
        )
        > 0
    )
    positive = gains & ~loses & ~mixed
    open_ = np.flatnonzero(~positive & (gains | mixed))
    zero = np.zeros(count, dtype=np.bool_)
    if open_.size:
        here = np.zeros(count, dtype=np.bool_)
        here[open_] = True
        wanted = inside & here[component[quotient.state]]
        stays = best_stays(quotient, component, wanted, width=FINE, sign=True)
        positive[open_] = stays.lower[open_] > 0
        zero[open_] = (stays.lower[open_] <= 0) & (stays.upper[open_] >= 0)
    met = np.zeros(count, dtype=np.bool_)
    met[component[reached & (component >= 0)]] = True
    for number in np.flatnonzero(met & (positive | zero))[:1]:
        named = np.flatnonzero((component == number)[class_of])
        if positive[number]:
            raise UnboundedError(
                f"the total reward is infinite: from state {named[0]} a policy can stay among "
                f"{_listed(named)} for ever and gains",
                int(named[0]),
                np.inf,
            )
        raise UnboundedError(
            f"the total reward has no limit: going round among {_listed(named)} costs nothing on average but "
            "meets rewards of both signs",
            int(named[0]),
            np.nan,
        )
    return np.asarray((component >= 0) & positive[component])


def _listed(states: IntArray) -> str:
    shown = ", ".join(str(s) for s in states[:8].tolist())
    return f"the {len(states)} states {shown}{', ...' if len(states) > 8 else ''}"
