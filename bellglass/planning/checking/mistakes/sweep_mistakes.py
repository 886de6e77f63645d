"""Mistakes in how far to look: another discount, another number of sweeps or steps, another policy than the best.

    V_0 = 0          V_k(s)  =  max_a sum p * (r + discount * V_{k-1}(next))

is at the same time the k-th sweep of value iteration and the optimum with k steps left.
"""

from __future__ import annotations

import numpy as np

from ....envs.mdp import BoolArray, FloatArray, TabularMDP
from ...policies.policy_bounds import policy_values
from ..hypotheses import Hypotheses, Hypothesis, Question, backup, best_of, guessed, solved, top_of

#: Sweeps that are looked at, and updates of single states in sweeps in place.
MOST_SWEEPS, MOST_UPDATES = 3000, 150_000

#: Discounts that people use.
USUAL = (1.0, 0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 0.995, 0.999)


def discounts(question: Question, values: FloatArray | None, q_values: FloatArray | None) -> Hypotheses:
    """Another discount: those that fit the answer's own numbers best, then the usual ones."""
    if question.criterion == "average":
        return
    own = question.discount
    fitted = _fitted(question, values, q_values)
    nicer = [round(g, digits) for g in fitted for digits in (2, 3, 4)]
    tried = [*nicer, *fitted, own * own, *USUAL]
    for discount in dict.fromkeys(g for g in tried if 0.0 <= g <= 1.0 and abs(g - own) > 1e-9):
        word = {1.0: "no discount at all (1)", 0.0: "discount 0: nothing but the next reward"}
        said = word.get(discount, f"discount {discount:.6g}") + (
            ", which is the discount squared" if discount == own * own else ""
        )
        because = f"these fit {said}; asked for was {own:.6g}"
        yield from guessed("wrong discount", because, solved(question, discount=discount))


def _fitted(question: Question, values: FloatArray | None, q_values: FloatArray | None) -> list[float]:
    """The discount whose Bellman equation the answer's own numbers miss by least."""
    mdp = question.mdp
    if values is not None and values.shape == question.values.shape:
        given, target = values, values
    elif q_values is not None and q_values.shape == question.best.q_values.shape:
        target = np.where(mdp.action_mask, q_values, -np.inf)
        given = best_of(mdp, target)
    else:
        return []
    steps = [(target, given)] if question.stationary else list(zip(target[:-1], given[1:], strict=True))
    if not steps or not all(np.isfinite(now[~mdp.terminal]).any() for now, _ in steps):
        return []
    flat = mdp.expected_reward
    pieces = []
    for now, later in steps:
        ahead = (mdp.transition_matrix @ np.where(mdp.terminal, 0.0, later)).reshape(flat.shape)
        pieces.append((now, ahead))

    def missed(discount: float) -> float:
        worst = 0.0
        for now, ahead in pieces:
            q = np.where(mdp.action_mask, flat + discount * ahead, -np.inf)
            if values is None:
                off = np.abs(q[mdp.action_mask] - now[mdp.action_mask])
            else:
                off = np.abs(best_of(mdp, q) - now)[~mdp.terminal]
            worst = max(worst, float(off.max(initial=0.0)))
        return worst

    grid = np.linspace(0.0, 1.0, 101)
    centre = float(grid[int(np.argmin([missed(g) for g in grid]))])
    low, high = max(0.0, centre - 0.01), min(1.0, centre + 0.01)
    for _ in range(50):  # the worst miss is unimodal near its least
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if missed(left) <= missed(right) else (left, high)
    return [(low + high) / 2]


def sweeps(question: Question, answer: FloatArray, *, is_q: bool, slack: FloatArray | float) -> Hypotheses:
    """Value iteration stopped after so many sweeps; `answer` [S] or [S, A] is within `slack` of the k-th."""
    if not question.stationary:
        return
    mdp, discount = question.mdp, question.discount
    values = np.zeros(mdp.num_states)
    right = question.best.q_values if is_q else question.values
    mask = mdp.action_mask if is_q else ~mdp.terminal
    for k in range(MOST_SWEEPS):
        q = backup(mdp, values, discount)
        shown = q if is_q else values
        if _close(shown, answer, mask, slack):
            yield _stopped(question, k + 1 if is_q else k, values, q, "")
            return
        if _close(shown, right, mask, question.tolerance / 10):
            break
        values = best_of(mdp, q)
    if is_q:
        return
    for k, values in enumerate(_in_place(mdp, discount)):
        if _close(values, answer, mask, slack):
            yield _stopped(question, k + 1, values, backup(mdp, values, discount), " in place")
            return
        if _close(values, right, mask, question.tolerance / 10):
            break


def _stopped(question: Question, k: int, values: FloatArray, q: FloatArray, how: str) -> Hypothesis:
    mdp = question.mdp
    count = "1 sweep" if k == 1 else f"{k} sweeps"
    optimal = top_of(mdp, q)
    if not how and k == question.time_limit:
        because = (
            f"these are the values with {k} steps left: the environment's time limit is no part of the problem, "
            "and truncated is not terminated"
        )
        return Hypothesis("time limit in the problem", because, values, q, optimal)
    change = float(np.abs(best_of(mdp, q) - values).max(initial=0.0))
    advice = f"a sweep more still changes {change:.3g}"
    if question.discount < 1.0:
        promised = question.tolerance * (1.0 - question.discount)
        advice += f"; to be within {question.tolerance:.3g} go on until it changes less than {promised:.3g}"
    name = "stopped early"
    because = f"value iteration{how} from 0 after exactly {count}; {advice}"
    return Hypothesis(name, because, values, q, optimal)


