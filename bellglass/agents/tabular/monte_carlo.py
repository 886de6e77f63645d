"""Monte Carlo control: wait for the end of the episode, then learn from what really followed.

    backwards over the episode's transitions (s, a, r, s'), from tail at its end:
        G        <-  r + discount * G
        Q(s, a)  <-  Q(s, a) + step_size * (G - Q(s, a))          at every visit

    tail  =  0 if terminated;  sum_a' pi(a' | s') Q(s', a') if truncated, with pi the policy that is played

Sutton & Barto (2018), section 5.4, in its every-visit form.  On-policy: it values its own exploration.  Nothing is
bootstrapped inside an episode, but a clock that runs out is not an end of the world, so a *truncated* episode goes
on with what is believed about s'; a return cut there would call every long episode worthless.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import numpy.typing as npt

from ..base import Transition
from .action_values import CONSTANT, FADING, ActionValueLearner


class MonteCarlo(ActionValueLearner):
    """A table of mean returns of the policy that it plays; learns at the end of each episode.

    Settings are those of `ActionValueLearner`, with a constant step size (older returns speak of older policies) and
    an exploration that fades to .01.  An episode that is under way is saved with `save(path, replay=True)`.
    """

    usual_step_size = CONSTANT
    usual_epsilon = FADING

    def update(self, transition: Transition) -> None:
        """Learns from one step as if it were an episode of its own, cut after it unless it terminated."""
        self.learn_from([transition])

    def learn_from(self, episode: Sequence[Transition]) -> None:
        """Moves every pair of the episode towards the return that followed it."""
        last = episode[-1]
        following = 0.0 if last.terminated else self._expected(last.next_observation)
        for s, a, r, *_ in reversed(episode):
            following = r + self.discount * following
            self.visits[s, a] += 1
            self._q_values[s, a] += self.step_size(int(self.visits[s, a])) * (
                following - self._q_values[s, a]
            )

    # -- the episodes under way ----------------------------------------------------------------------------------

    def _begin(self, num_envs: int) -> None:
        self._paths: list[list[Transition]] = [[] for _ in range(num_envs)]

    def _learn_from(self, transition: Transition, copy: int) -> None:
        path = self._paths[copy]
        path.append(transition)
        if transition.terminated or transition.truncated:
            self.learn_from(path)
            self.num_updates += len(path)
            path.clear()

    def _why_no_update(self) -> str:
        return (
            "it learns at the end of an episode, and none ended; learn longer, or give max_episode_steps if episodes "
            "may go on for ever"
        )

    def _memory_arrays(self) -> dict[str, npt.NDArray[Any]]:
        paths = getattr(self, "_paths", [])
        columns = zip(*(transition for path in paths for transition in path), strict=True)
        steps = dict(zip(Transition._fields, map(np.array, columns), strict=False))
        return {
            "path_lengths": np.array([len(path) for path in paths], dtype=np.int64),
            **{f"path_{name}": steps.get(name, np.zeros(0)) for name in Transition._fields},
        }

    def _take_memory(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        columns = [arrays[f"path_{name}"].tolist() for name in Transition._fields]
        steps = map(Transition._make, zip(*columns, strict=True))
        self._paths = [list(islice(steps, length)) for length in arrays["path_lengths"].tolist()]
