"""`check`: is this answer right?  If not, where first, what the sum there is, and the likeliest mistake.

    V(s)  =  max_a sum_k p_k (r_k + discount * V(s'_k))          (r_k alone where the outcome terminated)

An answer is right if it is within the tolerance of the certified optimum in every state; what people get wrong is
told by comparing it with what known mistakes lead to (`mistakes.py`).  Ties are no mistake, nor is the order of
sweeps, nor what a terminal state's row of q_values or of a policy says.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...envs.mdp import BoolArray, FloatArray, TabularMDP
from .answers import COARSEST, Answer, distance, read_policy, read_values, roundings
from .bellman_sums import name_of, written_out
from .guesses import Question, backup, best_of
from .mistakes import Diagnosis, diagnose_numbers, diagnose_policy
from .solution import Criterion
from .solver import Model, checked_discount, hidden_table, observed_table, solve
from .verdict import Verdict
from .wrong_policies import going_round


def check(
    model: Model,
    *,
    values: npt.ArrayLike | None = None,
    q_values: npt.ArrayLike | None = None,
    policy: npt.ArrayLike | None = None,
    discount: float | None = None,
    criterion: Criterion = "discounted",
    horizon: int | None = None,
    tolerance: float = 1e-6,
) -> Verdict:
    """Whether an answer is right; if not, the first wrong state, its sum, and the likeliest mistake.

    Args:
        model: a table, or an environment that lays one open and shows its states.
        values: [S]; with a finite horizon [H + 1, S], or [S] for the first step; for the average the gain,
            one number or [S].
        q_values: [S, A]; with a finite horizon [H, S, A], or [S, A] for the first step.  An unavailable
            action may say -inf, NaN, or what the state's lowest available action says.
        policy: actions [S], or chances [S, A]; with a finite horizon also [H, S] or [H, S, A] (without the
            time, it is played at every step).  Any best action is right.
        discount: as in `solve`.
        criterion: as in `solve`.
        horizon: as in `solve`.
        tolerance: how far a number may be from the right one, relative to max(1, max|V*|); for a policy what
            an action may lose.  Numbers rounded to decimals or to 3 or more significant digits are right
            if they round the right ones and half a unit is below 1 % of max|V*|; numbers of single
            precision may be off by its rounding error over 1 - discount.

    Raises:
        ValueError: nothing to check, a setting out of range, a wrong shape, NaN or infinity.
        TypeError: the model shows no states or lays no table open; no real numbers.

    >>> import bellglass, numpy as np
    >>> mdp = bellglass.TabularMDP.from_P({0: {0: [(1.0, 0, 1.0, False)]}}, initial=[1.0])
    >>> bool(bellglass.check(mdp, values=[10.0], discount=0.9))
    True
    >>> bellglass.check(mdp, values=[20.0], discount=0.9).mistake
    'wrong discount'
    """
    weight = checked_discount(discount, criterion, horizon)
    if values is None and q_values is None and policy is None:
        raise ValueError("nothing to check: give values=, q_values= or policy=")
    if not tolerance > 0.0 or not np.isfinite(tolerance):
        raise ValueError(f"tolerance must be positive and finite, got {tolerance}")
    if not isinstance(model, TabularMDP) and hidden_table(model) is not None:
        raise TypeError(
            "check is for observed states; this model hides them (bellglass.evaluate scores policies there)"
        )
    mdp = observed_table(model)
    answers = []
    if values is not None:
        answers.append(read_values(values, "values", mdp, criterion, horizon))
    if q_values is not None:
        answers.append(read_values(q_values, "q_values", mdp, criterion, horizon))
    if policy is not None:
        answers.append(read_policy(policy, mdp, horizon))
    best = solve(mdp, weight, criterion=criterion, horizon=horizon, tolerance=min(1e-8, tolerance / 4))
    right = best.numbers if best.values is None else best.values
    scale = max(1.0, float(np.abs(right[np.isfinite(right)]).max(initial=0.0)))
    spec = None if isinstance(model, TabularMDP) else getattr(model, "spec", None)
    foreign = not isinstance(model, TabularMDP) and not isinstance(
        getattr(getattr(model, "unwrapped", None), "mdp", None), TabularMDP
    )
    question = Question(
        mdp=mdp,
        discount=weight,
        criterion=criterion,
        horizon=horizon,
        best=best,
        tolerance=tolerance * scale,
        time_limit=None if spec is None else spec.max_episode_steps,
        foreign=foreign,
    )
    notes: list[str] = []
    for answer in answers:
        judged = (
            _judged_policy(question, answer) if answer.kind == "policy" else _judged_numbers(question, answer)
        )
        if not judged.right:
            return judged
        notes += judged.notes
    return Verdict(right=True, tolerance=question.tolerance, notes=tuple(dict.fromkeys(notes)))


def _judged_numbers(question: Question, answer: Answer) -> Verdict:
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
    where = _first(wrong, question.horizon is not None and given.ndim == (3 if is_q else 2))
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


def _first(wrong: BoolArray, timed: bool) -> tuple[int, ...]:
    """The first wrong entry by state; with a time, of the last wrong step, which no other step explains."""
    if not timed:
        return tuple(np.argwhere(wrong)[0].tolist())
    step = int(np.flatnonzero(wrong.reshape(len(wrong), -1).any(axis=1))[-1])
    return (step, *np.argwhere(wrong[step])[0].tolist())


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


def _step_ahead(
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


def _sum_at(question: Question, answer: Answer, where: tuple[int, ...]) -> str:
    mdp, is_q = question.mdp, answer.kind == "q_values"
    timed = (
        answer.numbers.ndim == question.best.q_values.ndim - (0 if is_q else 1)
        and question.horizon is not None
    )
    s = where[-2] if is_q else where[-1]
    q, ahead, discount = _step_ahead(question, where, timed)
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


def _judged_policy(question: Question, answer: Answer) -> Verdict:
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
    where = _first(wrong, question.horizon is not None)
    found = diagnose_policy(question, answer)
    s, a = where[-2:]
    rows, ahead, discount = _step_ahead(question, where, True)
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
    where = _first(wrong, wrong.ndim == 2)
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
    return bool(known[..., ~question.mdp.terminal].all()) and _judged_policy(question, read).right


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
    from .evaluation import policy_values

    mdp = question.mdp
    gain = policy_values(mdp, answer.numbers, criterion="average")
    short = question.values - gain
    wrong = short > question.tolerance
    if not wrong.any():
        return Verdict(right=True, tolerance=question.tolerance)
    found = diagnose_policy(question, answer)
    s = int(np.flatnonzero(wrong)[0])
    action = int(answer.numbers[s].argmax())
    rows, ahead, _ = _step_ahead(question, (s,), False)
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
