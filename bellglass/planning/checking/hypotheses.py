"""What a mistake would lead to: a guess, to be held against the answer that was handed in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ...envs.mdp import BoolArray, FloatArray, TabularMDP
from ..solutions.record import Criterion
from ..solutions.solution import Solution
from ..solver import solve


class Question(NamedTuple):
    """What was asked, and the right answer.

    Attributes:
        mdp: the table.
        discount: weight of the value one step later.
        criterion: what is maximised.
        horizon: steps, with a finite horizon.
        best: the certified optimum.
        tolerance: how far a number may be from the right one, in units of reward.
        time_limit: steps after which the environment truncates, or None.
        foreign: whether the table came with rows behind its ends, which `TabularMDP` drops.
    """

    mdp: TabularMDP
    discount: float
    criterion: Criterion
    horizon: int | None
    best: Solution
    tolerance: float
    time_limit: int | None = None
    foreign: bool = False

    @property
    def values(self) -> FloatArray:
        """The right values (the gain, for the average)."""
        return self.best.numbers if self.best.values is None else self.best.values

    @property
    def stationary(self) -> bool:
        """Whether values obey one Bellman equation, the same at every step."""
        return self.criterion in ("discounted", "total")


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """What one mistake leads to; None where it says nothing.

    Attributes:
        mistake: its name, one of `mistakes.MISTAKES`.
        because: how it comes about, in a sentence.
        values: as `Solution.values`; the gain for "average".
        q_values: as `Solution.q_values`.
        optimal: as `Solution.optimal_actions`: what the mistaken would call best.
    """

    mistake: str
    because: str
    values: FloatArray | None = None
    q_values: FloatArray | None = None
    optimal: BoolArray | None = None


Hypotheses = Iterator[Hypothesis]


def solved(
    question: Question,
    mdp: TabularMDP | None = None,
    *,
    discount: float | None = None,
    criterion: Criterion | None = None,
    horizon: int | None = None,
) -> Solution | None:
    """The optimum of a mistaken question; None where that has no answer."""
    criterion = criterion or question.criterion
    weight = question.discount if discount is None else discount
    if criterion == "discounted" and weight == 1.0:
        criterion = "total"
    elif criterion == "total" and weight < 1.0:
        criterion = "discounted"
    steps = (horizon or question.horizon) if criterion == "finite_horizon" else None
    try:
        with np.errstate(all="ignore"):  # a mistaken table may lead anywhere
            return solve(question.mdp if mdp is None else mdp, weight, criterion=criterion, horizon=steps)
    except ValueError:  # unbounded, or bounds beyond float64
        return None


def guessed(mistake: str, because: str, found: Solution | None, *, sign: float = 1.0) -> Hypotheses:
    """The guess that the answer is that solution, or its negative."""
    if found is not None:
        values = found.numbers if found.values is None else found.values
        with np.errstate(invalid="ignore"):
            q_values = np.where(np.isneginf(found.q_values), found.q_values, sign * found.q_values)
        yield Hypothesis(mistake, because, sign * values, q_values, found.optimal_actions)


def backup(mdp: TabularMDP, values: FloatArray, discount: float) -> FloatArray:
    """[S, A] sum of p * (r + discount * values[next]), -inf where the action is not available."""
    ahead = (mdp.transition_matrix @ np.where(mdp.terminal, 0.0, values)).reshape(mdp.action_mask.shape)
    return np.where(mdp.action_mask, mdp.expected_reward + discount * ahead, -np.inf)


def best_of(mdp: TabularMDP, q_values: FloatArray) -> FloatArray:
    """[S] the greatest action value, 0 in terminal states."""
    return np.where(mdp.terminal, 0.0, q_values.max(axis=-1))


def top_of(mdp: TabularMDP, q_values: FloatArray) -> BoolArray:
    """[S, A] the available actions of greatest value, as far as sweeps that stop at about 1e-8 can tell."""
    best = q_values.max(axis=-1, keepdims=True)
    slack = 1e-6 * np.maximum(1.0, np.abs(best))
    with np.errstate(invalid="ignore"):
        return np.asarray((q_values >= best - slack) & mdp.action_mask)