def _in_place(mdp: TabularMDP, discount: float) -> list[FloatArray]:
    """Sweeps from state 0 on that use new values at once."""
    chances, later, paid = mdp.normalised_probability, mdp.next_state, mdp.reward
    weight = np.where(mdp.terminated | mdp.terminal[later], 0.0, discount) * chances
    first = mdp.first_outcome
    live = np.flatnonzero(~mdp.terminal).tolist()
    rows = []
    for s in live:
        begin, end = int(first[s * mdp.num_actions]), int(first[(s + 1) * mdp.num_actions])
        pairs = mdp.row_of_outcome[begin:end]
        starts = np.flatnonzero(np.diff(pairs, prepend=-1))
        flat = np.add.reduceat(chances[begin:end] * paid[begin:end], starts)
        rows.append((s, weight[begin:end], later[begin:end], starts, flat))
    values = np.zeros(mdp.num_states)
    found = []
    for _ in range(min(MOST_SWEEPS, MOST_UPDATES // max(1, len(live)))):
        before = values.copy()
        for s, w, t, starts, flat in rows:
            values[s] = (flat + np.add.reduceat(w * values[t], starts)).max()
        found.append(values.copy())
        if np.abs(values - before).max() <= 1e-12 * max(1.0, float(np.abs(values).max())):
            break
    return found


def _close(one: FloatArray, other: FloatArray, mask: BoolArray, slack: FloatArray | float) -> bool:
    with np.errstate(invalid="ignore"):
        apart = np.abs(one - other)
    return bool((apart <= slack)[mask].all())


def horizons(question: Question) -> Hypotheses:
    """Steps miscounted, numbered backwards, or forgotten."""
    if question.criterion != "finite_horizon":
        return
    assert question.horizon is not None
    best, H, name = question.best, question.horizon, "one sweep off"
    assert best.values is not None
    longer = solved(question, horizon=H + 1)
    if longer is not None and longer.values is not None:
        because = f"each step has the values of one step more: {H + 1} sweeps for a horizon of {H}"
        yield Hypothesis(name, because, longer.values[:-1], longer.q_values[:-1], longer.optimal_actions[:-1])
    later = np.concatenate([best.values[1:], best.values[-1:]])
    q = np.concatenate([best.q_values[1:], np.where(np.isneginf(best.q_values[-1:]), -np.inf, 0.0)])
    last = np.broadcast_to(question.mdp.action_mask, (1, *question.mdp.action_mask.shape))
    because = f"each step has the values of the step after it: {H - 1} sweeps for a horizon of {H}"
    yield Hypothesis(name, because, later, q, np.concatenate([best.optimal_actions[1:], last]))
    missing = best.values.copy()
    missing[0] = 0.0
    unset = best.q_values.copy()
    unset[0] = np.where(np.isneginf(unset[0]), -np.inf, 0.0)
    yield Hypothesis(name, "the loop ends before it comes to step 0, which is still 0", missing, unset)
    because = "row h holds the answer with h steps left; row h is asked for as step h, with H - h left"
    yield Hypothesis(
        "steps in reverse", because, best.values[::-1], best.q_values[::-1], best.optimal_actions[::-1]
    )
    for found in (solved(question, criterion="discounted"), solved(question, criterion="total")):
        if found is not None and found.values is not None:
            values = np.broadcast_to(found.values, best.values.shape)
            q = np.broadcast_to(found.q_values, best.q_values.shape)
            because = "these are the answers without a horizon, the same at every step"
            yield Hypothesis(
                "horizon ignored", because, values, q, np.broadcast_to(found.optimal_actions, q.shape)
            )


def policies(question: Question) -> Hypotheses:
    """The worth of some policy that is not the best one."""
    mdp = question.mdp
    chances = mdp.action_mask / np.maximum(1, mdp.action_mask.sum(axis=1, keepdims=True))
    because = "the mean over the actions in place of the maximum: this is what playing at random is worth"
    yield from _worth(question, chances, "mean for maximum", because)
    for a in range(min(mdp.num_actions, 32)):
        always = np.where(mdp.action_mask[:, a], a, mdp.lowest_action)
        because = f"this is what always playing action {a} is worth, not what the best policy is"
        yield from _worth(question, always, "values of another policy", because)


def _worth(question: Question, policy: FloatArray, mistake: str, because: str) -> Hypotheses:
    mdp = question.mdp
    try:
        values = policy_values(
            mdp, policy, question.discount, criterion=question.criterion, horizon=question.horizon
        )
    except ValueError:
        return
    if question.criterion == "average":
        yield Hypothesis(mistake, because, values)
    elif question.stationary:
        if np.isfinite(values).all():
            yield Hypothesis(mistake, because, values, backup(mdp, values, question.discount))
    else:
        yield Hypothesis(
            mistake, because, values, np.array([backup(mdp, v, question.discount) for v in values[1:]])
        )
