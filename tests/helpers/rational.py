"""Exact rational arithmetic on small random tables: what every certificate is held against."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np

from bellglass.envs.mdp import TabularMDP

Row = list[tuple[Fraction, int, Fraction, bool]]


def random_table(seed: int, *, most_states: int = 6, ends: bool = True) -> TabularMDP:
    """Up to `most_states` states, 3 actions, small whole rewards, chances of every size, zeros, ties."""
    rng = np.random.default_rng(seed)
    num_states = int(rng.integers(1, most_states + 1))
    num_actions = int(rng.integers(1, 4))
    first, probability, next_state, reward, terminated = [0], [], [], [], []
    live = np.ones(num_states, dtype=bool)
    if ends and num_states > 1 and rng.random() < 0.7:
        live[rng.integers(num_states)] = False
    for s in range(num_states):
        for a in range(num_actions):
            if live[s] and (a == 0 or rng.random() < 0.85):
                count = int(rng.integers(1, 4))
                weights = (
                    rng.dirichlet(np.full(count, 0.7)) if rng.random() < 0.7 else np.full(count, 1 / count)
                )
                if count > 1 and rng.random() < 0.3:
                    weights[0] = 0.0
                    weights /= weights.sum()
                for p in weights:
                    t = int(rng.integers(num_states))
                    probability.append(float(p))
                    next_state.append(t)
                    reward.append(float(rng.integers(-2, 3)) * float(rng.choice([1.0, 0.1, 100.0])))
                    terminated.append(bool(ends and (not live[t] or rng.random() < 0.15)))
            first.append(len(probability))
    initial = np.where(live, rng.random(num_states), 0.0)
    return TabularMDP(
        first_outcome=first,
        probability=probability,
        next_state=next_state,
        reward=reward,
        terminated=terminated,
        initial=initial / initial.sum(),
    )


def exact_rows(mdp: TabularMDP) -> dict[tuple[int, int], Row]:
    """What the table means, p / sum(p), in fractions; outcomes of probability 0 left out."""
    rows: dict[tuple[int, int], Row] = {}
    for s in range(mdp.num_states):
        for a in range(mdp.num_actions):
            begin, end = mdp.first_outcome[s * mdp.num_actions + a : s * mdp.num_actions + a + 2].tolist()
            if begin < end:
                total = sum((Fraction(float(p)) for p in mdp.probability[begin:end]), Fraction(0))
                rows[s, a] = [
                    (
                        Fraction(float(mdp.probability[k])) / total,
                        int(mdp.next_state[k]),
                        Fraction(float(mdp.reward[k])),
                        bool(mdp.terminated[k] or mdp.terminal[mdp.next_state[k]]),
                    )
                    for k in range(begin, end)
                    if mdp.probability[k] > 0
                ]
    return rows


def exact_q(row: Row, values: list[Fraction], discount: Fraction) -> Fraction:
    """One backup."""
    return sum((p * (r + (0 if ends else discount * values[t])) for p, t, r, ends in row), Fraction(0))


def solved(matrix: list[list[Fraction]], right: list[Fraction]) -> list[Fraction] | None:
    """Gauss-Jordan elimination; None where the matrix is singular."""
    size = len(matrix)
    rows = [[*matrix[i], right[i]] for i in range(size)]
    for k in range(size):
        pivot = next((i for i in range(k, size) if rows[i][k] != 0), None)
        if pivot is None:
            return None
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(size):
            if i != k and rows[i][k] != 0:
                factor = rows[i][k]
                rows[i] = [x - factor * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[-1] for row in rows]


def exact_values(
    mdp: TabularMDP, rows: dict[tuple[int, int], Row], policy: list[int], discount: Fraction
) -> list[Fraction]:
    """Discounted values of a policy."""
    size = mdp.num_states
    matrix = [[Fraction(int(i == j)) for j in range(size)] for i in range(size)]
    right = [Fraction(0)] * size
    for s in range(size):
        if not mdp.terminal[s]:
            for p, t, r, ends in rows[s, policy[s]]:
                right[s] += p * r
                if not ends:
                    matrix[s][t] -= discount * p
    found = solved(matrix, right)
    assert found is not None
    return found


def exact_optimum(mdp: TabularMDP, discount: Fraction) -> tuple[list[Fraction], list[int]]:
    """Optimal values and policy (ties by the lowest action) by policy iteration without rounding."""
    rows = exact_rows(mdp)
    actions = {s: [a for a in range(mdp.num_actions) if (s, a) in rows] for s in range(mdp.num_states)}
    policy = [available[0] if available else 0 for available in actions.values()]
    while True:
        values = exact_values(mdp, rows, policy, discount)
        better = list(policy)
        for s, available in actions.items():
            if available:
                q = {a: exact_q(rows[s, a], values, discount) for a in available}
                if max(q.values()) > q[policy[s]]:
                    better[s] = max(available, key=lambda a: q[a])
        if better == policy:
            lowest = [
                next(
                    (a for a in available if exact_q(rows[s, a], values, discount) == values[s]),
                    0,
                )
                for s, available in actions.items()
            ]
            return values, lowest
        policy = better


def all_policies(mdp: TabularMDP) -> list[list[int]]:
    """Every deterministic policy."""
    choices = [np.flatnonzero(mask).tolist() or [0] for mask in mdp.action_mask]
    return [list(policy) for policy in product(*choices)]


def long_run(
    mdp: TabularMDP, rows: dict[tuple[int, int], Row], policy: list[int]
) -> tuple[list[Fraction], list[Fraction | float]]:
    """Gain [S], and total reward [S] (inf, -inf, or nan where the sum has no limit), of a policy; 0 after an end."""
    size = mdp.num_states
    chain: list[dict[int, Fraction]] = [{} for _ in range(size)]
    reward, paid, leaks = [Fraction(0)] * size, [False] * size, [True] * size
    for s in range(size):
        if not mdp.terminal[s]:
            leaks[s] = False
            for p, t, r, ends in rows[s, policy[s]]:
                reward[s] += p * r
                paid[s] |= r != 0
                leaks[s] |= ends
                if not ends:
                    chain[s][t] = chain[s].get(t, Fraction(0)) + p
    follows = []
    for s in range(size):
        met, frontier = {s}, [s]
        while frontier:
            new = [t for t in chain[frontier.pop()] if t not in met]
            met.update(new)
            frontier.extend(new)
        follows.append(met)
    recurrent = [
        all(s in follows[t] and not leaks[t] for t in follows[s]) and not leaks[s] for s in range(size)
    ]

    def absorbed(right: list[Fraction], known: dict[int, Fraction]) -> dict[int, Fraction]:
        """Solves x = right + P x where x is not known yet."""
        open_ = [s for s in range(size) if s not in known]
        matrix = [[Fraction(int(s == t)) - chain[s].get(t, Fraction(0)) for t in open_] for s in open_]
        sums = [right[s] + sum(chain[s].get(t, Fraction(0)) * x for t, x in known.items()) for s in open_]
        found = solved(matrix, sums)
        assert found is not None
        return known | dict(zip(open_, found, strict=True))

    gain: dict[int, Fraction] = {}
    kind: list[float] = [0.0] * size
    for s in range(size):
        if recurrent[s]:
            members = sorted(follows[s])
            matrix = [
                [Fraction(int(i == j)) - chain[i].get(j, Fraction(0)) for i in members] for j in members
            ]
            matrix[0] = [Fraction(1)] * len(members)
            weights = solved(matrix, [Fraction(1)] + [Fraction(0)] * (len(members) - 1))
            assert weights is not None
            gain[s] = sum((w * reward[t] for w, t in zip(weights, members, strict=True)), Fraction(0))
            if gain[s] != 0:
                kind[s] = np.inf if gain[s] > 0 else -np.inf
            elif any(paid[t] for t in members):
                kind[s] = np.nan
    gains = absorbed([Fraction(0)] * size, gain)
    totals: list[Fraction | float] = [Fraction(0)] * size
    for s in range(size):
        kinds = {kind[t] for t in follows[s] if recurrent[t] and kind[t] != 0}
        if kinds:
            totals[s] = kinds.pop() if len(kinds) == 1 else np.nan
    # What never meets an infinite class is finite; a chain cut down to those states solves it.
    known = {s: Fraction(0) for s in range(size) if recurrent[s] or not isinstance(totals[s], Fraction)}
    finite = absorbed(reward, known)
    return [gains[s] for s in range(size)], [
        finite[s] if isinstance(totals[s], Fraction) else totals[s] for s in range(size)
    ]
