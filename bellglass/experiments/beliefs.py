"""Beliefs as states, where few of them can be reached: held here until the planners' own belief planning lands."""

from __future__ import annotations

import numpy as np

from ..envs.mdp import TabularMDP
from ..envs.pomdp import TabularPOMDP

#: More beliefs than these are no table.
MOST_BELIEFS = 5_000


def belief_table(pomdp: TabularPOMDP) -> TabularMDP:
    """The table of beliefs that can be reached, and an end; equal beliefs are told by 12 digits.

    Raises:
        ValueError: there are too many.
    """
    mdp = pomdp.mdp
    played = np.where(mdp.action_mask, np.arange(mdp.num_actions), mdp.lowest_action[:, None])
    reward = mdp.expected_reward[np.arange(mdp.num_states)[:, None], played]
    beliefs: list[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = []
    index: dict[bytes, int] = {}

    def number(belief: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int:
        key = (np.round(belief, 12) + 0.0).tobytes()
        if key not in index:
            if len(beliefs) >= MOST_BELIEFS:
                raise ValueError(f"more than {MOST_BELIEFS} beliefs can be reached")
            index[key] = len(beliefs)
            beliefs.append(belief)
        return index[key]

    starts = mdp.initial @ pomdp.initial_observation
    initial = {number(pomdp.initial_belief(int(o))): float(starts[o]) for o in np.flatnonzero(starts)}
    rows: list[list[tuple[float, int, float, bool]]] = []
    end = -1
    done = 0
    while done < len(beliefs):
        belief = beliefs[done]
        done += 1
        for action in range(mdp.num_actions):
            chances = pomdp.observation_chances(belief, action)
            earned = float(belief @ reward[:, action])
            row = [
                (float(chances[o]), number(pomdp.update_belief(belief, action, int(o))), earned, False)
                for o in np.flatnonzero(chances > 1e-15)
            ]
            stopped = 1.0 - sum(p for p, *_ in row)
            rows.append([*row, (stopped, end, earned, True)] if stopped > 1e-12 else row)
    last = len(beliefs)
    counts = [*(len(row) for row in rows), *[0] * mdp.num_actions]
    flat = [outcome for row in rows for outcome in row]
    return TabularMDP(
        first_outcome=np.concatenate([[0], np.cumsum(counts)]),
        probability=[p for p, *_ in flat],
        next_state=[last if s == end else s for _, s, _, _ in flat],
        reward=[r for *_, r, _ in flat],
        terminated=[ended for *_, ended in flat],
        initial=[initial.get(b, 0.0) for b in range(last + 1)],
        normalise=True,
    )
