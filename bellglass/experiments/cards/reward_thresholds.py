"""Writes `envs/thresholds.py`: what an optimal agent's mean return over 100 episodes passes, for each id.

    threshold  =  optimum - 2 * sqrt(variance / 100)

optimum: the greatest mean return within the time limit (without one: until the end).  variance: of the return under
the optimal policy that `solve` returns, exact.  Where states are hidden, with memory.  Two tables have no such policy
belief by belief (`PLANNED`): there a play stands in that is best for a discounted sum.  Its own mean and variance are
exact as well, and its mean is no more than the optimum, so an optimal agent passes all the more.

    python -m bellglass.experiments.cards.reward_thresholds              # of ids without one; those gone are left out
    python -m bellglass.experiments.cards.reward_thresholds Maze Taxi    # of these anew
    python -m bellglass.experiments.cards.reward_thresholds --all        # every one anew, in some minutes
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

import gymnasium as gym
import numpy as np

from ... import envs
from ...envs.mdp import TabularMDP
from ...envs.pomdp import pomdp_of
from ...envs.registration import ENVIRONMENTS, NAMESPACE
from ...envs.tables import table_of
from ...envs.thresholds import THRESHOLDS
from ...planning import solve
from ...planning.errors import UnboundedError
from ..results.store import write_whole
from ..scoring.belief_play import belief_play
from ..scoring.returns import Spread, spread_until_the_end, spread_within

EPISODES = 100
STANDARD_ERRORS = 2.0

#: Digits that are written down; a threshold is rounded down.
DIGITS = 6

#: Where best play within the time limit is not at hand belief by belief: the discount of a play that stands in.
PLANNED = {"CryingBaby": 0.95, "Shuttle": 0.95}

STANDS_IN = "of a play that is best for a discounted sum: its mean is no more than the optimum"
UNBOUNDED = "the total reward has no finite optimum"

HEADER = '''"""`reward_threshold` of each id: the optimum less two standard errors of a mean over 100 episodes.

Made by `python -m bellglass.experiments.cards.reward_thresholds`, which says how; do not edit.
"""

from __future__ import annotations

THRESHOLDS: dict[str, float | None] = {
'''


class BestPlay(NamedTuple):
    """What an episode of the optimal policy returns, and whether every reward is a whole number.

    Of the ids in `PLANNED`, of the play that stands in for it.
    """

    spread: Spread
    whole: bool


def best_play(name: str) -> BestPlay:
    """For the default keywords of an id.

    Raises:
        UnboundedError: the total reward has no finite optimum.
    """
    env_id = f"{NAMESPACE}/{name}-v0"
    env = gym.make(env_id)
    model = table_of(env) if env.has_wrapper_attr("observe") else pomdp_of(env)
    env.close()
    horizon = gym.spec(env_id).max_episode_steps
    if name in PLANNED:
        assert horizon is not None
        assert not isinstance(model, TabularMDP)
        mdp, rule = belief_play(model, solve(model, PLANNED[name]))
        spread = spread_within(mdp, np.tile(rule, (horizon, 1)))
    else:
        best = solve(model, criterion="total" if horizon is None else "finite_horizon", horizon=horizon)
        mdp, policy = (model, best.policy) if isinstance(model, TabularMDP) else belief_play(model, best)
        spread = spread_until_the_end(mdp, policy) if horizon is None else spread_within(mdp, policy)
        if not math.isclose(spread.mean, best.start_value, rel_tol=1e-6, abs_tol=1e-6):
            raise ArithmeticError(
                f"{name}: the policy is worth {spread.mean}, the optimum {best.start_value}"
            )
    return BestPlay(spread, bool((mdp.reward == np.rint(mdp.reward)).all()))


def threshold(name: str) -> float | None:
    """What is written down for an id; None where there is no finite optimum."""
    try:
        spread, whole = best_play(name)
    except UnboundedError:
        return None
    return rounded_down(spread.mean - STANDARD_ERRORS * math.sqrt(spread.variance / EPISODES), whole=whole)


def rounded_down(number: float, *, whole: bool) -> float:
    """To `DIGITS` digits; sums of rewards that are no whole numbers may miss the mean by rounding.

    >>> rounded_down(-13.0, whole=True), rounded_down(0.123456789, whole=False), rounded_down(0.99, whole=False)
    (-13.0, 0.123456, 0.989999)
    """
    hair = 1e-9 * max(1.0, abs(number))
    safe = number + hair if whole else number - hair
    places = DIGITS - 1 - math.floor(math.log10(max(abs(number), 1e-3)))
    return float(Decimal(safe).quantize(Decimal(1).scaleb(-places), rounding=ROUND_FLOOR))


def written(thresholds: Mapping[str, float | None]) -> str:
    """The generated module."""
    lines = []
    for name, number in thresholds.items():
        why = f"  # {UNBOUNDED}" if number is None else f"  # {STANDS_IN}" if name in PLANNED else ""
        lines.append(f'    "{name}": {number!r},{why}\n')
    return HEADER + "".join(lines) + "}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the file anew; what was there already is believed unless it is asked for."""
    parser = argparse.ArgumentParser(description="The reward threshold of each id.")
    parser.add_argument("names", nargs="*", help="ids, without namespace and version, to work out anew")
    parser.add_argument("--all", action="store_true", help="work out every one anew")
    asked = parser.parse_args(arguments)
    unknown = set(asked.names) - {row.name for row in ENVIRONMENTS}
    if unknown:
        parser.error(f"no such ids: {', '.join(sorted(unknown))}")
    found: dict[str, float | None] = {}
    for row in ENVIRONMENTS:
        if row.name in THRESHOLDS and row.name not in asked.names and not asked.all:
            found[row.name] = THRESHOLDS[row.name]
            continue
        began = perf_counter()
        found[row.name] = threshold(row.name)
        print(f"{row.name:20} {found[row.name]!r:>14}  {perf_counter() - began:6.1f} s", flush=True)
    write_whole(Path(envs.__path__[0]) / "thresholds.py", written(found))


if __name__ == "__main__":
    main()
