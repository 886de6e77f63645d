"""Mistakes in reading a policy off the right values."""

from __future__ import annotations

import numpy as np

from ....envs.mdp import IntArray
from ...policies.policy_bounds import policy_values
from ..hypotheses import Hypotheses, Hypothesis, Question, top_of
from .order_mistakes import actions_of_policy


def extractions(question: Question, actions: IntArray | None) -> Hypotheses:
    """What the answer would be if the values were right and only the last step wrong."""
    mdp, best = question.mdp, question.best
    mask = mdp.action_mask
    if actions is not None and _fits(question, actions - 1):
        because = "the right policy with its actions numbered from 1; here they are numbered from 0"
        yield Hypothesis("actions numbered from 1", because, None, None, _named(actions, mdp.num_actions))
    if actions is not None and _fits(question, actions + 1):
        because = "the right policy with each action one too low"
        yield Hypothesis("actions in another order", because, None, None, _named(actions, mdp.num_actions))
    worst = top_of(mdp, np.where(mask, -best.q_values, -np.inf))
    yield Hypothesis(
        "minimum for maximum", "the action of least value in place of the greatest", optimal=worst
    )
    if question.stationary and best.values is not None:
        greedy = "greedy on other numbers"
        likely = (mdp.transition_matrix @ np.where(np.isfinite(best.values), best.values, 0.0)).reshape(
            mask.shape
        )
        ahead = top_of(mdp, np.where(mask, likely, -np.inf))
        yield Hypothesis(greedy, "the best next value alone, without the reward on the way", optimal=ahead)
        soon = top_of(mdp, np.where(mask, mdp.expected_reward, -np.inf))
        yield Hypothesis(greedy, "the greatest next reward alone, without what follows", optimal=soon)
        on = ~mdp.terminated
        q = np.full(mask.size, -np.inf)
        reached = mdp.reward + question.discount * np.where(on, best.values[mdp.next_state], 0.0)
        happens = mdp.normalised_probability > 0
        np.maximum.at(q, mdp.row_of_outcome[happens], reached[happens])
        because = "the action with the best single outcome, whatever its chance"
        yield Hypothesis("chance ignored", because, optimal=top_of(mdp, q.reshape(mask.shape)))
        last = np.full(mask.size, -np.inf)
        last[mdp.row_of_outcome] = reached  # of each action the last outcome is kept
        because = "of each action's outcomes only the last one counts"
        yield Hypothesis("outcomes overwritten", because, optimal=top_of(mdp, last.reshape(mask.shape)))
    if actions is not None:
        yield from actions_of_policy(question, actions)


def _fits(question: Question, actions: IntArray) -> bool:
    mdp = question.mdp
    known = (actions >= 0) & (actions < mdp.num_actions)
    good = np.broadcast_to(question.best.optimal_actions, (*actions.shape, mdp.num_actions))
    chosen = np.take_along_axis(good, np.where(known, actions, 0)[..., None], axis=-1)[..., 0]
    return bool((known & chosen)[..., ~mdp.terminal].all())


def _named(actions: IntArray, num_actions: int) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The answer itself, as a mask: for guesses that were tested already."""
    return np.asarray(actions[..., None] == np.arange(num_actions))


def going_round(question: Question, chances: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> int | None:
    """For the total reward: the first state from which best actions never come to an end, or come to less."""
    if question.criterion != "total":
        return None
    try:
        worth = policy_values(question.mdp, chances, criterion="total")
    except ValueError as error:
        return int(getattr(error, "state", 0))
    with np.errstate(invalid="ignore"):
        short = ~(worth >= question.values - question.tolerance)
    return int(np.flatnonzero(short)[0]) if short.any() else None
