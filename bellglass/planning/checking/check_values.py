"""Values and q_values, held against the right ones entry by entry."""

from __future__ import annotations

import numpy as np

from ...envs.mdp import BoolArray, FloatArray
from .answers import COARSEST, Answer, distance, roundings
from .bellman_sums import name_of, written_out
from .diagnosis import Diagnosis, diagnose_numbers
from .hypotheses import Question, backup, best_of
from .verdict import Verdict


def check_values(question: Question, answer: Answer) -> Verdict:
    """Values or q_values."""
    mdp, best, is_q = question.mdp, question.best, answer.kind == "q_values"
    right = best.q_values if is_q else question.values
    given = answer.numbers
    if given.ndim < right.ndim:
        right = right[0]
    notes: list[str] = []
    apart = distance(given, right)
    if is_q:
        apart = np.where(mdp.action_mask, apart, _stray(question, given, right))
    over = mdp.terminal if not is_q else mdp.terminal[:, None] & np.ones_like(mdp.action_mask)
    blank = over & ~np.isfinite(given)
    if question.foreign and not is_q and (np.nan_to_num(given)[..., mdp.terminal] != 0).any():
        state = int(np.flatnonzero(mdp.terminal)[0])
        notes.append(f"values of terminal states (such as {state}) are not looked at: nothing follows an end")
        blank = blank | over
    apart = np.where(blank, 0.0, apart)
    slack = np.full(given.shape, question.tolerance)
    if answer.single:
        spread = 1.0 if question.discount == 1.0 else 1.0 - question.discount
        finite = np.abs(right[np.isfinite(right)]).max(initial=1.0)
        slack = slack + 4.0 * float(np.finfo(np.float32).eps) * finite / spread
    if (apart <= slack).all():
        return Verdict(right=True, tolerance=question.tolerance, notes=tuple(notes))
    half = np.zeros(given.shape)
    largest = float(np.abs(right[np.isfinite(right)]).max(initial=0.0))
    for digits in roundings(given):
        small = (digits.half <= COARSEST * largest) | (digits.words.endswith("significant digits"))
        if ((apart <= slack + digits.half) & (small | (apart <= slack))).all():
            notes.insert(0, f"{answer.kind} right to {digits.words}")
            return Verdict(right=True, tolerance=question.tolerance, notes=tuple(notes))
        half = np.maximum(half, np.where(digits.half <= 0.1 * apart.max(), digits.half, 0.0))
    wrong = apart > slack + half
    if not wrong.any():
        wrong = apart > slack
    where = first_of(wrong, question.horizon is not None and given.ndim == (3 if is_q else 2))
    found = _found_numbers(question, answer, right, where)
    at = where[-2] if is_q else where[-1]
    return Verdict(
        right=False,
        kind=answer.kind,
        state=at,
        action=where[-1] if is_q else None,
        step=where[0] if len(where) > (2 if is_q else 1) else None,
        expected=float(right[where]) if not is_q or mdp.action_mask[at, where[-1]] else -np.inf,
        got=float(given[where]),
        mistake=found.mistake,
        explanation=found.because,
        others=found.others,
        bellman_sum=_sum_at(question, answer, where),
        residual=_residual(question, answer, where),
        wrong=int(wrong.sum()),
        worst=float(apart.max()),
        tolerance=question.tolerance,
        notes=tuple(notes),
    )


def _stray(question: Question, given: FloatArray, right: FloatArray) -> FloatArray:
    """Errors of q_values where no action is available: only blanks, the alias's value, or a terminal 0 pass."""
    mdp = question.mdp
    alias = np.take_along_axis(
        right, np.broadcast_to(mdp.lowest_action, right.shape[:-1])[..., None], axis=-1
    )
    alias = np.where(mdp.terminal[:, None], 0.0, alias)
    with np.errstate(invalid="ignore"):
        off = np.abs(given - alias)
    return np.where(np.isnan(given) | np.isneginf(given), 0.0, off)


