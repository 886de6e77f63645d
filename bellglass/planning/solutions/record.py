"""The numbers of a solution: values, policy, and bounds that hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ...envs.mdp import BoolArray, FloatArray, IntArray, TabularMDP
from ..bounds import apart

if TYPE_CHECKING:
    import scipy.sparse

    #: [B, S] chances of hidden states, sparse where they are many.
    Beliefs: TypeAlias = FloatArray | scipy.sparse.csr_array

Criterion = Literal["discounted", "finite_horizon", "total", "average"]

CRITERIA: tuple[Criterion, ...] = ("discounted", "finite_horizon", "total", "average")

#: Beliefs after which an enumeration gives up.
MAX_BELIEFS = 50_000


@dataclass(frozen=True, eq=False, kw_only=True)
class SolutionRecord:
    """The optimum of a table under one criterion, certified.

    Attributes:
        criterion: what was maximised.
        discount: weight of the value one step later; 1 for "total" and "average".
        horizon: steps of an episode for "finite_horizon", else None.
        start_value: initial @ values (values[0] with a finite horizon, gain for "average").
        values: [S] (finite_horizon [H + 1, S], row h before step h; None for "average").
        q_values: [S, A] (finite_horizon [H, S, A]), -inf where the action is not available; for "average"
            relative to gain and bias: reward - gain + the next state's bias.
        policy: [S] (finite_horizon [H, S]) the lowest optimal action; 0 in terminal states.
        optimal_actions: [S, A] (finite_horizon [H, S, A]) every action that the bounds leave open as optimal.
        gain: [S] greatest reward per step in the long run; None unless "average".
        bias: [S] of `policy`: sum of reward - gain as time goes on (Cesaro), which is 0 on average over the
            stationary distribution of each recurrent class; None unless "average".
        lower: [S] certified lower bounds of the optimum (of values, values[0] or gain).
        upper: [S] certified upper bounds of the optimum.
        occupancy: [S, A] discounted visits of the optimal policy from `initial`, where the linear programme found
            them; None for other methods (`bellglass.planning.occupancy` finds them for any policy).
        method: how it was found.
        iterations: improvements of the policy, or sweeps.
        seconds: wall clock.
        mdp: the table (of beliefs, where the model was partially observed).
        beliefs: [B, S] chance of each hidden state in each belief (a SciPy CSR where a dense array would be large);
            None where states are observed.
        alpha_vectors: [K, S] where the optimum was bounded for every belief b: at least max_k alpha_vectors[k] @ b
            at the first step; None where all reachable beliefs are at hand instead.
        alpha_actions: [K] the first action behind each of them.
    """

    criterion: Criterion
    discount: float
    horizon: int | None
    start_value: float
    values: FloatArray | None
    q_values: FloatArray
    policy: IntArray
    optimal_actions: BoolArray
    gain: FloatArray | None = None
    bias: FloatArray | None = None
    lower: FloatArray
    upper: FloatArray
    occupancy: FloatArray | None = None
    method: str
    iterations: int
    seconds: float
    mdp: TabularMDP = field(repr=False)
    beliefs: Beliefs | None = None
    alpha_vectors: FloatArray | None = None
    alpha_actions: IntArray | None = None

    @property
    def numbers(self) -> FloatArray:
        """[S] what the bounds are about: values, values of the first step, or gain."""
        if self.gain is not None:
            return self.gain
        assert self.values is not None
        return self.values[0] if self.values.ndim == 2 else self.values

    @property
    def bound(self) -> float:
        """The greatest distance between finite bounds."""
        return apart(self.lower, self.upper)
