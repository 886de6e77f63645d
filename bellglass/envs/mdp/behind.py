"""The table behind an environment: ours, or anyone's who offers Gymnasium's `P`, once its steps bear it out.

A `P` is only a claim.  (Gymnasium's Taxi with `fickle_passenger` changes the destination inside `step`, which
its `P` does not say.)  So before it is believed, a deep copy of the environment walks for a while, half of
the time from states chosen at random; every step must be one of the outcomes that `P` lists, and the outcomes
must be as frequent as it says:  the sum over pairs (s, a) of Pearson's

    X2 = sum_k (seen_k - n p_k)^2 / (n p_k),    E X2 = K - 1,
    Var X2 = 2 (K - 1) + (sum_k 1 / p_k - K^2 - 2 K + 2) / n      (exact for every n)

must lie within eight standard deviations of its mean.  The environment itself is not touched: neither its
state nor its generator.
"""

from __future__ import annotations

import copy
import math
from collections import Counter, defaultdict
from typing import Any

import gymnasium as gym
import numpy as np

from .table import FloatArray, TabularMDP

#: Steps by which a `P` is put to the test, and the length of a walk from a start and from a state at random.
STEPS, FROM_START, FROM_ANYWHERE = 5000, 100, 20

#: Standard deviations by which the frequencies may miss.
TOLERANCE = 8.0

#: Outcomes rarer than this are counted together, to keep the statistic's tails light.
RARE = 0.05

#: (next state, reward, terminated)
Outcome = tuple[int, float, bool]


def table_of(env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any]) -> TabularMDP:
    """The table behind `env`, through whatever wrappers lie on it.

    Ours is handed over as it is.  Another environment's `P` is read where `initial_state_distrib` tells the
    starts (or resets always lead to one state), and believed only if 5,000 steps of a deep copy agree with
    it.

    Raises:
        TypeError: the environment lays no table open.
        ValueError: its steps do not follow its `P`, or its starts are not known.
    """
    layer: Any = env
    while layer is not None:  # the outermost: a wrapper that changes the dynamics lays its own table open
        mdp = vars(layer).get("mdp") if layer is not env.unwrapped else getattr(layer, "mdp", None)
        if isinstance(mdp, TabularMDP):
            return mdp
        layer = vars(layer).get("env")
    base: Any = env.unwrapped
    P = getattr(base, "P", None)
    if not isinstance(P, dict) or not isinstance(
        getattr(base, "observation_space", None), gym.spaces.Discrete
    ):
        raise TypeError(f"{env} lays no table open: it has neither a TabularMDP as `mdp` nor Gymnasium's `P`")
    mdp = TabularMDP.from_P(P, initial=_starts(base, len(P)))
    _test(base, mdp)
    return mdp


def _twin(base: gym.Env[Any, Any], seed: int) -> gym.Env[Any, Any]:
    """A deep copy that shows nothing and draws from its own generator."""
    twin = copy.deepcopy(base)
    twin.render_mode = None
    twin.reset(seed=seed)
    return twin


def _starts(base: gym.Env[Any, Any], num_states: int) -> FloatArray:
    """[S] chance of each start: as told, and as seen in resets of a copy."""
    twin = _twin(base, seed=0)
    seen = sorted({int(twin.reset()[0]) for _ in range(50)})
    told = getattr(base, "initial_state_distrib", None)
    if told is None:
        if len(seen) > 1:
            raise ValueError(f"{base} has no initial_state_distrib, and its resets lead to several states")
        told = np.eye(num_states)[seen[0]]
    starts: FloatArray = np.array(told, dtype=np.float64)
    if starts.shape != (num_states,):
        raise ValueError(f"initial_state_distrib must have shape [{num_states}], got {list(starts.shape)}")
    for s in seen:
        if not starts[s] > 0:
            raise ValueError(f"{base} starts in state {s}, which its initial_state_distrib excludes")
    return starts


def _test(base: gym.Env[Any, Any], mdp: TabularMDP) -> None:
    """Steps a copy, compares each step with the claim, and at the end all of them with its chances."""
    twin: Any = _twin(base, seed=1)
    rng = np.random.default_rng(2)
    reachable = np.flatnonzero(_reachable(mdp))
    claims: dict[tuple[int, int], dict[Outcome, float]] = {}
    seen: dict[tuple[int, int], Counter[Outcome]] = defaultdict(Counter)
    s, walks, left = -1, 0, 0
    for _ in range(STEPS):
        if left == 0:
            s, walks, left = int(twin.reset()[0]), walks + 1, FROM_START
            if walks % 2 == 0 and hasattr(twin, "s"):
                twin.s = s = int(rng.choice(reachable))
                left = FROM_ANYWHERE
        a = int(rng.choice(np.flatnonzero(mdp.action_mask[s])))
        if (s, a) not in claims:
            claims[s, a] = _claim(mdp, s, a)
        next_s, reward, terminated, truncated, _ = twin.step(a)
        outcome = (int(next_s), float(reward), bool(terminated))
        if not claims[s, a].get(outcome, 0.0) > 0:
            raise ValueError(
                f"{base} does not follow its P: action {a} in state {s} led to (next state, reward, "
                f"terminated) = {outcome}, but P[{s}][{a}] lists {', '.join(map(str, sorted(claims[s, a])))}"
            )
        seen[s, a][outcome] += 1
        s, left = int(next_s), left - 1
        if terminated or truncated or mdp.terminal[s]:
            left = 0

    excess = variance = 0.0
    for pair, counts in seen.items():
        n = counts.total()
        cells = _pooled(claims[pair], counts)
        k = len(cells)
        if k > 1:
            excess += sum((count - n * p) ** 2 / (n * p) for p, count in cells) - (k - 1)
            variance += 2 * (k - 1) + (sum(1 / p for p, _ in cells) - k * k - 2 * k + 2) / n
    if excess > TOLERANCE * math.sqrt(variance) + 1e-9:
        raise ValueError(
            f"{base} does not follow its P: in {STEPS} steps the outcomes' frequencies missed its chances by "
            f"{excess / math.sqrt(variance):.0f} standard deviations"
        )


def _claim(mdp: TabularMDP, s: int, a: int) -> dict[Outcome, float]:
    """Chance of each different outcome; equal rows are added up."""
    claim: dict[Outcome, float] = defaultdict(float)
    for p, next_s, reward, terminated in mdp.P[s][a]:
        claim[int(next_s), float(reward), bool(terminated)] += p
    return dict(claim)


def _pooled(claim: dict[Outcome, float], counts: Counter[Outcome]) -> list[tuple[float, int]]:
    """(chance, count) of each outcome, the rare ones added to the likeliest."""
    likeliest = max(claim, key=lambda outcome: claim[outcome])
    cells = {
        outcome: (p, counts[outcome]) for outcome, p in claim.items() if p >= RARE or outcome == likeliest
    }
    rest = [(p, counts[outcome]) for outcome, p in claim.items() if outcome not in cells]
    cells[likeliest] = tuple(np.sum([cells[likeliest], *rest], axis=0))
    return [(float(p), int(count)) for p, count in cells.values()]


def _reachable(mdp: TabularMDP) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """[S] live states that can be walked to from the starts."""
    known = mdp.initial > 0
    s = mdp.row_of_outcome // mdp.num_actions
    going_on = ~mdp.terminated & (mdp.probability > 0)
    while True:
        entered = mdp.next_state[going_on & known[s]]
        if known[entered].all():
            return known & ~mdp.terminal
        known = known.copy()
        known[entered] = True
