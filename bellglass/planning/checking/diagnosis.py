"""The likeliest mistake: of all that are known, the simplest one that leads to the answer.

Every mistake says what would come of it (a guess).  One that agrees with the answer in every state, within the
tolerance and the answer's own rounding, is taken at its word, the first in the order below; else the one that
explains at least 98 % of the error everywhere, which leaves room for a mistake and a loose threshold at a time.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from ...envs.mdp import BoolArray, FloatArray
from .answers import Answer, distance, roundings
from .hypotheses import Hypotheses, Hypothesis, Question, backup, best_of, top_of
from .mistakes.order_mistakes import actions_of_q, orders, scales, transposed
from .mistakes.policy_mistakes import extractions
from .mistakes.sweep_mistakes import discounts, horizons, policies, sweeps
from .mistakes.table_mistakes import availability, bootstraps, chance, rewards

#: Every name that `Verdict.mistake` can have.
MISTAKES = (
    "rounded too coarsely",
    "bootstraps at a terminal state",
    "R(s) for R(s')",
    "reward discounted",
    "reward sign",
    "minimum for maximum",
    "reward of the last step forgotten",
    "reward not weighted",
    "outcomes overwritten",
    "mean for maximum",
    "maximum over unavailable actions",
    "maximum starts at 0",
    "wrong discount",
    "chance ignored",
    "time limit in the problem",
    "stopped early",
    "starts too high",
    "one sweep off",
    "steps in reverse",
    "horizon ignored",
    "one policy for every step",
    "bias for gain",
    "scaled",
    "shifted",
    "states in another order",
    "actions in another order",
    "actions numbered from 1",
    "transition transposed",
    "values of another policy",
    "one state left out",
    "greedy on other numbers",
    "unavailable action",
    "no such action",
    "plays at random",
    "goes round for ever",
)

#: Outcomes of a table beyond which the first guess that fits is taken without looking for others.
LARGE = 20_000


class Diagnosis(NamedTuple):
    """The likeliest mistake, why, and what else fits."""

    mistake: str | None
    because: str
    others: tuple[str, ...] = ()


def diagnose_numbers(question: Question, answer: Answer, right: FloatArray) -> Diagnosis:
    """The mistake behind wrong values or q_values; `right` has the shape of the answer."""
    mdp, is_q = question.mdp, answer.kind == "q_values"
    mask = mdp.action_mask if is_q else ~(mdp.terminal & question.foreign)
    given = (
        np.where(mdp.terminal & np.isnan(answer.numbers), 0.0, answer.numbers) if not is_q else answer.numbers
    )
    worst = float(distance(given, right)[..., mask].max(initial=0.0))
    scale = max(1.0, float(np.abs(right[np.isfinite(right)]).max(initial=0.0)))
    half = np.zeros(given.shape)
    for digits in roundings(answer.numbers):
        half = np.maximum(half, np.where(digits.half <= 0.02 * worst, digits.half, 0.0))
        if (distance(given, right) <= digits.half + question.tolerance)[..., mask].all():
            because = (
                f"right to {digits.words}, but that is coarse for values of this size: hand in more digits"
            )
            return Diagnosis("rounded too coarsely", because)
    tight = question.tolerance + half
    loose = np.maximum(tight, min(1e-3 * scale, 0.02 * worst))

    exact: list[Hypothesis] = []
    near: tuple[float, Hypothesis] | None = None
    for guess in _guesses(question, answer, given, tight):
        shown = guess.q_values if is_q else guess.values
        if shown is None:
            continue
        if shown.ndim > given.ndim:
            shown = shown[0]
        apart = distance(given, shown)[..., mask]
        if (apart <= np.broadcast_to(tight, given.shape)[..., mask]).all():
            exact.append(guess)
            if mdp.num_outcomes > LARGE:
                break
        elif (apart <= np.broadcast_to(loose, given.shape)[..., mask]).all() and (
            near is None or apart.max() < near[0]
        ):
            near = float(apart.max()), guess
    if exact:
        others = dict.fromkeys(guess.mistake for guess in exact[1:] if guess.mistake != exact[0].mistake)
        return Diagnosis(exact[0].mistake, exact[0].because, tuple(others))
    if near is not None:
        return Diagnosis(near[1].mistake, f"{near[1].because} (agrees to {near[0]:.2g} everywhere)")
    return _unknown(question, given, right, tight, is_q)


def _guesses(question: Question, answer: Answer, given: FloatArray, tight: FloatArray) -> Hypotheses:
    """All guesses about values or q_values, the simplest first."""
    is_q = answer.kind == "q_values"
    values, q_values = (None, given) if is_q else (given, None)
    ending = None
    if question.stationary:
        ending = np.nan_to_num(given.max(axis=-1) if is_q else given, nan=0.0, neginf=0.0, posinf=0.0)
    yield from itertools.chain(
        bootstraps(question, ending),
        rewards(question),
        policies(question),
        availability(question),
        _starts_too_high(question, values),
        sweeps(question, given, is_q=is_q, slack=tight),
        horizons(question),
        chance(question),
        discounts(question, values, q_values),
        orders(question),
    )
    yield from scales(question, given, is_q=is_q)
    if values is not None:
        if question.best.bias is not None:
            yield Hypothesis("bias for gain", "these are the bias, not the gain", question.best.bias)
    else:
        yield from actions_of_q(question, given)
    yield from transposed(question)


def _starts_too_high(question: Question, values: FloatArray | None) -> Hypotheses:
    if question.criterion != "total" or values is None or not np.isfinite(values).all():
        return
    mdp = question.mdp
    if _missed(question, values).max() <= question.tolerance and not values[mdp.terminal].any():
        because = (
            "the values obey Bellman's equation, which without a discount has more than one solution: "
            "the sweeps began above the optimum, and states that wait for nothing kept it; begin at 0"
        )
        yield Hypothesis("starts too high", because, values)


def _missed(question: Question, values: FloatArray) -> FloatArray:
    """[S] by how much each state misses Bellman's equation over the same numbers."""
    mdp = question.mdp
    return distance(values, best_of(mdp, backup(mdp, values, question.discount)))


