"""Homework: value iteration as students write it, on Gymnasium's `P` or on arrays, each with one mistake.

Nothing here comes from the package: `P[s][a] = [(probability, next_state, reward, terminated), ...]` and NumPy.
Each function is one student's own code, read by the teacher's only through what it hands in.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Table = dict[int, dict[int, list[tuple[float, int, float, bool]]]]


def right_in_place(P: Table, gamma: float, theta: float = 1e-8) -> tuple[Array, Array, Array]:
    """No mistake: V, Q and policy by sweeps in place."""
    V = np.zeros(len(P))
    while True:
        delta = 0.0
        for s in P:
            options = [
                sum(p * (r + gamma * V[t] * (not done)) for p, t, r, done in P[s][a]) for a in P[s] if P[s][a]
            ]
            new = max(options)
            delta = max(delta, abs(new - V[s]))
            V[s] = new
        if delta < theta:
            break
    Q = np.full((len(P), len(P[0])), -np.inf)
    for s in P:
        for a in P[s]:
            if P[s][a]:
                Q[s, a] = sum(p * (r + gamma * V[t] * (not done)) for p, t, r, done in P[s][a])
    return V, Q, Q.argmax(axis=1)


# -- mistakes in the backup ----------------------------------------------------------------------------------


def goal_has_a_value(P: Table, gamma: float) -> Array:
    """The goal is worth 1 from the beginning, and its reward is paid as well."""
    nS = len(P)
    V = np.zeros(nS)
    terminal = {t for s in P for a in P[s] for p, t, r, done in P[s][a] if done and t != s}
    for s in P:
        for a in P[s]:
            for _, t, r, done in P[s][a]:
                if done and r > 0:
                    V[t] = 1.0
    for _ in range(5000):
        for s in range(nS):
            if s in terminal:
                continue
            V[s] = max(sum(p * (r + gamma * V[t]) for p, t, r, _ in P[s][a]) for a in range(len(P[s])))
    return V


def goal_pays_for_ever(P: Table, gamma: float) -> Array:
    """Terminal states become self-loops that pay the reward of entering them at every step."""
    T = np.zeros((len(P), len(P[0]), len(P)))
    R = np.zeros((len(P), len(P[0]), len(P)))
    for s in P:
        for a in P[s]:
            for p, t, r, done in P[s][a]:
                T[s, a, t] += p
                R[s, a, t] = r
                if done and t != s:
                    R[t, :, t] = r
    V = np.zeros(len(P))
    for _ in range(4000):
        V = (T * (R + gamma * V)).sum(axis=2).max(axis=1)
    return V


def ignores_done(P: Table, gamma: float) -> Array:
    """`terminated` is unpacked and never looked at."""
    V = np.zeros(len(P))
    for _ in range(4000):
        newV = np.zeros(len(P))
        for s in P:
            best = -1e9
            for a in P[s]:
                q = 0.0
                for prob, s_next, reward, _done in P[s][a]:
                    q += prob * (reward + gamma * V[s_next])
                best = max(best, q) if P[s][a] else best
            newV[s] = best
        if np.max(np.abs(newV - V)) < 1e-9:
            return newV
        V = newV
    return V


def reward_of_the_state(P: Table, gamma: float) -> Array:
    """V(s) = R(s) + gamma max sum p V(s'), as in Russell and Norvig, with R(s) the reward of entering s."""
    nS = len(P)
    R = np.zeros(nS)
    usual = [r for s in P for a in P[s] for _, t, r, done in P[s][a] if t != s or not done]
    R[:] = max(set(usual), key=usual.count)
    terminal = np.zeros(nS, bool)
    for s in P:
        for a in P[s]:
            for _, t, r, done in P[s][a]:
                if t != s or not done:
                    R[t] = r
                    terminal[t] |= done
    U = np.zeros(nS)
    for _ in range(4000):
        new = R.copy()
        for s in range(nS):
            if not terminal[s]:
                new[s] += gamma * max(sum(p * U[t] for p, t, _, _ in P[s][a]) for a in P[s])
        U = new
    return U


def reward_of_leaving_the_next(T: Array, R: Array, gamma: float) -> Array:
    """T [S, A, S] and R [S, A] as arrays, but R is looked up at s'."""
    V = np.zeros(len(T))
    for _ in range(4000):
        Q = np.einsum("sat,ta->sa", T, R) + gamma * T @ V
        V = Q.max(axis=1)
    return V


def gamma_outside(P: Table, gamma: float) -> Array:
    """V = gamma * (r + V')."""
    V = np.zeros(len(P))
    for _ in range(400):
        V = np.array(
            [
                max(
                    sum(p * gamma * (r + (0 if done else V[t])) for p, t, r, done in P[s][a])
                    for a in P[s]
                    if P[s][a]
                )
                for s in P
            ]
        )
    return V


def done_is_worth_nothing(P: Table, gamma: float) -> Array:
    """`0 if done else r + gamma V`."""
    V = np.zeros(len(P))
    while True:
        old = V.copy()
        for s in P:
            V[s] = max(
                sum(0.0 if done else p * (r + gamma * old[t]) for p, t, r, done in P[s][a])
                for a in P[s]
                if P[s][a]
            )
        if abs(V - old).max() < 1e-10:
            return V


def reward_without_probability(P: Table, gamma: float) -> Array:
    """`q += r + p * gamma * V`."""
    V = np.zeros(len(P))
    for _ in range(4000):
        Q = np.zeros((len(P), len(P[0])))
        for s in P:
            for a in P[s]:
                for p, t, r, done in P[s][a]:
                    Q[s, a] += r + p * gamma * V[t] * (1 - done)
        V = Q.max(1)
    return V


def equals_for_plus_equals(P: Table, gamma: float) -> Array:
    """`q = ...` in the loop over outcomes."""
    V = np.zeros(len(P))
    for _ in range(3000):
        newV = V.copy()
        for s in P:
            qs = []
            for a in P[s]:
                for p, t, r, done in P[s][a]:
                    q = p * (r + gamma * V[t] * (not done))
                if P[s][a]:
                    qs.append(q)
            newV[s] = max(qs)
        V = newV
    return V


def likeliest_only(P: Table, gamma: float) -> Array:
    """`max(P[s][a])`: the row of greatest probability stands for all."""
    V = np.zeros(len(P))
    for _ in range(3000):
        V2 = np.zeros_like(V)
        for s in P:
            qs = []
            for a in P[s]:
                if not P[s][a]:
                    continue
                _, t, r, done = max(P[s][a], key=lambda row: row[0])
                qs.append(r if done else r + gamma * V[t])
            V2[s] = max(qs)
        V = V2
    return V


def never_slips(P: Table, gamma: float) -> Array:
    """The middle row is where the arrow points, so the other two are left out."""
    V = np.zeros(len(P))
    for _ in range(3000):
        for s in P:
            rows = [P[s][a][len(P[s][a]) // 2] for a in P[s]]
            V[s] = max(r + gamma * V[t] * (not done) for _, t, r, done in rows)
    return V


def minimum(P: Table, gamma: float) -> Array:
    """Min for max."""
    V = np.zeros(len(P))
    for _ in range(3000):
        V = np.array(
            [
                min(sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s] if P[s][a])
                for s in P
            ]
        )
    return V


def rewards_are_costs(P: Table, gamma: float) -> Array:
    """Takes the table's rewards for costs, and maximises their negative."""
    V = np.zeros(len(P))
    for _ in range(3000):
        V = np.array(
            [
                max(sum(p * (-r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s] if P[s][a])
                for s in P
            ]
        )
    return V


def mean_over_actions(P: Table, gamma: float) -> Array:
    """Iterative policy evaluation of the uniform policy, handed in as V*."""
    V = np.zeros(len(P))
    while True:
        delta = 0
        for s in P:
            able = [a for a in P[s] if P[s][a]]
            v = sum(
                1 / len(able) * sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a]) for a in able
            )
            delta = max(delta, abs(v - V[s]))
            V[s] = v
        if delta < 1e-9:
            return V


def best_starts_at_zero(P: Table, gamma: float) -> Array:
    """`best = 0` before the loop over actions."""
    V = np.zeros(len(P))
    for _ in range(3000):
        for s in P:
            best = 0.0
            for a in P[s]:
                q = sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a])
                if q > best:
                    best = q
            V[s] = best
    return V


