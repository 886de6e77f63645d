"""The gains of closed classes, with bounds, and where a chain is in the long run.

    min_s (r + P h - h)  <=  g  <=  max_s (r + P h - h)       for any h; equal where h is a bias

Small classes, and those whose entries lie close to the diagonal, are eliminated (Grassmann, Taksar and Heyman 1985) or
factorised; the others iterated.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse

from ...envs.mdp import FloatArray, IntArray
from ..algebra.chains import DENSE, Classes, stationary
from ..algebra.linear import factorised, is_narrow, levelled, solved
from ..algebra.pairs import UNIT
from .policy_chain import Chain


def class_gains(chain: Chain, classes: Classes) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(gain, lower, upper) of each closed class."""
    count = len(classes.members)
    gain, low, high = np.zeros(count), np.zeros(count), np.zeros(count)
    single = np.array([len(members) == 1 for members in classes.members], dtype=np.bool_)
    if single.any():
        alone = np.array([classes.members[number][0] for number in np.flatnonzero(single)])
        error = chain.rounding[alone] * chain.size[alone]
        gain[single] = chain.reward[alone]
        low[single], high[single] = gain[single] - error, gain[single] + error
    for number in np.flatnonzero(~single):
        gain[number], low[number], high[number] = _gain(chain, classes.members[number])
    return gain, low, high


def _gain(chain: Chain, members: IntArray) -> tuple[float, float, float]:
    within = scipy.sparse.csr_array(chain.sparse[members][:, members])
    reward, size, rounding = chain.reward[members], chain.size[members], chain.rounding[members]
    weights: FloatArray | None = None
    if len(members) <= DENSE or is_narrow(within):
        weights = stationary(within)
        bias = _bias(within, reward, weights)
    else:
        bias = levelled(within, reward, tolerance=1e-13 * max(1.0, float(size.max()))).x
    bias = bias - 0.5 * (bias.max() + bias.min())
    gains = reward + within @ bias - bias
    error = rounding * (size + within @ np.abs(bias)) + 4.0 * UNIT * (np.abs(gains) + np.abs(bias))
    low, high = float((gains - error).min()), float((gains + error).max())
    if weights is None:
        return 0.5 * (low + high), low, high
    middle = float(weights @ reward)
    if len(members) <= DENSE:
        doubt = _by_weights(weights, size, rounding)
        low, high = max(low, middle - doubt), min(high, middle + doubt)
    return min(max(middle, low), high), low, high


def _bias(within: scipy.sparse.csr_array, reward: FloatArray, weights: FloatArray) -> FloatArray:
    """[n] a bias of an irreducible chain; 0 in the state that is visited most."""
    anchor = int(weights.argmax())
    kept = np.delete(np.arange(len(reward)), anchor)
    bias = np.zeros(len(reward))
    mean = float(weights @ reward)
    bias[kept] = factorised(scipy.sparse.csr_array(within[kept][:, kept]))(reward[kept] - mean, False)
    return bias


def _by_weights(weights: FloatArray, size: FloatArray, rounding: FloatArray) -> float:
    """How far `weights @ reward` may be from the gain, by the relative error of eliminated weights.

    A stationary weight is a sum over trees of products of n - 1 entries, so entries with a relative error e change it
    by 2 n e, first order; eliminating state k costs the others (k + 2) u each, hence 2 k (k + 2) u, and building the
    weights up k u more: less than n (n + 2)^2 u in all (derived here; O'Cinneide 1993 has the idea).  Doubled for
    second order.
    """
    n = len(weights)
    relative = 2.0 * (n * (n + 2.0) ** 2 * UNIT + 2.0 * n * float(rounding.max()) + n * UNIT)
    return float("inf") if relative > 0.01 else relative * float(weights @ size) + 1e-300


def visited(transition: scipy.sparse.csr_array, classes: Classes, begin: FloatArray) -> FloatArray:
    """[S] long-run share of the steps spent in each state, from the distribution `begin` [S]."""
    shares = np.zeros(len(begin))
    entered = begin.copy()
    transient = np.flatnonzero(classes.of < 0)
    if transient.size:
        rows = transition[transient]
        inner = scipy.sparse.csr_array(rows[:, transient])
        entered += rows.T @ solved(inner, 1.0, begin[transient], tolerance=0.0, transposed=True).x
    for members in classes.members:
        mass = float(entered[members].sum())
        if mass > 0:
            within = scipy.sparse.csr_array(transition[members][:, members])
            shares[members] = mass * _weights(within)
    return shares


def _weights(within: scipy.sparse.csr_array) -> FloatArray:
    """[n] stationary distribution of an irreducible chain of any size."""
    size = within.shape[0]
    if size <= DENSE or is_narrow(within):
        return stationary(within)
    found = levelled(within, np.full(size, 1.0 / size), tolerance=1e-16, transposed=True).x
    found = np.maximum(found, 0.0)
    return np.asarray(found / found.sum())