def _unknown(
    question: Question, given: FloatArray, right: FloatArray, tight: FloatArray, is_q: bool
) -> Diagnosis:
    """What can be said where no known mistake fits."""
    mdp = question.mdp
    none = Diagnosis(None, "no known mistake leads to this answer")
    if not question.stationary or not np.isfinite(right[..., mdp.action_mask] if is_q else right).all():
        return none
    live = ~mdp.terminal
    if is_q:
        masked = np.where(mdp.action_mask, given, -np.inf)
        values = best_of(mdp, masked)
        off = distance(masked, backup(mdp, values, question.discount))
        missed = np.where(mdp.action_mask, off, 0.0).max(axis=1)
    else:
        values, missed = given, _missed(question, given)
    slack = 2.0 * np.broadcast_to(tight, given.shape)
    slack = np.asarray(slack.max(axis=1) if is_q else slack)
    if not is_q:
        chosen = _policy_behind(question, values, slack)
        if chosen is not None:
            listed = ", ".join(map(str, chosen[:12].tolist())) + (", ..." if len(chosen) > 12 else "")
            because = f"these are exactly the values of the policy {listed}, not of the best one"
            return Diagnosis("values of another policy", because)
    broken = np.flatnonzero((missed > slack) & live)
    if 1 <= len(broken) <= max(1, mdp.num_states // 50):
        names = ", ".join(map(str, broken[:5].tolist()))
        because = (
            f"only state {names} breaks Bellman's equation (by {missed[broken].max():.4g}); all other states "
            "follow from it: is it left out of the loop, or its rows misread?"
        )
        return Diagnosis("one state left out", because)
    if not is_q and _looks_unfinished(question, values, right, tight):
        because = (
            f"probably: all values lie on one side, off by at most {np.abs(values - right).max():.3g}, and one more "
            f"sweep moves all of them the right way, by at most {missed[live].max():.3g}; the threshold is too "
            "loose, or an evaluation is cut short"
        )
        return Diagnosis("stopped early", because)
    return Diagnosis(None, _residual_words(missed))


def _residual_words(missed: FloatArray) -> str:
    worst = int(missed.argmax())
    if missed[worst] == 0.0:
        return "no known mistake leads to this answer, although it agrees with itself"
    return (
        "no known mistake leads to this answer; over its own numbers Bellman's equation is missed most at "
        f"state {worst}, by {missed[worst]:.4g}"
    )


def _looks_unfinished(question: Question, values: FloatArray, right: FloatArray, tight: FloatArray) -> bool:
    """Whether sweeps are on their way: all values on one side of the optimum, and each sweep brings them closer."""
    error = values - right
    ahead = best_of(question.mdp, backup(question.mdp, values, question.discount)) - values
    farthest = float(np.abs(error).max())
    if farthest > 0.1 * float(np.abs(right).max()) or np.abs(ahead).max() > 0.95 * farthest:
        return False
    below = (error <= tight).all() and (ahead >= -2.0 * tight).all()
    above = (error >= -tight).all() and (ahead <= 2.0 * tight).all()
    return bool(below or above)


def _policy_behind(question: Question, values: FloatArray, slack: FloatArray) -> FloatArray | None:
    """[S] actions of which the values are the worth, if there are any."""
    mdp = question.mdp
    apart = distance(backup(mdp, values, question.discount), values[:, None])
    fits: BoolArray = np.asarray(mdp.action_mask & (apart <= slack[:, None]))
    if values[mdp.terminal].any() or not np.asarray(fits.any(axis=1))[~mdp.terminal].all():
        return None
    return np.where(mdp.terminal, 0, apart.argmin(axis=1))


def diagnose_policy(question: Question, answer: Answer) -> Diagnosis:
    """The mistake behind a wrong policy, all of whose actions are available."""
    mdp, live = question.mdp, ~question.mdp.terminal
    played = answer.numbers > 0
    best = question.best.optimal_actions
    if (played == mdp.action_mask)[..., live, :].all() and (played.sum(axis=-1)[..., live] > 1).any():
        return Diagnosis("plays at random", "every available action is played, whatever it is worth")
    if question.horizon is not None and played.ndim == 2 and (played <= best.any(axis=0))[live].all():
        because = (
            "one policy [S] is played at every step; with a finite horizon the best depends on it: [H, S]"
        )
        return Diagnosis("one policy for every step", because)
    found: dict[str, tuple[float, int, str]] = {}
    for rank, guess in enumerate(_guesses_of_policy(question, answer)):
        if guess.optimal is None:
            continue
        optimal = guess.optimal
        if guess.q_values is not None:
            optimal = np.asarray(optimal | top_of(mdp, guess.q_values))
        if optimal.ndim > played.ndim:
            optimal = np.asarray(optimal.all(axis=0))  # the same action must do at every step
        if (played <= optimal)[..., live, :].all() and (guess.mistake not in found):
            cost = _surprise(played, optimal, live)
            if guess.mistake == "actions in another order":
                cost = mdp.num_actions * float(np.log(mdp.num_actions))  # as many names could be meant
            found[guess.mistake] = cost, rank, guess.because
    if not found:
        return Diagnosis(None, "no known mistake leads to this policy")
    ranked = sorted(found, key=lambda name: found[name][:2])
    return Diagnosis(ranked[0], found[ranked[0]][2], tuple(ranked[1:]))


def _surprise(played: BoolArray, optimal: BoolArray, live: BoolArray) -> float:
    """How little the guess says: 0 where it says exactly what was played, ties by the lowest action."""
    optimal = np.broadcast_to(optimal, played.shape)
    if (played.argmax(axis=-1) == optimal.argmax(axis=-1))[..., live].all():
        return 0.0
    return float(np.log(np.maximum(1, optimal.sum(axis=-1)))[..., live].sum())


def _guesses_of_policy(question: Question, answer: Answer) -> Hypotheses:
    yield from extractions(question, answer.actions)
    yield from bootstraps(question, None)
    yield from rewards(question)
    yield from availability(question)
    yield from horizons(question)
    yield from chance(question)
    yield from discounts(question, None, None)
    yield from orders(question)
    yield from transposed(question)
    yield from _early_policies(question, answer)


def _early_policies(question: Question, answer: Answer) -> Hypotheses:
    """Greedy policies of value iteration that has not gone far."""
    if not question.stationary or answer.numbers.ndim != 2:
        return
    mdp, live = question.mdp, ~question.mdp.terminal
    values = np.zeros(mdp.num_states)
    for k in range(300):
        q = backup(mdp, values, question.discount)
        top = top_of(mdp, q)
        if ((answer.numbers > 0) <= top)[live].all():
            because = f"greedy after {k} sweeps of value iteration from 0: not far enough to see what is best"
            yield Hypothesis("stopped early", because, None, None, top)
            return
        values = best_of(mdp, q)
