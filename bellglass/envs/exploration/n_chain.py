"""NChain: walk on for the large reward at the end of the chain, or turn back for a small one at once.

    0 --> 1 --> 2 --> ... --> n-1      action 0, forward: one state on; in the last state it stays, and pays `large`
    ^-----+-----+-------------+ |      action 1, back: to state 0, and pays `small`
                              ^-+      with probability slip the other action happens, and pays as such

It goes on for ever.  Who always plays the same action executes forward with some chance f in every step: with
1 - slip always forward, with slip always back.  He executes back with 1 - f, and is in the last state after
n - 1 times forward in a row, so that

    gain(f)  =  (1 - f) * small  +  f**n * large

(derived here).  For the defaults always forward is best, with 3.6768: 3676.8 in the 1000 steps of the literature.

Dearden, Friedman & Russell, Bayesian Q-learning, AAAI 1998; Strens, A Bayesian framework for reinforcement
learning, ICML 2000, Table 1.
"""

from __future__ import annotations

from typing import Unpack

import numpy as np

from ..keywords import real, whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import require_memory_to_make
from ..mdp.outcomes import sorted_outcomes
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv

FORWARD, BACK = 0, 1


def n_chain(n: int, *, slip: float, small: float, large: float) -> TabularMDP:
    """The table: states 0 .. n - 1."""
    require_memory_to_make(n, 2, 4 * n, {"n": n})
    s = np.arange(n)
    happens = [
        (np.minimum(s + 1, n - 1), np.where(s == n - 1, large, 0.0)),
        (np.zeros(n, dtype=np.int64), np.full(n, small)),
    ]
    meant, other = (FORWARD, BACK), (BACK, FORWARD)
    fields = sorted_outcomes(
        2 * n,
        pair=np.stack([2 * s + a for a in (*meant, *meant)]),
        probability=np.array([[1.0 - slip]] * 2 + [[slip]] * 2),
        next_state=np.stack([happens[a][0] for a in (*meant, *other)]),
        reward=np.stack([happens[a][1] for a in (*meant, *other)]),
        terminated=False,
    )
    return TabularMDP(
        **fields,
        initial=(s == 0).astype(np.float64),
        state_labels=range(n),
        action_labels=("forward", "back"),
        layout=in_rows("S".ljust(n - 1) + "T", ("→", "←")),
    )


def closed_form_gain(action: int, n: int, *, slip: float, small: float, large: float) -> float:
    """Reward per step in the long run of one action for ever: the closed form above."""
    forward = slip if action == BACK else 1.0 - slip
    return (1.0 - forward) * small + forward**n * large


class NChain(TabularEnv):
    """Walk to the end of the chain, again and again.

    Args:
        n: number of states, at least 2.
        slip: chance in [0, 1] that the other action happens.
        small: reward of going back.
        large: reward of going forward in the last state.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        n: int = 5,
        slip: float = 0.2,
        small: float = 2,
        large: float = 10,
        **settings: Unpack[EnvSettings],
    ) -> None:
        super().__init__(
            n_chain(
                whole("n", n, 2),
                slip=real("slip", slip, 0.0, 1.0),
                small=real("small", small),
                large=real("large", large),
            ),
            **settings,
        )
