"""QueueAdmission: each customer let in pays, and each one waiting costs; when to close the door?

    in the system   0     1     2    ...   capacity
    the next event is an arrival with  lam / (lam + mu):  one more, if admitted and there is room
                      a service with   mu / (lam + mu):   one less, if there is one

    reward of a step:   R if an arrival is let in,   minus  h * (number before the event) / (lam + mu)

The action is chosen before the event: 0 rejects, 1 admits (which at capacity admits nobody).  A step lasts
1 / (lam + mu) on average, so a gain per unit time is (lam + mu) times that per step.

Admitting while fewer than n are in the system makes an M/M/1/n queue, whose stationary chances are proportional
to (lam/mu)**i.  Its gain per unit time (`closed_form_gain`) is

    lam * R * (1 - p_n)  -  h * (p_1 + 2 p_2 + ... + n p_n)

and the best n <= capacity is optimal (Naor).  For the defaults n = 2, and 85/91 = .934 per unit time.

Naor, Econometrica 37 (1969), 15-24; Puterman, Markov Decision Processes (1994), section 3.7.1.
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

REJECT, ADMIT = 0, 1


def queue_admission(*, lam: float, mu: float, R: float, h: float, capacity: int) -> TabularMDP:
    """The table: 0 .. capacity customers in the system."""
    num_states = capacity + 1
    require_memory_to_make(num_states, 2, 4 * num_states, {"capacity": capacity})
    s = np.arange(num_states)
    waiting = -h * s / (lam + mu)
    room = s < capacity
    served = np.maximum(s - 1, 0)
    fields = sorted_outcomes(
        2 * num_states,
        pair=np.stack([2 * s + REJECT, 2 * s + REJECT, 2 * s + ADMIT, 2 * s + ADMIT]),
        probability=np.array([[lam], [mu], [lam], [mu]]) / (lam + mu),
        next_state=np.stack([s, served, s + room, served]),
        reward=np.stack([waiting, waiting, waiting + np.where(room, R, 0.0), waiting]),
        terminated=False,
    )
    return TabularMDP(
        **fields,
        initial=np.eye(1, num_states)[0],
        state_labels=range(num_states),
        action_labels=("reject", "admit"),
        layout=in_rows("S".ljust(num_states), ("R", "A")),
    )


def closed_form_gain(n: int, *, lam: float, mu: float, R: float, h: float) -> float:
    """Reward per unit time in the long run of admitting while fewer than n are in the system (mu > 0)."""
    number = np.arange(n + 1)
    chances = (lam / mu) ** number
    chances /= chances.sum()
    return float(lam * R * (1.0 - chances[-1]) - h * number @ chances)


class QueueAdmission(TabularEnv):
    """Stand at the door of a queue.

    Args:
        lam: arrivals per unit time, at least 0.
        mu: services per unit time, at least 0; lam + mu is positive.
        R: reward of a customer who is let in.
        h: cost of a customer in the system per unit time.
        capacity: most customers in the system, at least 1.
        render_mode, invalid_actions: as in `TabularEnv`.
    """

    def __init__(
        self,
        lam: float = 0.5,
        mu: float = 0.6,
        R: float = 5,
        h: float = 1,
        capacity: int = 30,
        **settings: Unpack[EnvSettings],
    ) -> None:
        arrivals, services = real("lam", lam, 0.0), real("mu", mu, 0.0)
        if arrivals + services == 0.0:
            raise ValueError(f"lam + mu must be positive, got {lam} + {mu}")
        super().__init__(
            queue_admission(
                lam=arrivals,
                mu=services,
                R=real("R", R),
                h=real("h", h),
                capacity=whole("capacity", capacity, 1),
            ),
            **settings,
        )
