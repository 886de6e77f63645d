"""`check`: is this answer right?  If not, where first, what the sum there is, and the likeliest mistake.

    V(s)  =  max_a sum_k p_k (r_k + discount * V(s'_k))          (r_k alone where the outcome terminated)

An answer is right if it is within the tolerance of the certified optimum in every state; what people get wrong is
told by comparing it with what known mistakes lead to (`mistakes.py`).  Ties are no mistake, nor is the order of
sweeps, nor what a terminal state's row of q_values or of a policy says.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...envs.mdp import TabularMDP
from ..questions import Model, checked_discount, hidden_table, observed_table
from ..solutions.record import Criterion
from ..solver import solve
from .answers import read_policy, read_values
from .check_policy import check_policy
from .check_values import check_values
from .hypotheses import Question
from .verdict import Verdict


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
        judged = check_policy(question, answer) if answer.kind == "policy" else check_values(question, answer)
        if not judged.right:
            return judged
        notes += judged.notes
    return Verdict(right=True, tolerance=question.tolerance, notes=tuple(dict.fromkeys(notes)))
