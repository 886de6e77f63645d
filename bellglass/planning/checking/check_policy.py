"""Policies: every action that is played must be one of the best, and together they must get there."""

from __future__ import annotations

import numpy as np

from ...envs.mdp import BoolArray
from ..policies.policy_bounds import policy_values
from .answers import Answer, distance, read_policy
from .bellman_sums import name_of, written_out
from .check_values import first_of, step_ahead
from .diagnosis import diagnose_policy
from .hypotheses import Question
from .mistakes.policy_mistakes import going_round
from .verdict import Verdict


def check_policy(question: Question, answer: Answer) -> Verdict:
    """A policy: every action that it plays must lose nothing."""
    mdp, best, live = question.mdp, question.best, ~question.mdp.terminal
    chances, timed = answer.numbers, answer.numbers.ndim == 3
    played = (chances > 0) & live[:, None]
    absent = played & ~mdp.action_mask
    if answer.actions is not None:
        unknown = live & ((answer.actions < 0) | (answer.actions >= mdp.num_actions))
        if unknown.any() or absent.any():
            return _impossible(question, answer, unknown, absent)
    elif absent.any():
        return _impossible(question, answer, np.zeros(absent.shape[:-1], dtype=np.bool_), absent)
    if question.criterion == "average":
        return _judged_gain(question, answer)
    q = best.q_values
    if question.horizon is not None and not timed:
        played = np.broadcast_to(played, q.shape)
        chances = np.broadcast_to(chances, q.shape)
    top = np.where(live, q.max(axis=-1, initial=-np.inf), 0.0)
    with np.errstate(invalid="ignore"):
        loss = np.where(played & ~best.optimal_actions, distance(top[..., None], q), 0.0)
    mean_loss = np.where(played, loss * chances, 0.0) if np.isfinite(loss).all() else loss
    wrong = mean_loss > question.tolerance
    if not wrong.any():
        state = going_round(question, answer.numbers)
        return (
            Verdict(right=True, tolerance=question.tolerance)
            if state is None
            else _endless(question, answer, state)
        )
    where = first_of(wrong, question.horizon is not None)
    found = diagnose_policy(question, answer)
    s, a = where[-2:]
    rows, ahead, discount = step_ahead(question, where, True)
    good = np.flatnonzero(best.optimal_actions[where[:-1]]).tolist()
    marks = {g: "<- best" for g in good} | {a: "<- yours"}
    heading = f"Q({name_of(mdp, s)}, a) = sum of p * (r + {discount:.6g} * V(next)); yours is action {a}"
    shown = [good[0], a] if good else [a]
    return Verdict(
        right=False,
        kind="policy",
        state=s,
        action=a,
        step=where[0] if question.horizon is not None else None,
        expected=float(top[where[:-1]]),
        got=float(q[where]),
        mistake=found.mistake,
        explanation=found.because,
        others=found.others,
        bellman_sum=written_out(
            mdp, s, rows[s], ahead, discount, actions=shown, marks=marks, heading=heading
        ),
        wrong=int(wrong.any(axis=-1).sum()),
        worst=float(loss.max()),
        tolerance=question.tolerance,
    )


def _impossible(question: Question, answer: Answer, unknown: BoolArray, absent: BoolArray) -> Verdict:
    """The policy plays what cannot be played."""
    mdp = question.mdp
    wrong = unknown | absent.any(axis=-1)
    where = first_of(wrong, wrong.ndim == 2)
    s = where[-1]
    action = int(absent[where].argmax()) if answer.actions is None else int(answer.actions[where])
    able = np.flatnonzero(mdp.action_mask[s]).tolist()
    listed = ", ".join(map(str, able[:10])) + (", ..." if len(able) > 10 else "")
    name = "no such action" if unknown[where] else "unavailable action"
    because = f"state {s} plays action {action}; available there: {listed}"
    if answer.actions is not None:
        shifted = Answer("policy", answer.numbers, answer.actions - 1)
        if (
            unknown.any()
            and (answer.actions[..., ~mdp.terminal] >= 1).all()
            and _judged_shifted(question, shifted)
        ):
            name = "actions numbered from 1"
            because = "the right policy with its actions numbered from 1; here they are numbered from 0"
    return Verdict(
        right=False,
        kind="policy",
        state=s,
        action=action,
        step=where[0] if wrong.ndim == 2 else None,
        mistake=name,
        explanation=because,
        bellman_sum=f"in state {name_of(mdp, s)} action {action} has no outcomes: it is not available",
        wrong=int(wrong.sum()),
        worst=np.inf,
        tolerance=question.tolerance,
    )


def _judged_shifted(question: Question, answer: Answer) -> bool:
    assert answer.actions is not None
    try:
        read = read_policy(answer.actions, question.mdp, question.horizon)
    except ValueError:
        return False
    assert read.actions is not None
    known = (read.actions >= 0) & (read.actions < question.mdp.num_actions)
    return bool(known[..., ~question.mdp.terminal].all()) and check_policy(question, read).right


def _endless(question: Question, answer: Answer, state: int) -> Verdict:
    because = (
        "every action played is among the best, but together they never come to the reward: going round costs nothing "
        "and is worth nothing; break ties towards the end"
    )
    action = int(answer.numbers[state].argmax())
    values = question.values
    return Verdict(
        right=False,
        kind="policy",
        state=state,
        action=action,
        expected=float(values[state]),
        mistake="goes round for ever",
        explanation=because,
        bellman_sum=written_out(
            question.mdp,
            state,
            question.best.q_values[state],
            values,
            1.0,
            actions=[action],
            marks={action: "<- yours"},
            heading=f"Q({name_of(question.mdp, state)}, a) = sum of p * (r + V(next)); yours is action {action}",
        ),
        wrong=1,
        worst=float(np.nan_to_num(abs(values[state]), posinf=np.inf)),
        tolerance=question.tolerance,
    )


def _judged_gain(question: Question, answer: Answer) -> Verdict:
    """For the average reward what counts is the policy's own gain."""
    mdp = question.mdp
    gain = policy_values(mdp, answer.numbers, criterion="average")
    short = question.values - gain
    wrong = short > question.tolerance
    if not wrong.any():
        return Verdict(right=True, tolerance=question.tolerance)
    found = diagnose_policy(question, answer)
    s = int(np.flatnonzero(wrong)[0])
    action = int(answer.numbers[s].argmax())
    rows, ahead, _ = step_ahead(question, (s,), False)
    heading = f"gain({name_of(mdp, s)}) = {question.values[s]:.6g}; yours gains {gain[s]:.6g}.  p * (r + bias(next)):"
    return Verdict(
        right=False,
        kind="policy",
        state=s,
        action=action,
        expected=float(question.values[s]),
        got=float(gain[s]),
        mistake=found.mistake,
        explanation=found.because,
        others=found.others,
        bellman_sum=written_out(
            mdp, s, rows[s], ahead, 1.0, actions=[action], marks={action: "<- yours"}, heading=heading
        ),
        wrong=int(wrong.sum()),
        worst=float(short.max()),
        tolerance=question.tolerance,
    )
