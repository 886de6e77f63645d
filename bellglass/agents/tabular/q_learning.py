"""Q-learning: learn the best action values from any walk, one cell at a time.

    on each transition (s, a, r, s'):
        target   =  r + discount * max_a' Q(s', a')      (r alone if terminated)
        Q(s, a)  <-  Q(s, a) + step_size * (target - Q(s, a))

Watkins & Dayan, "Q-learning", Machine Learning 8 (1992): with every pair visited for ever and step sizes that meet
Robbins-Monro, Q reaches the optimum.  The boxed pseudocode is in Sutton & Barto (2018), section 6.5.

A *truncated* transition still bootstraps: the clock ran out, the world did not.  The maximum runs over the actions
that are available in s'.
"""

from __future__ import annotations

import numpy as np

from ...compiled import compiled, worth_compiling
from ..base import Transition
from ..experience import Experience
from ..learner import FloatArray
from ..schedules import Constant, tabulate
from .action_values import ActionValueLearner
from .fast_path import FastPath
from .kernels import q_learning_steps

#: Steps that the compiled loop takes at a time, so that tables of schedules stay small.
BLOCK = 1 << 16

#: A subclass that changes one of these is stepped, never compiled.
RULES = ("update", "td_error", "select_action", "_highest", "_act", "_learn_from", "_episode_began")


class QLearning(ActionValueLearner):
    """A table of action values, improved off-policy along an epsilon-greedy walk.

    On an environment that walks an open table with nothing on it but Gymnasium's checkers and time limits, long
    runs take a fast path, compiled: the same steps from the same generators, to the same bits.

    Settings and attributes are those of `ActionValueLearner`.
    """

    _step_sizes: FloatArray = np.zeros(0)  # of a pair's first updates, as far as they were needed

    def td_error(self, transition: Transition) -> float:
        """Target minus estimate, leaving the table as it is."""
        s, a, r, next_s, terminated, _ = transition
        next_value = 0.0 if terminated else self._highest(next_s)
        return float(r + self.discount * next_value - self._q_values[s, a])

    def update(self, transition: Transition) -> float:
        """Moves Q(s, a) towards its target; returns the TD error before the move."""
        s, a = transition.observation, transition.action
        td_error = self.td_error(transition)
        self.visits[s, a] += 1
        self._q_values[s, a] += self.step_size(int(self.visits[s, a])) * td_error
        return td_error

    def _highest(self, observation: int) -> float:
        """The highest value of an available action; 0 where there is none (a terminal state)."""
        row = self._q_values[observation].tolist()
        return max((row[a] for a in self.masks.actions(observation)), default=0.0)

    def _setting_changed(self, name: str) -> None:
        if name == "step_size":
            self._step_sizes = np.zeros(0)

    # -- the fast path -------------------------------------------------------------------------------------------

    def _play_until(self, timestep: int, experience: Experience) -> None:
        own = all(getattr(type(self), name) is getattr(QLearning, name) for name in RULES)
        path = FastPath.through(self.env) if own else None
        steps_left = max(self._plan, timestep) - self.num_timesteps
        alone = timestep - self.num_timesteps == 1  # a callback wants to see every step: nothing to gain
        if path is None or alone or not worth_compiling(q_learning_steps, steps_left):
            super()._play_until(timestep, experience)
            return
        mdp = path.mdp
        while self.num_timesteps < timestep and not self._interrupts.asked:
            if not path.agrees_with(experience):  # two clocks that began at different times
                super()._play_until(self.num_timesteps + 1, experience)
                continue
            steps = min(timestep - self.num_timesteps, BLOCK)
            taken, state, over, elapsed, episodes = compiled(q_learning_steps)(
                steps,
                path.state,
                experience.over,
                path.elapsed_of(experience),
                path.limit_of(experience),
                self.discount,
                self._exploration_rates(steps),
                self._step_sizes_up_to(int(self.visits.max()) + steps),
                self._q_values,
                self.visits,
                self.masks.available,
                self.masks.seen,
                mdp.first_outcome,
                mdp.cumulative_probability,
                mdp.next_state,
                mdp.reward,
                mdp.terminated,
                mdp.cumulative_initial,
                mdp.action_mask,
                path.generator,
                self._rng,
            )
            path.put(state, elapsed)
            experience.put(state, over, elapsed)
            self.masks.forget_cached()
            self.num_updates += taken
            self.num_episodes += episodes
            self._count(taken)
            self._check_finite()
            if taken < steps:  # in a terminal state that was entered unterminated
                super()._play_until(self.num_timesteps + 1, experience)

    def _exploration_rates(self, steps: int) -> FloatArray:
        """The exploration rates of so many steps to come (one number if they are all the same)."""
        if isinstance(self.epsilon, Constant):
            return tabulate(self.epsilon, ())
        progress = np.arange(self.num_timesteps, self.num_timesteps + steps) / self._plan
        return tabulate(self.epsilon, np.clip(progress, self._progress_before, 1.0).tolist())

    def _step_sizes_up_to(self, count: int) -> FloatArray:
        """The step sizes of the first `count` updates of a pair (one number if they are all the same)."""
        known = len(self._step_sizes)
        if known == 0 or (known < count and not isinstance(self.step_size, Constant)):
            more = tabulate(self.step_size, range(known + 1, count + 1))
            self._step_sizes = np.concatenate([self._step_sizes, more])
        return self._step_sizes