def zeros_where_unavailable(P: Table, gamma: float) -> Array:
    """Q = np.zeros((S, A)), filled where there are rows, and then the maximum over all."""
    V = np.zeros(len(P))
    for _ in range(3000):
        Q = np.zeros((len(P), len(P[0])))
        for s in P:
            for a in P[s]:
                for p, t, r, d in P[s][a]:
                    Q[s, a] += p * (r + gamma * V[t] * (not d))
        V = Q.max(axis=1)
    return V


def stays_where_unavailable(P: Table, gamma: float) -> Array:
    """An action without rows is taken to leave everything as it is."""
    V = np.zeros(len(P))
    for _ in range(3000):
        V = np.array(
            [
                max(
                    sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a])
                    if P[s][a]
                    else gamma * V[s]
                    for a in P[s]
                )
                for s in P
            ]
        )
    return V


def transposed(T: Array, R: Array, gamma: float) -> Array:
    """T[s', a, s] for T[s, a, s']."""
    V = np.zeros(len(T))
    for _ in range(4000):
        V = np.max(R + gamma * np.einsum("tas,t->sa", T, V), axis=1)
    return V


def squared_discount(P: Table, gamma: float) -> Array:
    """Gamma twice: V is discounted when it is stored, and again when it is read."""
    V = np.zeros(len(P))
    for _ in range(3000):
        V = np.array(
            [
                max(
                    sum(p * (r + gamma * (gamma * V[t]) * (not d)) for p, t, r, d in P[s][a])
                    for a in P[s]
                    if P[s][a]
                )
                for s in P
            ]
        )
    return V


