"""Expected Sarsa: Sarsa without the noise of drawing a'.

    on each transition (s, a, r, s'), with pi the policy that is played:
        target   =  r + discount * sum_a' pi(a' | s') Q(s', a')      (r alone if terminated)
        Q(s, a)  <-  Q(s, a) + step_size * (target - Q(s, a))

van Seijen et al., "A theoretical and empirical analysis of Expected Sarsa" (2009); Sutton & Barto (2018), section
6.6.  With epsilon 0 in pi the sum is a maximum, and this is Q-learning.  A truncated step bootstraps.
"""

from __future__ import annotations

from ..base import Transition
from .action_values import CONSTANT, FADING, ActionValueLearner


class ExpectedSarsa(ActionValueLearner):
    """A table of the values of the policy that it plays, by expectation over its next action.

    Settings are those of `ActionValueLearner`, with a constant step size (older targets speak of older policies) and
    an exploration that fades to .01.
    """

    usual_step_size = CONSTANT
    usual_epsilon = FADING

    def td_error(self, transition: Transition) -> float:
        """Target minus estimate, leaving the table as it is."""
        s, a, r, next_s, terminated, _ = transition
        next_value = 0.0 if terminated else self._expected(next_s)
        return float(r + self.discount * next_value - self._q_values[s, a])

    def update(self, transition: Transition) -> float:
        """Moves Q(s, a) towards its target; returns the TD error before the move."""
        s, a = transition.observation, transition.action
        td_error = self.td_error(transition)
        self.visits[s, a] += 1
        self._q_values[s, a] += self.step_size(int(self.visits[s, a])) * td_error
        return td_error
