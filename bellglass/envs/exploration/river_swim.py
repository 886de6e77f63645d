"""RiverSwim: a small sure reward downstream, a large one that must be swum for against the current.

    state     0      1      2     ...    n-1
            +-----+-----+-----+-----+-----+      action 0, left: one state back, for sure
     r_left |     |     |     |     |     | r_right   action 1, right: mostly stays, sometimes drifts back
            +-----+-----+-----+-----+-----+

                      'osband'                         'strehl'
    right in 0        .4 stay, .6 on                   .7 stay, .3 on
    right between     .05 back, .6 stay, .35 on        .1 back, .6 stay, .3 on
    right in n-1      .4 back, .6 stay                 .7 back, .3 stay
    r_left, r_right   .005, 1                          5, 10000
    start             state 0                          states 1 and 2 equally

Always swimming right is a birth-death chain.  Detailed balance gives its stationary distribution, and so its
gain in closed form (`closed_form_gain`, derived here):  m(i) * up(i) = m(i+1) * down(i+1).  For 'osband' with n
= 6 the gain is about .428, and it tends to 3/7.

Strehl & Littman, J. Comput. Syst. Sci. 74 (2008), Fig. 3; Osband, Russo & Van Roy, NeurIPS 2013, Fig. 1.
"""

from __future__ import annotations

from typing import Literal, Unpack

import numpy as np

from ..keywords import one_of, real, whole
from ..mdp import TabularMDP
from ..mdp.memory_limit import brief, require_memory
from ..rendering.rows import in_rows
from ..tabular import EnvSettings, TabularEnv

Variant = Literal["osband", "strehl"]
RewardOn = Literal["action", "arc"]

LEFT, RIGHT = 0, 1

#: Swimming right, by where: chances of drifting back, staying and getting on.
CURRENT: dict[str, dict[str, tuple[float, float, float]]] = {
    "osband": {"first": (0.0, 0.4, 0.6), "middle": (0.05, 0.6, 0.35), "last": (0.4, 0.6, 0.0)},
    "strehl": {"first": (0.0, 0.7, 0.3), "middle": (0.1, 0.6, 0.3), "last": (0.7, 0.3, 0.0)},
}

#: r_left and r_right where none is given.
REWARDS: dict[str, tuple[float, float]] = {"osband": (0.005, 1.0), "strehl": (5.0, 10_000.0)}


def swimming(n: int, variant: Variant, s: int) -> tuple[float, float, float]:
    """Chances of (back, stay, on) when swimming right in state `s`."""
    return CURRENT[variant]["first" if s == 0 else "last" if s == n - 1 else "middle"]


def river_swim(n: int, variant: Variant, *, r_left: float, r_right: float, reward_on: RewardOn) -> TabularMDP:
    """The table: states 0 .. n - 1 from the calm end on."""
    require_memory(1500 * n, f"a table of {brief(n)} states", {"n": n})
    P: dict[int, dict[int, list[tuple[float, int, float, bool]]]] = {}
    for s in range(n):
        moved = zip(swimming(n, variant, s), (s - 1, s, s + 1), strict=True)
        right = []
        for p, next_s in moved:
            if p > 0:
                paid = s == n - 1 and (reward_on == "action" or next_s == s)
                right.append((p, next_s, r_right if paid else 0.0, False))
        P[s] = {LEFT: [(1.0, max(s - 1, 0), r_left if s == 0 else 0.0, False)], RIGHT: right}
    starts = np.zeros(n)
    starts[[0] if variant == "osband" else [1, 2]] = 1.0 if variant == "osband" else 0.5
    return TabularMDP.from_P(
        P,
        initial=starts,
        state_labels=range(n),
        action_labels=("left", "right"),
        layout=in_rows("".join("S" if p > 0 else " " for p in starts), ("←", "→")),
    )


def closed_form_gain(n: int, variant: Variant, *, r_right: float, reward_on: RewardOn) -> float:
    """Reward per step in the long run of always swimming right: the closed form above."""
    mass = np.ones(n)
    for s in range(1, n):
        mass[s] = mass[s - 1] * swimming(n, variant, s - 1)[2] / swimming(n, variant, s)[0]
    kept = 1.0 if reward_on == "action" else swimming(n, variant, n - 1)[1]
    return float(mass[-1] / mass.sum() * kept * r_right)


class RiverSwim(TabularEnv):
    """Swim against the current.

    Args:
        n: number of states, at least 2 ('strehl': 3, since it starts in 1 and 2).
        variant: "osband" or "strehl".
        r_left: reward of going left in state 0; None: .005 ('osband') or 5 ('strehl').
        r_right: reward of swimming right in the last state; None: 1 or 10000.
        reward_on: "action": `r_right` is paid whatever happens; "arc": only if the last state is kept.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        n: int = 6,
        variant: Variant = "osband",
        r_left: float | None = None,
        r_right: float | None = None,
        reward_on: RewardOn = "action",
        **settings: Unpack[EnvSettings],
    ) -> None:
        one_of("variant", variant, tuple(CURRENT))
        one_of("reward_on", reward_on, ("action", "arc"))
        n = whole(f"n of the variant {variant!r}", n, 2 if variant == "osband" else 3)
        left, right = REWARDS[variant]
        super().__init__(
            river_swim(
                n,
                variant,
                r_left=left if r_left is None else real("r_left", r_left),
                r_right=right if r_right is None else real("r_right", r_right),
                reward_on=reward_on,
            ),
            **settings,
        )