def forgets_gamma(P: Table, gamma: float) -> Array:
    """No discount at all."""
    return right_in_place(P, 1.0, 1e-10)[0]


def last_state_left_out(P: Table, gamma: float) -> Array:
    """range(nS - 1)."""
    V = np.zeros(len(P))
    for _ in range(3000):
        for s in range(len(P) - 1):
            V[s] = max(
                sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s] if P[s][a]
            )
    return V


# -- mistakes in when to stop ----------------------------------------------------------------------------------


def loose_threshold(P: Table, gamma: float) -> Array:
    """Sweeps in place until nothing changes more than 0.01."""
    return right_in_place(P, gamma, theta=1e-2)[0]


def ten_sweeps(P: Table, gamma: float) -> Array:
    """For i in range(10)."""
    V = np.zeros(len(P))
    for _ in range(10):
        old = V.copy()
        for s in P:
            V[s] = max(
                sum(p * (r + gamma * old[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s] if P[s][a]
            )
    return V


def random_start_loose(P: Table, gamma: float) -> Array:
    """V begins at random numbers above every value, and stops at 1e-3."""
    rng = np.random.default_rng(1)
    V = 1.0 + rng.random(len(P))
    for s in P:
        if all(t == s and done for a in P[s] for _, t, _, done in P[s][a]):
            V[s] = 0.0
    while True:
        old = V.copy()
        for s in P:
            V[s] = max(
                sum(p * (r + gamma * old[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s] if P[s][a]
            )
        if np.abs(V - old).max() < 1e-3:
            return V


def lazy_policy_iteration(P: Table, gamma: float) -> Array:
    """Policy iteration whose evaluation stops at a change of 0.005."""
    V, policy = np.zeros(len(P)), [next(a for a in P[s] if P[s][a]) for s in P]
    while True:
        while True:
            delta = 0.0
            for s in P:
                v = sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][policy[s]])
                delta, V[s] = max(delta, abs(v - V[s])), v
            if delta < 5e-3:
                break
        before = list(policy)
        for s in P:
            q = {a: sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s] if P[s][a]}
            policy[s] = max(q, key=lambda a: q[a])
        if policy == before:
            return V


def improves_once(P: Table, gamma: float) -> Array:
    """Evaluates the first action everywhere, improves once, evaluates, and hands that in."""

    def evaluate(policy: list[int]) -> Array:
        A, b = np.eye(len(P)), np.zeros(len(P))
        for s in P:
            for p, t, r, d in P[s][policy[s]]:
                b[s] += p * r
                A[s, t] -= gamma * p * (not d)
        return np.linalg.solve(A, b)

    first = [0] * len(P)
    V = evaluate(first)
    better = [
        max(P[s], key=lambda a: sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a])) for s in P
    ]
    return evaluate(better)