def _found_numbers(
    question: Question, answer: Answer, right: FloatArray, where: tuple[int, ...]
) -> Diagnosis:
    mdp = question.mdp
    if answer.kind == "q_values" and not mdp.terminal[where[-2]]:
        at_unavailable = ~np.broadcast_to(mdp.action_mask, answer.numbers.shape)
        apart = distance(answer.numbers, right)
        if not mdp.action_mask[where[-2:]] and (apart <= question.tolerance)[~at_unavailable].all():
            s, a = where[-2:]
            because = (
                f"action {a} is not available in state {s}, but has the value {answer.numbers[where]:.6g}, "
                "which a maximum would count; write -inf or NaN there"
            )
            return Diagnosis("maximum over unavailable actions", because)
    if answer.kind == "values" and mdp.terminal.any() and question.stationary:
        apart = distance(answer.numbers, right)
        if (apart <= question.tolerance)[~mdp.terminal].all():
            because = (
                f"only terminal states are wrong: nothing follows an end, so the value of state {where[-1]} is 0 "
                "(what is paid on entering it belongs to the step before)"
            )
            return Diagnosis("bootstraps at a terminal state", because)
    return diagnose_numbers(question, answer, right)


def _sum_at(question: Question, answer: Answer, where: tuple[int, ...]) -> str:
    mdp, is_q = question.mdp, answer.kind == "q_values"
    timed = (
        answer.numbers.ndim == question.best.q_values.ndim - (0 if is_q else 1)
        and question.horizon is not None
    )
    s = where[-2] if is_q else where[-1]
    q, ahead, discount = step_ahead(question, where, timed)
    if timed and where[0] == question.horizon:
        return f"V({name_of(mdp, s)}) = 0: no step is left after step {question.horizon}"
    got = f"yours {answer.numbers[where]:.6g}"
    label = name_of(mdp, s)
    if is_q:
        a = where[-1]
        if not mdp.action_mask[s, a]:
            return f"Q({label}, {a}): the action is not available there; {got}"
        heading = f"Q({label}, {a}) = sum of p * (r + {discount:.6g} * V(next)); {got}"
        return written_out(mdp, s, q[s], ahead, discount, actions=[a], marks={a: got}, heading=heading)
    if question.criterion == "average":
        heading = f"gain({label}) = max over a of sum of p * (r + bias(next)) - bias({label}); {got}"
    else:
        heading = f"V({label}) = max over a of sum of p * (r + {discount:.6g} * V(next)) = "
        heading += f"{best_of(mdp, q)[s]:.6g}; {got}"
    top = int(q[s].argmax())
    return written_out(mdp, s, q[s], ahead, discount, actions=[top], marks={top: "<- best"}, heading=heading)


def _residual(question: Question, answer: Answer, where: tuple[int, ...]) -> float | None:
    """By how much the entry misses the sum over the answer's own numbers."""
    mdp, is_q = question.mdp, answer.kind == "q_values"
    if question.criterion == "average":
        return None
    given = answer.numbers
    if question.horizon is not None:
        if given.ndim != (3 if is_q else 2):
            return None
        if where[0] == question.horizon:
            return float(given[where])
        last = is_q and where[0] + 1 == question.horizon
        later = np.zeros_like(given[0]) if last else given[where[0] + 1]
    else:
        later = given
    if is_q:
        if not mdp.action_mask[where[-2:]]:
            return None
        later = best_of(mdp, np.where(mdp.action_mask, later, -np.inf))
    later = np.nan_to_num(later, nan=0.0)
    if not np.isfinite(later).all():
        return None
    q = backup(mdp, later, question.discount)
    own = q[where[-2:]] if is_q else best_of(mdp, q)[where[-1]]
    return float(given[where] - own)


def first_of(wrong: BoolArray, timed: bool) -> tuple[int, ...]:
    """The first wrong entry by state; with a time, of the last wrong step, which no other step explains."""
    if not timed:
        return tuple(np.argwhere(wrong)[0].tolist())
    step = int(np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))[-1])
    return (step, *np.argwhere(wrong[step])[0].tolist())


def step_ahead(
    question: Question, where: tuple[int, ...], timed: bool
) -> tuple[FloatArray, FloatArray, float]:
    """q_values [S, A] and next values [S] to show at an entry, and the discount."""
    best = question.best
    if question.horizon is not None and best.values is not None:
        step = where[0] if timed else 0
        if step >= question.horizon:
            return np.where(question.mdp.action_mask, 0.0, -np.inf), np.zeros_like(best.values[0]), 1.0
        return best.q_values[step], best.values[step + 1], question.discount
    if question.criterion == "average":
        assert best.gain is not None
        assert best.bias is not None
        return best.q_values, best.bias, 1.0
    assert best.values is not None
    return best.q_values, best.values, question.discount
