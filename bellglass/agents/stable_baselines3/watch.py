"""What is asked and shown at each of their steps, and which way their schedules run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from stable_baselines3.common.callbacks import BaseCallback

from ..base import Callback
from ..progress import Interrupts
from ..schedules import KINDS, parameter_of, schedule_from, warn_if_rising


class Watch(BaseCallback):
    """Asks our callback, and ends an unfinished rollout at the goal."""

    def __init__(
        self,
        agent: Any,
        callback: Callback | None,
        goal: int,
        stops_at_goal: bool,
        show: Any,
        interrupts: Interrupts,
    ) -> None:
        super().__init__(verbose=0)
        self.agent = agent
        self.callback = callback
        self.goal = goal
        self.stops_at_goal = stops_at_goal
        self.show = show
        self.first = agent.num_timesteps
        self.interrupts = interrupts
        self.stopped = False

    def _on_training_start(self) -> None:
        if self.agent._plan_given is not None:
            self.agent.model._total_timesteps = self.agent._plan_given

    def _on_step(self) -> bool:
        for name, seen in (("reward", self.locals["rewards"]), ("observation", self.locals["new_obs"])):
            if not np.isfinite(seen).all():
                raise FloatingPointError(
                    f"environment step {self.num_timesteps}: the {name} is {seen[0]}; nothing can be learned from it"
                )
        self.agent.num_timesteps = self.num_timesteps
        self.show(self.num_timesteps - self.first)
        if self.callback is not None and self.num_timesteps >= getattr(self.callback, "next_timestep", 0):
            if hasattr(self.callback, "next_timestep"):  # seldom, and what it sees may be written down
                self.agent._check_finite()
            try:
                self.stopped = self.callback(self.agent) is False
            except KeyboardInterrupt:
                self.interrupts.asked = True
        if self.stopped or self.interrupts.asked:
            return False
        return not (self.stops_at_goal and self.num_timesteps >= self.goal)


def in_their_direction(name: str, given: Any) -> Any:
    """What they take for one of their schedules: ours, of the progress made, turned round."""
    ours = isinstance(given, Mapping) or type(given) in KINDS.values()
    if callable(given) and not ours:
        ours = parameter_of(given) == "progress"
        if not ours and parameter_of(given) != "progress_remaining":
            warn_if_rising(
                f"settings: {name}",
                float(given(1.0)),
                float(given(0.0)),
                runs="a bare function is asked at the progress that remains, from 1 down to 0",
                instead="Call its parameter `progress_remaining` if it is meant so, or `progress` if it is written "
                "for the progress made, from 0 up to 1",
            )
    if not ours:
        return given
    schedule = schedule_from(given, name, 0.0, np.inf)
    turned: Callable[[float], float] = lambda remaining: schedule(1.0 - remaining)  # noqa: E731
    return turned
