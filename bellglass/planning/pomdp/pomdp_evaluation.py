"""Scores where states are hidden: policies of the last observation by a linear solve, memories by their histories."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ...envs.mdp import FloatArray
from ...envs.pomdp import TabularPOMDP
from ..algebra.pairs import Pairs
from ..errors import ToleranceError, UnboundedError
from ..policies.gaps import smallest_loss
from ..policies.policies import chances_of_agent, played_chances
from ..policies.policy_bounds import bounds_of, random_value
from ..policies.score import Score
from ..solutions.record import Criterion
from ..start import start_value
from .beliefs import TooManyBeliefs
from .history_evaluation import HistoryEvaluator
from .ladder import ObservationNodes
from .pomdp_solver import solve_pomdp

#: Marks of tables scored before: (optimum, random, gap) by criterion, discount and horizon.
_MARKS: WeakKeyDictionary[TabularPOMDP, dict[tuple[str, float, int | None], tuple[float, float, float]]] = (
    WeakKeyDictionary()
)


def evaluate_hidden(
    pomdp: TabularPOMDP,
    policy_or_agent: Any,
    discount: float,
    *,
    criterion: Criterion,
    horizon: int | None,
    exploring: bool,
) -> Score:
    """What `evaluate` says of a partially observed table; the settings are checked there.

    The score's `values` [S] are those of starting in each hidden state; an agent with memory has none but
    its start value's interval, so its `values` are [1].
    """
    optimum, random, gap = _marks(pomdp, discount, criterion, horizon)

    is_array = isinstance(policy_or_agent, (np.ndarray, list, tuple))
    if not is_array and remembers(policy_or_agent, pomdp.num_observations):
        if exploring:
            raise ValueError(
                "an agent with memory explores by drawing at random, which is no function of what it has seen; "
                "score the policy it believes best (exploring=False), or play episodes"
            )
        low, high = HistoryEvaluator(pomdp, discount, criterion=criterion, horizon=horizon).interval(
            policy_or_agent
        )
        middle = (low + high) / 2.0
        return Score(
            values=np.array([middle]),
            start_value=middle,
            optimum=optimum,
            random=random,
            gap=gap,
            lower=low,
            upper=high,
        )
    if is_array:
        chances = chances_of_array(policy_or_agent, pomdp)
    else:
        observations = np.arange(pomdp.num_observations)
        chances = chances_of_agent(policy_or_agent, observations, pomdp.num_actions, exploring=exploring)
    nodes = ObservationNodes(pomdp)
    played = played_chances(nodes.mdp, nodes.seen @ chances)
    values = bounds_of(nodes.mdp, played, discount, criterion=criterion, horizon=horizon).values
    start = start_value(nodes.mdp, values[0] if values.ndim == 2 else values)
    first = int(np.flatnonzero(nodes.mdp.initial)[0]) // pomdp.num_states * pomdp.num_states
    values = values[..., first : first + pomdp.num_states]
    return Score(
        values=values,
        start_value=start,
        optimum=optimum,
        random=random,
        gap=gap,
        lower=start,
        upper=start,
    )


def _marks(
    pomdp: TabularPOMDP, discount: float, criterion: Criterion, horizon: int | None
) -> tuple[float, float, float]:
    """(optimum, random, gap), remembered as long as the table lives; the gap is that of the table of beliefs."""
    known = _MARKS.setdefault(pomdp, {})
    key = (criterion, discount, horizon)
    if key not in known:
        random = random_value(pomdp.mdp, discount, criterion=criterion, horizon=horizon)
        try:
            best = solve_pomdp(
                pomdp, None if discount == 1.0 else discount, criterion=criterion, horizon=horizon
            )
        except UnboundedError as error:
            known[key] = (error.value, random, np.nan)
        except (ToleranceError, TooManyBeliefs):
            # what memory could reach is not known; the policy's value is
            known[key] = (np.nan, random, np.nan)
        else:
            known[key] = (best.start_value, random, smallest_loss(Pairs.of(best.mdp), best))
    return known[key]


def remembers(agent: Any, num_observations: int) -> bool:
    """Whether `predict` hands a memory back.

    Raises:
        TypeError: the agent has no `predict`.
    """
    if not hasattr(agent, "predict"):
        if hasattr(agent, "action_probabilities"):
            return False
        raise TypeError(f"expected a policy array or an agent with predict, got {type(agent).__name__}")
    answer: tuple[Any, Any] = agent.predict(
        np.arange(num_observations), None, np.ones(num_observations, dtype=np.bool_), deterministic=True
    )
    return answer[1] is not None


def chances_of_array(policy: npt.ArrayLike, pomdp: TabularPOMDP) -> FloatArray:
    """[O, A] chances of a policy over observations: integers [O], or floats [O, A].

    Raises:
        ValueError: a wrong shape, an action out of range, or a row that is no distribution.
        TypeError: neither integers nor floats.
    """
    given = np.asarray(policy)
    num_observations, num_actions = pomdp.num_observations, pomdp.num_actions
    if given.dtype.kind in "iu":
        if given.shape != (num_observations,):
            raise ValueError(
                f"states are hidden: actions must have shape [{num_observations}], one an observation, "
                f"got {list(given.shape)}"
            )
        if given.min() < 0 or given.max() >= num_actions:
            raise ValueError(f"actions must be in [0, {num_actions}), got {given.tolist()}")
        return np.eye(num_actions)[given.astype(np.int64)]
    if given.dtype.kind != "f":
        raise TypeError(f"a policy holds integers (actions) or floats (chances), got dtype {given.dtype}")
    if given.shape != (num_observations, num_actions):
        raise ValueError(
            f"states are hidden: chances must have shape [{num_observations}, {num_actions}], "
            f"got {list(given.shape)}"
        )
    sums = given.sum(axis=1)
    if not ((given >= 0).all() and (np.abs(sums - 1.0) <= 1e-6).all()):
        worst = int(np.abs(sums - 1.0).argmax())
        raise ValueError(f"the chances of observation {worst} are no distribution: {given[worst].tolist()}")
    return np.asarray(given / sums[:, None], dtype=np.float64)