def with_time_limit(P: Table, gamma: float, limit: int) -> Array:
    """Backward induction over the environment's time limit, handed in as the values without one."""
    V = np.zeros(len(P))
    for _ in range(limit):
        V = np.array(
            [max(sum(p * (r + gamma * V[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s]) for s in P]
        )
    return V


def backward(P: Table, gamma: float, H: int, *, first: int, last: int) -> Array:
    """[H + 1, S] values by steps `first` down to `last`; right with H - 1 and 0."""
    V = np.zeros((H + 1, len(P)))
    for h in range(first, last - 1, -1):
        for s in P:
            V[h, s] = max(
                sum(p * (r + gamma * V[h + 1, t] * (not d)) for p, t, r, d in P[s][a])
                for a in P[s]
                if P[s][a]
            )
    return V


def forward_numbering(P: Table, gamma: float, H: int) -> Array:
    """V[k] holds the values with k steps left."""
    V = np.zeros((H + 1, len(P)))
    for k in range(1, H + 1):
        for s in P:
            V[k, s] = max(
                sum(p * (r + gamma * V[k - 1, t] * (not d)) for p, t, r, d in P[s][a])
                for a in P[s]
                if P[s][a]
            )
    return V


def optimistic_ones(P: Table) -> Array:
    """No discount, sweeps from V = 1."""
    V = np.ones(len(P))
    for s in P:
        if all(t == s and done for a in P[s] for _, t, _, done in P[s][a]):
            V[s] = 0.0
    for _ in range(3000):
        for s in P:
            V[s] = max(sum(p * (r + V[t] * (not d)) for p, t, r, d in P[s][a]) for a in P[s])
    return V


# -- mistakes in reading the policy off ------------------------------------------------------------------------


def argmin(P: Table, gamma: float) -> Array:
    """The worst action of each state."""
    Q = right_in_place(P, gamma)[1]
    return np.array(np.where(np.isfinite(Q), Q, np.inf).argmin(axis=1))


def one_based(P: Table, gamma: float) -> Array:
    """Actions written down from 1."""
    return right_in_place(P, gamma)[2] + 1


def other_arrows(P: Table, gamma: float) -> Array:
    """Believes that 0 is up, 1 right, 2 down, 3 left, where it is left, down, right, up."""
    mine = {0: 3, 1: 2, 2: 1, 3: 0}
    return np.array([mine[int(a)] for a in right_in_place(P, gamma)[2]])


def argmax_of_next_value(P: Table, gamma: float) -> Array:
    """Goes where V is greatest, whatever is paid on the way."""
    V = right_in_place(P, gamma)[0]
    return np.array([np.argmax([sum(p * V[t] for p, t, _, d in P[s][a] if not d) for a in P[s]]) for s in P])


def argmax_over_zeros(P: Table, gamma: float) -> Array:
    """Argmax over a Q whose unavailable entries were never touched."""
    Q = right_in_place(P, gamma)[1]
    return np.array(np.where(np.isfinite(Q), Q, 0.0).argmax(axis=1))
