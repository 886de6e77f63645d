"""The table behind an environment: ours, or anyone's who offers Gymnasium's `P`, once its steps bear it out.

A `P` is only a claim.  (Gymnasium's Taxi with `fickle_passenger` changes the destination inside `step`, which
its `P` does not say.)  So before it is believed, a deep copy of the environment is reset and walks for a while,
half of the time from states chosen at random; every start and every step must be one that the table lists, and
as frequent as it says (`evidence.py` tells how that is asked).  The environment itself is not touched: neither
its state nor its generator.

Gymnasium's Blackjack has no `P`; its exact table comes from `extraction/blackjack.py`, and is tried alike.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from .extraction.evidence import Evidence, FrequencyTest
from .extraction.toy_blackjack import blackjack_of, is_blackjack
from .extraction.trial import FROM_ANYWHERE, FROM_START, STEPS, claim_of, twin_of
from .mdp.arrays import FloatArray
from .mdp.table import TabularMDP

#: Resets by which the starts are put to the test.
RESETS = 1000


def table_of(env: gym.Env[Any, Any] | gym.vector.VectorEnv[Any, Any, Any]) -> TabularMDP:
    """The table behind `env`, through whatever wrappers lie on it.

    Ours is handed over as it is.  Another environment's `P` is read where `initial_state_distrib` tells the
    starts (or resets always lead to one state), and believed only if 1,000 resets and 5,000 steps of a deep copy
    agree with it.  Gymnasium's Blackjack, which has no `P`, gets its exact table.

    Raises:
        TypeError: the environment lays no table open.
        ValueError: its steps do not follow its `P`, or its starts are not known.
    """
    return read(env)[0]


def read(env: Any) -> tuple[TabularMDP, Evidence | None]:
    """`table_of`, and what the trial found; None where the table is the environment, and none was needed."""
    if not hasattr(env, "unwrapped"):
        raise TypeError(f"table_of needs a Gymnasium environment, got {type(env).__name__} {env!r}")
    layer: Any = env
    while layer is not None:  # the outermost: a wrapper that changes the dynamics lays its own table open
        mdp = vars(layer).get("mdp") if layer is not env.unwrapped else getattr(layer, "mdp", None)
        if isinstance(mdp, TabularMDP):
            return mdp, None
        layer = vars(layer).get("env")
    base: Any = env.unwrapped
    if is_blackjack(base):
        return blackjack_of(base)
    P = getattr(base, "P", None)
    if not isinstance(P, dict) or not isinstance(
        getattr(base, "observation_space", None), gym.spaces.Discrete
    ):
        raise TypeError(
            f"{env} lays no table open: it has neither a TabularMDP as `mdp` nor Gymnasium's `P`; "
            "bellglass.extract enumerates it if it is deterministic and finite"
        )
    mdp = TabularMDP.from_P(P, initial=_starts(base, len(P)))
    flaw = _known_flaw(base)
    try:
        evidence = _test(base, mdp)
    except ValueError as error:
        raise ValueError(f"{error}{flaw and f' ({flaw})'}") from None
    if flaw:
        raise ValueError(f"{base} does not follow its P: {flaw}")
    return mdp, evidence


def _known_flaw(base: Any) -> str:
    """Why the P of an environment that we know cannot be true; empty if there is no such reason."""
    if getattr(base, "fickle_passenger", False) and getattr(base, "fickle_probability", 1) > 0:
        return (
            "fickle_passenger lets the destination change inside step, by a flag drawn at reset that is no part of "
            "the observed state: no table over these states is true"
        )
    return ""


def _starts(base: gym.Env[Any, Any], num_states: int) -> FloatArray:
    """[S] chance of each start: as told, and as seen in resets of a copy."""
    twin = twin_of(base, seed=0)
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


def _test(base: gym.Env[Any, Any], mdp: TabularMDP) -> Evidence:
    """Steps a copy, compares each step with the claim, and at the end all of them with its chances."""
    twin: Any = twin_of(base, seed=1)
    trial = FrequencyTest(f"{base} does not follow its P")
    trial.claim("reset", {s: float(mdp.initial[s]) for s in np.flatnonzero(mdp.initial).tolist()}, "a reset")
    for _ in range(RESETS):
        trial.see("reset", int(twin.reset()[0]))
    rng = np.random.default_rng(2)
    reachable = np.flatnonzero(mdp.walked_through & ~mdp.terminal)
    s, walks, left = -1, 0, 0
    for _ in range(STEPS):
        if left == 0:
            s, walks, left = int(twin.reset()[0]), walks + 1, FROM_START
            if walks % 2 == 0 and hasattr(twin, "s"):
                twin.s = s = int(rng.choice(reachable))
                left = FROM_ANYWHERE
        a = int(rng.choice(np.flatnonzero(mdp.action_mask[s])))
        if not trial.knows((s, a)):
            trial.claim((s, a), claim_of(mdp, s, a), f"action {a} in state {s}")
        next_s, reward, terminated, truncated, _ = twin.step(a)
        trial.see((s, a), (int(next_s), float(reward), bool(terminated)))
        s, left = int(next_s), left - 1
        if terminated or truncated or mdp.terminal[s]:
            left = 0
    return trial.result()
