"""Bounds of the optimum at every belief: alpha vectors from below, a sawtooth from above.

    lower(b)  =  max_k alpha_k . b                      each alpha_k at most the value of some policy
    upper(b)  =  corners . b - max_i e_i * min_{s: b_i(s) > 0} b(s) / b_i(s)          ("sawtooth")
                 e_i = corners . b_i - v_i,  v_i an upper bound at the belief b_i

Both scale with b, so they are asked about unnormalised beliefs just as well.  They begin with blind policies, which
repeat one action, and with the fast informed bound, which stays above the optimum at every sweep because it starts
above.  Hauskrecht, Value-function approximations for POMDPs, JAIR 13 (2000).
"""

from __future__ import annotations

import numpy as np

from ...envs.mdp import FloatArray, IntArray
from .dense_pomdp import DenseHidden

#: Sweeps of the fast informed bound.
SWEEPS = 300

#: Numbers in the largest array that comparing beliefs with the sawtooth's points may make.
BLOCK = 2_000_000


class LowerBound:
    """alpha vectors, each with its first action."""

    def __init__(self, model: DenseHidden, discount: float, steps: float, slack: float) -> None:
        num_actions, num_states = model.reward.shape
        transition = model.by_action(model.transition)  # the parts of an action together
        blind = []
        for action in range(num_actions):
            rest = np.eye(num_states) - discount * transition[action]
            values = np.linalg.solve(rest, model.reward[action])
            missing = np.abs(model.reward[action] - rest @ values).max() * steps
            blind.append(values - missing - slack)
        self.vectors: FloatArray = np.array(blind)
        self.actions: IntArray = np.arange(num_actions)

    def at(self, weights: FloatArray) -> FloatArray:
        """[...] of beliefs, or of unnormalised ones, [..., S]."""
        return np.asarray((weights @ self.vectors.T).max(axis=-1))

    def best(self, weights: FloatArray) -> IntArray:
        """[...] the vector that is best at each."""
        return np.asarray((weights @ self.vectors.T).argmax(axis=-1))

    def add(self, vector: FloatArray, action: int) -> None:
        """One more vector; those that it covers go."""
        if (self.vectors >= vector).all(axis=1).any():
            return
        kept = ~(self.vectors <= vector).all(axis=1)
        self.vectors = np.concatenate([self.vectors[kept], vector[None]])
        self.actions = np.append(self.actions[kept], action)


class UpperBound:
    """The sawtooth, and the fast informed bound beside it."""

    def __init__(self, model: DenseHidden, discount: float, observed: FloatArray) -> None:
        num_states = len(observed)
        vectors = model.reward + discount * model.by_action(model.transition @ observed)  # [A, S]
        for _ in range(SWEEPS):
            # every next action's vector, weighed by what is entered and seen: max over it, sum over what is seen
            ahead = model.seen[:, :, :, None] * vectors.T  # [G, O, S, A]
            weighed = model.by_action(model.transition[:, None] @ ahead)
            better = model.reward + discount * weighed.max(axis=3).sum(axis=1)
            change = float((vectors - better).max())
            vectors = np.minimum(vectors, better)
            if change <= 1e-12 * (1.0 + float(np.abs(vectors).max())):
                break
        self.informed: FloatArray = vectors
        self.corners: FloatArray = vectors.max(axis=0)
        self.points: FloatArray = np.zeros((0, num_states))
        self._inverse: FloatArray = np.zeros((0, num_states))
        self._values: FloatArray = np.zeros(0)
        self._number: dict[bytes, int] = {}

    def at(self, weights: FloatArray) -> FloatArray:
        """[...] of beliefs, or of unnormalised ones, [..., S]."""
        flat = weights.reshape(-1, weights.shape[-1])
        bound = (flat @ self.informed.T).max(axis=1)
        saved = self.points @ self.corners - self._values
        useful = saved > 0.0
        inverse, saved = self._inverse[useful], saved[useful]
        lowered = np.zeros(len(flat))
        if len(saved):
            step = max(1, BLOCK // inverse.size)
            for begin in range(0, len(flat), step):
                ratio = np.full((len(flat[begin : begin + step]), len(inverse)), np.inf)
                for s in range(flat.shape[1]):
                    there = np.isfinite(inverse[:, s])
                    shares = flat[begin : begin + step, s, None] * inverse[there, s]
                    ratio[:, there] = np.minimum(ratio[:, there], shares)
                lowered[begin : begin + step] = (ratio * saved).max(axis=1)
        bound = np.minimum(bound, flat @ self.corners - lowered)
        return np.asarray(bound.reshape(weights.shape[:-1]))

    def set(self, belief: FloatArray, value: float) -> None:
        """One more point, or a better value of one."""
        corner = int(belief.argmax())
        if belief[corner] == 1.0:
            self.corners[corner] = min(self.corners[corner], value)
            return
        key = belief.tobytes()
        number = self._number.get(key)
        if number is not None:
            self._values[number] = min(self._values[number], value)
            return
        self._number[key] = len(self.points)
        with np.errstate(divide="ignore"):
            inverse = 1.0 / belief
        self.points = np.concatenate([self.points, belief[None]])
        self._inverse = np.concatenate([self._inverse, inverse[None]])
        self._values = np.append(self._values, value)
