"""Bellman sums written out: every outcome of the table with its chance, its reward and what it leads to.

V(14) = max over a of the sum of p * (r + 0.99 * V(next))
  1 (down):  0.333333 * (0 + 0.99 * V(14)=0.854) + 0.333333 * (1, ends) + ... = 0.731
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import FloatArray, TabularMDP

#: Actions and outcomes shown before the rest is summed up in words.
MOST_ACTIONS, MOST_OUTCOMES = 6, 6


def name_of(mdp: TabularMDP, state: int) -> str:
    """The state's index, and its label where it has another one."""
    label = mdp.decode(state)
    return str(state) if label == state else f"{state} {label}"


def action_of(mdp: TabularMDP, action: int) -> str:
    """The action's index, and its label where it has another one."""
    label = mdp.action_name(action)
    return str(action) if label == str(action) else f"{action} ({label})"


def sum_of(mdp: TabularMDP, state: int, action: int, values: FloatArray, discount: float) -> str:
    """The sum of one action, over the values of the next states."""
    begin, end = mdp.first_outcome[state * mdp.num_actions + action :][:2].tolist()
    chances = mdp.normalised_probability[begin:end]
    ends = mdp.terminated[begin:end] | mdp.terminal[mdp.next_state[begin:end]]
    later = np.where(ends, 0.0, values[mdp.next_state[begin:end]])
    terms = chances * (mdp.reward[begin:end] + (discount * later if discount else 0.0))
    shown = [k for k in range(len(chances)) if chances[k] > 0]
    texts = []
    for k in shown[:MOST_OUTCOMES]:
        t = int(mdp.next_state[begin + k])
        ahead = "ends" if ends[k] else f"{discount:.6g} * V({t})={later[k]:.6g}"
        joint = ", " if ends[k] else " + "
        texts.append(f"{chances[k]:.6g} * ({mdp.reward[begin + k]:.6g}{joint}{ahead})")
    rest = shown[MOST_OUTCOMES:]
    if rest:
        texts.append(f"{len(rest)} more outcomes: {terms[rest].sum():.6g}")
    return f"{' + '.join(texts)} = {terms[shown].sum():.6g}"


def written_out(
    mdp: TabularMDP,
    state: int,
    q_values: FloatArray,
    values: FloatArray,
    discount: float,
    *,
    actions: list[int],
    marks: dict[int, str],
    heading: str,
) -> str:
    """The sums of several actions of one state, best first.

    Args:
        mdp: the table.
        state: where.
        q_values: [A] the right ones of the state.
        values: [S] of the next states.
        discount: weight of the next step.
        actions: which sums must be shown; others fill up.
        marks: words behind the sum of an action.
        heading: the line above.
    """
    if mdp.terminal[state]:
        return f"{heading}\n  no action is available: the episode is over, and nothing more is paid"
    available = np.flatnonzero(mdp.action_mask[state])
    ranked = sorted(available.tolist(), key=lambda a: (-q_values[a], a))
    chosen = [a for a in actions if mdp.action_mask[state, a]]
    chosen += [a for a in ranked if a not in chosen][: max(0, MOST_ACTIONS - len(chosen))]
    lines = [heading]
    for a in sorted(chosen, key=ranked.index):
        mark = f"   {marks[a]}" if a in marks else ""
        lines.append(f"  {action_of(mdp, a)}: {sum_of(mdp, state, a, values, discount)}{mark}")
    left = len(available) - len(chosen)
    if left:
        lines.append(f"  and {left} more actions, none of them better")
    return "\n".join(lines)
