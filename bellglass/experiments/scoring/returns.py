"""How the return of an episode spreads under a policy, exactly: its mean and its variance.

    m_h(s)  =  sum_k p_k (r_k + m_{h+1}(s'_k))
    v_h(s)  =  sum_k p_k ((r_k + m_{h+1}(s'_k) - m_h(s))^2 + v_{h+1}(s'_k))

The second line is the law of total variance over one step: it adds squares only, so nothing cancels where a large
return varies little.  Sobel, The variance of discounted Markov decision processes, J. Appl. Prob. 19 (1982).
Without a time limit the rows are those of one policy, and each line is a linear system.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP

#: A variance this small, as a share of the squared size of returns, is rounding.
NOTHING = 1e-18


class Spread(NamedTuple):
    """Mean and variance of the return of one episode."""

    mean: float
    variance: float


@dataclass(frozen=True, eq=False)
class Steps:
    """The outcomes of one step under a policy.

    Attributes:
        num_states: S.
        source: [n] state it happens in.
        target: [n] state it leads to.
        probability: [n] its chance.
        reward: [n] what it pays.
        going_on: [n] whether the episode goes on.
    """

    num_states: int
    source: IntArray
    target: IntArray
    probability: FloatArray
    reward: FloatArray
    going_on: BoolArray

    @classmethod
    def under(cls, mdp: TabularMDP, policy: IntArray) -> Steps:
        """Those of a policy [S] that names available actions in all states but the terminal ones."""
        states = np.flatnonzero(~mdp.terminal)
        begins, ends = mdp.first_outcome[(states * mdp.num_actions + policy[states]) + [[0], [1]]]
        lengths = ends - begins
        k = np.repeat(begins - (np.cumsum(lengths) - lengths), lengths) + np.arange(int(lengths.sum()))
        return cls(
            num_states=mdp.num_states,
            source=mdp.row_of_outcome[k] // mdp.num_actions,
            target=mdp.next_state[k].astype(np.int64),
            probability=mdp.normalised_probability[k],
            reward=mdp.reward[k],
            going_on=~mdp.terminated[k] & ~mdp.terminal[mdp.next_state[k]],
        )

    def mean_of(self, number: FloatArray | BoolArray) -> FloatArray:
        """[S] mean over the outcomes of each state of a number [n]."""
        weights = self.probability * number
        return np.bincount(self.source, weights, minlength=self.num_states).astype(np.float64, copy=False)

    def after(self, values: FloatArray) -> FloatArray:
        """[n] value of the state that each outcome leads to; 0 where the episode ends."""
        return np.where(self.going_on, values[self.target], 0.0)

    def backup(self, mean: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """[S] and [S]: mean and variance with one step more."""
        return_of = self.reward + self.after(mean)
        now = self.mean_of(return_of)
        return now, self.mean_of((return_of - now[self.source]) ** 2 + self.after(variance))

    @property
    def matrix(self) -> scipy.sparse.csr_array:
        """[S, S] chance to go on in each state."""
        on = self.going_on
        shape = (self.num_states, self.num_states)
        return scipy.sparse.csr_array((self.probability[on], (self.source[on], self.target[on])), shape=shape)


def spread_within(mdp: TabularMDP, policy: IntArray) -> Spread:
    """Of `len(policy)` steps under a policy [H, S]."""
    mean: FloatArray = np.zeros(mdp.num_states)
    variance: FloatArray = np.zeros(mdp.num_states)
    rule, steps = policy[-1], Steps.under(mdp, policy[-1])
    for own in policy[::-1]:
        if not np.array_equal(own, rule):
            rule, steps = own, Steps.under(mdp, own)
        mean, variance = steps.backup(mean, variance)
    return over_starts(mdp, mean, variance)


def spread_until_the_end(mdp: TabularMDP, policy: IntArray) -> Spread:
    """Of a whole episode under a policy [S].

    Raises:
        ValueError: a state can be reached from which rewards go on for ever.
    """
    steps = Steps.under(mdp, policy)
    chain = steps.matrix
    paying = closure(chain, steps.mean_of(np.abs(steps.reward)) > 0)
    last = steps.mean_of(~steps.going_on | ~paying[steps.target]) > 0
    counted = paying & closure(chain.T.tocsr(), mdp.initial > 0)
    endless = counted & ~closure(chain, last)
    if endless.any():
        s = int(np.flatnonzero(endless)[0])
        raise ValueError(f"rewards go on for ever from state {s} ({mdp.decode(s)!r}): no variance is known")
    states = np.flatnonzero(counted)
    system = scipy.sparse.eye_array(len(states)) - chain[states][:, states]
    factors = scipy.sparse.linalg.splu(system.tocsc())

    def summed(each_step: FloatArray) -> FloatArray:
        sums: FloatArray = np.zeros(mdp.num_states)
        sums[states] = factors.solve(each_step[states])
        return sums

    mean = summed(steps.mean_of(steps.reward))
    deviation = steps.reward + steps.after(mean) - mean[steps.source]
    return over_starts(mdp, mean, summed(steps.mean_of(deviation**2)))


def closure(links: scipy.sparse.csr_array, begin: BoolArray) -> BoolArray:
    """[S] the states of `begin`, and all that are linked to one of them, row to column, over any number of links."""
    found = begin
    while True:
        wider = found | ((links @ found.astype(np.float64)) > 0)
        if np.array_equal(wider, found):
            return found
        found = wider


def over_starts(mdp: TabularMDP, mean: FloatArray, variance: FloatArray) -> Spread:
    """Of an episode that starts as the table says."""
    initial = mdp.initial / mdp.initial.sum()
    m = float(initial @ mean)
    v = float(initial @ ((mean - m) ** 2 + variance))
    return Spread(m, v if v > NOTHING * max(1.0, m * m) else 0.0)
