"""Mistakes in reading the table: another table, solved as well as ever.

Each function below alters the rows the way a common slip in the code alters the sum

    sum over outcomes of  p * (r + discount * V(next) * (not terminated))

and lets `solve` find where that leads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ....envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..hypotheses import Hypotheses, Hypothesis, Question, guessed, solved


def altered(
    mdp: TabularMDP,
    *,
    pair: IntArray | None = None,
    probability: FloatArray | None = None,
    next_state: npt.NDArray[np.integer] | None = None,
    reward: FloatArray | None = None,
    terminated: BoolArray | None = None,
    num_actions: int | None = None,
    keep: BoolArray | None = None,
) -> TabularMDP:
    """The table with other outcomes, given as arrays over its outcomes (or over new ones, all together)."""
    rows = mdp.row_of_outcome if pair is None else pair
    columns = [
        mdp.normalised_probability if probability is None else probability,
        mdp.next_state if next_state is None else next_state,
        mdp.reward if reward is None else reward,
        mdp.terminated if terminated is None else terminated,
    ]
    if keep is not None:
        rows, columns = rows[keep], [column[keep] for column in columns]
    order = np.argsort(rows, kind="stable")
    count = np.bincount(rows, minlength=mdp.num_states * (num_actions or mdp.num_actions))
    p, t, r, ended = (column[order] for column in columns)
    first = np.concatenate([[0], np.cumsum(count)])
    return TabularMDP(
        first_outcome=first,
        probability=p,
        next_state=t,
        reward=r,
        terminated=ended,
        initial=mdp.initial,
        normalise=True,
    )


def ends(mdp: TabularMDP) -> BoolArray:
    """[N] whether nothing follows the outcome."""
    return np.asarray(mdp.terminated | mdp.terminal[mdp.next_state])


def bootstraps(question: Question, terminal_values: FloatArray | None) -> Hypotheses:
    """Goes on counting where the episode is over; `terminal_values` [S] are what the answer says there."""
    mdp, name = question.mdp, "bootstraps at a terminal state"
    over = ends(mdp)
    cut = mdp.terminated & ~mdp.terminal[mdp.next_state]
    bonus = (
        np.zeros(mdp.num_states) if terminal_values is None else np.where(mdp.terminal, terminal_values, 0.0)
    )
    if bonus.any() and np.isfinite(bonus).all():
        state = int(np.flatnonzero(bonus)[0])
        because = (
            f"terminal states have values (state {state}: {bonus[state]:.6g}) and count in the sums that lead there; "
            "nothing follows an end: their value is 0"
        )
        reward = mdp.reward + question.discount * bonus[mdp.next_state]
        for ended in [mdp.terminated, mdp.terminated & ~cut] if cut.any() else [mdp.terminated]:
            for guess in guessed(
                name, because, solved(question, altered(mdp, reward=reward, terminated=ended))
            ):
                values = None if guess.values is None else guess.values + bonus
                yield Hypothesis(name, because, values, guess.q_values, guess.optimal)
    if cut.any():
        because = (
            "discount * V(next) is added even where the outcome terminated; a terminated outcome is worth its "
            "reward alone"
        )
        yield from guessed(name, because, solved(question, altered(mdp, terminated=mdp.terminated & ~cut)))
    starts = np.flatnonzero(mdp.initial)
    if over.any() and len(starts) == 1:
        because = f"an end goes on in the start (state {starts[0]}), as after a reset; nothing follows an end"
        again = altered(
            mdp,
            next_state=np.where(over, starts[0], mdp.next_state),
            terminated=np.zeros_like(mdp.terminated),
        )
        yield from guessed(name, because, solved(question, again))


def rewards(question: Question) -> Hypotheses:
    """Pays another reward, or the right one at another time."""
    mdp, discount = question.mdp, question.discount
    if discount not in (0.0, 1.0):
        because = "the reward is discounted too, V = discount * (r + V'); the first reward counts in full"
        late = altered(mdp, reward=discount * mdp.reward)
        yield from guessed("reward discounted", because, solved(question, late))
    over = ends(mdp)
    if mdp.reward[over].any():
        because = "a terminated outcome is worth 0; its reward is paid all the same, only nothing follows"
        unpaid = altered(mdp, reward=np.where(over, 0.0, mdp.reward))
        yield from guessed("reward of the last step forgotten", because, solved(question, unpaid))
    negated = solved(question, altered(mdp, reward=-mdp.reward))
    because = "the minimum over actions in place of the maximum"
    yield from guessed("minimum for maximum", because, negated, sign=-1.0)
    because = "rewards count with the wrong sign: costs are maximised, or rewards taken for costs"
    yield from guessed("reward sign", because, negated)
    yield from _timing(question)
    chances = mdp.normalised_probability
    if (chances < 1.0).any():
        because = "r + p * discount * V: the reward of each outcome is added in full, without its probability"
        kept = chances > 0
        paid = np.divide(mdp.reward, chances, out=np.zeros_like(chances), where=kept)
        unweighted = altered(mdp, reward=paid, keep=kept)
        yield from guessed("reward not weighted", because, solved(question, unweighted))
        because = "`=` in place of `+=`: of each action's outcomes only the last one counts"
        last = np.zeros(mdp.num_outcomes, dtype=np.bool_)
        last[mdp.first_outcome[1:][np.diff(mdp.first_outcome) > 0] - 1] = True
        lone = altered(mdp, reward=np.where(last, mdp.reward, 0.0), terminated=mdp.terminated | ~last)
        yield from guessed("outcomes overwritten", because, solved(question, lone))


def _timing(question: Question) -> Hypotheses:
    """R(s) for R(s'), and R(s') for R(s)."""
    mdp, name = question.mdp, "R(s) for R(s')"
    state = mdp.row_of_outcome // mdp.num_actions
    for entering in _rewards_of_entering(mdp):
        because = (
            "V(s) counts the reward of entering s itself, as in V(s) = R(s) + discount * ...; here it is paid on "
            "the way to s'"
        )
        own = np.where(mdp.terminal, entering, 0.0)
        paid = entering[state] + question.discount * own[mdp.next_state]
        for guess in guessed(name, because, solved(question, altered(mdp, reward=paid))):
            values = guess.values
            if values is not None and question.stationary:
                values = values + own
            yield Hypothesis(name, because, values, guess.q_values, guess.optimal)
        because = "the reward of entering a state is paid on leaving it: R[s] in the sum in place of R[s']"
        yield from guessed(name, because, solved(question, altered(mdp, reward=entering[state])))
    because = "the reward of leaving a state is paid on entering it: R[s'] in the sum in place of R[s]"
    leaving = mdp.expected_reward[mdp.next_state, mdp.row_of_outcome % mdp.num_actions]
    if not np.array_equal(leaving, mdp.reward):
        yield from guessed(name, because, solved(question, altered(mdp, reward=leaving)))


def _rewards_of_entering(mdp: TabularMDP) -> list[FloatArray]:
    """[S] the reward of entering each state, the commonest one where it is never entered.

    Where it is not always the same, an array R[s] holds what was written last, or the greatest.
    """
    happens = np.flatnonzero(mdp.normalised_probability > 0)
    into, paid = mdp.next_state[happens], mdp.reward[happens]
    known, counts = np.unique(paid, return_counts=True)
    last, most = np.full((2, mdp.num_states), known[counts.argmax()])
    last[into] = paid
    most[into] = -np.inf
    np.maximum.at(most, into, paid)
    return [last] if np.array_equal(last, most) else [last, most]


def chance(question: Question) -> Hypotheses:
    """Leaves out the probabilities."""
    mdp, name = question.mdp, "chance ignored"
    first, count = mdp.first_outcome[:-1], np.diff(mdp.first_outcome)
    filled = count > 0
    if (count <= 1).all():
        return
    chances = mdp.normalised_probability
    most = np.zeros(len(first), dtype=np.int64)
    for k in range(int(count.max()) - 1, -1, -1):  # of equally likely outcomes the first
        here = np.flatnonzero(count > k)
        at = first[here] + k
        better = chances[at] >= chances[np.minimum(most[here], len(chances) - 1)]
        most[here] = np.where(better | (most[here] < first[here]), at, most[here])
    choices = {
        "only the likeliest outcome of each action counts": most,
        "only the first outcome of each action counts": first,
        "only the second outcome of each action counts, as if it never slipped": first
        + np.minimum(1, count - 1),
        "only the last outcome of each action counts": first + count - 1,
    }
    for because, chosen in choices.items():
        keep = np.zeros(mdp.num_outcomes, dtype=np.bool_)
        keep[chosen[filled]] = True
        alone = altered(mdp, probability=np.ones(mdp.num_outcomes), keep=keep)
        yield from guessed(
            name, f"{because}; the sum runs over all, each with its probability", solved(question, alone)
        )
    even = altered(mdp, probability=1.0 / count[mdp.row_of_outcome])
    because = "all outcomes of an action count alike, whatever their probabilities"
    yield from guessed(name, because, solved(question, even))
    if mdp.num_outcomes <= 50_000:
        width = int(count.max())
        nth = np.arange(mdp.num_outcomes) - first[mdp.row_of_outcome]
        free = altered(
            mdp,
            pair=mdp.row_of_outcome * width + nth,
            probability=np.ones(mdp.num_outcomes),
            num_actions=mdp.num_actions * width,
            keep=chances > 0,
        )
        found = solved(question, free)
        if found is not None:
            values = found.numbers if found.values is None else found.values
            shape = (*found.q_values.shape[:-1], mdp.num_actions, width)
            because = "the best outcome of each action counts, as if one could choose it"
            yield Hypothesis(
                name,
                because,
                values,
                found.q_values.reshape(shape).max(axis=-1),
                np.asarray(found.optimal_actions.reshape(shape).any(axis=-1)),
            )


def availability(question: Question) -> Hypotheses:
    """Counts actions that are not there."""
    mdp, name = question.mdp, "maximum over unavailable actions"
    missing = np.flatnonzero((~mdp.action_mask & ~mdp.terminal[:, None]).ravel())
    if missing.size:
        for because, target, ended in (
            ("unavailable actions count in the maximum with the value 0", missing // mdp.num_actions, True),
            ("unavailable actions count as staying put for nothing", missing // mdp.num_actions, False),
            ("unavailable actions count as going to state 0 for nothing", np.zeros_like(missing), False),
        ):
            yield from guessed(
                name, because, solved(question, _with(mdp, missing, target, ended, mdp.num_actions))
            )
    live = np.flatnonzero(~mdp.terminal)
    wide = mdp.num_actions + 1
    spread = altered(mdp, pair=mdp.row_of_outcome // mdp.num_actions + mdp.row_of_outcome, num_actions=wide)
    found = solved(question, _with(spread, live * wide + wide - 1, live, True, wide))
    if found is not None:
        because = "the maximum starts at 0, so no state is worth less; start it at minus infinity"
        values = found.numbers if found.values is None else found.values
        optimal = found.optimal_actions[..., :-1] | (
            found.optimal_actions[..., -1:] & (np.arange(wide - 1) == 0)  # the policy keeps its initial 0
        )
        yield Hypothesis("maximum starts at 0", because, values, found.q_values[..., :-1], optimal)


def _with(mdp: TabularMDP, pairs: IntArray, target: IntArray, ended: bool, num_actions: int) -> TabularMDP:
    """The table with one more sure outcome, of reward 0, for each of `pairs`."""
    return altered(
        mdp,
        pair=np.concatenate([mdp.row_of_outcome, pairs]),
        probability=np.concatenate([mdp.normalised_probability, np.ones(len(pairs))]),
        next_state=np.concatenate([mdp.next_state, target]),
        reward=np.concatenate([mdp.reward, np.zeros(len(pairs))]),
        terminated=np.concatenate([mdp.terminated, np.full(len(pairs), ended)]),
        num_actions=num_actions,
    )
