"""How good a policy is, exactly, and between which two marks."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from ...envs.mdp import FloatArray


@dataclass(frozen=True, eq=False, kw_only=True)
class Score:
    """The exact worth of a policy.

    Attributes:
        values: [S] value of the policy in each state (finite_horizon [H + 1, S]; average: its gain; partially
            observed: of starting there).
        start_value: mean of the values over the start.
        optimum: the best start value (partially observed: with memory); inf, -inf or nan where a total is without
            bound or limit; nan where `solve` finds the best with memory neither exactly nor within its tolerance.
        random: the start value of the policy that plays every available action alike; nan where it has no limit.
        gap: smallest positive loss of start value by changing the optimal policy (ties by the lowest
            action) in one state; inf if there is none, nan where no optimal policy is known.
        lower: certified lower bound of start_value, rounding included; where states are hidden, of the pruned
            histories' weight, and start_value itself for policies of the last observation.
        upper: certified upper bound likewise.
    """

    values: FloatArray
    start_value: float
    optimum: float
    random: float
    gap: float
    lower: float
    upper: float

    @property
    def regret(self) -> float:
        """The optimum less the start value, in units of reward."""
        return 0.0 if self.optimum == self.start_value else self.optimum - self.start_value

    @property
    def normalized(self) -> float | None:
        """0 for the uniform random policy, 1 for the optimum; None where the two are equal or not both finite."""
        whole = self.optimum - self.random
        if whole == 0.0 or not isfinite(whole):
            return None
        return (self.start_value - self.random) / whole

    @property
    def gap_units(self) -> float:
        """The regret in units of the gap."""
        return 0.0 if self.gap == float("inf") else self.regret / self.gap

    @property
    def solved(self) -> bool:
        """Whether less than half a gap is lost."""
        return self.regret < self.gap / 2

    def __str__(self) -> str:
        share = self.normalized
        lost = "" if share is None else f" ({100 * (1 - share):.3g} % of the way from random to optimal)"
        return (
            f"start value {self.start_value:.10g}; optimum {self.optimum:.10g}, random {self.random:.10g}; "
            f"regret {self.regret:.4g}{lost}, {self.gap_units:.3g} gaps of {self.gap:.4g}: "
            f"{'solved' if self.solved else 'not solved'}"
        )
